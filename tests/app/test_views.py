"""What the pane shows is the path that the log makes, however the records came."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from support.talk import Expected, acts

from tui.app.chat.presenter import Presenter
from tui.app.transcript.pane import Transcript
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import Status
from tui.conversation import fold
from tui.events import PROVISIONAL, MessageAdded, Record

Shown = list[tuple[str, str, bool, tuple[int, int] | None]]


class Viewer:
    """A pane that is on no screen yet, and what fills it."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.presenter = Presenter(self.transcript, DebugPanel(), Status())

    @property
    def shown(self) -> Shown:
        return [
            (view.message_id, view.text, view.done, view.versions)
            for view in self.transcript.views
        ]


def expected(records: list[Record]) -> Shown:
    transcript = fold(records)
    shown: Shown = []
    for entry in transcript.entries.values():
        ids, place = transcript.versions(entry.message_id)
        first = entry.message_id == ids[place]
        versions = (place + 1, len(ids)) if first and len(ids) > 1 else None
        if entry.message.role != "tool":
            text, settled = entry.message.text, entry.settled
            shown.append((entry.message_id, text, settled, versions))
    return shown


@given(acts, st.lists(st.integers(0, 150), max_size=5), st.booleans())
@settings(deadline=None)
def test_pane_shows_the_path_of_the_log(acts, cuts, choose):
    talk = Expected()
    for act in acts:
        talk.do(*act)
    log = talk.talk.log
    settled = {r.event.message_id for r in log if isinstance(r.event, MessageAdded)}
    late = [
        record
        for record in log
        if not isinstance(record.event, PROVISIONAL)
        or record.event.message_id not in settled
    ]

    one, many, every, opened = Viewer(), Viewer(), Viewer(), Viewer()
    one.presenter.show(log)
    opened.presenter.show(late)
    places = [0, *sorted(cuts), len(log)]
    for start, end in pairwise(places):
        many.presenter.show(log[start:end])
    for number, record in enumerate(log):
        every.presenter.show([record])
        if choose and every.transcript.views:
            views = every.presenter.timeline
            begun = [id for id in views.by_id if _has_begun(views.branches, id)]
            views.choose(begun[number % len(begun)])
            assert begun[number % len(begun)] in [id for id, *_ in every.shown]

    assert one.shown == many.shown == opened.shown == expected(log)
    if not choose:
        assert every.shown == expected(log)


def _has_begun(branches, message_id):
    return branches.has_begun(branches.node(message_id))
