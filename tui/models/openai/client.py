"""Makes the HTTP client of a connection: certificates, proxy, limits of time."""

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tui import files
from tui.errors import ModelError
from tui.i18n import _
from tui.masking import mask_address
from tui.models.openai import limits


class Settings(msgspec.Struct, frozen=True):
    """How to reach a server."""

    base_url: str
    own_service: bool
    """Whether this is OpenAI itself, to which organization and project belong."""
    local: bool
    """Whether the host is this machine: then only `proxy` is asked, not those of the
    environment."""
    timeout: float
    connect_timeout: float
    """Seconds until there must be a connection: host found, TLS agreed on."""
    ca_file: str = ""
    """A file of certificates that are trusted in place of the usual ones, or ""."""
    proxy: str = ""
    """The address of a proxy that is always asked, "" for those of the environment."""


Hooks = Mapping[str, list[Callable[..., Any]]]


def http_client(settings: Settings, hooks: Hooks) -> Any:
    """Return the library's HTTP client. Reads files; raises `ModelError`."""
    import openai  # 0.5 s of CPU

    # Nothing is sent on to another address: a conversation is for whom the user has
    # named, and a POST would mostly become a GET on the way.
    options: dict[str, Any] = {"follow_redirects": False}
    options["headers"] = {"Accept-Encoding": limits.ACCEPTED}
    if settings.base_url.startswith("http:"):
        # To load the system's certificates takes 18 ms, which plain http does not need.
        # A context without any trusts nobody.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # With https the environment may name the certificate to trust.
        options["trust_env"] = not settings.local
    elif settings.ca_file:
        options["verify"] = _trusting(settings.ca_file)
    if settings.proxy:
        options["proxy"] = settings.proxy
    elif settings.local:
        # In place of the proxies of the environment.
        options["mounts"] = {"http://": None, "https://": None, "all://": None}
    try:
        return openai.DefaultHttpxClient(event_hooks=hooks, **options)
    except Exception as error:
        raise ModelError(_unusable(settings, error), "unreachable") from error


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=files.expanded(ca_file))
    except (OSError, RuntimeError, ValueError) as error:  # `SSLError` is an OSError
        why = getattr(error, "strerror", None) or str(error)
        if isinstance(error, ssl.SSLError):
            why = _("it has no certificate in PEM format")
        raise ModelError(
            _(
                "The ca_file {ca_file} cannot be used: {why}{why2}. It must be a PEM "
                "file with the certificate of the server's CA."
            ).format(ca_file=ca_file, why=why[:1].lower(), why2=why[1:]),
            "unreachable",
        ) from error


def _unusable(settings: Settings, error: Exception) -> str:
    # All else is fixed, so it is the proxy, or a file of certificates that the
    # environment names; some of these errors have no class that is ours to import.
    if settings.proxy:
        # The library quotes the address in its own words, with its password.
        why = "" if "@" in settings.proxy else _(": {error}").format(error=error)
        return _("The proxy {proxy} cannot be used{why}.").format(
            proxy=mask_address(settings.proxy), why=why
        )
    return _(
        "The proxy or certificate settings of the environment cannot be used: "
        "{error}. See HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE."
    ).format(error=error)
