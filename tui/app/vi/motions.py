"""Moves through a text: where each motion of vi leads."""

from collections.abc import Callable
from typing import NamedTuple

from tui.app.vi.signs import (
    BLANK,
    after,
    at_column,
    before,
    first_word,
    last_in_line,
    line_end,
    line_start,
    word_class,
)


class Target(NamedTuple):
    """Where a motion leads, and what an operator takes on the way."""

    place: int
    lines: bool = False
    """Whether whole lines are taken."""
    inclusive: bool = False
    """Whether the sign at the later end is taken too."""


class Find(NamedTuple):
    """A search in a line: `f`, `F`, `t` or `T`, and the sign."""

    kind: str
    sign: str


def is_empty_line(text: str, at: int) -> bool:
    """Return whether the line at `at` is empty."""
    return line_start(text, at) == line_end(text, at)


def left(text: str, at: int, count: int) -> Target | None:
    """`h`; None at the start of the line."""
    start = line_start(text, at)
    place = at
    for _ in range(min(count, at - start)):
        place = max(start, before(text, place))
    return Target(place) if place != at else None


def right(text: str, at: int, count: int) -> Target:
    """`l`; it may lead past the last sign, which only operators use."""
    end = line_end(text, at)
    for _ in range(min(count, end - at)):
        at = min(end, after(text, at))
    return Target(at)


def vertical(text: str, at: int, steps: int, wanted: int) -> Target | None:
    """`j` and `k`: move by lines to the column `wanted`; None if there is no line.

    Too many steps lead to the first or the last line.
    """
    place = at
    for number in range(abs(steps)):
        edge = line_end(text, place) if steps > 0 else line_start(text, place)
        if edge == (len(text) if steps > 0 else 0):
            if not number:
                return None
            break
        place = edge + 1 if steps > 0 else line_start(text, edge - 1)
    return Target(at_column(text, place, wanted), lines=True)


def word_forward(text: str, at: int, count: int, *, big: bool) -> Target:
    """`w`: the start of the next word; an empty line is a word."""
    for _ in range(count):
        if at >= len(text):
            break
        kind = word_class(text, at, big=big)
        place = at
        if kind != BLANK:
            while place < len(text) and word_class(text, place, big=big) == kind:
                place = after(text, place)
        elif is_empty_line(text, at):
            place = at + 1
        while place < len(text) and word_class(text, place, big=big) == BLANK:
            if is_empty_line(text, place) and place != at:
                break
            place = after(text, place)
        at = place
    return Target(at)


def word_back(text: str, at: int, count: int, *, big: bool) -> Target | None:
    """`b`: the start of the word before; None at the start."""
    first = at
    for _ in range(count):
        if at <= 0:
            break
        place = before(text, at)
        while place > 0 and word_class(text, place, big=big) == BLANK:
            if is_empty_line(text, place):
                break
            place = before(text, place)
        kind = word_class(text, place, big=big)
        while kind != BLANK and place > 0:
            previous = before(text, place)
            if word_class(text, previous, big=big) != kind:
                break
            place = previous
        at = place
    return Target(at) if at != first else None


def word_end(
    text: str, at: int, count: int, *, big: bool, stay: bool = False
) -> Target:
    """`e`: the end of the word. With `stay` the end of a word is its own end (`cw`)."""
    for _ in range(count):
        place = at if stay else after(text, at)
        stay = False
        while place < len(text) and word_class(text, place, big=big) == BLANK:
            place = after(text, place)
        if place >= len(text):
            at = before(text, len(text))
            break
        kind = word_class(text, place, big=big)
        while word_class(text, following := after(text, place), big=big) == kind:
            place = following
        at = place
    return Target(at, inclusive=True)


def end_of_line(text: str, at: int, count: int) -> Target | None:
    """`$`: the end of the line, or of the one `count` - 1 below."""
    if count > 1:
        below = vertical(text, at, count - 1, 0)
        if below is None:
            return None
        at = below.place
    return Target(last_in_line(text, at), inclusive=True)


def line_number(text: str, number: int | None) -> Target:
    """`G` and `gg`: the first word of a line, from 1; None for the last line."""
    at = len(text)
    if number is not None:
        at = 0
        for _ in range(min(number, text.count("\n") + 1) - 1):
            at = line_end(text, at) + 1
    return Target(first_word(text, at), lines=True)


def find(text: str, at: int, what: Find, count: int, again: bool) -> Target | None:
    """`f`, `F`, `t`, `T`: the sign in the line; None if it is not there.

    `again` is whether it is repeated: `t` then does not stay before the same sign.
    """
    ahead = what.kind in "ft"
    till = what.kind in "tT"
    start, end = line_start(text, at), line_end(text, at)
    step: Callable[[str, int], int] = after if ahead else before
    place = at
    if till and again and _is(text, near := step(text, at), what.sign):
        place = near if start <= near < end and count == 1 else at
    for _ in range(count):
        if place == (place := step(text, place)):
            return None
        while start <= place < end and not _is(text, place, what.sign):
            if place == (following := step(text, place)):
                return None
            place = following
        if not start <= place < end or not _is(text, place, what.sign):
            return None
    if till:
        place = before(text, place) if ahead else after(text, place)
    return Target(place, inclusive=ahead)


def _is(text: str, at: int, sign: str) -> bool:
    found = text[at : after(text, at)] if at < len(text) else ""
    return found == sign or (len(sign) == 1 and found[:1] == sign)
