"""Logs an exception of the screen that is handled where it occurs.

The log file gets the traceback without the values of variables, which hold the user's
text. The size of an entry is bounded.
"""

import logging
from traceback import TracebackException

from tui.i18n import _
from tui.safe import safe

_LONGEST = 20_000  # characters of a log entry
_FRAMES = 40  # innermost frames of each traceback
_SAID = 200  # characters of the line for the user

_log = logging.getLogger(__name__)


def not_shown(error: BaseException) -> str:
    """Log `error`; return the line to show in place of the content."""
    return safe(
        _("could not be shown ({error})").format(error=note(error)), newlines=False
    )


def note(error: BaseException) -> str:
    """Add `error` to the log file; return its name and the file's path."""
    try:
        formatted = TracebackException.from_exception(
            error, limit=-_FRAMES, compact=True
        )
        text = "".join(formatted.format())
    except Exception as worse:  # no memory, or an exception that cannot be formatted
        text = _("{name}, then {name2} while formatting it").format(
            name=type(error).__name__, name2=type(worse).__name__
        )
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
    return (
        _("{name}; details: {files}").format(name=name, files=files[0])[:_SAID]
        if files
        else name
    )
