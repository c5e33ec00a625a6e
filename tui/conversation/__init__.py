"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.questions import questions
from tui.conversation.store import RUNNING, Summary, find, new_id, recent, running
from tui.conversation.transcript import Entry, Transcript, fold

__all__ = [
    "RUNNING",
    "Entry",
    "Summary",
    "Transcript",
    "find",
    "fold",
    "new_id",
    "questions",
    "recent",
    "running",
]
