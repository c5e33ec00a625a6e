"""Formats exceptions of foreign code, which may fail to format themselves."""

_MOST = 10_000
"""Characters of a message that are used: it becomes one line."""


def words(error: BaseException) -> str:
    """Return the message of `error`, truncated if long; "" if it has none."""
    try:
        return str(error)[:_MOST]
    except (Exception, SystemExit):  # raised by its __str__, or __str__ returns no text
        return ""


def name_and_words(error: BaseException) -> str:
    """Return the type and the message of `error`."""
    return f"{type(error).__name__}: {words(error)}".rstrip(": ")
