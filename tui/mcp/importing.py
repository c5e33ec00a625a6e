"""Reads the configurations of other clients: their JSON files with MCP servers.

Claude Desktop, Claude Code, Cursor and others have `mcpServers`, VS Code `servers`, Zed
`context_servers`. A literal secret is not copied into config.toml: its name is written
there, and its value goes to keys.toml; `tui.mcp.extracting` finds them.
"""

import re
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import tomli_w

from tui import bounds, files, nearly_json
from tui.config import McpServerConfig
from tui.errors import ConfigError
from tui.i18n import _
from tui.masking import is_variable_name
from tui.mcp.extracting import Extractor
from tui.mcp.reading import line
from tui.mcp.secrets import references

_TABLES = ("mcpServers", "servers", "context_servers")
_MOST = 200
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|AUTH|CREDENTIAL|COOKIE", re.I)
_VARIABLE = re.compile(r"\$\{(env:|input:)?([A-Za-z_][A-Za-z0-9_.-]*)(?::-[^}]*)?\}")


class Imported(msgspec.Struct):
    """A server from a file."""

    name: str
    settings: McpServerConfig
    keys: dict[str, str]
    """Secrets by the names under which they are to be stored."""
    wanted: tuple[str, ...]
    """Variables that must be set, or stored in keys.toml, before it works."""
    notes: tuple[str, ...] = ()
    """What could not be taken over."""


def read(file: Path) -> list[Imported]:
    """Return the servers in a file of another client.

    Raises `ConfigError` if there are none.
    """
    try:
        text = files.read_text(files.expanded(file))
    except FileNotFoundError as error:
        raise ConfigError(_("{file}: no such file.").format(file=file)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(_("{file} is not UTF-8 text.").format(file=file)) from error
    except OSError as error:
        raise ConfigError(
            _("{file} cannot be read: {strerror}.").format(
                file=file, strerror=error.strerror
            )
        ) from error
    try:
        found: Any = bounds.decode(text)
    except ValueError as error:
        found = nearly_json.read_object(_without_comments(text))  # VS Code has comments
        if found is None:
            raise ConfigError(
                _("{file} is not JSON: {error}.").format(file=file, error=line(error))
            ) from error
    servers = _table(found)
    if not servers:
        raise ConfigError(
            _("{file} has no servers: there is no {tables}.").format(
                file=file, tables=_(" or ").join(_TABLES)
            )
        )
    return [
        _server(name, cast(dict[str, Any], about))
        for name, about in list(servers.items())[:_MOST]
        if isinstance(about, dict) and name
    ]


def _table(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    table = cast(dict[str, Any], found)
    for key in _TABLES:
        if isinstance(table.get(key), dict):
            return cast(dict[str, Any], table[key])
    return _table(table.get("mcp"))


def _without_comments(text: str) -> str:
    """Return JSON without the comments and the last commas that VS Code allows."""
    strings_or_comments = r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/'
    text = re.sub(strings_or_comments, lambda m: m[1] or "", text, flags=re.S)
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])', lambda m: m[1] or "", text)


def _server(name: str, about: dict[str, Any]) -> Imported:
    name = line(name, 60)
    notes: list[str] = []
    command: Any = about.get("command") or ""
    args = _texts(about.get("args"))
    if isinstance(command, dict):  # an early form of Zed's
        inner = cast(dict[str, Any], command)
        command, args = inner.get("path") or "", _texts(inner.get("args"))
    url = str(about.get("url") or about.get("serverUrl") or about.get("httpUrl") or "")
    if about.get("type") == "sse" or about.get("transport") == "sse":
        notes.append(_("it used SSE; if it fails, ask for its streamable HTTP address"))
    keys: dict[str, str] = {}
    secret = Extractor(name, keys)
    env, env_keys = _variables(_strings(about.get("env")), keys)
    headers, headers_env = _headers(secret, _strings(about.get("headers")))
    args = secret.arguments([_own_references(each, notes) for each in args])
    url, login = secret.address(_own_references(url, notes))
    if login:
        headers_env.setdefault("Authorization", login)
    settings = McpServerConfig(
        command=str(command),
        args=args,
        env=env,
        env_keys=env_keys,
        cwd=str(about.get("cwd") or ""),
        url="" if command else url,
        headers=headers,
        headers_env=headers_env,
        disabled=about.get("disabled") is True or about.get("enabled") is False,
    )
    named = dict.fromkeys((*env_keys, *headers_env.values()))
    for text in (*settings.args, settings.url):
        named |= dict.fromkeys(references(text))
    return Imported(
        name, settings, keys, tuple(n for n in named if n not in keys), tuple(notes)
    )


def _own_references(text: str, notes: list[str]) -> str:
    """Return a text with the references to variables in our form, `${NAME}`.

    Those that only an editor knows, such as `${workspaceFolder}`, are noted.
    """

    def ours(match: re.Match[str]) -> str:
        kind, name = match.groups()
        if kind == "input:":
            name = re.sub(r"\W", "_", name).upper()
        elif not kind and not is_variable_name(name):
            notes.append(
                _("fill in the value of {found} yourself").format(found=match[0])
            )
        return f"${{{name}}}"

    return _VARIABLE.sub(ours, text)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, cast(list[Any], value))) if isinstance(value, list) else ()


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    entries = cast(dict[str, Any], value).items()
    return {key: each for key, each in entries if isinstance(each, str)}


def _variables(
    given: Mapping[str, str], keys: dict[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the plain variables, and the names of those that are secret or set."""
    plain: dict[str, str] = {}
    named: list[str] = []
    for name, value in given.items():
        if _VARIABLE.search(value):
            named.append(name)
        elif value and (_SECRET.search(name) or _has_secret(value)):
            keys[name] = value
            named.append(name)
        else:
            plain[name] = value
    return plain, tuple(named)


def _has_secret(value: str) -> bool:
    return Extractor("", {}).text(value) != value


def _headers(
    secret: Extractor, given: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain headers, and the names of the keys of the secret ones."""
    plain: dict[str, str] = {}
    named: dict[str, str] = {}
    for header, value in given.items():
        if found := _VARIABLE.search(value):
            named[header] = found[2]
        elif value and (_SECRET.search(header) or _has_secret(value)):
            named[header] = secret.put(header, value)
        else:
            plain[header] = value
    return plain, named


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, with a number if it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def entry(imported: Imported, source: str) -> str:
    """Return the lines for config.toml."""
    return "\n".join(_lines(imported, source)) + "\n"


def _lines(imported: Imported, source: str) -> Iterator[str]:
    table = cast(dict[str, Any], msgspec.to_builtins(imported.settings))
    yield f"# From {line(source, 200)} (added {time.strftime('%Y-%m-%d')})"
    if imported.keys:
        yield f"# In keys.toml beside this file: {', '.join(imported.keys)}"
    for note in imported.notes:
        yield f"# {note}"
    header = tomli_w.dumps({"mcp": {imported.name: {"x": 1}}}).splitlines()[0]
    yield header
    for key, value in table.items():
        if isinstance(value, dict):  # in one line: a table of its own would end this
            pairs = cast(dict[str, str], value).items()
            texts = (tomli_w.dumps({k: v}).strip() for k, v in pairs)
            yield f"{key} = {{ {', '.join(texts)} }}"
        elif isinstance(value, list):
            texts = [_text(each) for each in cast(list[str], value)]
            yield f"{key} = [{', '.join(texts)}]"
        else:
            yield tomli_w.dumps({key: value}).strip()


def _text(value: str) -> str:
    return tomli_w.dumps({"x": value}).strip().removeprefix("x = ")
