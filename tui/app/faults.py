"""Logs a fault of the screen that is handled where it occurs.

The log file gets the place in the program without the values of variables, which hold
the user's words. The size of an entry is bounded, whatever was raised.
"""

import logging
from traceback import TracebackException

from tui.safe import safe

_LONGEST = 20_000  # characters of the log
_FRAMES = 40  # the innermost ones of each traceback
_SAID = 200  # characters of what the user is told

_log = logging.getLogger(__name__)


def not_shown(error: BaseException) -> str:
    """Note `error`; return the line that stands for what cannot be drawn."""
    return safe(f"could not be shown ({note(error)})", newlines=False)


def note(error: BaseException) -> str:
    """Add `error` to the log file; return what it was, and where that is told."""
    try:
        told = TracebackException.from_exception(error, limit=-_FRAMES, compact=True)
        text = "".join(told.format())
    except Exception as worse:  # no memory, or what cannot be turned into words
        text = f"{type(error).__name__}, and {type(worse).__name__} when it was told"
    if len(text) > _LONGEST:
        half = _LONGEST // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    _log.error("%s", text)
    name = type(error).__name__
    files = [
        handler.baseFilename
        for handler in logging.getLogger("tui").handlers
        if isinstance(handler, logging.FileHandler)
    ]
    return f"{name}; details: {files[0]}"[:_SAID] if files else name
