"""The standard streams: stdout is kept for the answer, whatever tools print."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from tui.safe import safe

if TYPE_CHECKING:
    from tui.eventlog import EventLog


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


def talk(text: str) -> None:
    """Print a line for the user to stderr."""
    print(f"lazychat: {safe(text, newlines=False)}", file=sys.stderr, flush=True)


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

    Tools are the user's code: what they or their processes print is talk.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    # What the user's encoding cannot say must not end the answer.
    out = os.fdopen(kept, "w", encoding=sys.stdout.encoding, errors="replace")
    os.dup2(2, 1)
    try:
        yield out
    finally:
        with suppress(OSError):  # nobody reads what tools have printed
            sys.stdout.flush()
        os.dup2(kept, 1)
        with suppress(OSError):  # what could not be written was said when it failed
            out.close()
