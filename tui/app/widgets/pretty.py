"""Lays out values, as JSON has them, as lines that are easy to read.

There are no brackets: an entry of an object is `key: value`, one of a list `- value`, a
text of several lines stands below its key. Texts are cleaned for the terminal here.
Lines are made one by one, so a reader may stop early.
"""

from collections.abc import Iterator
from typing import Any, cast

from rich.cells import cell_len, chop_cells

from tui import bounds
from tui.app.markdown.lines import Line, Span, Style, wrap
from tui.safe import safe

_STEP = 2
"""Columns by which nested values are indented."""
_LONGEST = 4_000
"""Characters of a line that is broken between words; a longer one anywhere."""
_NARROWEST = 8
"""Columns that deep values are given at least."""


def pretty(value: object, width: int, left: int = 0) -> Iterator[Line]:
    """Yield the lines of `value` in `width` columns, `left` of which are indentation.

    A value that is deeper than `bounds.DEEPEST` is cut there.
    """
    yield from _value(bounds.shallow(value), width, left)


def plain(text: str, width: int, left: int, style: Style = ()) -> Iterator[Line]:
    """Yield the lines of a text as it is, broken between words where that is quick."""
    left = min(left, max(width - _NARROWEST, 0))
    indent: Span = (" " * left, ())
    for line in safe(text).rstrip("\n").split("\n"):
        if len(line) > _LONGEST:
            yield from _rows(((line, style),), width, left)
            continue
        for row in wrap(((line, style),), max(width - left, 2)):
            yield Line((indent, *row.spans))


def _value(value: object, width: int, left: int) -> Iterator[Line]:
    if isinstance(value, dict) and value:
        for key, each in cast(dict[str, Any], value).items():
            yield from _entry(f"{key}:", each, width, left)
    elif isinstance(value, list) and value:
        for each in cast(list[Any], value):
            yield from _entry("-", each, width, left)
    elif isinstance(value, str) and "\n" in value:
        yield from plain(value, width, left)
    else:
        yield from _rows(((_scalar(cast(object, value)), ()),), width, left)


def _entry(label: str, value: object, width: int, left: int) -> Iterator[Line]:
    head: Span = (safe(label, newlines=False), ("label",))
    nested = isinstance(value, dict | list) and bool(cast(object, value))
    if nested or (isinstance(value, str) and "\n" in value):
        yield from _rows((head,), width, left)
        yield from _value(cast(object, value), width, left + _STEP)
    else:
        yield from _rows((head, (f" {_scalar(cast(object, value))}", ())), width, left)


def _scalar(value: object) -> str:
    import json  # imported with the first value, to keep startup fast

    if isinstance(value, str):
        return safe(value, newlines=False) if value.strip() else f'"{value}"'
    return safe(json.dumps(value, ensure_ascii=False, default=str), newlines=False)


def _rows(spans: tuple[Span, ...], width: int, left: int) -> Iterator[Line]:
    """Yield one line of text in as many rows as it needs."""
    left = min(left, max(width - _NARROWEST, 0))
    room = max(width - left, 2)
    indent: Span = (" " * left, ())
    row: list[Span] = []
    used = 0
    for text, style in spans:
        while text:
            # Only a row's worth is looked at: a text may be megabytes long.
            piece = chop_cells(text[:room], room - used)[0] if room - used > 1 else ""
            row.append((piece, style))
            used += cell_len(piece)
            text = text[len(piece) :]
            if text:
                yield Line((indent, *row))
                row, used = [], 0
    yield Line((indent, *row))
