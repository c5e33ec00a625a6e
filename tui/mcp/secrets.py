"""Finds the values of variables, headers and folders that `[mcp.NAME]` only names."""

import os
import re
from collections.abc import Mapping

from tui import files
from tui.config import McpServerConfig
from tui.errors import ConfigError
from tui.i18n import _
from tui.masking import remember_key
from tui.mcp.extracting import Extractor, is_secret_name
from tui.models import keys

_INHERITED = (
    *("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
)
"""The variables that every server gets. The others stay with us: among them are the
keys for models."""


_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_]\w*)\}")


def references(text: str) -> list[str]:
    """Return the names in the `${NAME}` of a text, each once."""
    found = (match[1] for match in _REFERENCE.finditer(text))
    return list(dict.fromkeys(name for name in found if name))


def arguments(name: str, server: McpServerConfig) -> tuple[str, ...]:
    """Return the arguments of `[mcp.NAME]` with the values of each `${NAME}` in them.

    `$${` stands for `${`. Raises `ConfigError` if a value is missing.
    """
    filled = tuple(_filled(name, "args", each) for each in server.args)
    _remember_all_in(filled)
    return filled


def program(name: str, server: McpServerConfig) -> str:
    """Return the command of `[mcp.NAME]`, filled in as its arguments are."""
    return _expanded(_filled(name, "command", server.command))


def folder(name: str, server: McpServerConfig) -> str:
    """Return the cwd of `[mcp.NAME]`, filled in as its arguments are; "" for none."""
    return _expanded(_filled(name, "cwd", server.cwd))


def _expanded(path: str) -> str:
    return str(files.expanded(path)) if path.startswith("~") else path


def address(name: str, server: McpServerConfig) -> str:
    """Return the url of `[mcp.NAME]`, filled in as its arguments are."""
    filled = _filled(name, "url", server.url)
    _remember_all_in((filled,))
    return filled


def _remember_all_in(texts: tuple[str, ...]) -> None:
    """Mask what looks like a secret in arguments or an address: servers quote it."""
    found: dict[str, str] = {}
    Extractor("", found).arguments(texts)
    for secret in found.values():
        remember_key(secret)


def _remember(name: str, value: str, *, named: bool = False) -> str:
    """Mask a value that is called `name` and may be a secret; return it.

    `named` is for one that config.toml only names, as secrets are.
    """
    if named or is_secret_name(name):
        remember_key(value.split()[-1] if value.split() else "")
    return value


def _filled(name: str, where: str, text: str) -> str:
    def value(match: re.Match[str]) -> str:
        if not (variable := match[1]):
            return "${"
        found = _key(name, where, variable)
        if is_secret_name(variable):
            remember_key(found)
        return found

    return _REFERENCE.sub(value, text)


def environment(name: str, server: McpServerConfig) -> dict[str, str]:
    """Return all variables of the process of `[mcp.NAME]`.

    Blocks while commands print values. Raises `ConfigError` if one is missing.
    """
    found = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    found |= {
        key: _remember(key, _key(name, "env_keys", key)) for key in server.env_keys
    }
    plain = {
        key: _remember(key, _filled(name, "env", value))
        for key, value in server.env.items()
    }
    return found | _printed(name, "env_cmd", server.env_cmd) | plain


def headers(name: str, server: McpServerConfig) -> dict[str, str]:
    """Return the headers for the address of `[mcp.NAME]`.

    Blocks while commands print values. Raises `ConfigError` if one is missing or cannot
    be sent.
    """
    found = {
        header: _authorization(
            header, _remember(key, _key(name, "headers_env", key), named=True)
        )
        for header, key in server.headers_env.items()
    }
    for header, value in _printed(name, "headers_cmd", server.headers_cmd).items():
        found[header] = _authorization(header, value)
    for header, value in server.headers.items():
        found[header] = _remember(header, _filled(name, "headers", value))
    for header, value in found.items():
        if not (
            header.isascii() and value.isascii() and f"{header}{value}".isprintable()
        ):
            raise ConfigError(
                _(
                    "[mcp.{name}]: the header {header!r} has characters that cannot "
                    "be sent"
                ).format(name=name, header=header)
            )
    return found


def _authorization(header: str, value: str) -> str:
    """Return a token as the usual value of the header; other values stay."""
    bare = header.lower() == "authorization" and " " not in value
    return f"Bearer {value}" if bare else value


def _key(name: str, where: str, variable: str) -> str:
    if value := keys.find(variable):
        return value
    raise ConfigError(
        _(
            "[mcp.{name}] {where}: {variable} is neither a variable nor in keys.toml"
        ).format(name=name, where=where, variable=variable)
    )


def _printed(name: str, where: str, commands: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, command in commands.items():
        try:
            found[key] = _remember(key, keys.first_line(command), named=True)
        except ValueError as error:
            raise ConfigError(
                _("[mcp.{name}] {where}: the command for {key} failed: {error}").format(
                    name=name, where=where, key=key, error=error
                )
            ) from None
    return found
