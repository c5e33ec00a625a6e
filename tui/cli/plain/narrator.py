"""Tells what happens in a conversation as labelled lines, in plain mode.

Each record adds at most a line, except text, which is written as it comes. Progress is
told once a turn. What tools get and return is told only where the user has to decide
about it.
"""

import time
from collections.abc import Sequence

from tui import bounds
from tui.cli.plain.console import Console
from tui.conversation import Transcript
from tui.conversation.entry import CONTINUE
from tui.conversation.spoken_text import SpokenText
from tui.events import (
    ApprovalGiven,
    ConversationRenamed,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Record,
    Relabelled,
    RetryScheduled,
    SummaryAdded,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
    Unreadable,
)
from tui.messages import Attachment, Message
from tui.safe import safe

USER, NOTE, ERROR = "You", "Note", "Error"
"""Labels; an answer has the name of its model, a call that of its tool."""
PATIENCE_SECONDS = 1.0
"""Seconds without a word after which the user is told that the model thinks."""

_ENDS = {
    "cancelled": "Stopped. /retry asks again, /continue continues.",
    "interrupted": "Interrupted: the answering program is gone. /continue resumes the "
    "answer, /retry asks again.",
    "length": "The answer stops at the length limit. /continue continues it.",
}
_REFUSED = {
    "denied": "denied by the configuration",
    "flag denied": "denied by a flag",
    "unattended": "denied, as nobody could be asked",
}
_SCOPES = {"conversation": "allowed in this conversation", "always": "always allowed"}


class Narrator:
    """Tells the records of one conversation, in the order of the log."""

    def __init__(self, console: Console, fold: Transcript) -> None:
        """`fold` has already applied each record that is told."""
        self._console = console
        self._fold = fold
        self._spoken = SpokenText()
        self._message_id = ""
        """The message that was spoken last."""
        self._begun = 0
        """The console's count when that began; another line is between since."""
        self._tools: dict[str, str] = {}
        self._told: set[str] = set()
        """The turns that were said to think."""
        self._heard: set[str] = set()
        """The turns with a word of text."""
        self._began: dict[str, float] = {}
        self._own: list[str] = []
        """Questions of this terminal, where they can be read already."""

    def asked(self, text: str) -> None:
        """Do not tell a question that the user has just typed."""
        self._own.append(text)

    def tell(self, record: Record) -> None:
        """Tell a record."""
        turn = record.turn or ""
        match record.event:
            case TextDelta(id) | MessageAdded(id, Message("assistant")):
                self._speak(turn, id, self._spoken.take(record))
                if getattr(record.event, "finish_reason", None) == "content_filter":
                    self._note("The provider's content filter ended the answer.")
            case MessageAdded(_, Message("user") as message) as added:
                if added.purpose != CONTINUE:
                    self._question(message)
            case Relabelled(id, as_text):
                if self._message_id == id and not as_text:
                    self._note("That was reasoning; the answer follows.")
                self._spoken.take(record)
            case ReasoningDelta():
                self._think(turn)
            case TurnRequested():
                self._spoken.take(record)
            case TurnStarted():
                self._began[turn] = time.monotonic()
            case ToolCallStarted(call, decision):
                name = call.name or "?"
                if decision in _REFUSED:
                    self._tool(name, _REFUSED[decision])
                    return
                self._tools[call.id] = name
                if decision != "asked":  # whoever asks says more
                    self._tool(name, "running")
            case ToolCallFinished(call_id, seconds, error):
                if name := self._tools.pop(call_id, ""):
                    done = f"done in {seconds:.1f} s"
                    self._tool(name, "failed" if error is not None else done)
            case ApprovalGiven(call_id, False):
                self._tool(self._tools.pop(call_id, "?"), "denied")
            case ApprovalGiven(call_id, scope=scope):
                name = self._tools.get(call_id, "?")
                self._tool(name, _SCOPES.get(scope, "allowed once"))
            case ErrorRaised(_, text):
                self._console.say(ERROR, text)
            case NoticeGiven(text):
                self._note(text)
            case RetryScheduled():
                self._note(record.event.line)
            case Unreadable(why=why):
                self._note(f"Cannot read a record of this conversation ({why}).")
            case SummaryAdded(text=text):
                self._console.say("Summary", text)
            case ConversationRenamed(title):
                self._note(f"The title is now {title}")
            case TurnWithdrawn():
                self._note("A queued message was taken back.")
            case TurnFinished(reason):
                self._spoken.take(record)
                self._end(turn, reason)
            case _:
                pass

    def wait(self) -> None:
        """Tell that a turn thinks, if it has been silent for a while."""
        turn = self._fold.current
        began = self._began.get(turn or "")
        if turn and began and time.monotonic() - began > PATIENCE_SECONDS:
            self._think(turn)

    def replay(self, turns: Sequence[str]) -> None:
        """Tell the messages of the path that is shown; only of `turns` if not empty."""
        for entry in self._fold.entries.values():
            if turns and entry.turn not in turns:
                continue
            message = entry.message
            if message.role == "user" and entry.purpose != CONTINUE:
                self._console.say(USER, _with_files(message.text, message.attachments))
            elif message.role == "assistant" and message.text:
                self._console.say(self.name(entry.turn or ""), message.text)

    def was_away(self, ended: float) -> None:
        """Tell that an answer ended, at `ended`, without this terminal."""
        self._note(
            f"It went on while you were away ({bounds.spell_time(ended, '%H:%M')})"
        )

    def name(self, turn: str) -> str:
        """Return the label of a turn's answer: its model."""
        request = self._fold.requests.get(turn)
        return (request.model if request else "") or "Assistant"

    # -- lines

    def _speak(self, turn: str, message_id: str, text: str) -> None:
        if not text:
            return
        console = self._console
        if (self._message_id, self._begun) != (message_id, console.begun):
            self._heard.add(turn)
            console.begin(self.name(turn))
            self._message_id, self._begun = message_id, console.begun
        console.stream(text)

    def _question(self, message: Message) -> None:
        if message.text in self._own:
            self._own.remove(message.text)
        else:
            self._console.say(USER, _with_files(message.text, message.attachments))

    def _think(self, turn: str) -> None:
        if turn not in self._told and turn not in self._heard:
            self._told.add(turn)
            self._console.say(self.name(turn), "thinking...")

    def _tool(self, name: str, text: str) -> None:
        self._console.say(f"Tool {safe(name, newlines=False)[:60]}", text)

    def _note(self, text: str) -> None:
        self._console.say(NOTE, text)

    def _end(self, turn: str, reason: str) -> None:
        self._console.end_line()
        if self._fold.approvals.outlives(turn):
            self._note("The answering program is gone. The answer needs your decision.")
        elif text := _ENDS.get(reason):
            self._note(text)
        self._began.pop(turn, None)


def _with_files(text: str, files: Sequence[Attachment]) -> str:
    names = ", ".join(safe(file.title, newlines=False) for file in files)
    return f"{text}\n(attached: {names})" if names else text
