"""All errors that lazychat raises on purpose.

    LazychatError
    ├── ConfigError           the configuration file, a flag or a variable is wrong
    ├── LogError              the event log cannot be opened, read or written
    │   ├── ConflictError     another process has already written this claim or end
    │   ├── DamagedError      the file of the event log is damaged
    │   └── NewerError        a later version wrote the file
    ├── ModelError            a model is unavailable or has failed
    │   ├── ContextOverflow   the required messages exceed the context window
    │   └── TooMuch           the model sent more than the limit
    ├── AttachmentError       a file cannot be attached
    ├── ToolError             a tool call failed; its text is meant for the model
    └── Cancelled             the user stopped the turn

Each message is one or two sentences that say what is wrong, where, and what to do. The
user reads `str(error)`: no class name, no traceback.
"""

import errno

from tui.i18n import _


class LazychatError(Exception):
    """Base of all errors that carry a message for the user."""


class ConfigError(LazychatError):
    """The configuration is wrong; the message names file, line and key."""


class LogError(LazychatError):
    """The event log cannot be opened, read or written."""


class ConflictError(LogError):
    """An event that may exist only once exists already; nothing was written."""


class DamagedError(LogError):
    """The file of the event log is damaged; it was left unchanged."""


class NewerError(LogError):
    """A later version wrote the file of the event log; it was left unchanged."""


class ModelError(LazychatError):
    """A model could not be loaded or reached, or failed during an answer."""

    def __init__(self, message: str, kind: str = "model") -> None:
        super().__init__(message)
        self.kind = kind
        """A short word for programs: `unreachable`, `unauthorized`, `not_found`,
        `rate_limited`, `dropped`, `missing_key`, `bad_file`, `not_installed`, `died`
        (the process of a local model), `memory`, `empty` (an answer without a word) or
        `model`."""


class ContextOverflow(ModelError):
    """The messages that must be sent exceed the context window."""

    def __init__(
        self, message: str, window: int = 0, tokens: int = 0, *, passing: bool = False
    ) -> None:
        super().__init__(message, "context_overflow")
        self.passing = passing
        """Whether it is a rate limit that this request alone exceeds: not a property of
        the model, and it may differ tomorrow."""
        self.window = window
        """The size of the window in tokens, or that limit; 0 if unknown."""
        self.tokens = tokens
        """The tokens of the messages; 0 if unknown."""


class TooMuch(ModelError):
    """A model sent more than the limit, so it was stopped.

    `what` is a noun phrase for what it sent.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            _(
                "The model sent {what}, so it was stopped. The text so far is kept."
            ).format(what=what),
            "dropped",
        )
        self.what = what


class AttachmentError(LazychatError):
    """A file cannot be attached; the message names it and is one line."""


class ToolError(LazychatError):
    """A tool call failed; the text is one clean line for the model."""


class Cancelled(LazychatError):
    """The turn was cancelled; the text so far is kept."""

    def __init__(self) -> None:
        super().__init__(_("Cancelled."))


def scarce(error: BaseException) -> str:
    """Return a message if `error` is of a machine without files or memory, else ""."""
    if message := too_many_files(error):
        return message
    cause: BaseException | None = error
    while cause is not None:
        # Python has no class of its own for a thread that cannot be started.
        if isinstance(cause, MemoryError) or str(cause) == "can't start new thread":
            return _("Out of memory: close other programs, or raise `ulimit -v`.")
        cause = cause.__cause__
    return ""


def too_many_files(error: BaseException) -> str:
    """Return a message if too many open files caused `error`, else ""."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            return _(
                "Too many open files: close other programs, or allow more with "
                "`ulimit -n`."
            )
        cause = cause.__cause__
    return ""
