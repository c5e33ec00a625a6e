"""Maps colours for terminals with 16 colours or none.

Rich picks the nearest of 16 colours by distance, which turns all but bright colours
into grey: errors are no longer red, and lines merge with their background. Here a
colour keeps its hue, and greys keep their order. Without colours, cells that stand out
only by their background (a cursor, a selected row, a selection) are reversed.
"""

from bisect import bisect
from collections.abc import Callable
from colorsys import rgb_to_hsv
from typing import TYPE_CHECKING

from rich.color import ColorSystem, ColorType

from tui.app.terminal.capabilities import Looks
from tui.app.terminal.sgr import ITALIC, REVERSE, Pen, PenBook

if TYPE_CHECKING:
    from rich.color import Color
    from rich.style import Style

_COLOURED = 0.25  # saturation, 0 to 1, from which on a colour is not a grey
_TINTED = 0.15  # saturation from which on a background stands out
_DARK, _DIM, _LIGHT = 0.27, 0.56, 0.85  # value, 0 to 1, between the four greys
# The upper ends of hues in degrees: red, yellow, green, cyan, blue, magenta, red again.
# Orange becomes yellow, because red means errors, and sky blue becomes cyan, because
# blue is hard to read.
_ENDS = (15, 75, 160, 225, 265, 330)
_ON_DARK = (9, 11, 10, 14, 12, 13, 9)
# None: many palettes make yellow, green and cyan too bright to read on white.
_ON_LIGHT = (1, None, None, 4, 4, 5, 1)


class FewPens(PenBook):
    """Makes pens for the attributes `looks`; `dark` returns if the theme is dark."""

    def __init__(self, looks: Looks, dark: Callable[[], bool]) -> None:
        self._looks = looks
        self._dark = dark
        super().__init__(looks.colours or ColorSystem.STANDARD)

    def _read(self, style: "Style") -> Pen:
        pen = super()._read(style)
        attributes = pen.attributes
        if not self._looks.italic:
            attributes &= ~ITALIC
        fore, back = pen.fore, pen.back
        if self._looks.colours is None:
            fore = back = ""
            if self._stands_out(style):
                attributes ^= REVERSE
        link = "" if self._looks.plain else pen.link
        return self.pen(attributes, fore, back, link)

    def _colour(self, colour: "Color | None", foreground: bool) -> str:
        few = self._colours is ColorSystem.STANDARD
        if colour is None or not few or colour.type is not ColorType.TRUECOLOR:
            return super()._colour(colour, foreground)
        hue, saturation, value = _hsv(colour)
        number = None
        if foreground and saturation >= _COLOURED and value > _DARK:
            dark = self._dark()
            number = (_ON_DARK if dark else _ON_LIGHT)[bisect(_ENDS, hue * 360)]
            if number and dark and value <= _DIM:
                number -= 8
        if number is None:
            number = 0 if value < _DARK else 8 if value < _DIM else 7
            number = 15 if value >= _LIGHT else number
        base = 30 if foreground else 40
        return str(base + number if number < 8 else base + 52 + number)

    def _stands_out(self, style: "Style") -> bool:
        if style.bgcolor is None:
            return False
        _, saturation, back = _hsv(style.bgcolor)
        if saturation >= _TINTED and back > _DARK:
            return True
        fore = _hsv(style.color)[2] if style.color else 0.5
        return back > fore if self._dark() else back < fore


def _hsv(colour: "Color") -> tuple[float, float, float]:
    red, green, blue = colour.get_truecolor()
    return rgb_to_hsv(red / 255, green / 255, blue / 255)
