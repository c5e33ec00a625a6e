"""The debug panel: shows every round of the model and every tool call as it happens.

A round is one request to the model; the calls that it led to stand below it, with what
tools printed and servers wrote. Each unfolds; the bodies of requests are fetched only
when somebody asks for them. See `debug_entries` for what an entry shows.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.app.widgets.debug_entries import (
    Body,
    Call,
    DebugEntry,
    Note,
    Round,
    ending,
)
from tui.app.widgets.entry_list import Rows
from tui.app.widgets.requests import CopyRequested
from tui.i18n import N_, _, ngettext
from tui.messages import ToolCall

_KEYS = (N_("Enter opens"), N_("c copies"), N_("f failures"), N_("b bodies"))


class DebugPanel(Rows):
    """Lists rounds and calls in the order of their start, the newest at the bottom.

    Enter or a click unfolds an entry, c requests to copy it, f shows only what has
    failed, b shows what was sent to the model and what came back. The panel follows the
    newest entry until the user moves the cursor; End follows again. A result may arrive
    before or after the end of its call. An event without a known call creates a call
    with an unknown name.
    """

    FOLLOWS = True

    DEFAULT_CSS = """
    DebugPanel {
        height: 10;
        border-top: solid $border-blurred;
        border-title-color: $text-muted;
    }
    DebugPanel:focus {
        border-top: solid $primary;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "unfold", "Unfold", show=False),
        Binding("c,y", "copy", "Copy", show=False),
        Binding("f", "filter", "Failed only", show=False),
        Binding("b", "bodies", "Request and response", show=False),
    ]

    class BodiesWanted(Message):
        """The user wants the bodies of a round; answer with `show_bodies`."""

        def __init__(self, round: Round) -> None:
            super().__init__()
            self.round = round

    def __init__(self) -> None:
        super().__init__()
        self.all: list[DebugEntry] = []
        """All entries; `entries` has those that the filter shows."""
        self.failed_only = False
        self._key = ""
        self._calls: dict[str, Call] = {}
        """The newest call of each id: ids are unique only within a message."""
        self._unfinished: set[str] = set()
        self._printed: dict[str, str] = {}
        """Output of calls whose start is not known yet."""
        self._tokens = [0, 0]
        self.clear()

    @property
    def key(self) -> str:
        """The key that closes the panel, for the title; "" if there is none."""
        return self._key

    @key.setter
    def key(self, key: str) -> None:
        self._key = key
        self._count()

    # -- rounds

    def round_started(
        self, turn: str, place: int, model: str, begun: float = 0.0
    ) -> Round:
        """Show that the model is asked; for the arguments see `Round`."""
        entry = Round(turn, place, model, begun)
        self._add(entry)
        return entry

    def round_changed(self, entry: Round, *, tokens: tuple[int, int] = (0, 0)) -> None:
        """Show the new figures of a round; `tokens` are added to the totals."""
        self._tokens[0] += tokens[0]
        self._tokens[1] += tokens[1]
        self._changed(entry)
        if any(tokens):
            self._count()

    def show_bodies(self, entry: Round, bodies: Sequence[Body]) -> None:
        """Show what was sent in a round and what came back."""
        entry.bodies = list(bodies)
        self._changed(entry)

    # -- calls

    def call_started(self, call: ToolCall) -> None:
        """Show a call as running."""
        entry = self._calls.get(call.id)
        if entry and entry.decision and entry.seconds is None:
            entry.call = call  # it was asked about before it started
            self._changed(entry)
        else:
            self._begin(call)

    def approval_requested(self, call: ToolCall) -> None:
        """Show that a call waits for the user's permission."""
        entry = self._calls.get(call.id)
        if entry is None or entry.seconds is not None:
            entry = self._begin(call)
        entry.state = "asks"
        self._changed(entry)

    def call_decided(
        self, call: ToolCall, decision: str, *, denied: bool = False
    ) -> None:
        """Show who has allowed or denied a call, such as "allowed by you"."""
        entry = self._calls.get(call.id)
        if entry is None or entry.seconds is not None:
            entry = self._begin(call)
        entry.decision, entry.denied = decision, denied
        if entry.state == "asks":
            entry.state = "running"
        self._changed(entry)

    def call_progressed(self, call_id: str, text: str) -> None:
        """Show the progress of a running call, until it has a result."""
        entry = self._find(call_id)
        entry.progressed(text)
        self._changed(entry)

    def call_printed(self, call_id: str, text: str) -> None:
        """Add to the printed output of a call, which is not part of its result.

        The output may arrive before the log reports the start of the call.
        """
        if call_id not in self._calls:
            self._printed[call_id] = self._printed.get(call_id, "") + text
            return
        entry = self._find(call_id)
        entry.printed += text
        self._changed(entry)

    def call_finished(
        self, call_id: str, seconds: float, error: str | None = None
    ) -> None:
        """Show that a call has ended; `error` if it failed, or was denied before."""
        entry = self._find(call_id)
        self._unfinished.discard(call_id)
        entry.seconds, entry.error = seconds, error
        before = entry.state
        failed = "denied" if entry.denied else "error"
        entry.state = "done" if error is None else failed
        self._errors += (entry.state == "error") - (before == "error")
        self._changed(entry)
        self._count()

    def call_output(self, call_id: str, output: str) -> None:
        """Show the result that the model receives."""
        entry = self._find(call_id)
        entry.output = output
        self._changed(entry)

    def turn_finished(self, reason: str) -> None:
        """Mark the calls that still run as failed: the turn ignores their results.

        `reason` is that of `TurnFinished`. A call that ends later is shown as ended.
        """
        for call_id in list(self._unfinished):
            entry = self._find(call_id)
            entry.state = "error"
            entry.error = _("no result before the turn ended ({reason})").format(
                reason=ending(reason)
            )
            self._errors += 1
            self._changed(entry)
        self._printed.clear()
        self._unfinished.clear()
        self._count()

    def note(self, text: str, *, failed: bool = False) -> None:
        """Show a line that is not a call, such as what a server has written."""
        self._add(Note(text, failed=failed))

    def clear(self) -> None:
        """Remove all entries, and follow the newest again."""
        self.all = []
        self._calls = {}
        self._unfinished = set()
        self._count_of_calls = self._errors = 0
        self._tokens = [0, 0]
        self.set_entries([])
        self._count()

    # -- actions

    @property
    def selected(self) -> DebugEntry | None:
        """The entry at the cursor."""
        if self.cursor is None or self.cursor >= len(self.entries):
            return None
        entry = self.entries[self.cursor]
        assert isinstance(entry, DebugEntry)
        return entry

    def action_unfold(self) -> None:
        """Show or hide all of the selected entry; of a round, its bodies."""
        entry = self.selected
        if isinstance(entry, Round) and not entry.unfolded:
            self.post_message(self.BodiesWanted(entry))
        super().action_unfold()

    def action_bodies(self) -> None:
        """Show or hide what was sent to the model for the selected entry."""
        entry = self.selected
        while entry is not None and not isinstance(entry, Round):
            entry = self.all[entry.number - 1] if entry.number else None
        if entry is None:
            return
        if self.failed_only:
            self.action_filter()
        self.cursor = entry.number
        self.action_unfold()

    def action_copy(self) -> None:
        """Request to copy the selected entry: a call's JSON, a note, bodies."""
        if entry := self.selected:
            self.post_message(CopyRequested(entry.copied()))

    def action_filter(self) -> None:
        """Show only what has failed, or everything again."""
        entry = self.selected
        self.failed_only = not self.failed_only
        shown = [it for it in self.all if it.failed or not self.failed_only]
        place = bisect_left(shown, entry.number, key=_number) if entry else 0
        self.set_entries(shown, min(place, len(shown) - 1) if shown else None)
        self._following = self._on_last
        self._count()
        self._settle()
        if self.cursor is not None:
            self._show(self.cursor)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show the keys while the panel has the focus."""
        super().watch_has_focus(_has_focus)
        self._count()

    def on_resize(self) -> None:
        """Fit the title; Textual calls the base too."""
        self._count()

    # -- entries

    def _begin(self, call: ToolCall) -> Call:
        entry = Call(call)
        self._calls[call.id] = entry
        self._unfinished.add(call.id)
        self._count_of_calls += 1
        entry.printed = self._printed.pop(call.id, "")
        self._add(entry)
        self._count()
        return entry

    def _find(self, call_id: str) -> Call:
        return self._calls.get(call_id) or self._begin(ToolCall(call_id, "", {}))

    def _add(self, entry: DebugEntry) -> None:
        entry.number = len(self.all)
        self.all.append(entry)
        if not self.failed_only or entry.failed:
            self.append(entry)

    def _changed(self, entry: DebugEntry) -> None:
        """Redraw an entry, which may have failed by now, or no longer."""
        if not self.failed_only:
            self.changed(entry.number)
            return
        place = bisect_left(self.entries, entry.number, key=_number)
        shown = self.entries[place : place + 1] == [entry]
        if shown and not entry.failed:
            del self.entries[place]
        elif entry.failed and not shown:
            self.entries.insert(place, entry)
            if self.cursor is not None and place <= self.cursor < len(self.entries) - 1:
                self.cursor += 1
        elif not shown:
            return
        self.changed(place)

    # -- title

    def _count(self) -> None:
        width = self.size.width - 4
        calls = self._count_of_calls
        count = ngettext("{count:,} call", "{count:,} calls", calls).format(count=calls)
        parts = [_("Debug"), count if calls else _("no calls yet")]
        if self._errors:
            parts.append(_("{count:,} failed").format(count=self._errors))
        counted = len(parts)
        if self.failed_only:
            parts.append(_("failed only"))
        if self.has_focus and self.all:
            parts += map(_, _KEYS)
        elif any(self._tokens):
            parts.append(
                _("{tokens:,}→{tokens2:,} tok").format(
                    tokens=self._tokens[0], tokens2=self._tokens[1]
                )
            )
        if self._key:
            parts.append(_("{key} closes").format(key=self._key))
        # The counts and the key are the last to go.
        while len(parts) > 1 and width > 0 and cell_len(" · ".join(parts)) > width:
            parts.pop(-2 if len(parts) > counted + 1 else -1)
        self.border_title = Content(f" {' · '.join(parts)} ")


def _number(entry: object) -> int:
    assert isinstance(entry, DebugEntry)
    return entry.number
