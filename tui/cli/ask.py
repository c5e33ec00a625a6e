"""`lazychat ask`: one question, its answer on stdout as it comes.

The same act as a screen's: it appends a request and follows the log, so the answer
is kept and can be gone on with.
"""

import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TextIO

from tui import conversation
from tui.cli import streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.config import Config
from tui.errors import LazychatError, LogError
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
    TurnWithdrawn,
)
from tui.host import Host
from tui.messages import Message
from tui.runner import LOOK_AFTER_SECONDS, Runner, end_if_gone, request
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
    with streams.answer_alone() as out:
        host = Host(settings)
        try:
            host.load_tools(tools)
            for problem in host.problems:
                _talk(problem)
            id = _conversation(host.log, cid, last)
            # What a killed process had said comes before what is asked now.
            end_if_gone(host.log, id)
            host.models.find(host.model)
            if conversation.running(host.log, id):
                _talk(
                    "Another answer runs in this conversation: this one waits for it."
                )
            if not settings.model and sys.stderr.isatty():
                _talk(host.models.note(host.model))
            host.start()
            asked = TurnRequested(
                host.model,
                settings.agent,
                tuple(host.enabled),
                {"stream": settings.stream},
                runner=host.runner.id,
            )
            turn, written = request(host.log, id, Message("user", prompt), asked)

            def cancel() -> None:
                host.log.append(id, CancelRequested(), turn=turn)

            with (
                host.log.follow(id, written.result() - 1) as follow,
                _interrupts(cancel),
            ):
                return _print_answer(follow, host.runner, turn, out, cancel)
        finally:
            host.close()


def _conversation(log: EventLog, cid: str | None, last: bool) -> str:
    if cid:
        return conversation.find(log, cid)
    if not last:
        return conversation.new_id()
    if newest := conversation.newest(log):
        return newest.id
    raise LogError("There is no conversation yet that could be gone on with.")


@contextmanager
def _interrupts(cancel: Callable[[], None]) -> Generator[None]:
    """Have Ctrl+C call `cancel`; the second time it ends the program.

    A handler, and not KeyboardInterrupt: that could come between two records of a
    batch, and the rest of it would never be printed.
    """

    def handle(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancel()

    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # `nohup`, or in a script's background
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _print_answer(
    follow: Follow,
    runner: Runner,
    turn: str,
    out: TextIO,
    cancel: Callable[[], None],
) -> int:
    printer = _Printer(out)
    try:
        while not follow.closed:
            for record in follow.poll(LOOK_AFTER_SECONDS):
                if record.turn == turn and printer.take(record):
                    return printer.code
            if failure := runner.failure(turn):
                raise failure
        raise LogError("The conversation store was closed.")
    except BrokenPipeError:  # the reader has gone (`| head`)
        cancel()
        return FAILED
    except OSError as error:
        cancel()
        raise LazychatError(
            f"The answer cannot be written: {error.strerror}."
        ) from error


class _Printer:
    """Prints the user-facing text of one turn."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._spoken = SpokenText()
        self._message_id = ""
        self._ends_line = True
        # A pipe or a file gets what the model said; a terminal what cannot drive it.
        self._clean = safe if out.isatty() else str
        self.code = DONE

    def take(self, record: Record) -> bool:
        """Print what `record` adds; return whether the turn has ended."""
        match record.event:
            case TextDelta(message_id) | MessageAdded(message_id):
                self._print(message_id, self._spoken.take(record))
            case ErrorRaised(_, text) | NoticeGiven(text):
                self._end_line()
                _talk(text)
            case TurnRequested():
                self._spoken.take(record)
            case TurnWithdrawn():
                self.code = CANCELLED
                return True
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
            self._out.write("\n")
        self._message_id = message_id
        self._out.write(self._clean(text))
        self._out.flush()
        self._ends_line = text.endswith("\n")

    def _end_line(self) -> None:
        if not self._ends_line:
            self._out.write("\n")
            self._out.flush()
            self._ends_line = True


def _talk(text: str) -> None:
    if text:
        print(f"lazychat: {safe(text, newlines=False)}", file=sys.stderr)
