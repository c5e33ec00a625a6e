"""Decides which requests the server answers.

Whoever may use the server controls the app, so each request must prove three things
before anything is started for it:

- Host is a name of this server. A foreign page whose own name was pointed to this
  address (DNS rebinding) sends its own name.
- Origin, which browsers send with each WebSocket, is that host. Another page cannot
  choose its Origin, and cookies are sent to all ports of a host.
- The cookie has the key that the printed address was exchanged for.
"""

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

from tui.i18n import _

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", re.IGNORECASE)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Headers(Protocol):
    """The headers of a request."""

    def get_all(self, key: str) -> list[str]:
        """Return all values of a header."""
        ...


class Access:
    """Checks the requests of one server, with new keys at each start."""

    def __init__(self, host: str, port: int) -> None:
        """Take what the server listens on; `host` is a name or an address."""
        self.token = secrets.token_urlsafe(24)
        """What the printed address has."""
        self._key = secrets.token_urlsafe(24)
        # Browsers send the cookies of all ports of a host to each of them.
        self._cookie = f"lazychat-{port}"
        self._names = _names(host)
        self._any_address = _is_any(host)

    @property
    def cookie(self) -> str:
        """The value of `Set-Cookie`: for this browser, until it is closed."""
        return f"{self._cookie}={self._key}; Path=/; HttpOnly; SameSite=Strict"

    def has_token(self, token: str) -> bool:
        """Return whether a request's token is that of the printed address."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def has_cookie(self, headers: Headers) -> bool:
        """Return whether the request comes from a browser that had the token."""
        for header in headers.get_all("Cookie"):
            try:
                found = SimpleCookie(header).get(self._cookie)
            except CookieError:
                continue
            if found and hmac.compare_digest(found.value.encode(), self._key.encode()):
                return True
        return False

    def foreign(self, headers: Headers, *, needs_origin: bool = False) -> str:
        """Return what is wrong with Host or Origin, or "".

        The port in Host may be any: `ssh -L` has another on its side.
        """
        hosts = headers.get_all("Host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return _("This server has another name.")
        origins = headers.get_all("Origin")
        if not origins and not needs_origin:
            return ""
        ours = {f"http://{hosts[0]}", f"https://{hosts[0]}"}
        if len(origins) != 1 or origins[0] not in ours:
            return _("The request comes from another page.")
        return ""

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if not found:
            return False
        name = found[1].strip("[]").lower().removesuffix(".")
        return name in self._names or (self._any_address and _is_address(name))


def _names(host: str) -> frozenset[str]:
    names: Iterable[str] = {host.lower()}
    if _is_any(host):
        # A browser shows these only if the user has typed them.
        names = {socket.gethostname().lower(), socket.getfqdn().lower()}
    return LOOPBACK.union(names)


def _is_any(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _is_address(name: str) -> bool:
    # An address needs no resolving, so that no name can be pointed elsewhere.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
