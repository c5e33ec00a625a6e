"""Finds a phrase in the laid-out lines of a message.

What the user searched for stands in the message's source. On the screen it may be
broken over lines, so white space counts for nothing; markup within it that is not
drawn hides it, and then only the message is found.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """A message, and a phrase in it to be marked; "" for none."""

    message_id: str
    phrase: str = ""


class Found(NamedTuple):
    """Where a phrase begins and ends: lines and characters in them, from 0."""

    line: int
    start: int
    end_line: int
    end: int
    """The character after the last one."""


def find(lines: Iterable[str], phrase: str) -> Found | None:
    """Return where `phrase` stands first, whatever its case and white space."""
    wanted = "".join(map(_folded, "".join(phrase.split())))
    if not wanted:
        return None
    text: list[str] = []
    places: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        for column, character in enumerate(line):
            if not character.isspace():
                text.append(_folded(character))
                places.append((number, column))
    at = "".join(text).find(wanted)
    if at < 0:
        return None
    end_line, last = places[at + len(wanted) - 1]
    return Found(*places[at], end_line, last + 1)


def _folded(character: str) -> str:
    """Return its lower case, if that is one character: places must not shift."""
    lower = character.lower()
    return lower if len(lower) == 1 else character
