"""What is to be told of conversations that are not on the screen."""

from collections.abc import Iterable, Sequence

from tui import conversation, process_identity
from tui.app.seen import unread
from tui.app.widgets.tab_bar import Tab
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text


def running(log: EventLog, ids: Iterable[str]) -> set[str]:
    """Return those of `ids` in which a turn runs.

    One whose process is gone does not, even if nobody has ended it yet.
    """
    return {
        id
        for id in ids
        if any(
            not process_identity.is_gone(owner)
            for _, owner in conversation.running(log, id)
        )
    }


def of(log: EventLog, ids: Sequence[str]) -> tuple[Tab, ...]:
    """Return what the row of open conversations tells. Raises `LogError`."""
    places = ", ".join("?" * len(ids))
    rows = log.query(
        f"SELECT id, title FROM conversation WHERE id IN ({places})", list(ids)
    )
    titles = {id: text(title) for id, title in rows}
    runs, news = running(log, ids), unread(log, ids)
    return tuple(Tab(id, titles.get(id, ""), id in runs, id in news) for id in ids)
