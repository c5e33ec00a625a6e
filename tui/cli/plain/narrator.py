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
from tui.i18n import N_, _
from tui.messages import Attachment, Message
from tui.safe import safe

USER, NOTE, ERROR = N_("You"), N_("Note"), N_("Error")
"""Labels; an answer has the name of its model, a call that of its tool."""
PATIENCE_SECONDS = 1.0
"""Seconds without a word after which the user is told that the model thinks."""

_ENDS = {
    "cancelled": N_("Stopped. /retry asks again, /continue continues."),
    "interrupted": N_(
        "Interrupted: the answering program is gone. /continue resumes the answer, "
        "/retry asks again."
    ),
    "length": N_("The answer stops at the length limit. /continue continues it."),
}
_REFUSED = {
    "denied": N_("denied by the configuration"),
    "flag denied": N_("denied by a flag"),
    "unattended": N_("denied, as nobody could be asked"),
}
_SCOPES = {
    "conversation": N_("allowed in this conversation"),
    "always": N_("always allowed"),
}


class Narrator:
    """Prints the records of one conversation, in the order of the log."""

    def __init__(self, console: Console, fold: Transcript) -> None:
        """`fold` has already applied each record that is printed."""
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

    def _tell_apart(self, message_id: str) -> None:
        """Say that the printed part of a message is reasoning."""
        if self._message_id == message_id:
            self._note(_("The text above is reasoning; the answer follows."))

    def asked(self, text: str) -> None:
        """Do not print a question that the user has just typed."""
        self._own.append(text)

    def tell(self, record: Record) -> None:
        """Tell a record."""
        turn = record.turn or ""
        match record.event:
            case TextDelta(id) | MessageAdded(id, Message("assistant")):
                text = self._spoken.take(record)
                if self._spoken.was_reasoning:
                    self._tell_apart(id)
                self._speak(turn, id, text)
                if getattr(record.event, "finish_reason", None) == "content_filter":
                    self._note(_("The provider's content filter ended the answer."))
            case MessageAdded(_, Message("user") as message) as added:
                if added.purpose != CONTINUE:
                    self._question(message)
            case Relabelled(id, as_text):
                if not as_text:
                    self._tell_apart(id)
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
                    self._tool(name, _(_REFUSED[decision]))
                    return
                self._tools[call.id] = name
                if decision != "asked":  # whoever asks says more
                    self._tool(name, _("running"))
            case ToolCallFinished(call_id, seconds, error):
                if name := self._tools.pop(call_id, ""):
                    done = _("done in {seconds:.1f} s").format(seconds=seconds)
                    self._tool(name, _("failed") if error is not None else done)
            case ApprovalGiven(call_id, False):
                self._tool(self._tools.pop(call_id, "?"), _("denied"))
            case ApprovalGiven(call_id, scope=scope):
                name = self._tools.get(call_id, "?")
                self._tool(name, _(_SCOPES.get(scope, N_("allowed once"))))
            case ErrorRaised(_, text):
                self._console.say(ERROR, text)
            case NoticeGiven(text):
                self._note(text)
            case RetryScheduled():
                self._note(record.event.line)
            case Unreadable(why=why):
                self._note(
                    _("Cannot read a record of this conversation ({why}).").format(
                        why=why
                    )
                )
            case SummaryAdded(text=text):
                self._console.say(_("Summary"), text)
            case ConversationRenamed(title):
                self._note(_("The title is now {title}").format(title=title))
            case TurnWithdrawn():
                self._note(_("A queued message was taken back."))
            case TurnFinished(reason):
                self._spoken.take(record)
                self._end(turn, reason)
            case _:
                pass

    def wait(self) -> None:
        """Say that a turn thinks, if it has been silent for a while."""
        turn = self._fold.current
        began = self._began.get(turn or "")
        if turn and began and time.monotonic() - began > PATIENCE_SECONDS:
            self._think(turn)

    def replay(self, turns: Sequence[str]) -> None:
        """Print the messages of the shown path; only those of `turns` if not empty."""
        for entry in self._fold.entries.values():
            if turns and entry.turn not in turns:
                continue
            message = entry.message
            if message.role == "user" and entry.purpose != CONTINUE:
                self._console.say(USER, _with_files(message.text, message.attachments))
            elif message.role == "assistant" and message.text:
                self._console.say(self.name(entry.turn or ""), message.text)

    def was_away(self, ended: float) -> None:
        """Say that an answer ended, at `ended`, without this terminal."""
        self._note(
            _("It went on while you were away ({spell_time})").format(
                spell_time=bounds.spell_time(ended, "%H:%M")
            )
        )

    def name(self, turn: str) -> str:
        """Return the label of a turn's answer: its model."""
        request = self._fold.requests.get(turn)
        return (request.model if request else "") or _("Assistant")

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
            self._console.say(self.name(turn), _("thinking..."))

    def _tool(self, name: str, text: str) -> None:
        self._console.say(
            _("Tool {name}").format(name=safe(name, newlines=False)[:60]), text
        )

    def _note(self, text: str) -> None:
        self._console.say(NOTE, text)

    def _end(self, turn: str, reason: str) -> None:
        self._console.end_line()
        if self._fold.approvals.outlives(turn):
            self._note(
                _("The answering program is gone. The answer needs your decision.")
            )
        elif text := _ENDS.get(reason):
            self._note(_(text))
        self._began.pop(turn, None)


def _with_files(text: str, files: Sequence[Attachment]) -> str:
    names = ", ".join(safe(file.title, newlines=False) for file in files)
    return (
        _("{text}\n(attached: {names})").format(text=text, names=names)
        if names
        else text
    )
