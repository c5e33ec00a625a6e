"""Text from servers as the app shows it: bounded, free of control characters."""

from tui.safe import safe

_LONGEST_LINE = 500


def line(text: object, limit: int = _LONGEST_LINE) -> str:
    """Return text from a server as one line of at most `limit` characters."""
    words = " ".join(safe(str(text)[: 8 * limit], newlines=False).split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def clean(text: str, limit: int) -> str:
    """Return text from a server of at most `limit` characters, with a note if cut."""
    if len(text) <= limit:
        return safe(text)
    return f"{safe(text[:limit])}\n[{len(text) - limit} more characters omitted]"
