"""Screens of the emulated terminal, one below the other, as one SVG.

Text stays text, so the picture can be searched and scales; fonts are the reader's.
Each run of cells is told its width, so that columns meet whatever the font is.
"""

from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from pyte.screens import Char
from rich.cells import cell_len

CELL, ROW, FONT = 9, 18, 15  # pixels; a monospaced glyph is 0.6 as wide as high
MARGIN, BAR, CAPTION, GAP = 20, 30, 34, 26
PAGE, WINDOW, FRAME, INK, FAINT = "#0d1117", "#12161d", "#30363d", "#e6edf3", "#8b949e"
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

NAMED = {
    "black": "#1c2128",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#c9d1d9",
}
"""The colours that a program names by number, as the reader's terminal may have them;
the bright ones are made the same."""


class Panel(NamedTuple):
    """A screen, what is to be seen in it, and what stands in the window's bar."""

    caption: str
    title: str
    rows: Sequence[Sequence[Char]]


def draw(panels: Sequence[Panel]) -> str:
    """Return an SVG of the panels, numbered from 1, as wide as the widest screen."""
    columns = max(len(panel.rows[0]) for panel in panels)
    width = columns * CELL + 4 * MARGIN
    body: list[str] = []
    y = MARGIN
    for number, panel in enumerate(panels, 1):
        body.append(_caption(number, panel.caption, y))
        y += CAPTION
        height = BAR + len(panel.rows) * ROW + MARGIN // 2
        body += _window(panel, y, width - 2 * MARGIN, height)
        y += height + GAP
    height = y - GAP + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}"'
            f' height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="{FONTS}" font-size="{FONT}" xml:space="preserve">',
            f'<rect width="{width}" height="{height}" rx="10" fill="{PAGE}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _caption(number: int, text: str, y: float) -> str:
    x, middle = MARGIN + 12, y + 12
    return (
        f"<g font-family=\"system-ui,-apple-system,'Segoe UI','DejaVu Sans',"
        f'sans-serif" font-size="17" font-weight="600">'
        f'<circle cx="{x}" cy="{middle}" r="12" fill="#1f6feb"/>'
        f'<text x="{x}" y="{middle + 6}" fill="#fff" text-anchor="middle">{number}'
        f'</text><text x="{x + 22}" y="{middle + 6}" fill="{INK}">{escape(text)}'
        "</text></g>"
    )


def _window(panel: Panel, y: int, width: int, height: int) -> list[str]:
    left, top = 2 * MARGIN, y + BAR
    common = Counter(cell.bg for row in panel.rows for cell in row).most_common(1)
    ground = _colour(common[0][0], WINDOW)
    dots = "".join(
        f'<circle cx="{MARGIN + 18 + 18 * n}" cy="{y + BAR / 2}" r="5.5"'
        f' fill="{colour}"/>'
        for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return [
        f'<rect x="{MARGIN}" y="{y}" width="{width}" height="{height}" rx="8"'
        f' fill="{ground}" stroke="{FRAME}"/>{dots}'
        f'<text x="{MARGIN + width / 2}" y="{y + 20}" fill="{FAINT}" font-size="13.5"'
        f' text-anchor="middle">{escape(panel.title)}</text>',
        *(row(line, left, top + n * ROW, ground) for n, line in enumerate(panel.rows)),
    ]


def row(cells: Sequence[Char], left: int, top: int, window: str) -> str:
    """Backgrounds first: a glyph may lean over into the next cell."""
    grounds: list[str] = []
    texts: list[str] = []
    x = left
    for look, group in groupby(cells, key=lambda cell: cell._replace(data="")):
        run = list(group)
        width = len(run) * CELL
        ink, ground = _colours(look)
        if ground != window:
            grounds.append(
                f'<rect x="{x}" y="{top}" width="{width}" height="{ROW + 0.5}"'
                f' fill="{ground}"/>'
            )
        text = "".join(cell.data for cell in run)
        if text.strip() or look.underscore:
            texts.append(_text(text, look, ink, x, top))
        x += width
    return "".join(grounds + texts)


def _text(text: str, look: Char, ink: str, x: int, top: int) -> str:
    if not look.underscore:
        x += CELL * (len(text) - len(text.lstrip()))
        text = text.strip()
    style = ' font-weight="700"' if look.bold else ""
    style += ' font-style="italic"' if look.italics else ""
    style += ' text-decoration="underline"' if look.underscore else ""
    return (
        f'<text x="{x}" y="{top + 14}" fill="{ink}"{style}'
        f' textLength="{cell_len(text) * CELL}">{_kept(text)}</text>'
    )


def _kept(text: str) -> str:
    """Return text whose spaces browsers keep: not all heed `xml:space`."""
    return escape(text).replace(" ", "\xa0")


def _colours(look: Char) -> tuple[str, str]:
    ink, ground = _colour(look.fg, INK), _colour(look.bg, WINDOW)
    return (ground, ink) if look.reverse else (ink, ground)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    named = NAMED.get(name.removeprefix("bright"))
    return named or f"#{name}"
