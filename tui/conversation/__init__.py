"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.branches import Branches, Versions
from tui.conversation.store import RUNNING, Summary, find, new_id, recent, running
from tui.conversation.transcript import Entry, Transcript, fold

__all__ = [
    "RUNNING",
    "Branches",
    "Entry",
    "Summary",
    "Transcript",
    "Versions",
    "find",
    "fold",
    "new_id",
    "recent",
    "running",
]
