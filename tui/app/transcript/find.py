"""Finds a phrase in the laid-out lines of a message.

Search hits come from the message's source. On the screen a phrase may be split over
lines, so white space is ignored. If undrawn markup lies inside the phrase, it is not
found, and the caller shows the message alone.
"""

from collections.abc import Iterable

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A message and a phrase to mark in it; "" marks nothing."""

    message_id: str
    phrase: str = ""


class Found(msgspec.Struct, frozen=True):
    """Start and end of a phrase: line and character numbers from 0."""

    line: int
    start: int
    end_line: int
    end: int
    """The character after the last one of the phrase."""


def find(lines: Iterable[str], phrase: str) -> Found | None:
    """Return the first occurrence of `phrase`, ignoring case and white space."""
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
    """Return the lower case if it is one character, so that positions stay equal."""
    lower = character.lower()
    return lower if len(lower) == 1 else character
