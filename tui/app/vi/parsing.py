"""Reads the keys of a command: `2d3w`, `ci"`, `fx`, `yy`."""

import msgspec

OPERATORS = "dcy"
MOTIONS = "hjklwbeWBE0^$G;,"
FINDS = "fFtT"
OBJECTS = "wW\"'`()b[]{}B<>"
SIMPLE = "iaIAoOxXDCYsSpPr~uvVJ."
VISUAL = "dxXcsSyYpP~rvVoJuU"
MOST = 9999
"""The greatest count; more would only keep the app busy."""


class Command(msgspec.Struct, frozen=True):
    """A whole command."""

    name: str
    """The operator, the motion, or another command; `gg` for two letters."""
    count: int | None = None
    motion: str = ""
    """The motion or object of an operator: `w`, `iw`, `d` for whole lines."""
    sign: str = ""
    """What `f`, `t` and `r` are given."""

    @property
    def times(self) -> int:
        """The count, 1 by default."""
        return self.count or 1


class Wrong(Exception):
    """The keys are not a command."""


def parse(keys: list[str], *, visual: bool = False) -> Command | None:
    """Return the command that `keys` spell, None if more are to come.

    Raises `Wrong`.
    """
    count, rest = _count(keys)
    if not rest:
        return None
    name, *rest = rest
    if visual and name in "ia" and len(name) == 1:
        if not rest:
            return None
        return Command(name + _one_of(rest[0], OBJECTS), count)
    if visual and name in VISUAL and name != "r":
        return Command(name, count)
    if not visual and name in OPERATORS:
        return _operated(name, count, rest)
    if name == "r" or name in FINDS:
        return Command(name, count, sign=rest[0]) if rest else None
    if name == "g":
        if not rest:
            return None
        return Command("g" + _one_of(rest[0], "g"), count)
    if name in MOTIONS or (not visual and name in SIMPLE):
        return Command(name, count)
    if name == "ctrl+r":
        return Command(name, count)
    raise Wrong


def is_object(keys: list[str]) -> bool:
    """Return whether the last key names the object of an operator."""
    return len(keys) > 1 and keys[-2] in ("i", "a")


def _operated(name: str, count: int | None, keys: list[str]) -> Command | None:
    inner, rest = _count(keys)
    if inner is not None:
        count = min(MOST, inner * (count or 1))
    if not rest:
        return None
    motion, *rest = rest
    if motion == name or (motion in MOTIONS and len(motion) == 1):
        return Command(name, count, motion)
    if motion in FINDS:
        return Command(name, count, motion, rest[0]) if rest else None
    if motion in ("i", "a", "g"):
        if not rest:
            return None
        known = "g" if motion == "g" else OBJECTS
        return Command(name, count, motion + _one_of(rest[0], known))
    raise Wrong


def _count(keys: list[str]) -> tuple[int | None, list[str]]:
    """Return a count and the keys behind it; `0` alone is a motion."""
    size = 0
    while (
        size < len(keys) and keys[size] in "0123456789" and (size or keys[size] != "0")
    ):
        size += 1
    number = min(MOST, int("".join(keys[:size])[-9:])) if size else None
    return number, keys[size:]


def _one_of(key: str, known: str) -> str:
    if len(key) == 1 and key in known:
        return key
    raise Wrong
