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
from tui.mcp.extracting import Extractor, is_secret_name
from tui.mcp.secrets import references
from tui.mcp.text import line
from tui.models import keys as stored_keys

_TABLES = ("mcpServers", "servers", "context_servers")
_MOST = 200
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|AUTH|CREDENTIAL|COOKIE", re.I)
_VARIABLE = re.compile(
    r"\$\{(env:|input:)?([A-Za-z_][A-Za-z0-9_.-]*)(?::-([^}]*))?\}|\$\{(/)\}"
)
_EDITORS = {"userHome": "${HOME}", "pathSeparator": "/"}
"""Variables of editors that mean the same everywhere."""
_READ = frozenset(
    (
        *("command", "args", "env", "cwd", "url", "serverUrl", "httpUrl", "headers"),
        *("type", "transport", "disabled", "enabled", "name", "description"),
        *("source", "gallery", "version"),
    )
)
"""Keys of a server that are taken over, or mean nothing here."""


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
    servers: dict[str, Any] = {}
    for key in _TABLES:
        if isinstance(table.get(key), dict):
            servers = dict(cast(dict[str, Any], table[key]))
            break
    if isinstance(table.get("projects"), dict):  # Claude Code has some for each folder
        for project in cast(dict[str, Any], table["projects"]).values():
            for name, about in _table(project).items():
                if about not in servers.values():
                    servers[free_name(name, servers)] = about
    return servers or _table(table.get("mcp"))


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
    for key, value in about.items():
        if value and key not in _READ:
            notes.append(_("{key} was not imported").format(key=line(key, 60)))
    if isinstance(command, dict):  # an early form of Zed's
        inner = cast(dict[str, Any], command)
        command, args = inner.get("path") or "", _texts(inner.get("args"))
    url = str(about.get("url") or about.get("serverUrl") or about.get("httpUrl") or "")
    if about.get("type") == "sse" or about.get("transport") == "sse":
        notes.append(_("it used SSE; if it fails, ask for its streamable HTTP address"))
    keys: dict[str, str] = {}
    secret = Extractor(name, keys)
    env, env_keys = _variables(secret, _strings(about.get("env")), keys, notes)
    given = _strings(about.get("headers"))
    headers, headers_env = _headers(secret, given, notes)
    args = secret.arguments([_own_references(each, notes) for each in args])
    url, login = secret.address(_own_references(url, notes))
    if login:
        headers_env.setdefault("Authorization", login)
    settings = McpServerConfig(
        command=_own_references(str(command), notes),
        args=args,
        env=env,
        env_keys=env_keys,
        cwd=_own_references(str(about.get("cwd") or ""), notes),
        url="" if command else url,
        headers=headers,
        headers_env=headers_env,
        disabled=about.get("disabled") is True or about.get("enabled") is False,
    )
    named = dict.fromkeys((*env_keys, *headers_env.values()))
    texts = (settings.command, *settings.args, settings.cwd, settings.url)
    for text in (*texts, *env.values(), *headers.values()):
        named |= dict.fromkeys(references(text))
    return Imported(
        name, settings, keys, tuple(n for n in named if n not in keys), tuple(notes)
    )


def _own_references(text: str, notes: list[str]) -> str:
    """Return a text with the references to variables in our form, `${NAME}`.

    Those that only an editor knows, such as `${workspaceFolder}`, are noted. Of a
    variable that is not set its default is taken, if there is one.
    """

    def ours(match: re.Match[str]) -> str:
        kind, name, default, slash = match.groups()
        if slash:
            return slash
        if kind == "input:":
            name = _input_name(name)
        elif not kind and name in _EDITORS:
            return _EDITORS[name]
        elif default is not None and not (
            is_secret_name(name) or stored_keys.find(name)
        ):
            return default
        elif not kind and not is_variable_name(name):
            notes.append(
                _("fill in the value of {found} yourself").format(found=match[0])
            )
        return f"${{{name}}}"

    return _VARIABLE.sub(ours, text)


def _input_name(id: str) -> str:
    """Return the name of the key for a value that VS Code asks its user for."""
    return re.sub(r"\W", "_", id).upper()


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    found = cast(list[Any], value) if isinstance(value, list) else []
    return tuple(text for each in found if (text := _text_of(each)) is not None)


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    texts = {k: _text_of(each) for k, each in cast(dict[str, Any], value).items()}
    return {key: text for key, text in texts.items() if text is not None}


def _text_of(value: Any) -> str | None:
    """Return a value as a variable or an argument has it; None for what has none."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def _variables(
    secret: Extractor, given: Mapping[str, str], keys: dict[str, str], notes: list[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the plain variables, and the names of those that are secret or set."""
    plain: dict[str, str] = {}
    named: list[str] = []
    for name, written in given.items():
        whole = _VARIABLE.fullmatch(written)
        value = _own_references(written, notes)
        if value == f"${{{name}}}" or (whole and whole[1] == "input:"):
            named.append(name)
        elif _VARIABLE.search(value):
            plain[name] = _mixed(secret, name, value)
        elif value and (_SECRET.search(name) or _has_secret(value)):
            keys[name] = value
            named.append(name)
        else:
            plain[name] = value
    return plain, tuple(named)


def _has_secret(value: str) -> bool:
    return Extractor("", {}).text(value) != value


def _mixed(secret: Extractor, name: str, value: str) -> str:
    """Return a value that has references, without the secrets between them."""
    if not _SECRET.search(name):
        return secret.text(value)

    def kept(literal: re.Match[str]) -> str:
        scheme, rest = literal.groups()
        if len(rest) < _SHORTEST:
            return literal[0]
        return f"{scheme or ''}${{{secret.put(name, rest)}}}"

    parts = _REFERENCE.split(value)
    parts[::2] = [_LITERAL.sub(kept, part) for part in parts[::2]]
    return "".join(parts)


_REFERENCE = re.compile(r"(\$\{\w+\})")
_LITERAL = re.compile(r"\A(\s*(?:Bearer|Basic|Token)\s+)?(.*)\Z", re.I | re.S)
_SHORTEST = 4
"""Characters of a secret: fewer only join references."""
_ONE = re.compile(r"(Bearer\s+)?\$\{(\w+)\}", re.IGNORECASE)


def _headers(
    secret: Extractor, given: Mapping[str, str], notes: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain headers, and the names of the keys of the secret ones."""
    plain: dict[str, str] = {}
    named: dict[str, str] = {}
    for header, written in given.items():
        value = _own_references(written, notes)
        one = _ONE.fullmatch(value)
        if one and bool(one[1]) <= (header.lower() == "authorization"):
            named[header] = one[2]
        elif _VARIABLE.search(value):
            plain[header] = _mixed(secret, header, value)
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
