"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.activity import Running, is_unseen, last, running_everywhere
from tui.conversation.store import RUNNING, Summary, find, new_id, recent, running
from tui.conversation.transcript import Entry, Transcript, fold

__all__ = [
    "RUNNING",
    "Entry",
    "Running",
    "Summary",
    "Transcript",
    "find",
    "fold",
    "is_unseen",
    "last",
    "new_id",
    "recent",
    "running",
    "running_everywhere",
]
