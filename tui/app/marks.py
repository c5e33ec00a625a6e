"""Tab badges: title, running and unread of each open conversation."""

from collections.abc import Sequence

from tui.app.widgets.tab_bar import Tab
from tui.conversation import read_state, store
from tui.eventlog import EventLog


def of(log: EventLog, ids: Sequence[str]) -> tuple[Tab, ...]:
    """Return what the row of open conversations tells. Raises `LogError`."""
    titles = store.titles(log, ids)
    runs, news = read_state.answering(log, ids), read_state.unread(log, ids)
    return tuple(Tab(id, titles.get(id, ""), id in runs, id in news) for id in ids)
