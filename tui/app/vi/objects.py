"""Finds text objects: a word, a quoted text, a block in brackets."""

from itertools import pairwise

from tui.app.vi.signs import BLANK, after, before, line_end, line_start, word_class

Span = tuple[int, int]
"""Start and end of a piece of the text; the end does not belong to it."""

QUOTES = "\"'`"
BRACKETS = {
    **dict.fromkeys("()b", "()"),
    **dict.fromkeys("[]", "[]"),
    **dict.fromkeys("{}B", "{}"),
    **dict.fromkeys("<>", "<>"),
}


def find(text: str, at: int, kind: str, count: int, *, around: bool) -> Span | None:
    """Return the object `kind` (`w`, `"`, `(` ...) at an offset; None if none is there.

    `around` includes the blanks beside a word and the quotes or brackets of a block.
    """
    if kind in ("w", "W"):
        return _words(text, at, count, big=kind == "W", around=around)
    if kind in QUOTES:
        return _quoted(text, at, kind, around=around)
    if kind in BRACKETS:
        return _block(text, at, BRACKETS[kind], count, around=around)
    return None


def _run(text: str, at: int, *, big: bool) -> Span:
    """Return the signs of one class around `at`, within the line."""
    first, last = line_start(text, at), line_end(text, at)
    kind = word_class(text, at, big=big)
    start, end = at, min(after(text, at), last)
    while start > first and word_class(text, before(text, start), big=big) == kind:
        start = before(text, start)
    while end < last and word_class(text, end, big=big) == kind:
        end = after(text, end)
    return start, end


def _words(text: str, at: int, count: int, *, big: bool, around: bool) -> Span | None:
    last = line_end(text, at)
    if at >= last:
        return None
    start, end = _run(text, at, big=big)
    blank = word_class(text, at, big=big) == BLANK
    if not around:
        for _ in range(count - 1):
            if end >= last:
                return None
            end = _run(text, end, big=big)[1]
        return start, end
    closed = False  # whether the last word has blanks behind it
    for number in range(count):
        if number:
            if end >= last:
                return None
            blank = word_class(text, end, big=big) == BLANK
            end = _run(text, end, big=big)[1]
        if blank:
            if end >= last:
                return None
            end = _run(text, end, big=big)[1]
            closed = True
        elif end < last and word_class(text, end, big=big) == BLANK:
            end = _run(text, end, big=big)[1]
            closed = True
        else:
            closed = False
    first = line_start(text, at)
    if not closed and start > first:
        space = before(text, start)
        if word_class(text, space, big=big) == BLANK:
            head = _run(text, space, big=big)[0]
            start = start if head == first else head  # an indent stays
    return start, end


def _quoted(text: str, at: int, quote: str, *, around: bool) -> Span | None:
    first, last = line_start(text, at), line_end(text, at)
    places: list[int] = []
    place = first
    while place < last:
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == quote:
            places.append(place)
        place += 1
    pairs = list(zip(places[::2], places[1::2], strict=False))
    found = next((pair for pair in pairs if pair[0] <= at <= pair[1]), None)
    if found is None:
        between = (pair for pair in pairwise(places) if pair[0] < at < pair[1])
        following = (pair for pair in pairs if pair[0] > at)
        found = next(between, None) or next(following, None)
    if found is None:
        return None
    start, end = found
    if not around:
        return start + 1, end
    end += 1
    blanks = end
    while blanks < last and text[blanks] in " \t":
        blanks += 1
    if blanks > end:
        return start, blanks
    while start > first and text[start - 1] in " \t":
        start -= 1
    return start, end


def _block(text: str, at: int, pair: str, count: int, *, around: bool) -> Span | None:
    found = _surrounding(text, at, pair, count)
    if found is None:  # as in vim, the next one
        following = text.find(pair[0], at)
        found = _surrounding(text, following, pair, 1) if following >= 0 else None
    if found is None:
        return None
    start, end = found
    return (start, end + 1) if around else (start + 1, end)


def _surrounding(text: str, at: int, pair: str, count: int) -> Span | None:
    """Return the places of the `count`-th brackets around an offset."""
    opening, closing = pair
    start = at
    depth = count - 1 if text[at : at + 1] == opening else count
    while depth:
        start -= 1
        if start < 0:
            return None
        if text[start] == opening:
            depth -= 1
        elif text[start] == closing and start != at:
            depth += 1
    end, depth = start, 0
    while end < len(text):
        depth += (text[end] == opening) - (text[end] == closing)
        if not depth:
            break
        end += 1
    else:
        return None
    return start, end
