"""Logs in to servers by OAuth, with a code that the user pastes.

So a login works over ssh, where no browser can reach a port of this machine: the page
to which the browser is sent does not load, and its address holds the code. Tokens are
in the state folder, for the user only, each for the address for which it was given.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from tui import bounds, files, masking, paths
from tui.errors import LazychatError
from tui.i18n import _
from tui.mcp.explaining import NeedsLogin

if TYPE_CHECKING:
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import (
        AuthorizationCodeResult,
        OAuthClientInformationFull,
        OAuthToken,
    )

REDIRECT = "http://127.0.0.1:8976/callback"
"""Where the browser is sent with the code; nothing listens there."""


class _Login(msgspec.Struct):
    """What is stored for one address."""

    client: dict[str, Any] | None = None
    tokens: dict[str, Any] | None = None
    expires: float = 0.0
    """Seconds since the epoch; 0 if the tokens do not expire."""
    metadata: dict[str, Any] | None = None
    """Of the server that gives the tokens: where they are renewed."""


def file() -> Path:
    """Return the path of the stored logins, which may not exist."""
    return paths.state_file().with_name("mcp-logins.json")


def _read() -> dict[str, _Login]:
    try:
        return bounds.decode_as(file().read_bytes(), dict[str, _Login])
    except (OSError, ValueError):
        return {}


def _write(key: str, login: _Login | None) -> None:
    logins = _read()
    if login is None:
        logins.pop(key, None)
    else:
        logins[key] = login
    try:
        files.replace_private(file(), msgspec.json.encode(logins))
    except OSError as error:
        raise LazychatError(
            _("The login cannot be stored in {file}: {strerror}.").format(
                file=file(), strerror=error.strerror
            )
        ) from error


def forget(name: str, url: str) -> bool:
    """Delete the stored login; return whether there was one."""
    found = _key(name, url) in _read()
    if found:
        _write(_key(name, url), None)
    return found


def _key(name: str, url: str) -> str:
    return f"{name} {url}"


class _Store:
    """The storage of one address, as the SDK wants it."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.metadata: Callable[[], dict[str, Any] | None] = lambda: None

    def login(self) -> _Login:
        return _read().get(self._key) or _Login()

    async def get_tokens(self) -> "OAuthToken | None":
        from mcp.shared.auth import OAuthToken

        found = self.login().tokens
        with suppress(ValueError):
            tokens = OAuthToken.model_validate(found) if found else None
            if tokens:
                masking.remember_key(tokens.access_token)
                masking.remember_key(tokens.refresh_token or "")
            return tokens
        return None

    async def set_tokens(self, tokens: "OAuthToken") -> None:
        masking.remember_key(tokens.access_token)
        masking.remember_key(tokens.refresh_token or "")
        login = self.login()
        login.tokens = tokens.model_dump(mode="json", exclude_none=True)
        login.expires = time.time() + tokens.expires_in if tokens.expires_in else 0.0
        login.metadata = self.metadata() or login.metadata
        _write(self._key, login)

    async def get_client_info(self) -> "OAuthClientInformationFull | None":
        from mcp.shared.auth import OAuthClientInformationFull

        found = self.login().client
        with suppress(ValueError):
            return OAuthClientInformationFull.model_validate(found) if found else None
        return None

    async def set_client_info(self, client_info: "OAuthClientInformationFull") -> None:
        login = self.login()
        login.client = client_info.model_dump(mode="json", exclude_none=True)
        _write(self._key, login)


Show = Callable[[str], Awaitable[None]]
Take = Callable[[], Awaitable[str]]


def stored(name: str, url: str) -> "OAuthClientProvider":
    """Return an object that signs requests to `url` with the stored login.

    It renews the login. Without one, requests fail with `NeedsLogin`.
    """

    async def refuse(__: str) -> None:
        raise NeedsLogin(_("log in with: lazychat mcp login {name}").format(name=name))

    return _provider(name, url, refuse, None)


def interactive(name: str, url: str, show: Show, take: Take) -> "OAuthClientProvider":
    """Return an object that has the user log in, and stores the login.

    `show` gets the address that the user opens, `take` returns what the user pastes:
    the address to which the browser was sent, or the code in it.
    """
    return _provider(name, url, show, take)


def _provider(
    name: str, url: str, show: Show, take: Take | None
) -> "OAuthClientProvider":
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata, OAuthMetadata
    from pydantic import AnyUrl

    store = _Store(_key(name, url))
    states: list[str] = []

    class Provider(OAuthClientProvider):
        """Knows after a restart when tokens expire, and where they are renewed."""

        async def _initialize(self) -> None:
            await super()._initialize()
            login = store.login()
            self.context.token_expiry_time = login.expires or None
            if login.metadata:
                with suppress(ValueError):
                    found = OAuthMetadata.model_validate(login.metadata)
                    self.context.oauth_metadata = found

    async def redirect(address: str) -> None:
        states[:] = parse_qs(urlsplit(address).query).get("state", [])
        await show(address)

    async def callback() -> "AuthorizationCodeResult":
        from mcp.shared.auth import AuthorizationCodeResult

        code, state, issuer = read_pasted(await take() if take else "")
        # A bare code comes without its state: the user vouches for it by pasting.
        return AuthorizationCodeResult(
            code=code, state=state or (states or [""])[0], iss=issuer
        )

    provider = Provider(
        url,
        OAuthClientMetadata(
            client_name="lazychat",
            redirect_uris=[AnyUrl(REDIRECT)],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        store,
        redirect,
        callback,
    )

    def metadata() -> dict[str, Any] | None:
        known = provider.context.oauth_metadata
        return known.model_dump(mode="json", exclude_none=True) if known else None

    store.metadata = metadata
    return provider


def read_pasted(text: str) -> tuple[str, str | None, str | None]:
    """Return the code, the state and the issuer in what the user has pasted.

    State and issuer are None if only a code was pasted. Raises `LazychatError` if it is
    neither an address with a code nor a code.
    """
    pasted = text.strip().strip("\"'<>")
    if "?" in pasted or pasted.startswith(("http://", "https://")):
        query = parse_qs(urlsplit(pasted).query)
        if refused := query.get("error"):
            why = query.get("error_description", refused)[0]
            raise LazychatError(
                _("The login was refused: {why}.").format(why=why[:200])
            )
        if not query.get("code"):
            raise LazychatError(_("This address contains no code; copy all of it."))
        return (
            query["code"][0],
            query.get("state", [None])[0],
            query.get("iss", [None])[0],
        )
    if not pasted or len(pasted) > 4096 or not pasted.isprintable() or " " in pasted:
        raise LazychatError(_("Paste the address that the browser was redirected to."))
    return pasted, None, None
