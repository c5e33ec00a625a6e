"""`lazychat rename`, `fork`, `pin`, `delete` and `undelete`."""

import sys
from collections.abc import Sequence

from tui import conversation
from tui.cli import streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.errors import ConfigError, LogError
from tui.eventlog import EventLog
from tui.i18n import _
from tui.safe import safe


def rename(log: EventLog, prefix: str, title: str) -> int:
    """Rename the conversation whose id begins with `prefix`."""
    conversation.rename(log, conversation.find(log, prefix), title).result()
    return DONE


def fork(log: EventLog, prefix: str, title: str) -> int:
    """Copy a conversation into a new one, and print its id."""
    print(conversation.fork(log, conversation.find(log, prefix), title=title))
    return DONE


def pin(log: EventLog, prefix: str, pinned: bool) -> int:
    """Pin the conversation to the top of lists, or unpin it."""
    conversation.pin(log, conversation.find(log, prefix), pinned).result()
    return DONE


def delete(log: EventLog, prefixes: Sequence[str], sure: bool) -> int:
    """Permanently delete conversations, all or none; asks first unless `sure`.

    This includes conversations deleted in the app that could still be restored.
    """
    from tui.runtime.turn_driver import end_if_gone

    ids = tuple(dict.fromkeys(_find(log, prefix) for prefix in prefixes))
    if not sure and not _confirmed(log, ids):
        return CANCELLED
    for id in ids:
        end_if_gone(log, id)
    deleted = conversation.delete(log, *ids)
    if deleted.traces:
        streams.talk(deleted.traces)
    return FAILED if deleted.traces else DONE


def _confirmed(log: EventLog, ids: Sequence[str]) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            _("delete has no terminal to ask for confirmation: add --yes.")
        )
    shorts = conversation.short_ids(log, ids)
    gone = {it.id: it for it in conversation.trashed(log)}
    for short, id in zip(shorts, ids, strict=True):
        found = conversation.get(log, id) or gone.get(id)
        title = found.title if found else ""
        print(safe(f"{short}  {title}", newlines=False), file=sys.stderr)
    print(_("Delete permanently? [y/N] "), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def undelete(log: EventLog, prefix: str) -> int:
    """Restore a conversation deleted in the app; without `prefix` the last one."""
    deleted = conversation.trashed(log)
    wanted = [it for it in deleted if it.id.startswith(prefix)]
    if not wanted:
        what = (
            _(" whose id begins with {prefix!r}").format(prefix=prefix)
            if prefix
            else ""
        )
        raise LogError(
            _("No conversation{what} was deleted in the last {days} days.").format(
                what=what, days=conversation.DAYS
            )
        )
    print(conversation.restore(log, wanted[0]))
    return DONE


def _find(log: EventLog, prefix: str) -> str:
    """Return the id of a stored conversation, or of one deleted in the app."""
    try:
        return conversation.find(log, prefix)
    except LogError:
        gone = {it.id for it in conversation.trashed(log) if it.id.startswith(prefix)}
        if len(gone) != 1 or not prefix:
            raise
        return gone.pop()
