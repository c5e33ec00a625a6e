"""Describes failures in one line: other exceptions, arguments that are not objects."""

from tui import bounds
from tui.tools.results import clean

_MOST = 10_000
"""Characters of a message that are used: it becomes one line."""


def words(error: BaseException) -> str:
    """Return the message of `error`, truncated if long; "" if it has none."""
    try:
        return str(error)[:_MOST]
    except BaseException:  # raised by its __str__, or __str__ returns no text
        return ""


def name_and_words(error: BaseException, said: str | None = None) -> str:
    """Return the type and the message of `error`; `said` is its message if known."""
    said = words(error) if said is None else said
    return f"{type(error).__name__}: {said}".rstrip(": ")


def no_object(arguments: str) -> str:
    """Return why a string is not the JSON object that arguments must be."""
    import json  # unlike msgspec, its errors give the position

    expected = "the arguments must be a JSON object"
    try:
        value = json.loads(arguments)
    except RecursionError:
        return f"{expected}, but {bounds.TOO_DEEP}: {excerpt(arguments)}"
    except ValueError as error:
        place = getattr(error, "pos", 0)
        why = getattr(error, "msg", str(error))
        return f"{expected}, but at character {place + 1}: {why}: {excerpt(arguments)}"
    if bounds.is_deep(value):
        return f"{expected}, but {bounds.TOO_DEEP}: {excerpt(arguments)}"
    return f"{expected}, not {excerpt(arguments)}"


def excerpt(text: str, limit: int = 200) -> str:
    """Return `text` as one line of at most `limit` characters."""
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
