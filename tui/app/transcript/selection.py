"""Maps selected text to items, lines and characters of the transcript.

Textual stores a selection by widget and (x, y). A row number would become wrong
whenever an item above changes its height, so y is (item << 20 | line) here.
"""

from collections.abc import Sequence

from textual.geometry import Offset
from textual.selection import Selection

from tui.app.transcript.item import Item

_LINE_BITS = 20
_LINE_MASK = (1 << _LINE_BITS) - 1


def to_y(index: int, number: int) -> int:
    """Return the y that encodes a line of an item."""
    return index << _LINE_BITS | number


def between(index: int, start: tuple[int, int], end: tuple[int, int]) -> Selection:
    """Select part of one item, from (line, character) up to but not including `end`."""
    first, last = (Offset(x, to_y(index, number)) for number, x in (start, end))
    return Selection(first, last)


def word(item: Item, index: int, number: int, column: int) -> Selection:
    """Select the word around a character of a line."""
    start, end = word_at(item.line(number).text, column)
    return between(index, (number, start), (number, end))


def whole(item: Item, index: int) -> Selection:
    """Select all of an item."""
    last = max(0, item.height - 2)
    return between(index, (0, 0), (last, len(item.line(last).text)))


def selected_text(items: Sequence[Item], selection: Selection) -> str:
    """Return the selected text; `items` must not be empty.

    Soft wraps are undone, and decoration at the left is left out.
    """
    start, end = (0, 0, 0), (len(items) - 1, items[-1].height, 0)
    if selection.start is not None:
        start = _place(selection.start)
    if selection.end is not None:
        index, number, x = _place(selection.end)
        end = min(index, end[0]), number, x
    parts: list[str] = []
    for index in range(start[0], end[0] + 1):
        item = items[index]
        if not item.exact:
            item.lay_out()
        for number in range(item.height):
            place = index, number
            if place < start[:2] or place > end[:2]:
                continue
            line = item.line(number)
            text = line.text
            stop = end[2] if place == end[:2] else len(text)
            stop = min(stop, len(text) - line.tail)
            begin = max(line.lead, start[2] if place == start[:2] else 0)
            glue = "\n" if line.glue is None else line.glue
            parts.append((glue if parts else "") + text[begin : max(begin, stop)])
    return "".join(parts).rstrip("\n")


def _place(offset: Offset) -> tuple[int, int, int]:
    x, y = offset
    return y >> _LINE_BITS, y & _LINE_MASK, x


def word_at(text: str, index: int) -> tuple[int, int]:
    """Return the start and end of the word around a character."""

    def inside(character: str) -> bool:
        return character.isalnum() or character in "_-./:@~"

    if not 0 <= index < len(text) or not inside(text[index]):
        return index, min(index + 1, len(text))
    start = index
    while start and inside(text[start - 1]):
        start -= 1
    end = index
    while end < len(text) and inside(text[end]):
        end += 1
    return start, end
