"""Shows each record of a conversation in the widget it belongs to.

Text goes to the transcript, tool calls to the debug panel, state and figures to the
status line. Streaming is the user's choice, not the model's, so it is applied here:
with `stream` off, the text of a message is held back until the message is complete.

The file is long because each kind of event has its case here.
"""

from collections.abc import Callable, Iterable
from typing import cast

from tui.app.chat.comparing import Comparisons
from tui.app.chat.context_meter import ContextMeter
from tui.app.chat.debug_feed import DebugFeed
from tui.app.chat.footers import Footers, stamp
from tui.app.chat.timeline import Timeline
from tui.app.chat.wait_clock import WaitClock
from tui.app.transcript import pane
from tui.app.transcript.note import Note
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import KEYS, STOP, Key, Status
from tui.conversation import Transcript
from tui.conversation.comparison import compares
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ApprovalRevoked,
    CancelRequested,
    ConversationConfigured,
    ConversationDeleted,
    ConversationForked,
    ConversationPinned,
    ConversationRenamed,
    ErrorRaised,
    Known,
    MessageAdded,
    NoticeGiven,
    Queued,
    ReasoningDelta,
    Record,
    Relabelled,
    RetryScheduled,
    SummaryAdded,
    TextDelta,
    ToolCallFinished,
    ToolCallOpened,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
    Unknown,
    Unreadable,
    UsageReported,
)
from tui.i18n import N_, _
from tui.messages import Message
from tui.runtime.resuming import RESUMES

_OfCall = ToolCallOpened | ToolCallStarted | ToolProgressed | ToolCallFinished
_OfTurn = TurnRequested | TurnStarted | TurnWithdrawn | CancelRequested | TurnFinished

ASKING = N_("needs your answer")
"""The state while the user is asked whether a tool may run."""

_TITLE = 200
"""Characters of the first question that the header may show."""
CANCEL_SECONDS = 0.1
"""Seconds that a turn may take to stop before the status line shows "cancelling"."""


_INTERRUPTED = N_(
    "Interrupted: the answering program is gone. /continue resumes the answer, "
    "/retry asks again."
)
_ASKS_AGAIN = N_("The answering program is gone; the answer resumes once you allow it")
_RESUMED = N_("The answering program was gone; another one resumes the answer")
_DROPPED = N_(
    "Interrupted: the answering program is gone; its question was not answered"
)


