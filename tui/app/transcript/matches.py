"""Finds every place of a text in the lines of one item, as they are displayed.

A match may begin in one row and end in the next: rows are joined by the white space
that the wrap removed. Decoration (bars, marks, times) is not part of the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice

import msgspec

from tui.app.markdown import Line
from tui.app.transcript.find import Found

LONGEST = 200
"""Most characters that are searched for."""


class RowMatch(msgspec.Struct, frozen=True):
    """The part of a match that is in one row."""

    start: int
    """The first character, counted from 0 with the row's decoration."""
    end: int
    """The character after the last one."""
    number: int
    """The number of the match in its item, from 0."""


def pattern(text: str) -> re.Pattern[str] | None:
    """Return what finds `text`; None for the empty text.

    Capitals count only if `text` has one.
    """
    if not text:
        return None
    exact = any(character.isupper() for character in text)
    return re.compile(re.escape(text[:LONGEST]), 0 if exact else re.IGNORECASE)


def find_all(
    lines: Iterable[tuple[int, Line]], wanted: re.Pattern[str], most: int
) -> list[Found]:
    """Return at most `most` places in numbered lines, from the top."""
    parts: list[str] = []
    starts: list[int] = []  # where each row begins in the joined text
    rows: list[tuple[int, int, int]] = []  # number, decoration and length of each
    offset = 0
    for number, line in lines:
        if rows:
            glue = "\n" if line.glue is None else line.glue
            parts.append(glue)
            offset += len(glue)
        whole = line.text
        text = whole[line.lead : len(whole) - line.tail]
        parts.append(text)
        starts.append(offset)
        rows.append((number, line.lead, len(text)))
        offset += len(text)

    def place(at: int) -> tuple[int, int]:
        row = bisect_right(starts, at) - 1
        number, lead, length = rows[row]
        return number, lead + min(at - starts[row], length)

    found: list[Found] = []
    for match in islice(wanted.finditer("".join(parts)), most):
        end_line, last = place(match.end() - 1)
        found.append(Found(*place(match.start()), end_line, last + 1))
    return found


def by_row(found: Iterable[Found]) -> dict[int, list[RowMatch]]:
    """Return the matches of each row; an end of 1,000,000 is the end of the row."""
    rows: dict[int, list[RowMatch]] = {}
    for number, place in enumerate(found):
        for row in range(place.line, place.end_line + 1):
            start = place.start if row == place.line else 0
            end = place.end if row == place.end_line else _END
            if end > start:
                rows.setdefault(row, []).append(RowMatch(start, end, number))
    return rows


_END = 1_000_000
