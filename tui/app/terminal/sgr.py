"""Finds the shortest SGR sequence from one pen to another.

Textual writes every segment as "set all, text, reset all", 30 bytes or more for a word.
Here a `Pen` holds the attributes of such a setting, and a sequence contains only the
difference from the terminal's current pen. Colours are reduced with rich's own
`downgrade`, so that a terminal shows the same colours as with Textual.
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
"""Codes that end a single attribute. The other attributes need a full reset, because
not all terminals know the codes that end them."""
_INVISIBLE_ON_BLANKS = BOLD | DIM | ITALIC
_STYLES_KEPT = 4096


class Pen:
    """Attributes of a cell. Equal pens of one `PenBook` are the same object."""

    __slots__ = ("attributes", "back", "changes", "fore", "link", "plain")

    def __init__(self, attributes: int, fore: str, back: str, link: str) -> None:
        self.attributes = attributes
        self.fore = fore
        """The SGR codes of the text colour; "" is the terminal's default."""
        self.back = back
        """The SGR codes of the background; "" is the terminal's default."""
        self.link = link
        """The address that the cells link to, or ""."""
        self.plain = not (attributes & ~_INVISIBLE_ON_BLANKS or link)
        """Whether a blank cell with this pen shows only the background."""
        self.changes: dict[Pen, str] = {}

    def to(self, pen: "Pen") -> str:
        """Return the sequence that changes from this pen to `pen`."""
        change = self.changes.get(pen)
        if change is None:
            change = self.changes[pen] = _change(self, pen)
        return change


class PenBook:
    """Converts styles to pens, for one number of colours."""

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
                self._of_styles.clear()  # styles hold positions: they never end
            pen = self._of_styles[style] = self._read(style)
        return pen

    def blank(self, pen: Pen) -> Pen:
        """Return the simplest pen that looks like `pen` in a blank cell."""
        return self.pen(0, "", pen.back, "") if pen.plain else pen

    def over(self, pen: Pen, back: str) -> Pen:
        """Return a pen for blanks on `back` that needs the least change from `pen`."""
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
"""The levels of red, green and blue in the 6x6x6 cube of xterm's 256 colours."""


def _in_palette(colour: "Color") -> "Color":
    """Return the same colour by its number in the palette, if it has one.

    This takes 9 bytes instead of 19. Only the cube and the greys are used, because
    users configure colours 0 to 15 themselves.
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
        # The id joins the parts of a link that wraps over several lines.
        name = f"id={crc32(new.link.encode()):x}" if new.link else ""
        link = f"\x1b]8;{name};{new.link}\x1b\\"
    if (old.attributes, old.fore, old.back) == (new.attributes, new.fore, new.back):
        return link
    whole = [code for bit, code in _ON.items() if new.attributes & bit]
    whole += [code for code in (new.fore, new.back) if code]
    # Write the first 0: an empty number means 0 too, but not in every terminal.
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
