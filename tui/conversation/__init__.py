"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.delete import Deleted, delete, restore
from tui.conversation.export import export_json, export_markdown, import_json
from tui.conversation.questions import questions
from tui.conversation.search import Hit, search
from tui.conversation.store import (
    RUNNING,
    Summary,
    find,
    get,
    new_id,
    newest,
    pin,
    recent,
    rename,
    running,
    running_anywhere,
    short_ids,
)
from tui.conversation.transcript import Entry, Transcript, fold

__all__ = [
    "RUNNING",
    "Deleted",
    "Entry",
    "Hit",
    "Summary",
    "Transcript",
    "delete",
    "export_json",
    "export_markdown",
    "find",
    "fold",
    "get",
    "import_json",
    "new_id",
    "newest",
    "pin",
    "questions",
    "recent",
    "rename",
    "restore",
    "running",
    "running_anywhere",
    "search",
    "short_ids",
]
