"""Detects the capabilities of the terminal from terminfo, tty and environment."""

import os
import termios
from contextlib import suppress
from typing import Any, NamedTuple

from rich.color import ColorSystem

from tui.app.terminal.painter import Abilities

# Terminals with 256 or more colours whose names do not end in -256color. Hosts older
# than the terminal have no terminfo entry for it.
_ABLE = ("alacritty", "contour", "foot", "ghostty", "iterm", "kitty", "rio", "wezterm")
# Terminals that support only what their terminfo entry says; they display other
# sequences as garbage.
_PLAIN = ("cons25", "linux", "sun", "vt52", "vt1", "vt2", "vt3", "vt4", "vt5")


class Looks(NamedTuple):
    """The attributes that a terminal can display."""

    colours: ColorSystem | None
    """The number of colours; None means no colours."""
    italic: bool = True
    plain: bool = False
    """Whether it displays unknown sequences as text, such as the address of a link."""


def abilities(fd: int) -> Abilities:
    """Return the abilities of the terminal at `fd`; unknown ones are False."""
    erases_in_colour = erases_characters = False
    moves_lines = True
    if terminfo := _terminfo(fd):
        erases_in_colour = terminfo.tigetflag("bce") > 0
        erases_characters = terminfo.tigetstr("ech") is not None
        # VT100 has neither IL nor DL.
        moves_lines = terminfo.tigetstr("dl1") is not None
    returns = False
    with suppress(termios.error):
        output = termios.tcgetattr(fd)[1]
        returns = bool(output & termios.OPOST and output & termios.ONLCR)
    return Abilities(erases_in_colour, erases_characters, returns, moves_lines)


def looks(fd: int) -> Looks:
    """Return the attributes that the terminal at `fd` can display."""
    term = os.environ.get("TERM", "").lower()
    plain = term.startswith(_PLAIN)
    terminfo = _terminfo(fd)
    # GNU screen reverses italic text; the Linux console makes it green.
    italic = terminfo is None or terminfo.tigetstr("sitm") is not None
    number = colours(fd)
    # https://no-color.org: greys are colours too; bold, underline and reverse stay.
    if not number or os.environ.get("NO_COLOR"):
        return Looks(None, italic, plain)
    if number < 256:
        return Looks(ColorSystem.STANDARD, italic, plain)
    depth = ColorSystem.EIGHT_BIT if number < 1 << 24 else ColorSystem.TRUECOLOR
    return Looks(depth, italic, plain)


def colours(fd: int) -> int:
    """Return how many colours the terminal at `fd` can display; 0 for none.

    COLORTERM is the best source. But ssh does not pass it on, and programs between
    lazychat and the terminal do not adapt it. TERM is always set. An unknown terminal
    counts as a modern one with 16 colours.
    """
    term = os.environ.get("TERM", "").lower()
    number = _named(term)
    if terminfo := _terminfo(fd):
        number = max(terminfo.tigetnum("colors"), number if number > 16 else 0)
    # Inside GNU screen COLORTERM describes the outer terminal; tmux translates colours.
    inside_screen = term.startswith("screen") and "TMUX" not in os.environ
    named = os.environ.get("COLORTERM", "").strip().lower()
    excluded = inside_screen or term.startswith(_PLAIN) or number == 0
    if named in ("truecolor", "24bit") and not excluded:
        number = 1 << 24
    return number if number >= 8 else 0


def _named(term: str) -> int:
    """Return the number of colours that the name of a terminal suggests."""
    if term.endswith("-direct"):
        return 1 << 24
    if "256color" in term or any(name in term for name in _ABLE):
        return 256
    return 16


def _terminfo(fd: int) -> Any:
    """Return `curses` with the terminal's entry loaded, None if there is no entry."""
    try:
        import curses
    except ImportError:
        return None  # a Python built without it
    try:
        curses.setupterm(os.environ.get("TERM") or "unknown", fd)
    except (curses.error, ValueError):  # ValueError: the name is not UTF-8
        return None
    return curses
