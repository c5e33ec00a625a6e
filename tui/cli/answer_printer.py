"""Prints one answer as it comes: as text, as records, or not at all."""

import errno
import os
import signal
from pathlib import Path
from typing import TextIO

from tui.cli import streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.cli.tail import json_line
from tui.conversation.spoken_text import SpokenText
from tui.events import (
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    Record,
    Relabelled,
    RetryScheduled,
    TextDelta,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
    TurnWithdrawn,
)
from tui.i18n import _


class AnswerTerminal:
    """The terminal of this process; if it is gone, the answer continues."""

    def __init__(self, out: TextIO) -> None:
        self.gone = False
        # Check now: a terminal that is gone no longer counts as one.
        found = [int(file.name) for file in Path("/dev/fd").iterdir()]
        self._descriptors = [fd for fd in found if os.isatty(fd)]
        self._shows = out.fileno() in self._descriptors

    def watch(self) -> None:
        """Watch for the terminal's hang-up, unless `nohup` ignores it."""
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and self._descriptors:
            signal.signal(signal.SIGHUP, lambda number, frame: self._hang_up())

    def is_hang_up(self, error: OSError) -> bool:
        """Return whether a write failed because the terminal is gone."""
        if error.errno != errno.EIO or not self._shows:
            return False
        self._hang_up()
        return True

    def _hang_up(self) -> None:
        from tui.cli import background

        self.gone = True
        background.let_go(self._descriptors)


_CODES = {"error": FAILED, "interrupted": FAILED, "cancelled": CANCELLED}
"""The exit codes of turns that ended for other reasons than their answer's end."""


class Printer:
    """Prints the user-facing text of one turn."""

    begins = 1
    """How many records it takes of those that ask: the last is the request, the one
    before it the question."""

    def __init__(self, out: TextIO, terminal: AnswerTerminal) -> None:
        self._out = out
        self.terminal = terminal
        self._spoken = SpokenText()
        self._message_id = ""
        self._ends_line = True
        self._unattended: set[str] = set()
        """The calls that would have asked the user."""
        self.code = DONE

    def take(self, record: Record) -> bool:
        """Print what `record` adds; return whether the turn has ended."""
        match record.event:
            case TextDelta(message_id) | MessageAdded(message_id):
                text = self._spoken.take(record)
                if self._spoken.was_reasoning:
                    self._tell_apart(message_id)
                self._print(message_id, text)
                if getattr(record.event, "finish_reason", None) == "content_filter":
                    self._end_line()
                    talk(_("The answer was ended by the provider's content filter."))
            case Relabelled(message_id, as_text):
                if not as_text:
                    self._tell_apart(message_id)
                self._spoken.take(record)
            case ErrorRaised(_, text) | NoticeGiven(text):
                self._end_line()
                talk(text)
            case ToolCallStarted(call, "unattended"):
                self._unattended.add(call.id)
            case ToolProgressed(call_id, text) if call_id in self._unattended:
                self._end_line()
                talk(text)
            case RetryScheduled():
                self._end_line()
                talk(record.event.line)
            case TurnRequested():
                self._spoken.take(record)
            case TurnWithdrawn():
                self.code = CANCELLED
                return True
            case TurnFinished(reason):
                self._end_line()
                self.code = _CODES.get(reason, DONE)
                if reason == "length":
                    talk(_("The answer stops at the length limit."))
                return True
            case _:
                pass
        return False

    def _tell_apart(self, message_id: str) -> None:
        """Say that what was printed of a message is reasoning."""
        if self._message_id == message_id:
            self._end_line()
            talk(_("The text above is reasoning; the answer follows."))

    def print_line(self, line: str) -> None:
        """Print a line that is not part of a message."""
        self._write(f"{line}\n")

    def _print(self, message_id: str, text: str) -> None:
        if not text:
            return
        if self._message_id not in ("", message_id):
            self._end_line()
            self._write("\n")
        self._message_id = message_id
        self._write(text)
        self._ends_line = text.endswith("\n")

    def _end_line(self) -> None:
        if not self._ends_line:
            self._write("\n")
            self._ends_line = True

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError as error:
            if not self.terminal.is_hang_up(error):
                raise


class RecordPrinter(Printer):
    """Prints the records themselves, each as a line of JSON."""

    begins = 2

    def take(self, record: Record) -> bool:
        """Print `record`; return whether the turn has ended."""
        self.print_line(json_line(record))
        match record.event:
            case TurnWithdrawn():
                self.code = CANCELLED
                return True
            case TurnFinished(reason):
                self.code = _CODES.get(reason, DONE)
                return True
            case _:
                return False


class Heard(Printer):
    """Keeps the last message of a turn, and tells the user all but its text."""

    answer = ""

    def take(self, record: Record) -> bool:
        """Keep what `record` adds; return whether the turn has ended."""
        if isinstance(record.event, MessageAdded):
            message = record.event.message
            if message.role == "assistant" and not message.tool_calls:
                self.answer = message.text
        return super().take(record)


def talk(text: str) -> None:
    """Print a line on stderr, if there is one."""
    if text:
        streams.talk(text)
