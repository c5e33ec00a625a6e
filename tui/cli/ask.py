"""`lazychat ask`: prints the answer to one question as it streams.

The same act as a screen's: it appends a request and follows the log, so the answer
is kept and can be gone on with.
"""

import errno
import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tui import conversation
from tui.cli import streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.config import Config
from tui.conversation import read_state, store
from tui.conversation.spoken_text import SpokenText
from tui.errors import LazychatError, LogError
from tui.eventlog import EventLog, Follow
from tui.events import (
    CancelRequested,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    Record,
    Relabelled,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnWithdrawn,
)
from tui.messages import Message
from tui.runtime import worker_registry
from tui.runtime.host import Host
from tui.runtime.runner import LOOK_AFTER_SECONDS, request
from tui.runtime.turn_driver import end_if_gone


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
        told = 0
        try:
            host.load_tools(tools)
            told = _talk_of(host.problems, told)
            id = _conversation(host.log, cid, last)
            # What a killed process had said comes before what is asked now.
            end_if_gone(host.log, id)
            host.models.find(host.model)
            if conversation.running(host.log, id):
                _talk(
                    "Another answer runs in this conversation: this one waits for it."
                )
            if not settings.model and streams.is_seen():
                _talk(host.models.note(host.model))
            host.start()
            asked = TurnRequested(
                host.model,
                settings.agent,
                tuple(host.enabled),
                {"stream": settings.stream},
                runner=worker_registry.runner_for(host, host.model, host.enabled),
            )
            turn, written = request(host.log, id, Message("user", prompt), asked)

            def cancel() -> None:
                host.log.append(id, CancelRequested(), turn=turn)

            with (
                host.log.follow(id, written.result() - 1) as follow,
                _interrupts(cancel),
            ):
                terminal = _Terminal(out)
                terminal.watch()
                printer = _Printer(out, terminal)
                code = _print_answer(follow, host, asked.runner, turn, printer, cancel)
                if not terminal.gone:
                    # The chat screen need not bring the user back here.
                    read_state.mark_seen(host.log, id, follow.cursor)
                return code
        finally:
            host.close()
            # The store was in trouble meanwhile.
            _talk_of(host.problems, told)


def _talk_of(problems: Sequence[str], told: int) -> int:
    """Say what has come since `told` of them; return how many are said now."""
    for problem in problems[told:]:
        _talk(problem)
    return len(problems)


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
    host: Host,
    runner: str,
    turn: str,
    printer: "_Printer",
    cancel: Callable[[], None],
) -> int:
    try:
        while not follow.closed:
            records = follow.poll(LOOK_AFTER_SECONDS)
            for record in records:
                if record.turn == turn and printer.take(record):
                    return printer.code
            if failure := host.runner.failure(turn):
                raise failure
            if not records and runner != host.runner.id:
                _look_after(host.log, runner, turn)
        raise LogError("The conversation store was closed.")
    except BrokenPipeError:  # the reader has gone (`| head`)
        cancel()
        return FAILED
    except OSError as error:
        cancel()
        raise LazychatError(
            f"The answer cannot be written: {error.strerror}."
        ) from error


def _look_after(log: EventLog, runner: str, turn: str) -> None:
    """See to it that the death of a worker is not waited out."""
    if worker_registry.is_alive(runner):
        return
    id = store.conversation_of(log, turn)
    end_if_gone(log, id)
    if turn in conversation.fold(log.read(id)).requested:
        log.append(id, TurnWithdrawn(), turn=turn).result()
        raise LogError("The worker that was asked has ended. Ask again.")


class _Terminal:
    """The terminal that it runs on, which may go: the answer goes on without."""

    def __init__(self, out: TextIO) -> None:
        self.gone = False
        # To be asked now: one that is gone is no terminal any more.
        found = [int(file.name) for file in Path("/dev/fd").iterdir()]
        self._descriptors = [fd for fd in found if os.isatty(fd)]
        self._shows = out.fileno() in self._descriptors

    def watch(self) -> None:
        """Hear of it from now on; with `nohup` there is nothing to hear."""
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and self._descriptors:
            signal.signal(signal.SIGHUP, lambda number, frame: self._hang_up())

    def takes(self, error: OSError) -> bool:
        """Whether what was to be written is no longer wanted, or that is an error."""
        if error.errno != errno.EIO or not self._shows:
            return False
        self._hang_up()
        return True

    def _hang_up(self) -> None:
        from tui.cli import background

        self.gone = True
        background.let_go(self._descriptors)


class _Printer:
    """Prints the user-facing text of one turn."""

    def __init__(self, out: TextIO, terminal: _Terminal) -> None:
        self._out = out
        self._terminal = terminal
        self._spoken = SpokenText()
        self._message_id = ""
        self._ends_line = True
        self.code = DONE

    def take(self, record: Record) -> bool:
        """Print what `record` adds; return whether the turn has ended."""
        match record.event:
            case TextDelta(message_id) | MessageAdded(message_id):
                self._print(message_id, self._spoken.take(record))
                if getattr(record.event, "finish_reason", None) == "content_filter":
                    self._end_line()
                    _talk("The answer was ended by the provider's content filter.")
            case Relabelled(message_id, as_text):
                if self._message_id == message_id and not as_text:
                    self._end_line()
                    _talk("What is above was reasoning; the answer follows.")
                self._spoken.take(record)
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
            if not self._terminal.takes(error):
                raise


def _talk(text: str) -> None:
    if text:
        streams.talk(text)
