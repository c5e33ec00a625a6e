"""Notifies the user when an answer ends in a window without the focus.

A terminal that does not report its focus counts as focused, so its bell never rings.
tmux marks the window that rang.
"""

import os
from collections.abc import Callable
from typing import Literal

from tui.i18n import _
from tui.safe import safe

_LONGEST = 80
"""Characters of a title in a notification."""
_777 = ("rxvt", "foot")
"""Terminals, as TERM names them, that know OSC 777 and not OSC 9."""


def call_back(
    how: Literal["off", "bell", "notify"],
    title: str,
    *,
    focused: bool,
    write: Callable[[str], object],
) -> None:
    """Ring, or notify of an answer in the conversation `title`, unless `focused`."""
    if focused or how == "off":
        return
    if how == "notify":
        write(notification(title, os.environ.get("TERM", "")))
    write("\a")


def notification(title: str, term: str) -> str:
    """Return the sequence that shows a notification in a terminal of type `term`."""
    about = " ".join(safe(title, newlines=False).split())[:_LONGEST]
    about = about.replace(";", ",") or _("New conversation")
    if term.startswith(_777):
        return f"\x1b]777;notify;{_('lazychat: answered')};{about}\x1b\\"
    return f"\x1b]9;{_('lazychat: answered')} “{about}”\x1b\\"
