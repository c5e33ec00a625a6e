"""`lazychat list`: lists the conversations of the store."""

import shutil
import sys
import unicodedata
from collections.abc import Sequence

from tui import bounds, conversation, process_identity
from tui.cli import streams
from tui.cli.codes import DONE
from tui.eventlog import EventLog
from tui.events import TurnStarted
from tui.i18n import _
from tui.safe import one_line, safe


def show_list(log: EventLog, limit: int, as_json: bool) -> int:
    """Print the conversations, `limit` at most (0: all); return the exit code."""
    listed = conversation.recent(log, limit if limit > 0 else -1)
    running = conversation.running_anywhere(log)
    if not listed:
        streams.talk(_("no conversations yet"))
    if limit > 0 and len(listed) == limit:
        streams.talk(
            _("showing the first {limit}; `-n 0` lists all.").format(limit=limit)
        )
    if as_json:
        rows = [
            {
                "id": it.id,
                "title": it.title,
                "created": it.created,
                "updated": it.updated,
                "messages": it.messages,
                "pinned": it.pinned,
                "running": [
                    {"host": turn.host, "pid": turn.pid}
                    for turn in running.get(it.id, ())
                    if not process_identity.is_gone(turn)
                ],
            }
            for it in listed
        ]
        streams.print_json(rows)
        return DONE
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    ids = conversation.short_ids(log, [it.id for it in listed])
    ids = [one_line(id) for id in ids]
    column = max(map(len, ids), default=0)
    for id, it in zip(ids, listed, strict=True):
        state = one_line(state_of(running.get(it.id, ())))
        title = one_line(it.title) or _("(no title)")
        row = (
            f"{id:{column}}  {clock(it.updated)}  {it.messages:>4}  "
            f"{'* ' if it.pinned else ''}{f'[{state}] ' if state else ''}"
            f"{title}"
        )
        print(_cut(safe(row), width) if width else row)
    return DONE


def show_deleted(log: EventLog, as_json: bool) -> int:
    """Print the conversations that can be restored, last deleted first."""
    deleted = conversation.trashed(log)
    if as_json:
        rows = [{"id": it.id, "title": it.title, "deleted": it.time} for it in deleted]
        streams.print_json(rows)
        return DONE
    for it in deleted:
        title = one_line(it.title) or _("(no title)")
        print(f"{one_line(it.id)}  {clock(it.time)}  {title}")
    return DONE


def state_of(running: Sequence[TurnStarted]) -> str:
    """Return the state of a conversation with the unfinished turns `running`.

    "" if there are none.
    """
    if not running:
        return ""
    turn = running[-1]
    if process_identity.is_gone(turn):
        return _("interrupted")
    here = turn.host == process_identity.claim().host
    return (
        _("running, pid {pid}").format(pid=turn.pid)
        if here
        else _("running on {host}").format(host=turn.host)
    )


def clock(seconds: float) -> str:
    """Return a time for a table: local, to the minute, of constant width."""
    return bounds.spell_time(seconds, "%Y-%m-%d %H:%M")


def _cut(row: str, width: int) -> str:
    """Return the part of `row` that fits into `width` terminal cells."""
    cells = 0
    for at, character in enumerate(row):
        cells += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if cells > width:
            return row[: at - 1] + "…"
    return row
