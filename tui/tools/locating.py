"""Locates a wrong value within an argument.

msgspec writes `[...]` for any key of a dict, so the keys are tried one by one.
"""

import re
from collections.abc import Callable
from typing import Any, cast

_STEP = re.compile(r"\.[^.\[\]]+|\[\d+\]|\[\.\.\.\]")
_MOST = 1000
"""Entries of a dict that are tried."""

Keys = tuple[str | int, ...]


def located(path: str, value: Any, fails: Callable[[Any], bool]) -> str:
    """Return `path`, as msgspec writes it, with the keys of dicts by name.

    `value` is what was wrong; `fails` tells whether a part of it has the same fault.
    """
    keys: Keys = ()
    shown = ""
    for step in _STEP.findall(path):
        here = value_at(value, keys)
        if step == "[...]":
            key = _guilty(value, keys, here, fails)
            if key is None:
                return path
            shown += f".{key}" if re.fullmatch(r"[\w-]+", key) else f"[{key!r:.60}]"
            keys = (*keys, key)
        elif step.startswith("["):
            shown += step
            keys = (*keys, int(step[1:-1]))
        else:
            shown += step
            keys = (*keys, step[1:])
    return shown


def _guilty(
    value: Any, keys: Keys, here: Any, fails: Callable[[Any], bool]
) -> str | None:
    if not isinstance(here, dict):
        return None
    entries = cast(dict[Any, Any], here)
    for key in list(entries)[:_MOST]:
        alone = replaced(value, keys, {key: entries[key]})
        if isinstance(key, str) and fails(alone):
            return key
    return None


def value_at(value: Any, keys: Keys) -> Any:
    """Return the part of `value` at `keys`; None if there is none."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def replaced(value: Any, keys: Keys, part: Any) -> Any:
    """Return a copy of `value` with `part` at `keys`, which exist."""
    if not keys:
        return part
    copy: Any = value.copy()
    copy[keys[0]] = replaced(value[keys[0]], keys[1:], part)
    return copy
