"""Writes what the user is told while the store cannot be written, and afterwards."""

import sqlite3
import time
from pathlib import Path

from tui.eventlog.sqlite import error_codes
from tui.i18n import N_, _
from tui.safe import safe

GONE = N_("The old conversation store is gone: a new one was created")
EMPTY = N_(
    "The conversation store was replaced by an empty file: a new one was created,"
)
OLDER = N_("The conversation store was replaced by an older one, which is used now,")
STRANGE = N_("The conversation store was replaced by another one, which is used now,")
REPLACED = N_("The file of the conversation store was replaced: the new one is used,")
"""Beginnings of `replaced`."""


def in_memory(error: Exception, store: Path, journal: Path | None) -> str:
    """Return why nothing is stored, where new messages are, and until when.

    `journal` is the file that has them; None means that they are only in memory.
    """
    code = error_codes.code(error)
    if code == sqlite3.SQLITE_FULL:
        why, until = _("The disk is full"), _("there is room")
    elif code in error_codes.BUSY:
        why = _("Another program has locked the conversation store")
        until = _("it releases the lock")
    elif code in error_codes.DAMAGED:
        why, until = _("The conversation store is damaged"), _("it is repaired")
    elif not store.exists():
        why = _("The conversation store is gone ({path})").format(path=_shown(store))
        until = _("it is back")
    else:
        why = _("Cannot write the conversation store ({error})").format(error=error)
        until = _("this is fixed")
    where = _("in memory only")
    if journal:
        where = _("in a file ") + (
            _("beside it")
            if journal.parent == store.parent
            else _("in {parent}").format(parent=_shown(journal.parent))
        )
    return _("{why}: new messages are kept {where} until {until}.").format(
        why=why, where=where, until=until
    )


def stored_again(since: float, repaired: bool) -> str:
    """Return that the store can be written again.

    `since` is when it could not be, in seconds since the epoch. A `repaired` store may
    lack something of the time before.
    """
    what = (
        _("all messages {since} are").format(since=_since(since))
        if repaired
        else _("everything is")
    )
    return _("The conversation store can be written again: {what} saved.").format(
        what=what
    )


def replaced(found: str, since: float, store: Path, aside: Path | None) -> str:
    """Return that another file is the store now; `found` says which.

    It has all messages since `since`, in seconds since the epoch. `aside` is the copy
    of the old content, if there is one.
    """
    at = _("at {path}, ").format(path=_shown(store)) if found == GONE else ""
    kept = (
        _(" The old content is in {aside}.").format(aside=_shown(aside))
        if aside
        else ""
    )
    return _("{found} {at}with all messages {since}.{kept}").format(
        found=_(found), at=at, since=_since(since), kept=kept
    )


def left_locked() -> str:
    """Return that the latest messages stay in the file beside a locked store."""
    return _(
        "Another program has locked the conversation store. The latest messages are "
        "in a file beside it; lazychat will store them at its next start."
    )


def left_in(journal: Path) -> str:
    """Return that the latest messages stay in the file `journal`."""
    return _(
        "The latest messages are in {path}; lazychat will store them at its next start."
    ).format(path=_shown(journal))


def saved_in(folder: Path) -> str:
    """Return that the latest messages are in a store of their own in `folder`."""
    return _(
        "The latest messages could not be stored with the rest and are in {folder}. "
        "To open them, run LAZYCHAT_HOME={folder} lazychat"
    ).format(folder=folder)


def lost(error: Exception) -> str:
    """Return that the latest messages are nowhere."""
    return _("Cannot save the latest messages: {error}. They are lost.").format(
        error=error
    )


def _since(moment: float) -> str:
    return _("since {time}").format(time=time.strftime("%H:%M", time.localtime(moment)))


def _shown(path: Path) -> str:
    """Return a path as printable text: its name may be invalid UTF-8."""
    return safe(str(path), newlines=False)
