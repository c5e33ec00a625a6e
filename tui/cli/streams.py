"""Keeps stdout for the answer, whatever tools print.

All output to a terminal passes through `Clean`, so that no title, id, file name or
traceback can control it, whichever code prints it. A pipe or a file gets the text
unchanged, as from `git` or `ls`.
"""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from tui.masking import mask
from tui.safe import safe, safe_json

if TYPE_CHECKING:
    from tui.eventlog import EventLog


class Clean(io.TextIOWrapper):
    """A stream to a terminal; what is written to it is made safe first."""

    def write(self, text: str, /) -> int:
        """Write `text` with nothing in it that acts on the terminal."""
        super().write(safe(text))
        return len(text)

    def write_styled(self, text: str) -> None:
        """Write `text` as it is: of its parts those that are not ours are safe."""
        super().write(text)


def open_stream(descriptor: int, encoding: str, *, closefd: bool = True) -> TextIO:
    """Return a stream that writes to `descriptor`; clean if that is a terminal.

    What the encoding cannot say is replaced: it must not end an answer.
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
    """Have stdout and stderr be safe where they are a terminal, tracebacks too."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        with suppress(OSError, ValueError):  # a stand-in without a descriptor
            if stream.isatty() and not isinstance(stream, Clean):
                stream.flush()
                descriptor = stream.fileno()
                # As it was: Textual draws on `sys.__stderr__`, with a writer of ours.
                setattr(
                    sys, name, open_stream(descriptor, stream.encoding, closefd=False)
                )
                sys.excepthook = _tell


def _tell(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a traceback; Python 3.13 and later would colour it for a terminal."""
    import traceback  # only now

    print(
        "".join(traceback.format_exception(kind, error, trace)), end="", file=sys.stderr
    )


def fill() -> None:
    """Open what of stdin, stdout and stderr is closed (`>&-`), on nothing.

    The next file to be opened would take the descriptor: the store. What is printed
    then would be written into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest that is free: 0, 1 or 2, since the lower ones are filled.
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nothing, mode, closefd=False))


_voice: list[TextIO] = []
"""The stream to the terminal while stderr is none; see `answer_alone`."""


def talk(text: str) -> None:
    """Print a line for the user to stderr; in any thread."""
    line = f"lazychat: {safe(mask(text), newlines=False)}"
    print(line, file=_voice[-1] if _voice else sys.stderr, flush=True)


def is_seen() -> bool:
    """Whether what `talk` prints is seen at once: on a terminal."""
    return bool(_voice) or sys.stderr.isatty()


def print_json(value: object) -> None:
    """Print a document to stdout: valid JSON, and harmless on a terminal."""
    import json  # programs ask for it

    text = json.dumps(value, ensure_ascii=False, indent=1)
    print(safe_json(text))


@contextmanager
def unreadable_told(log: "EventLog") -> Generator[None]:
    """Say at the end how many records of the store have been left out, if any."""
    yield
    if records := log.unreadable:
        what = "1 record" if records == 1 else f"{records:,} records"
        talk(f"{what} of the store could not be read.")


@contextmanager
def answer_alone() -> Generator[TextIO]:
    """Give a stream to stdout; what all others print there goes to stderr.

    Tools are the user's code: what they or their processes print is talk. Where
    stderr is a terminal they get another, and it is shown cleaned, a line at a time.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    out = open_stream(kept, sys.stdout.encoding)
    os.dup2(2, 1)
    try:
        with _others_aside() if os.isatty(2) else nullcontext():
            yield out
    finally:
        with suppress(OSError):  # nobody reads what tools have printed
            sys.stdout.flush()
        os.dup2(kept, 1)
        with suppress(OSError):  # what could not be written was said when it failed
            out.close()


@contextmanager
def _others_aside() -> Generator[None]:
    """Have descriptors 0 to 2 be no terminal; `talk` still reaches it."""
    from tui.app.terminal.descriptors import Aside

    voice = open_stream(os.dup(2), sys.stderr.encoding)
    aside = Aside(lambda line: talk(f"written by a tool: {line}"))
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
        with suppress(OSError):  # the terminal has gone
            voice.close()
