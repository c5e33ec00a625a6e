"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.entry import Entry
from tui.conversation.store import RUNNING, Summary, find, new_id, recent, running
from tui.conversation.summaries import apply_summaries
from tui.conversation.transcript import Transcript, fold

__all__ = [
    "RUNNING",
    "Entry",
    "Summary",
    "Transcript",
    "apply_summaries",
    "find",
    "fold",
    "new_id",
    "recent",
    "running",
]
