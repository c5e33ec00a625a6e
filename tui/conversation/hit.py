"""Defines what a search finds; the app needs it at its start, the search only later."""

import msgspec


class Hit(msgspec.Struct, frozen=True):
    """A message that matches a search."""

    conversation: str
    title: str
    message_id: str
    role: str
    """`user` or `assistant`."""
    time: float
    """Seconds since the epoch."""
    excerpt: str
    """One line of the message around the hit, safe for a terminal."""
    marks: tuple[tuple[int, int], ...]
    """Start and end (exclusive) of each match in `excerpt`, in order and apart."""
    seq: int = 0
    """The `seq` of the event that added the message."""
