"""`lazychat ask`: one question, its answer on stdout as it comes.

The same act as a screen's: it appends a request and follows the log, so the answer
is kept and can be gone on with.
"""

import os
import sys
from collections.abc import Sequence

from tui import conversation
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.config import Config
from tui.errors import LogError
from tui.eventlog import EventLog, Follow, SpokenText
from tui.events import (
    CancelRequested,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
)
from tui.host import Host
from tui.messages import Message
from tui.runner import request
from tui.safe import safe


def ask(
    settings: Config,
    prompt: str,
    tools: Sequence[str] = (),
    cid: str | None = None,
    last: bool = False,
) -> int:
    """Ask `prompt`, print the answer, return the exit code.

    `cid` is the beginning of a conversation's id, `last` means the newest one; else
    a new one is begun. Ctrl+C cancels: what was said stays, in the store too.
    """
    host = Host(settings)
    try:
        host.load_tools(tools)
        for problem in host.problems:
            _talk(problem)
        id = _conversation(host.log, cid, last)
        host.models.find(host.model)
        host.start()
        asked = TurnRequested(
            host.model,
            settings.agent,
            tuple(host.enabled),
            {"stream": settings.stream},
            runner=host.runner.id,
        )
        turn, written = request(host.log, id, Message("user", prompt), asked)
        with host.log.follow(id, written.result() - 1) as follow:
            return _print_answer(host.log, follow, id, turn)
    finally:
        host.close()


def _conversation(log: EventLog, cid: str | None, last: bool) -> str:
    if cid:
        return conversation.find(log, cid)
    if not last:
        return conversation.new_id()
    if newest := conversation.recent(log, 1):
        return newest[0].id
    raise LogError("There is no conversation yet that could be gone on with.")


def _print_answer(log: EventLog, follow: Follow, id: str, turn: str) -> int:
    printer = _Printer()
    try:
        while True:
            try:
                for record in follow.poll():
                    if record.turn == turn and printer.take(record):
                        return printer.code
            except KeyboardInterrupt:
                log.append(id, CancelRequested(), turn=turn)
    except BrokenPipeError:
        # The reader has gone (`| head`). Python flushes stdout once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        log.append(id, CancelRequested(), turn=turn)
        return FAILED


class _Printer:
    """Prints the user-facing text of one turn."""

    def __init__(self) -> None:
        self._spoken = SpokenText()
        self._message_id = ""
        self._ends_line = True
        # A pipe or a file gets what the model said; a terminal what cannot drive it.
        self._clean = safe if sys.stdout.isatty() else str
        self.code = DONE

    def take(self, record: Record) -> bool:
        """Print what `record` adds; return whether the turn has ended."""
        match record.event:
            case TextDelta(message_id) | MessageAdded(message_id):
                self._print(message_id, self._spoken.take(record))
            case ErrorRaised(_, text):
                self._end_line()
                _talk(text)
            case NoticeGiven(text):
                self._end_line()
                _talk(text)
            case TurnRequested():
                self._spoken.take(record)
            case TurnFinished(reason):
                self._end_line()
                codes = {"error": FAILED, "interrupted": FAILED, "cancelled": CANCELLED}
                self.code = codes.get(reason, DONE)
                if reason == "length":
                    _talk("The answer stops at the length limit.")
                return True
            case _:
                pass
        return False

    def _print(self, message_id: str, text: str) -> None:
        if not text:
            return
        if self._message_id not in ("", message_id):
            self._end_line()
            sys.stdout.write("\n")
        self._message_id = message_id
        sys.stdout.write(self._clean(text))
        sys.stdout.flush()
        self._ends_line = text.endswith("\n")

    def _end_line(self) -> None:
        if not self._ends_line:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._ends_line = True


def _talk(text: str) -> None:
    print(f"lazychat: {safe(text, newlines=False)}", file=sys.stderr)