class Presenter:
    """Maps each event to its widget. Call it in the UI thread."""

    def __init__(
        self,
        transcript: pane.Transcript,
        debug: DebugPanel,
        status: Status,
        serves: Callable[[str], bool] = lambda runner: False,
    ) -> None:
        """Set the widgets; `serves` returns whether a runner is known to be alive."""
        self.fold = Transcript()
        """The state of the shown records. Others read it; only this class applies
        records."""
        self.deleted = False
        """Whether the shown conversation is gone from the store."""
        self.timeline = Timeline(self.fold, transcript)
        self.footers = Footers(self.fold, self.timeline)
        self.comparisons = Comparisons(self.fold, self.timeline)
        self.context = ContextMeter(self.fold, transcript, status)
        self._clock = WaitClock(status)
        self._transcript = transcript
        self._debug = DebugFeed(debug, self.fold)
        self._status = status
        self._serves = serves
        self._asks_again: tuple[str, Note] | None = None
        """The turn of a process that is gone, with the note that it asks again."""
        self._renamed = ""
        self._loading = False
        self._stream = True
        self._last_ended: str | None = None
        """The finish reason of the turn's last message."""
        self._held: dict[str, list[Record]] = {}
        self._called: set[str] = set()
        """The turns in which a tool was called."""
        self._unkept: dict[str, int] = {}
        """The last record of each message that is partly in memory only."""
        self._tools: dict[str, str] = {}
        self._keys: tuple[Key, ...] = KEYS
        self._stop: Key = STOP

    @property
    def title(self) -> str:
        """The conversation's title: the start of its first question, until renamed."""
        asked = self.fold.questions[0][:_TITLE] if self.fold.questions else ""
        return self._renamed or " ".join(asked.split())

    @property
    def stream(self) -> bool:
        """Whether text is shown while it is written; a change takes effect at once.

        Switching it off does not hide text that is already shown.
        """
        return self._stream

    @stream.setter
    def stream(self, on: bool) -> None:
        self._stream = on
        if on:
            held, self._held = self._held, {}
            for records in held.values():
                for record in records:
                    if isinstance(record.event, Relabelled):
                        self._relabel(record, record.event)
                    else:
                        assert isinstance(record.event, TextDelta | ReasoningDelta)
                        self._append(record.event)
            self._flush()

    @property
    def queued(self) -> list[str]:
        """The labels of the queued turns, oldest first.

        Their questions are shown when their turn starts, next to the answer.
        """
        return [self._name(turn) for turn in self.waiting]

    @property
    def waiting(self) -> list[str]:
        """The turns that no process runs yet, oldest first."""
        return self.fold.requested

    @property
    def running(self) -> str | None:
        """The turn that is running."""
        return self.fold.current

    def _name(self, turn: str) -> str:
        what = "/compact" if self.fold.sums_up(turn) else _("another answer")
        request = self.fold.requests.get(turn)
        if request and compares(request):
            what = _("an answer of {model}").format(model=request.model)
        files = ", ".join(file.title for file in self.fold.files(turn))
        return self.fold.question(turn) or files or what

    @property
    def answers(self) -> list[str]:
        """The texts of the shown answers, for copying; newest last."""
        answers = [v for v in self._transcript.views if v.role == "assistant"]
        return [view.text for view in answers if view.done and view.text]

    def spell_keys(self, keys: tuple[Key, ...], stop: Key) -> None:
        """Show these keys in the status line, and `stop` while a turn runs."""
        self._keys, self._stop = keys, stop
        self._status.keys = keys

    @property
    def loading(self) -> bool:
        """Whether the next answer's model is loading; a running turn shows it."""
        return self._loading

    @loading.setter
    def loading(self, loads: bool) -> None:
        self._loading = loads
        if loads and self._status.state == "error":
            self._status.state = "ready"  # the error was about the previous model
        elif not loads and self._status.state == "loading":
            self._status.state = self._works if self.running else "ready"

    def show_loading(self) -> None:
        """Show that a model is still loading, unless another state is shown."""
        if self._loading and self._status.state == "ready":
            self._status.state = "loading"

    @property
    def _works(self) -> str:
        return "summarising" if self.fold.sums_up(self.running) else "thinking"

    def is_orphaned(self, turn: str) -> bool:
        """Return whether no known program will run a queued turn.

        If the turn's program is alive after all, it starts the turn at once.
        """
        request = self.fold.requests.get(turn)
        runner = request.runner if request else ""
        return bool(runner and not self.running and not self._serves(runner))

    def give_up(self, turn: str, why: str) -> None:
        """Show that a turn has failed and the log itself cannot record it."""
        before = self.fold.branches.head
        self.fold.give_up(turn)
        self.timeline.moved(before)
        self.context.asked()
        self._ended(turn, "error")
        self.timeline.note(why, "error", turn)
        self._flush()

    def choose(self, message_id: str) -> None:
        """Show the version that contains a message."""
        self.timeline.choose(message_id)
        self.context.show()

    def _flush(self) -> None:
        self._clock.show()
        if self.timeline.flush():
            self.context.show()
        else:
            self.context.flush()

    def show(self, records: Iterable[Record]) -> None:
        """Show `records`, in the order of the log."""
        for record in records:
            self._show(record)
        self._flush()

    def mark_unkept(self, last: int | None, records: Iterable[Record] = ()) -> None:
        """Dim the messages that a kill would lose, among `records` and earlier ones.

        `last` is the last record that a kill would keep, None when it would keep all.
        """
        for record in records if last is not None else ():
            if last is not None and record.seq > last:
                id = getattr(record.event, "message_id", "")
                self._unkept[id] = max(record.seq, self._unkept.get(id, 0))
        for id, seq in list(self._unkept.items()):
            kept = last is None or seq <= last
            if view := self.timeline.by_id.get(id):
                self._transcript.dim(view, not kept)
            if kept:
                del self._unkept[id]
        self._status.unkept = last is not None

    def _apply(self, record: Record) -> None:
        fold = self.fold
        before, asked = fold.branches.head, len(fold.questions)
        fold.apply(record)
        self.timeline.follow(record, before)
        if len(fold.questions) != asked:
            self.context.asked()

    def _show(self, record: Record) -> None:
        event = record.event
        self._clock.take(record)
        if isinstance(event, (TextDelta, ReasoningDelta)):
            self._piece(record, event)
            return
        if isinstance(event, ConversationDeleted):
            # A restored conversation starts with the remains of its deletion. The
            # messages stay on the screen until it closes.
            self.deleted = bool(self.fold.questions or self.answers)
            return
        self._apply(record)
        self._debug.take(record)
        self.footers.take(record)
        # Cast to the union of all kinds, so that the type checker finds any event kind
        # that is not handled.
        self._show_event(record, cast(Known, event))
        self.comparisons.take(record)

    def _show_event(self, record: Record, event: Known) -> None:
        turn = record.turn
        match event:
            case MessageAdded(message_id, message):
                self._held.pop(message_id, None)
                at = stamp(record.time)
                self._add(message_id, message, event.finish_reason, at)
            case UsageReported(purpose=purpose) if purpose:
                pass  # see `Costs`
            case UsageReported(input, output, seconds):
                self._status.show_usage(input, output, seconds)
                self.context.used(event)
            case SummaryAdded(text=text):
                count = self.context.summed_up(event)
                label = _("Summary of {count} messages, sent in their place").format(
                    count=count
                )
                self.timeline.add_summary(f"summary:{record.seq}", text, label, turn)
            case ErrorRaised(_, text):
                self.timeline.note(text, "error", turn)
            case NoticeGiven(text):
                # The note about left-out messages appears only when their number
                # changes.
                if not event.left_out or self.context.left_out(event):
                    self.timeline.note(text, "info", turn)
            case Unreadable(why=why):
                what = _("Cannot read a record of this conversation ({why})").format(
                    why=why
                )
                self.timeline.note(what, "warning", turn)
            case ToolCallOpened():
                self._call(event)
            case ToolCallStarted():
                self._called.add(turn or "")
                self._call(event)
            case ToolProgressed() | ToolCallFinished():
                self._call(event)
            case TurnRequested() | TurnStarted() | TurnWithdrawn():
                self._turn(turn or "", event)
            case CancelRequested() | TurnFinished():
                self._turn(turn or "", event)
            case Relabelled():
                self._relabel(record, event)
            case TextDelta() | ReasoningDelta() | ConversationDeleted():
                pass  # see `_show`
            case ApprovalRequested() | ApprovalGiven():
                self._state_of_tools()
            case RetryScheduled() | Queued() | ApprovalRevoked():
                pass  # see `WaitClock`; queues are not shown; the sidebar shows grants
            case ConversationRenamed(title):
                self._renamed = title
            case ConversationForked(_, title):
                origin = " ".join(title.split()) or _("another conversation")
                self.timeline.note(
                    _("Forked from {origin}").format(origin=origin), "info"
                )
            case ConversationPinned() | Unknown():
                pass  # shown by lists, or by later versions
            case ConversationConfigured():
                pass  # shown in the sidebar

    def _call(self, event: _OfCall) -> None:
        match event:
            case ToolCallOpened():
                self._state("writing a tool call")
            case ToolCallStarted(call):
                self._tools[call.id] = call.name or "?"
                self._state_of_tools()
            case ToolProgressed():
                pass
            case ToolCallFinished(call_id):
                self._tools.pop(call_id, None)
                self._state_of_tools()

    def _turn(self, turn: str, event: _OfTurn) -> None:
        match event:
            case TurnRequested(options=options):
                self._settle_question(options.get(RESUMES))
                self._rest(self._status.state)
            case TurnStarted():
                self._status.forget_usage()
                request = self.fold.requests.get(turn)
                self._status.answers = request.model if request else ""
                self.context.turn_started()
                self._status.state = "loading" if self.loading else self._works
                self._status.keys = (self._stop, *self._keys)
            case TurnWithdrawn():
                first = " ".join(self._name(turn).split())[:60]
                if first:  # empty if the question was deleted
                    self.timeline.note_below(
                        _("Taken back: {first}").format(first=first), "info"
                    )
                self._rest()
            case CancelRequested():
                self._settle_question()
                if not self.running:  # a question was taken back
                    self._rest()
                if turn == self.running:
                    # Most turns stop at once; on a slow line the state would cost a
                    # frame.
                    self._status.set_timer(
                        CANCEL_SECONDS, lambda: self._show_cancelling(turn)
                    )
            case TurnFinished(reason):
                self._ended(turn, reason)
                stopped = reason in ("cancelled", "interrupted")
                if reason == "cancelled" and not self._has_answered(turn):
                    when = _("after a tool was called") if turn in self._called else ""
                    when = when or _("before the first word")
                    note = _("Cancelled {when} · /retry asks again").format(when=when)
                    self.timeline.note(note, "cancelled", turn)
                if stopped and self.fold.sums_up(turn):
                    note = _("Summary stopped; the model still gets all messages")
                    self.timeline.note(note, "cancelled")

    def _has_answered(self, turn: str) -> bool:
        begun = self.timeline.answer(turn) is not None
        return begun or self.fold.sums_up(turn) or not self.fold.question(turn)

    def _settle_question(self, resumes: object = None) -> None:
        """Replace the note of a question that nobody can answer any more."""
        if self._asks_again and not self.fold.approvals.outlives(self._asks_again[0]):
            turn, note = self._asks_again
            self._asks_again = None
            text, kind = (
                (_RESUMED, "info") if resumes == turn else (_DROPPED, "warning")
            )
            self.timeline.replace(note, text, kind)

    def _ended(self, turn: str, reason: str) -> None:
        if reason == "interrupted" and self.fold.approvals.outlives(turn):
            note = self.timeline.note(_(_ASKS_AGAIN), "info", turn)
            self._asks_again = turn, note
        elif reason == "interrupted" and self._last_ended != reason:
            self.timeline.note(_(_INTERRUPTED), "warning", turn)
        self._last_ended = None
        self._clock.end()
        self._tools.clear()
        self._debug.ended(reason)
        self._transcript.rest()
        # A failed summary changes nothing in the conversation.
        failed = reason == "error" and not self.fold.sums_up(turn)
        self._rest("error" if failed else "ready")

    def _add(
        self, message_id: str, message: Message, ended: str | None, time: str
    ) -> None:
        if message.role != "user":
            self.context.said(message_id, message)
        match message.role:
            case "user" | "system":
                self.timeline.add(message_id, message, time=time)
            case "assistant":
                self._last_ended = ended
                if message.text or message.reasoning:
                    self.timeline.add(message_id, message, ended)
            case "tool":
                pass  # see `DebugFeed`

    def _piece(self, record: Record, delta: TextDelta | ReasoningDelta) -> None:
        id = delta.message_id
        self._debug.spoke()
        if id in self.timeline.by_id:  # its place in the tree is known
            self.fold.apply(record)
        else:
            self._apply(record)
        if self._stream:
            self._append(delta)
        else:
            self._held.setdefault(id, []).append(record)
        thinks = isinstance(delta, ReasoningDelta)
        self._state("thinking" if thinks else "writing")

    def _append(self, delta: TextDelta | ReasoningDelta) -> None:
        id = delta.message_id
        view = self.timeline.by_id.get(id) or self.timeline.open(id)
        if isinstance(delta, TextDelta):
            view.append_text(delta.text)
        else:
            view.append_reasoning(delta.text)
        self._transcript.changed(view)

    def _relabel(self, record: Record, event: Relabelled) -> None:
        held = self._held.get(event.message_id)
        if held is not None:
            held.append(record)
        elif view := self.timeline.by_id.get(event.message_id):
            view.relabel(event.as_text)
            self._transcript.changed(view)

    def _state(self, state: str) -> None:
        # Called for each piece of text; comparing is cheaper than setting.
        if state != self._status.state and not self.fold.cancelled:
            self._status.state = state

    def _show_cancelling(self, turn: str) -> None:
        if turn == self.running:
            self._status.state = "cancelling"

    def _state_of_tools(self) -> None:
        if self.fold.approvals.count:
            self._state(ASKING)
            return
        names = ", ".join(dict.fromkeys(self._tools.values()))
        self._state(_("running {names}").format(names=names) if names else "thinking")

    def _rest(self, state: str = "ready") -> None:
        if not self.running:
            self._status.answers = ""
        if not self.running and self.fold.approvals.count:
            self._status.state = ASKING
            self._status.keys = self._keys
        elif not self.running:
            waits = any(not self.is_orphaned(turn) for turn in self.waiting)
            self._status.state = "waiting" if waits else state
            self._status.keys = self._keys
