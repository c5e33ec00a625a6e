"""Reports errors in a configuration: the problem, its line, and the known names.

msgspec reports neither lines nor the names of tables. The known names come from the
classes of the sections, so a new key needs no change here.
"""

import math
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, cast, get_args, get_origin

import msgspec

from tui.i18n import _
from tui.spelling import nearest

_LEAST = {
    "temperature": 0,
    "top_p": 0,
    "min_p": 0,
    "repeat_penalty": 0,
    "max_tokens": 1,
    "max_completion_tokens": 1,
}
"""Numeric options of models, and the least valid value of each."""


def explain(
    problem: str, schema: type, table: dict[str, Any], text: str, where: str
) -> str:
    """Return msgspec's `problem` with the line, and with what is known instead.

    `table` is what the TOML `text` in the file `where` says, `schema` what it must be.
    """
    problem, __, path = problem.partition(" - at `")
    steps = re.findall(r"[^.\[\]`$]+|\[[^\]]*\]", path.rstrip("`"))
    keys, known = _at(steps, schema, table)
    if unknown := re.match(r"Object contains unknown field `(.*)`", problem):
        key = unknown[1]
        line = _line(text, [*keys, key])
        of = _(" in [{keys}]").format(keys=".".join(keys)) if keys else ""
        hint = nearest(key, known) or _(" Known: {known}.").format(
            known=", ".join(known)
        )
        return _('{where}, line {line}: unknown key "{key}"{of}.{hint}').format(
            where=where, line=line, key=key, of=of, hint=hint
        )
    if missing := re.match(r"Object missing required field `(.*)`", problem):
        line = _line(text, keys)
        return _('{where}, line {line}: [{keys}] needs "{missing}".').format(
            where=where, line=line, keys=".".join(keys), missing=missing[1]
        )
    if invalid := re.match(r"Invalid (?:enum )?value '(.*)'", problem):
        line = _line(text, keys)
        hint = _(" Known: {known}.").format(known=", ".join(known)) if known else ""
        key = ".".join(keys)
        return _('{where}, line {line}: {key} cannot be "{invalid}".{hint}').format(
            where=where, line=line, key=key, invalid=invalid[1], hint=hint
        )
    problem = problem.replace("`", "")
    problem = problem[0].lower() + problem[1:]
    return _("{where}, line {text}: {keys}: {problem}.").format(
        where=where, text=_line(text, keys), keys=".".join(keys), problem=problem
    )


def _at(steps: list[str], schema: Any, table: Any) -> tuple[list[str], list[str]]:
    """Return the keys that lead to a place, and the keys or values that it may have.

    In `steps`, `[...]` stands for an item of a list, or for a key of a table whose keys
    are free: msgspec does not report which, but it is the first with an invalid value.
    """
    keys: list[str] = []
    for step in steps:
        if not step.startswith("["):
            keys.append(step)
            schema = _field(step, schema, table)
        elif get_origin(schema) is dict:
            schema = get_args(schema)[1]
            rows = _rows(table).items()
            named = [name for name, value in rows if not _fits(value, schema)]
            if not named:
                return keys, []
            keys.append(named[0])
        else:
            continue
        table = _rows(table).get(keys[-1])
    if section := _section(schema, table):
        tag = section.__struct_config__.tag_field
        return keys, [*([tag] if tag else []), *section.__struct_fields__]
    literal = get_origin(schema) is Literal
    return keys, [value for value in get_args(schema) if value] if literal else []


def _field(key: str, schema: Any, table: Any) -> Any:
    """Return what the value of `key` must be, None if that is not known."""
    sections = _sections(schema)
    if any(key == section.__struct_config__.tag_field for section in sections):
        tags = [str(section.__struct_config__.tag) for section in sections]
        return Literal[tuple(tags)]
    section = _section(schema, table)
    found = {f.name: f.type for f in msgspec.structs.fields(section)} if section else {}
    return found.get(key)


def _sections(schema: Any) -> list[type[msgspec.Struct]]:
    kinds = get_args(schema) if isinstance(schema, UnionType) else (schema,)
    return [k for k in kinds if isinstance(k, type) and issubclass(k, msgspec.Struct)]


def _section(schema: Any, table: Any) -> type[msgspec.Struct] | None:
    """Return which of the sections in `schema` the `table` is, by its tag."""
    for section in (sections := _sections(schema)):
        kind = section.__struct_config__
        if len(sections) == 1 or _rows(table).get(kind.tag_field or "") == kind.tag:
            return section
    return None


def _rows(table: Any) -> dict[str, Any]:
    return cast(dict[str, Any], table) if isinstance(table, dict) else {}


def _fits(value: Any, schema: Any) -> bool:
    try:
        msgspec.convert(value, schema)
    except msgspec.ValidationError:
        return False
    return True


def _line(text: str, keys: list[str]) -> int:
    """Return the line, from 1, of the key or table `keys`."""
    within: list[str] = []
    best = 1
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]*)\]", line):
            within = [part.strip(" \"'") for part in header[1].split(".")]
            if within == keys[: len(within)]:
                best = number
        elif pair := re.match(r"\s*([^=#]+?)\s*=", line):
            here = [part.strip(" \"'") for part in pair[1].split(".")]
            if [*within, *here] == keys[: len(within) + len(here)]:
                best = number
    return best


def wrong_number(table: dict[str, Any], text: str, where: str) -> str:
    """Return which number makes no sense though msgspec accepts it, or ""."""
    for keys, value in _numbers((), table):
        if problem := _number_problem(keys, value):
            return _("{where}, line {line}: {keys} {problem}.").format(
                where=where,
                line=_line(text, list(keys)),
                keys=".".join(keys),
                problem=problem,
            )
    return ""


def _numbers(
    keys: tuple[str, ...], value: Any
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys and values of all numbers, and of options that should be one."""
    if isinstance(value, dict):
        for key, item in cast(dict[str, Any], value).items():
            yield from _numbers((*keys, key), item)
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _numbers(keys, item)
    elif isinstance(value, int | float) or _is_option(keys):
        yield keys, value


def _is_option(keys: tuple[str, ...]) -> bool:
    return len(keys) == 4 and keys[2] == "options" and keys[3] in _LEAST


def option_problem(name: str, value: Any) -> str:
    """Return what is wrong with a value for a model's option `name`, or ""."""
    keys = ("models", "", "options", name)
    if isinstance(value, int | float) or _is_option(keys):
        return _number_problem(keys, value)
    return ""


def _number_problem(keys: tuple[str, ...], value: Any) -> str:
    """Return what is wrong with a number that msgspec accepts, or ""."""
    endless = "options" not in keys  # `timeout = inf` is allowed
    odd = isinstance(value, float) and not math.isfinite(value)
    if odd and not (endless and value > 0):
        return _("cannot be {value}: write a number").format(value=value)
    if not _is_option(keys):
        return ""
    least = _LEAST[keys[3]]
    whole = keys[3].endswith("_tokens")
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind):
        if whole:
            return _("must be a whole number, not {value!r}").format(value=value)
        return _("must be a number, not {value!r}").format(value=value)
    return (
        ""
        if value >= least
        else _("must be {least} or more, not {value}").format(least=least, value=value)
    )
