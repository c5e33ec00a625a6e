"""Shows the records of one conversation: each to the widget it belongs to.

Text goes to the transcript, tools to the debug panel, state and figures to the status
line. Whether a message is shown while it is written is decided here, since it is the
reader's choice and not the model's: with `stream` off its text is held back until it
is whole.
"""

from collections.abc import Iterable

from tui.app.widgets.debug_panel import DebugPanel
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


class Presenter:
    """The one place that knows which event is shown where. Runs in the UI's thread."""

    def __init__(
        self, transcript: Transcript, debug: DebugPanel, status: Status
    ) -> None:
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
                self._add(message_id, message, record.event.finish_reason)
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
            case TurnRequested():
                self.waiting.append(turn)
                if not self.running:
                    self._status.state = "waiting"
            case TurnStarted():
                self._no_longer_waits(turn)
                self.running = turn
                self._status.state = "thinking"
                self._status.keys = (self._stop, *self._keys)
            case TurnWithdrawn():
                self._no_longer_waits(turn)
                self._transcript.add_note("Taken back before it was answered.", "info")
                self._rest()
            case CancelRequested():
                if turn == self.running:
                    self._status.state = "cancelling"
            case TurnFinished(reason):
                self._no_longer_waits(turn)
                if turn == self.running:
                    self.running = None
                self._tools.clear()
                self._debug.turn_finished(reason)
                self._rest("error" if reason == "error" else "ready")
            case _:
                pass

    def _add(self, message_id: str, message: Message, ended: str | None) -> None:
        text, thought = message.text, message.reasoning
        match message.role:
            case "user":
                self.questions.append(text)
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
            self._status.state = "waiting" if self.waiting else state
            self._status.keys = self._keys

    def _no_longer_waits(self, turn: str) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)

    def _usage(self, usage: UsageReported) -> None:
        self._status.input_tokens = usage.input_tokens
        self._status.output_tokens = usage.output_tokens
        speed = usage.output_tokens / usage.seconds if usage.seconds > 0 else None
        self._status.tokens_per_second = speed
