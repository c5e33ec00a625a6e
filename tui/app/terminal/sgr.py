"""Pens, and the shortest SGR sequence from one pen to another.

Textual writes every segment as "set all, text, reset all": 30 bytes and more for a
word. Here a `Pen` is what one such setting amounts to, and a sequence says only what
is different from the pen that the terminal has already. The colours come from rich's
own downgrade, so that a terminal of 16 colours shows what it would show with Textual.
"""

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from rich.color import Color, ColorSystem
    from rich.style import Style

BOLD, DIM, ITALIC, UNDERLINE, BLINK = 1, 2, 4, 8, 16
FAST_BLINK, REVERSE, CONCEAL, STRIKE = 32, 64, 128, 256
DOUBLE_UNDERLINE, FRAME, ENCIRCLE, OVERLINE = 512, 1024, 2048, 4096

_CODES = {
    "bold": (BOLD, "1"),
    "dim": (DIM, "2"),
    "italic": (ITALIC, "3"),
    "underline": (UNDERLINE, "4"),
    "blink": (BLINK, "5"),
    "blink2": (FAST_BLINK, "6"),
    "reverse": (REVERSE, "7"),
    "conceal": (CONCEAL, "8"),
    "strike": (STRIKE, "9"),
    "underline2": (DOUBLE_UNDERLINE, "21"),
    "frame": (FRAME, "51"),
    "encircle": (ENCIRCLE, "52"),
    "overline": (OVERLINE, "53"),
}
_ON = dict(_CODES.values())
_OFF = {
    BOLD: "22",
    DIM: "22",
    ITALIC: "23",
    UNDERLINE: "24",
    REVERSE: "27",
    STRIKE: "29",
}
"""How to end an attribute alone; the others are ended by a reset, which is safe."""
_INVISIBLE_ON_BLANKS = BOLD | DIM | ITALIC
_STYLES_KEPT = 4096


class Pen:
    """A look. Pens of one `PenBook` are equal only if they are the same object."""

    __slots__ = ("attributes", "back", "changes", "fore", "link", "plain")

    def __init__(self, attributes: int, fore: str, back: str, link: str) -> None:
        self.attributes = attributes
        self.fore = fore
        """The SGR codes of the text's colour; "" is the terminal's own."""
        self.back = back
        """The SGR codes of the background; "" is the terminal's own."""
        self.link = link
        """The address that the cells lead to, or ""."""
        self.plain = not (attributes & ~_INVISIBLE_ON_BLANKS or link)
        """Whether a blank cell shows nothing of it but the background."""
        self.changes: dict[Pen, str] = {}

    def to(self, pen: "Pen") -> str:
        """Return what to write to change from this pen to `pen`."""
        change = self.changes.get(pen)
        if change is None:
            change = self.changes[pen] = _change(self, pen)
        return change


class PenBook:
    """Makes pens of styles, for one number of colours."""

    def __init__(self, colours: "ColorSystem") -> None:
        self._colours = colours
        self._pens: dict[tuple[int, str, str, str], Pen] = {}
        self._of_styles: dict[Style, Pen] = {}
        self._codes: dict[tuple[Color | None, bool], str] = {}
        self.default = self.pen(0, "", "", "")
        """The pen after a reset."""

    def pen(self, attributes: int, fore: str, back: str, link: str) -> Pen:
        """Return the pen with these properties."""
        key = attributes, fore, back, link
        pen = self._pens.get(key)
        if pen is None:
            pen = self._pens[key] = Pen(*key)
        return pen

    def of(self, style: "Style | None") -> Pen:
        """Return the pen that Textual's writer would use for `style`."""
        if style is None:
            return self.default
        pen = self._of_styles.get(style)
        if pen is None:
            if len(self._of_styles) >= _STYLES_KEPT:
                self._of_styles.clear()  # styles carry positions: there is no end
            pen = self._of_styles[style] = self._read(style)
        return pen

    def blank(self, pen: Pen) -> Pen:
        """Return the pen that says all that can be seen of `pen` in a blank cell."""
        return self.pen(0, "", pen.back, "") if pen.plain else pen

    def over(self, pen: Pen, back: str) -> Pen:
        """Return a pen for blanks on `back` that is the least change from `pen`."""
        return self.pen(pen.attributes & _INVISIBLE_ON_BLANKS, pen.fore, back, "")

    def _read(self, style: "Style") -> Pen:
        attributes = 0
        for name, (bit, _) in _CODES.items():
            if getattr(style, name):
                attributes |= bit
        link = "".join(c for c in style.link or "" if " " < c != "\x7f")
        fore = self._colour(style.color, True)
        return self.pen(attributes, fore, self._colour(style.bgcolor, False), link)

    def _colour(self, colour: "Color | None", foreground: bool) -> str:
        if colour is None:
            return ""
        key = colour, foreground
        codes = self._codes.get(key)
        if codes is None:
            shown = _in_palette(colour.downgrade(self._colours))
            codes = ";".join(shown.get_ansi_codes(foreground))
            codes = self._codes[key] = "" if codes in ("39", "49") else codes
        return codes


_LEVELS = (0, 95, 135, 175, 215, 255)
"""What red, green and blue may be in the 6x6x6 cube of xterm's 256 colours."""


def _in_palette(colour: "Color") -> "Color":
    """Return the same colour by its number in the palette, where it has one.

    That is 9 bytes in place of 19. Only the cube and the ramp of greys: what colours
    0 to 15 look like is the user's own affair.
    """
    from rich.color import Color, ColorType

    rgb = colour.triplet
    if colour.type is not ColorType.TRUECOLOR or rgb is None:
        return colour
    if all(part in _LEVELS for part in rgb):
        red, green, blue = map(_LEVELS.index, rgb)
        number = 16 + 36 * red + 6 * green + blue
    elif rgb.red == rgb.green == rgb.blue and (rgb.red - 8) % 10 == 0 < rgb.red < 239:
        number = 232 + (rgb.red - 8) // 10
    else:
        return colour
    return Color.from_ansi(number)


def _change(old: Pen, new: Pen) -> str:
    link = ""
    if old.link != new.link:
        # The id joins the parts of a link that is wrapped over lines.
        name = f"id={crc32(new.link.encode()):x}" if new.link else ""
        link = f"\x1b]8;{name};{new.link}\x1b\\"
    if (old.attributes, old.fore, old.back) == (new.attributes, new.fore, new.back):
        return link
    whole = [code for bit, code in _ON.items() if new.attributes & bit]
    whole += [code for code in (new.fore, new.back) if code]
    # An empty first number is a 0 too, but not to every terminal.
    candidates = [";".join(["0", *whole]) if whole else ""]
    ended = old.attributes & ~new.attributes
    if not ended & ~sum(_OFF):
        codes = dict.fromkeys(code for bit, code in _OFF.items() if ended & bit)
        begun = new.attributes & ~old.attributes
        if "22" in codes:
            begun |= new.attributes & (BOLD | DIM)
        steps = [*codes, *(code for bit, code in _ON.items() if begun & bit)]
        if old.fore != new.fore:
            steps.append(new.fore or "39")
        if old.back != new.back:
            steps.append(new.back or "49")
        candidates.append(";".join(steps))
    return f"{link}\x1b[{min(candidates, key=len)}m"
