"""Decides how to reach probed servers: in the way that config.toml reaches them.

A gateway that a model is configured for has the certificate and the proxy of that
model. All others are reached as the environment says, this machine without a proxy.
"""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from tui import files
from tui.config import ModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.models.openai.address import is_local, normalize_base_url, proxy_address


class Route(msgspec.Struct, frozen=True):
    """The way to a server."""

    ca_file: str = ""
    """A PEM file with the certificates to trust, "" for the usual ones."""
    proxy: str = ""
    """The address of a proxy, "" for those of the environment."""

    def is_direct_to(self, url: str) -> bool:
        """Whether no proxy is asked, neither that of the route nor another."""
        return not self.proxy and is_local(url)

    def context(self) -> ssl.SSLContext:
        """Return what a server's certificate is checked with; reads files.

        Raises OSError and ValueError if they cannot be used.
        """
        file = files.expanded(self.ca_file) if self.ca_file else None
        return ssl.create_default_context(cafile=file)


class Routes:
    """The ways to the servers that have models in config.toml."""

    def __init__(self, models: Iterable[ModelConfig] = ()) -> None:
        self._routes: dict[str, Route] = {}
        for model in models:
            if not isinstance(model, OpenAIModelConfig) or not model.base_url:
                continue
            # What is wrong here, the model's own first question tells.
            with suppress(ConfigError):
                origin = _origin(normalize_base_url(model.base_url))
                route = Route(model.ca_file, proxy_address(model.proxy, "proxy"))
                if route != Route():
                    self._routes.setdefault(origin, route)

    def to(self, url: str) -> Route:
        """Return the way to a base URL."""
        return self._routes.get(_origin(url), Route())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"
