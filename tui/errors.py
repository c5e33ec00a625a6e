"""Every error that lazychat raises on purpose.

    LazychatError
    ├── ConfigError           the configuration file, a flag or a variable is wrong
    ├── LogError              the event log cannot be opened, read or written
    │   ├── ConflictError     somebody else has written this already (a claim, an end)
    │   ├── DamagedError      the file of the event log is broken
    │   └── NewerError        it was written by a later version
    ├── ModelError            a model cannot be had or has failed
    │   ├── ContextOverflow   what cannot be left out exceeds the context window
    │   └── TooMuch           it has sent more than is taken of any
    ├── ToolError             a tool call failed; its text is meant for the model
    └── Cancelled             the user stopped the turn

Each message is one or two sentences that say what is wrong, where, and what to
do. `str(error)` is what the user reads: no class name, no traceback.
"""

import errno


class LazychatError(Exception):
    """Base of all errors that carry a message for the user."""


class ConfigError(LazychatError):
    """The configuration is wrong; the message names file, line and key."""


class LogError(LazychatError):
    """The event log cannot be opened, read or written."""


class ConflictError(LogError):
    """An event that may exist only once exists already, so nothing was written."""


class DamagedError(LogError):
    """The file of the event log is broken; it has been left as it is."""


class NewerError(LogError):
    """The file of the event log was written by a later version; it is left alone."""


class ModelError(LazychatError):
    """A model could not be loaded or reached, or broke off."""

    def __init__(self, message: str, kind: str = "model") -> None:
        super().__init__(message)
        self.kind = kind
        """A short word for programs: `unreachable`, `unauthorized`, `not_found`,
        `rate_limited`, `dropped`, `missing_key`, `bad_file`, `not_installed`,
        `died` (the process of a local model), `memory`, `empty` (an answer without
        a word) or `model`."""


class ContextOverflow(ModelError):
    """The messages that cannot be left out exceed the context window."""

    def __init__(self, message: str, window: int = 0, tokens: int = 0) -> None:
        super().__init__(message, "context_overflow")
        self.window = window
        """The size of the window in tokens; 0 when that is not known."""
        self.tokens = tokens
        """What the messages take; 0 when that is not known."""


class TooMuch(ModelError):
    """A model has sent more than is taken of any, so it was stopped.

    `what` is a noun phrase: what it has sent.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The model has sent {what}, so it was stopped there. What has come is "
            "kept.",
            "dropped",
        )
        self.what = what


class ToolError(LazychatError):
    """A tool call failed; the text is one clean line, told to the model."""


class Cancelled(LazychatError):
    """The turn was cancelled; what was said until then stays."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")


def too_many_files(error: BaseException) -> str:
    """Return the line for an error that comes of too many open files, else ""."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            return (
                "Too many open files: close other programs, or allow more with "
                "`ulimit -n`."
            )
        cause = cause.__cause__
    return ""
