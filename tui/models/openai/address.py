"""Normalizes the base URL that a user writes."""

import ipaddress
import re
from urllib.parse import urlsplit, urlunsplit

from tui.errors import ConfigError
from tui.i18n import _
from tui.masking import mask_address

DEFAULT = "https://api.openai.com/v1"


def normalize_base_url(text: str) -> str:
    """Return `text` as scheme, host and path, without a final slash.

    `localhost:11434` gets a scheme: http for this machine, for bare names and
    addresses and where there is a port, https else. A URL without a path gets /v1;
    a path is kept to its last part. The address of the completions themselves is
    cut back to its base. Raises `ConfigError` for what is not an HTTP URL.
    """
    text = text.strip()
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", text):
        text = f"{_scheme(text)}://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        # What is wrong may be a part of the password.
        why = "" if "@" in text else _(": {error}").format(error=error)
        raise ConfigError(
            _("base_url {text} is not a URL{why}.").format(text=_quoted(text), why=why)
        ) from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            _(
                "base_url {text} is not the URL of a server; write it like "
                "http://localhost:8080/v1."
            ).format(text=_quoted(text))
        )
    if port == 0:
        raise ConfigError(
            _("base_url {text} has no usable port.").format(text=_quoted(text))
        )
    if "@" in parts.path + parts.query + parts.fragment:
        raise ConfigError(
            _(
                "base_url {text} has an @ after the host. In a user name or "
                "password, write / as %2F, ? as %3F, # as %23 and @ as %40."
            ).format(text=_quoted(text))
        )
    last = r"(/chat)?/(completions|models|responses)/*$"
    path = re.sub(last, "", parts.path).rstrip("/")
    return urlunsplit((parts.scheme.lower(), parts.netloc, path or "/v1", "", ""))


def proxy_address(text: str, key: str) -> str:
    """Return the address of a proxy, with http as its scheme if it has none.

    "" stays "". Raises `ConfigError`, which names `key`, for what is not an address.
    """
    text = text.strip()
    if not text:
        return ""
    address = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https", "socks5", "socks5h")
        good = good and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            _(
                "{key} {text} is not the address of a proxy; write it like "
                "http://proxy.example.com:3128."
            ).format(key=key, text=_quoted(text))
        )
    return address


def shown(base_url: str) -> str:
    """Return a URL for messages: without a user's name and password in it."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def login(base_url: str) -> str:
    """Return the user's name and password as they stand in a URL, "" for none."""
    return urlsplit(base_url).netloc.rpartition("@")[0]


def _quoted(text: str) -> str:
    return repr(mask_address(text))


def is_local(base_url: str) -> bool:
    """Whether the server is on this machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_same(one: str, other: str) -> bool:
    """Whether two URLs lead to the same place, as far as their names tell."""
    same = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
    ones, others = urlsplit(one), urlsplit(other)
    hosts = [same.get(it.hostname or "", it.hostname) for it in (ones, others)]
    return hosts[0] == hosts[1] and (ones.port, ones.path) == (others.port, others.path)


def is_openai(base_url: str) -> bool:
    """Whether the server is OpenAI's own."""
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _scheme(text: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "http"  # what is wrong with it is said later
    named = "." in host and not re.fullmatch(r"[\d.]+", host)
    return "https" if named and port in (None, 443) and ":" not in host else "http"
