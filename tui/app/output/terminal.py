"""What the terminal can do, by what terminfo and the tty say of it."""

import os
import termios
from contextlib import suppress

from tui.app.output.painter import Abilities


def abilities(fd: int) -> Abilities:
    """Return what the terminal at `fd` can do; what nobody knows it cannot."""
    erases_in_colour = erases_characters = False
    try:
        import curses
    except ImportError:
        pass  # a Python built without it
    else:
        with suppress(curses.error):
            curses.setupterm(os.environ.get("TERM") or "unknown", fd)
            erases_in_colour = curses.tigetflag("bce") > 0
            erases_characters = curses.tigetstr("ech") is not None
    returns = False
    with suppress(termios.error):
        output = termios.tcgetattr(fd)[1]
        returns = bool(output & termios.OPOST and output & termios.ONLCR)
    return Abilities(erases_in_colour, erases_characters, returns)
