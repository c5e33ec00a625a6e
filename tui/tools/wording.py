"""Puts into words what foreign code raises, whatever its exceptions are."""

_MOST = 10_000
"""Characters of a text that are looked at: it is one line in the end."""


def words(error: BaseException) -> str:
    """Return what `error` says, its beginning if it is long; "" when it cannot."""
    try:
        return str(error)[:_MOST]
    except (Exception, SystemExit):  # of its own __str__, or that gives no text
        return ""


def name_and_words(error: BaseException) -> str:
    """Return the type of `error` and what it says."""
    return f"{type(error).__name__}: {words(error)}".rstrip(": ")
