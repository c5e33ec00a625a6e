"""Conversations: what one looks like, and the store that holds them all."""

from tui.conversation.delete import Deleted, delete, restore
from tui.conversation.entry import Entry
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
from tui.conversation.summaries import apply_summaries
from tui.conversation.transcript import Transcript, fold
from tui.conversation.unseen import is_unseen

__all__ = [
    "RUNNING",
    "Deleted",
    "Entry",
    "Hit",
    "Summary",
    "Transcript",
    "apply_summaries",
    "delete",
    "export_json",
    "export_markdown",
    "find",
    "fold",
    "get",
    "import_json",
    "is_unseen",
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
