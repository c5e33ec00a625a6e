"""Keeps stdout for the answer, whatever tools print.

All output to a terminal passes through `Clean`, so that no title, id, file name or
traceback can control it, whichever code prints it. A pipe or a file gets the text
unchanged, as with `git` or `ls`.
"""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from tui.i18n import _, ngettext
from tui.masking import mask
from tui.safe import safe, safe_json

if TYPE_CHECKING:
    from tui.eventlog import EventLog


class Clean(io.TextIOWrapper):
    """A stream to a terminal that makes all text safe."""

    def write(self, text: str, /) -> int:
        """Write `text` without anything that controls the terminal."""
        super().write(safe(text))
        return len(text)

    def write_styled(self, text: str) -> None:
        """Write `text` unchanged; the caller has made all foreign parts safe."""
        super().write(text)


def open_stream(descriptor: int, encoding: str, *, closefd: bool = True) -> TextIO:
    """Return a stream that writes to `descriptor`; clean if that is a terminal.

    Characters that the encoding lacks are replaced, so that they cannot end an answer.
    """
    kind = Clean if os.isatty(descriptor) else io.TextIOWrapper
    raw = io.FileIO(descriptor, "w", closefd=closefd)
    return kind(
        io.BufferedWriter(raw),
        encoding,
        errors="replace",
        line_buffering=os.isatty(descriptor),
    )


def clean() -> None:
    """Make stdout and stderr safe if they are terminals, also for tracebacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        with suppress(OSError, ValueError):  # a stand-in without a descriptor
            if stream.isatty() and not isinstance(stream, Clean):
                stream.flush()
                descriptor = stream.fileno()
                # `sys.__stderr__` stays unchanged, as Textual draws on it.
                setattr(
                    sys, name, open_stream(descriptor, stream.encoding, closefd=False)
                )
                sys.excepthook = _print_traceback


def _print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a traceback; Python 3.13 and later would colour it for a terminal."""
    import traceback  # slow to import, and rarely needed

    print(
        "".join(traceback.format_exception(kind, error, trace)), end="", file=sys.stderr
    )


def fill() -> None:
    """Open closed standard streams (`>&-`) on /dev/null.

    Otherwise the next opened file, the store, would get the descriptor, and printed
    text would be written into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free descriptor is this stream's, as lower ones are filled.
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nothing, mode, closefd=False))


_voice: list[TextIO] = []
"""The stream to the terminal while stderr is diverted; see `answer_alone`."""


def talk(text: str) -> None:
    """Print a line for the user to stderr; may be called in any thread."""
    line = f"lazychat: {safe(mask(text), newlines=False)}"
    print(line, file=_voice[-1] if _voice else sys.stderr, flush=True)


def is_seen() -> bool:
    """Return whether `talk` prints to a terminal."""
    return bool(_voice) or sys.stderr.isatty()


def print_json(value: object) -> None:
    """Print a document to stdout: valid JSON, and safe for a terminal."""
    import json  # only needed for programs

    text = json.dumps(value, ensure_ascii=False, indent=1)
    print(safe_json(text))
    _printed.append(True)


_printed: list[bool] = []


def print_empty_json() -> None:
    """Print an empty array, unless a document was printed: a command has failed.

    Programs that read stdout before they look at the exit code get valid JSON.
    """
    if not _printed:
        print_json([])


@contextmanager
def unreadable_reported(log: "EventLog") -> Generator[None]:
    """Report at the end how many unreadable records were skipped, if any."""
    yield
    if records := log.unreadable:
        what = ngettext("{count} record", "{count} records", records).format(
            count=records
        )
        talk(_("{what} of the store could not be read.").format(what=what))


@contextmanager
def prints_aside() -> Generator[None]:
    """Let what the block prints to stdout go to stderr.

    Tools are the user's code, and to load one runs it.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def answer_alone() -> Generator[TextIO]:
    """Yield a stream to stdout; all other prints to stdout go to stderr.

    Tools are the user's code: their output, and that of their processes, is not part of
    the answer. If stderr is a terminal, they get a pipe instead, whose lines are
    printed after cleaning. They cannot read stdin, which was read before, nor open the
    terminal.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    out = open_stream(kept, sys.stdout.encoding)
    os.dup2(2, 1)
    try:
        with _terminal_kept(), _others_aside() if os.isatty(2) else _input_aside():
            yield out
    finally:
        with suppress(OSError):  # the reader of the tools' output is gone
            sys.stdout.flush()
        os.dup2(kept, 1)
        with suppress(OSError):  # a failed write was already reported
            out.close()


@contextmanager
def _terminal_kept() -> Generator[None]:
    """Keep tools and their processes from opening the terminal."""
    from tui.app.terminal import controlling_tty

    controlling_tty.keep_off(next(filter(os.isatty, range(3)), 0))
    try:
        yield
    finally:
        controlling_tty.let_in()


@contextmanager
def _input_aside() -> Generator[None]:
    """Let descriptor 0 be empty."""
    kept = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextmanager
def _others_aside() -> Generator[None]:
    """Divert descriptors 0 to 2 from the terminal; `talk` still reaches it."""
    from tui.app.terminal.descriptors import Aside

    voice = open_stream(os.dup(2), sys.stderr.encoding)
    aside = Aside(lambda line: talk(_("written by a tool: {line}").format(line=line)))
    _voice.append(voice)
    aside.take(2)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        aside.give_back()
        _voice.remove(voice)
        with suppress(OSError):  # the terminal is gone
            voice.close()


def leave_stdout() -> None:
    """Write nothing more to stdout, whose reader has gone.

    Python flushes it when it exits, and would complain.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
