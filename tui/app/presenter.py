"""Shows the records of one conversation: each to the widget it belongs to.

Text goes to the transcript, tools to the debug panel, state and figures to the status
line. Whether a message is shown while it is written is decided here, since it is the
reader's choice and not the model's: with `stream` off its text is held back until it
is whole.
"""

from collections.abc import Iterable

from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.queue import Queue
from tui.app.widgets.status import KEYS, STOP, Key, Status
from tui.app.widgets.transcript import Transcript
from tui.events import (
    CancelRequested,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Record,
    TextDelta,
    ToolCallFinished,
    ToolCallOpened,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
    UsageReported,
)
from tui.messages import Message

LOADING = "loading"
SHORTEST_SECONDS = 0.02
"""How long an answer has to take for its speed to mean anything."""


class Presenter:
    """The one place that knows which event is shown where. Runs in the UI's thread."""

    def __init__(
        self,
        transcript: Transcript,
        debug: DebugPanel,
        status: Status,
        queue: Queue,
        runner: str = "",
    ) -> None:
        """Take the widgets, and the id of the runner that runs what is asked here."""
        self.answers: list[str] = []
        """The texts of the answers, for copying; the newest last."""
        self.questions: list[str] = []
        """What the user sent, the newest last."""
        self.waiting: list[str] = []
        """Turns that nobody runs yet, the oldest first."""
        self.running: str | None = None
        """The turn that runs."""
        self._transcript = transcript
        self._debug = debug
        self._status = status
        self._queue = queue
        self._runner = runner
        self._strange: set[str] = set()
        """Turns that another program was asked for."""
        self._queued: dict[str, tuple[str, str]] = {}
        """Turn to message id and text of the questions in the queue."""
        self._loading = False
        self._stream = True
        self._held: dict[str, list[TextDelta | ReasoningDelta]] = {}
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
            for deltas in held.values():
                for delta in deltas:
                    self._append(delta)

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
        if self._status.state in ("ready", "thinking", LOADING):
            rest = "thinking" if self.running else "ready"
            self._status.state = LOADING if loads else rest

    def give_up(self, turn: str, why: str) -> None:
        """Say that no more of a turn will come: the log itself cannot say it."""
        self._transcript.add_note(why, "error")
        self._dequeue(turn)
        self._ended(turn, "error")

    def show(self, records: Iterable[Record]) -> None:
        """Show what `records` add, in the order of the log."""
        for record in records:
            self._show(record)

    def _show(self, record: Record) -> None:
        match record.event:
            case TextDelta() | ReasoningDelta() as delta:
                if self._stream:
                    self._append(delta)
                else:
                    self._held.setdefault(delta.message_id, []).append(delta)
                thinks = isinstance(delta, ReasoningDelta)
                self._state("thinking" if thinks else "writing")
            case MessageAdded(message_id, message):
                self._held.pop(message_id, None)
                ended = record.event.finish_reason
                self._add(message_id, message, ended, record.turn or "")
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
            case ErrorRaised(_, text):
                self._transcript.add_note(text, "error")
            case NoticeGiven(text):
                self._transcript.add_note(text, "info")
            case _:
                self._turn(record)

    def _turn(self, record: Record) -> None:
        turn = record.turn or ""
        match record.event:
            case TurnRequested(runner=runner):
                self.waiting.append(turn)
                if runner not in ("", self._runner):
                    self._strange.add(turn)
                self._rest(self._status.state)
            case TurnStarted():
                self._dequeue(turn)
                self._no_longer_waits(turn)
                self.running = turn
                self._forget_usage()
                self._status.state = LOADING if self.loading else "thinking"
                self._status.keys = (self._stop, *self._keys)
            case TurnWithdrawn():
                self._dequeue(turn)
                self._no_longer_waits(turn)
                self._transcript.add_note("Taken back before it was answered.", "info")
                self._rest()
            case CancelRequested():
                if turn == self.running:
                    self._status.state = "cancelling"
            case TurnFinished(reason):
                self._ended(turn, reason)
            case _:
                pass

    def _ended(self, turn: str, reason: str) -> None:
        self._no_longer_waits(turn)
        if turn == self.running:
            self.running = None
        if not self.running:
            # The next one begins now, unless its program is gone.
            self._dequeue(next(iter(self._queued), ""))
        self._tools.clear()
        self._debug.turn_finished(reason)
        self._rest("error" if reason == "error" else "ready")

    def _add(
        self, message_id: str, message: Message, ended: str | None, turn: str
    ) -> None:
        text, thought = message.text, message.reasoning
        match message.role:
            case "user":
                self.questions.append(text)
                if turn and (self.running or self._queued):
                    self._queued[turn] = message_id, text
                    self._show_queue()
                else:
                    self._transcript.add(message_id, "user", text)
            case "assistant":
                if text or thought:
                    self._transcript.finish(message_id, text, thought, ended)
                if text:
                    self.answers.append(text)
            case "tool":
                self._debug.call_output(message.tool_call_id or "", text)
            case "system":
                self._transcript.add(message_id, "system", text)

    def _append(self, delta: TextDelta | ReasoningDelta) -> None:
        if isinstance(delta, TextDelta):
            self._transcript.append_text(delta.message_id, delta.text)
        else:
            self._transcript.append_reasoning(delta.message_id, delta.text)

    def _state(self, state: str) -> None:
        if self._status.state != "cancelling":
            self._status.state = state

    def _state_of_tools(self) -> None:
        names = ", ".join(dict.fromkeys(self._tools.values()))
        self._state(f"running {names}" if names else "thinking")

    def _rest(self, state: str = "ready") -> None:
        if not self.running:
            # What another program was asked may wait for ever: it may be gone.
            ours = any(turn not in self._strange for turn in self.waiting)
            self._status.state = "waiting" if ours else state
            self._status.keys = self._keys

    def _no_longer_waits(self, turn: str) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)

    def _dequeue(self, turn: str) -> None:
        """Move a question, and those before it, from the queue to the transcript."""
        while turn in self._queued:
            first = next(iter(self._queued))
            message_id, text = self._queued.pop(first)
            self._transcript.add(message_id, "user", text)
        self._show_queue()

    def _show_queue(self) -> None:
        self._queue.questions = tuple(text for _, text in self._queued.values())

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
