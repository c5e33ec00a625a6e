"""Shows each record of a conversation in the widget it belongs to.

Text goes to the transcript, tools to the debug panel, state and figures to the status
line. Whether a message is shown while it is written is decided here, since it is the
reader's choice and not the model's: with `stream` off its text is held back until it
is whole.
"""

from collections.abc import Callable, Iterable
from typing import cast

from tui.app.chat.context_meter import ContextMeter
from tui.app.chat.timeline import Timeline
from tui.app.transcript import pane
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import KEYS, STOP, Key, Status
from tui.conversation import Transcript
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    CancelRequested,
    ConversationDeleted,
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
from tui.messages import Message

_OfCall = ToolCallOpened | ToolCallStarted | ToolProgressed | ToolCallFinished
_OfTurn = TurnRequested | TurnStarted | TurnWithdrawn | CancelRequested | TurnFinished

CANCEL_SECONDS = 0.1
"""How long a turn may take to stop before that is told: seen 0.2 s after Esc."""

SHORTEST_SECONDS = 0.02
"""How long an answer has to take for its speed to mean anything."""


class Presenter:
    """The one place that knows which event is shown where. Runs in the UI's thread."""

    def __init__(
        self,
        transcript: pane.Transcript,
        debug: DebugPanel,
        status: Status,
        serves: Callable[[str], bool] = lambda runner: False,
    ) -> None:
        """Take the widgets, and what tells whether a runner is known to be there."""
        self.fold = Transcript()
        """What the records that were shown mean; read by all, applied to here only."""
        self.deleted = False
        """Whether what is shown is no more in the store."""
        self.timeline = Timeline(self.fold, transcript)
        self.context = ContextMeter(self.fold, transcript, status)
        self._transcript = transcript
        self._debug = debug
        self._status = status
        self._serves = serves
        self._loading = False
        self._stream = True
        self._last_ended: str | None = None
        """How the last message of the turn ended."""
        self._held: dict[str, list[Record]] = {}
        self._unkept: dict[str, int] = {}
        """The last record of each message of which something is in memory only."""
        self._tools: dict[str, str] = {}
        self._keys: tuple[Key, ...] = KEYS
        self._stop: Key = STOP

    @property
    def stream(self) -> bool:
        """Whether text is shown while it is written; acts at once, in mid-answer too.

        Switched off, what is shown already stays.
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
        """The questions that wait for the turn before theirs, the oldest first.

        They are shown when their own turn begins, where their answers will be.
        """
        return [self._name(turn) for turn in self.waiting]

    @property
    def waiting(self) -> list[str]:
        """The turns that nobody runs yet, the oldest first."""
        return self.fold.requested

    @property
    def running(self) -> str | None:
        """The turn that runs."""
        return self.fold.current

    def _name(self, turn: str) -> str:
        what = "/compact" if self.fold.sums_up(turn) else "another answer"
        return self.fold.question(turn) or what

    @property
    def answers(self) -> list[str]:
        """The texts of the answers that are shown, for copying; the newest last."""
        answers = [v for v in self._transcript.views if v.role == "assistant"]
        return [view.text for view in answers if view.done and view.text]

    def spell_keys(self, keys: tuple[Key, ...], stop: Key) -> None:
        """Tell these keys in the status line, and `stop` while a turn runs."""
        self._keys, self._stop = keys, stop
        self._status.keys = keys

    @property
    def loading(self) -> bool:
        """Whether the model of the next answer is being loaded: who waits is told."""
        return self._loading

    @loading.setter
    def loading(self, loads: bool) -> None:
        self._loading = loads
        if loads and self._status.state == "error":
            self._status.state = "ready"  # the error was the other model's
        elif not loads and self._status.state == "loading":
            self._status.state = self._works if self.running else "ready"

    def tell_loading(self) -> None:
        """Say that a model is being loaded, if that still is so and nothing else is."""
        if self._loading and self._status.state in ("ready", "error"):
            self._status.state = "loading"

    @property
    def _works(self) -> str:
        return "summing up" if self.fold.sums_up(self.running) else "thinking"

    def is_orphaned(self, turn: str) -> bool:
        """Whether another program was asked for a turn and nothing runs before it.

        That program will take it at once if it is still there.
        """
        request = self.fold.requests.get(turn)
        runner = request.runner if request else ""
        return bool(runner and not self.running and not self._serves(runner))

    def give_up(self, turn: str, why: str) -> None:
        """Say that no more of a turn will come: the log itself cannot say it."""
        before = self.fold.branches.head
        self.fold.give_up(turn)
        self.timeline.moved(before)
        self.context.asked()
        self._ended(turn, "error")
        self.timeline.note(why, "error", turn)
        self._flush()

    def choose(self, message_id: str) -> None:
        """Show the version that a message is in."""
        self.timeline.choose(message_id)
        self.context.show()

    def _flush(self) -> None:
        if self.timeline.flush():
            self.context.show()
        else:
            self.context.flush()

    def show(self, records: Iterable[Record]) -> None:
        """Show what `records` add, in the order of the log."""
        for record in records:
            self._show(record)
        self._flush()

    def tell_kept(self, last: int | None, records: Iterable[Record] = ()) -> None:
        """Say which of `records`, and of those before, a kill would take.

        `last` is the last one that it would not, None when it would take none.
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
        if isinstance(event, (TextDelta, ReasoningDelta)):
            self._piece(record, event)
            return
        if isinstance(event, ConversationDeleted):
            # One that has come back begins with what is left of its deletion. What is
            # shown stays until the screen goes.
            self.deleted = bool(self.fold.questions or self.answers)
            return
        self._apply(record)
        # As the union of all, so that the type checker finds an event which nobody has
        # thought of here.
        self._show_event(record, cast(Known, event))

    def _show_event(self, record: Record, event: Known) -> None:
        turn = record.turn
        match event:
            case MessageAdded(message_id, message):
                self._held.pop(message_id, None)
                self._add(message_id, message, event.finish_reason)
            case UsageReported():
                self._usage(event)
                self.context.used(event)
            case SummaryAdded(text=text):
                count = self.context.summed_up(event)
                label = f"Summary of {count} messages, sent in their place"
                self.timeline.add_summary(f"summary:{record.seq}", text, label, turn)
            case ErrorRaised(_, text):
                self.timeline.note(text, "error", turn)
            case NoticeGiven(text):
                # What is left out is told when that changes.
                if not event.left_out or self.context.left_out(event):
                    self.timeline.note(text, "info", turn)
            case Unreadable(why=why):
                what = f"A record of this conversation could not be read ({why})."
                self.timeline.note(what, "warning", turn)
            case ToolCallOpened() | ToolCallStarted():
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
            case Queued() | ApprovalRequested() | ApprovalGiven():
                pass  # nobody is asked yet; a queue is a program's own
            case ConversationRenamed() | ConversationPinned() | Unknown():
                pass  # for lists and tabs, or for a later version

    def _call(self, event: _OfCall) -> None:
        match event:
            case ToolCallOpened():
                self._state("writing a tool call")
            case ToolCallStarted(call):
                self._debug.call_started(call)
                self._tools[call.id] = call.name or "?"
                self._state_of_tools()
            case ToolProgressed(call_id, text):
                self._debug.call_progressed(call_id, text)
            case ToolCallFinished(call_id, seconds, error):
                self._debug.call_finished(call_id, seconds, error)
                self._tools.pop(call_id, None)
                self._state_of_tools()

    def _turn(self, turn: str, event: _OfTurn) -> None:
        match event:
            case TurnRequested():
                self._rest(self._status.state)
            case TurnStarted():
                self._forget_usage()
                self.context.turn_started()
                self._status.state = "loading" if self.loading else self._works
                self._status.keys = (self._stop, *self._keys)
            case TurnWithdrawn():
                first = " ".join(self._name(turn).split())[:60]
                if first:  # else the question was deleted
                    self.timeline.note_below(f"Taken back: {first}", "info")
                self._rest()
            case CancelRequested():
                if turn == self.running:
                    # Most stop at once, and on a slow line it would be a frame more.
                    self._status.set_timer(
                        CANCEL_SECONDS, lambda: self._tell_cancelling(turn)
                    )
            case TurnFinished(reason):
                self._ended(turn, reason)
                stopped = reason in ("cancelled", "interrupted")
                if stopped and self.fold.sums_up(turn):
                    note = "The summary was stopped; all is sent as before."
                    self.timeline.note(note, "cancelled")

    def _ended(self, turn: str, reason: str) -> None:
        if reason == "interrupted" and self._last_ended != reason:
            self.timeline.note(
                "Interrupted: the program that answered is gone. "
                "/continue goes on, /retry asks again.",
                "warning",
                turn,
            )
        self._last_ended = None
        self._tools.clear()
        self._debug.turn_finished(reason)
        # Without a summary all is as it was.
        failed = reason == "error" and not self.fold.sums_up(turn)
        self._rest("error" if failed else "ready")

    def _add(self, message_id: str, message: Message, ended: str | None) -> None:
        if message.role != "user":
            self.context.said(message_id, message)
        match message.role:
            case "user" | "system":
                self.timeline.add(message_id, message)
            case "assistant":
                self._last_ended = ended
                if message.text or message.reasoning:
                    self.timeline.add(message_id, message, ended)
            case "tool":
                self._debug.call_output(message.tool_call_id or "", message.text)

    def _piece(self, record: Record, delta: TextDelta | ReasoningDelta) -> None:
        id = delta.message_id
        if id in self.timeline.by_id:  # so its place is known
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
        # For each piece of text, and to set it costs more than to look.
        if state != self._status.state and not self.fold.cancelled:
            self._status.state = state

    def _tell_cancelling(self, turn: str) -> None:
        if turn == self.running:
            self._status.state = "cancelling"

    def _state_of_tools(self) -> None:
        names = ", ".join(dict.fromkeys(self._tools.values()))
        self._state(f"running {names}" if names else "thinking")

    def _rest(self, state: str = "ready") -> None:
        if not self.running:
            waits = any(not self.is_orphaned(turn) for turn in self.waiting)
            self._status.state = "waiting" if waits else state
            self._status.keys = self._keys

    def _forget_usage(self) -> None:
        """Figures of one answer are not left standing beside another."""
        self._status.input_tokens = None
        self._status.output_tokens = None
        self._status.tokens_per_second = None

    def _usage(self, usage: UsageReported) -> None:
        self._status.input_tokens = usage.input_tokens
        self._status.output_tokens = usage.output_tokens
        # What comes in one piece has no speed.
        timed = usage.seconds >= SHORTEST_SECONDS
        speed = usage.output_tokens / usage.seconds if timed else None
        self._status.tokens_per_second = speed
