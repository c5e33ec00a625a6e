"""Shows the records of one conversation: each to the widget it belongs to.

Text goes to the transcript, tools to the debug panel, state and figures to the status
line. Whether a message is shown while it is written is decided here, since it is the
reader's choice and not the model's: with `stream` off its text is held back until it
is whole.
"""

from collections.abc import Callable, Iterable

from tui.app.chat.context_meter import ContextView
from tui.app.chat.timeline import Views
from tui.app.transcript.pane import Transcript
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import KEYS, STOP, Key, Status
from tui.events import (
    CancelRequested,
    ConversationDeleted,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Record,
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
    Unreadable,
    UsageReported,
)
from tui.messages import Message

CANCEL_SECONDS = 0.15
"""How long a turn may take to stop before that is told."""

SHORTEST_SECONDS = 0.02
"""How long an answer has to take for its speed to mean anything."""


class Presenter:
    """The one place that knows which event is shown where. Runs in the UI's thread."""

    def __init__(
        self,
        transcript: Transcript,
        debug: DebugPanel,
        status: Status,
        runner: str = "",
        is_alive: Callable[[str], bool] = lambda runner: False,
    ) -> None:
        """Take the widgets, and the id of the runner that runs what is asked here.

        `is_alive` tells whether another one is known to be there.
        """
        self.questions: list[str] = []
        """What the user sent, the newest last."""
        self.waiting: list[str] = []
        """Turns that nobody runs yet, the oldest first."""
        self._cancelled: str | None = None
        """The turn that was asked to stop last."""
        self.running: str | None = None
        """The turn that runs."""
        self.owner: TurnStarted | None = None
        """Which process runs it."""
        self.deleted = False
        """Whether what is shown is no more in the store."""
        self.views = Views(transcript)
        """The messages with all their versions."""
        self._asked: dict[str, tuple[str, str]] = {}
        """The questions whose turn has not begun: message id and text."""
        self.context = ContextView(transcript, status)
        self.context.path = self.views.branches.path
        self._summaries: set[str] = set()
        """Turns that sum up what was said."""
        self._transcript = transcript
        self._debug = debug
        self._status = status
        self._runner = runner
        self._is_alive = is_alive
        self._strange: dict[str, str] = {}
        """Turns that another program was asked for, and its runner."""
        self._loading = False
        self._stream = True
        self._last_ended: str | None = None
        """How the last message of the turn ended."""
        self._held: dict[str, list[Record]] = {}
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
                    assert isinstance(record.event, TextDelta | ReasoningDelta)
                    self._append(record, record.event)
            self._flush()

    @property
    def queued(self) -> list[str]:
        """The questions that wait for the turn before theirs, the oldest first.

        They are shown when their own turn begins, where their answers will be.
        """
        return [self._name(turn) for turn in self.waiting]

    def question(self, turn: str) -> str:
        """Return the question of a turn that waits; "" when it has none of its own."""
        return self._asked.get(turn, ("", ""))[1]

    def _name(self, turn: str) -> str:
        what = "/compact" if turn in self._summaries else "another answer"
        return self.question(turn) or what

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
            works = "summing up" if self.running in self._summaries else "thinking"
            self._status.state = works if self.running else "ready"

    def tell_loading(self) -> None:
        """Say that a model is being loaded, if that still is so and nothing else is."""
        if self._loading and self._status.state in ("ready", "error"):
            self._status.state = "loading"

    def is_forlorn(self, turn: str) -> bool:
        """Whether another program was asked for a turn and nothing runs before it.

        That program will take it at once if it is still there.
        """
        if self.running or turn not in self._strange:
            return False
        return not self._is_alive(self._strange[turn])

    def give_up(self, turn: str, why: str) -> None:
        """Say that no more of a turn will come: the log itself cannot say it."""
        self.views.begin(turn)
        self._ended(turn, "error")
        self.views.note(why, "error", turn)
        self._flush()

    def choose(self, message_id: str) -> None:
        """Show the version that a message is in."""
        self.views.choose(message_id)
        self.context.show()

    def _flush(self) -> None:
        if self.views.flush():
            self.context.show()
        else:
            self.context.flush()

    def show(self, records: Iterable[Record]) -> None:
        """Show what `records` add, in the order of the log."""
        for record in records:
            self._show(record)
        self._flush()

    def _show(self, record: Record) -> None:
        match record.event:
            case TextDelta() | ReasoningDelta() as delta:
                if self._stream:
                    self._append(record, delta)
                else:
                    self.views.take(record)
                    self._held.setdefault(delta.message_id, []).append(record)
                thinks = isinstance(delta, ReasoningDelta)
                self._state("thinking" if thinks else "writing")
            case MessageAdded(message_id, message):
                self._held.pop(message_id, None)
                self.views.take(record)
                if message.role == "user" and record.turn:
                    self._asked[record.turn] = (message_id, message.text)
                self._add(message_id, message, record)
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
            case UsageReported():
                self._usage(record.event)
                self.context.used(record.event)
            case SummaryAdded(text=text):
                count = self.context.summed_up(record.event)
                label = f"Summary of {count} messages, sent in their place"
                id = f"summary:{record.seq}"
                self.views.add_summary(id, text, label, record.turn)
            case ErrorRaised(_, text):
                self.views.note(text, "error", record.turn)
            case ConversationDeleted():
                # One that has come back begins with what is left of its deletion.
                self.deleted = bool(self.questions or self.answers)
            case NoticeGiven(text):
                # What is left out is told when that changes.
                if not record.event.left_out or self.context.left_out(record.event):
                    self.views.note(text, "info", record.turn)
            case Unreadable(why=why):
                what = f"A record of this conversation could not be read ({why})."
                self.views.note(what, "warning", record.turn)
            case _:
                self._turn(record)

    def _turn(self, record: Record) -> None:
        self.views.take(record)
        turn = record.turn or ""
        match record.event:
            case TurnRequested(runner=runner, agent=agent):
                self.waiting.append(turn)
                if agent == "summary":
                    self._summaries.add(turn)
                if runner not in ("", self._runner):
                    self._strange[turn] = runner
                self._rest(self._status.state)
            case TurnStarted() as owner:
                self.owner = owner
                self._no_longer_waits(turn)
                self._ask(turn)
                self.running = turn
                self._forget_usage()
                self.context.turn_started()
                works = "summing up" if turn in self._summaries else "thinking"
                self._status.state = "loading" if self.loading else works
                self._status.keys = (self._stop, *self._keys)
            case TurnWithdrawn():
                self._no_longer_waits(turn)
                question = self._name(turn)
                self._asked.pop(turn, None)
                first = " ".join(question.split())[:60]
                if first:  # else the question was deleted
                    self.views.note_below(f"Taken back: {first}", "info")
                self._rest()
            case CancelRequested():
                if turn == self.running:
                    self._cancelled = turn
                    # Most stop at once, and on a slow line it would be a frame more.
                    self._status.set_timer(
                        CANCEL_SECONDS, lambda: self._tell_cancelling(turn)
                    )
            case TurnFinished(reason):
                self._ended(turn, reason)
                if turn in self._summaries and reason in ("cancelled", "interrupted"):
                    note = "The summary was stopped; all is sent as before."
                    self.views.note(note, "cancelled")
            case _:
                pass

    def _ended(self, turn: str, reason: str) -> None:
        self._no_longer_waits(turn)
        self._ask(turn)
        if turn == self.running:
            self.running = None
        if reason == "interrupted" and self._last_ended != reason:
            self.views.note(
                "Interrupted: the program that answered is gone. "
                "/continue goes on, /retry asks again.",
                "warning",
                turn,
            )
        self._last_ended = None
        self._tools.clear()
        self._debug.turn_finished(reason)
        # Without a summary all is as it was.
        failed = reason == "error" and turn not in self._summaries
        self._rest("error" if failed else "ready")

    def _add(self, message_id: str, message: Message, record: Record) -> None:
        assert isinstance(record.event, MessageAdded)
        if message.role != "user" or not record.turn:
            self.context.said(message_id, message)
        match message.role:
            case "user":
                self.views.add(message_id, message)
                if not record.turn:
                    self.questions.append(message.text)
            case "assistant":
                self._last_ended = record.event.finish_reason
                if message.text or message.reasoning:
                    self.views.add(message_id, message, record.event.finish_reason)
            case "tool":
                self._debug.call_output(message.tool_call_id or "", message.text)
            case "system":
                self.views.add(message_id, message)

    def _ask(self, turn: str) -> None:
        if turn in self._asked:
            message_id, text = self._asked.pop(turn)
            self.questions.append(text)
            self.context.said(message_id, Message("user", text))

    def _append(self, record: Record, delta: TextDelta | ReasoningDelta) -> None:
        id = delta.message_id
        view = self.views.by_id.get(id) or self.views.open(record, id)
        if isinstance(delta, TextDelta):
            view.append_text(delta.text)
        else:
            view.append_reasoning(delta.text)
        self._transcript.changed(view)

    def _state(self, state: str) -> None:
        if self.running is None or self.running != self._cancelled:
            self._status.state = state

    def _tell_cancelling(self, turn: str) -> None:
        if turn == self.running:
            self._status.state = "cancelling"

    def _state_of_tools(self) -> None:
        names = ", ".join(dict.fromkeys(self._tools.values()))
        self._state(f"running {names}" if names else "thinking")

    def _rest(self, state: str = "ready") -> None:
        if not self.running:
            waits = any(not self.is_forlorn(turn) for turn in self.waiting)
            self._status.state = "waiting" if waits else state
            self._status.keys = self._keys

    def _no_longer_waits(self, turn: str) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)

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
