"""Interprets the events of the log as conversations.

Names that opening a conversation does not need are imported at first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tui.conversation.branches import Branches, Versions
from tui.conversation.entry import Entry
from tui.conversation.read_state import is_unseen
from tui.conversation.store import (
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

if TYPE_CHECKING:
    from tui.conversation.deletion import (
        DAYS,
        Deleted,
        Trashed,
        delete,
        restore,
        trash,
        trashed,
        wipe,
    )
    from tui.conversation.export_import import (
        LARGEST_FILE,
        export_json,
        import_json,
        is_exportable,
    )
    from tui.conversation.forking import fork
    from tui.conversation.full_text_search import is_searchable, search
    from tui.conversation.hit import Hit
    from tui.conversation.input_history import questions
    from tui.conversation.markdown_export import export_markdown

__all__ = [
    "DAYS",
    "LARGEST_FILE",
    "Branches",
    "Deleted",
    "Entry",
    "Hit",
    "Summary",
    "Transcript",
    "Trashed",
    "Versions",
    "apply_summaries",
    "delete",
    "export_json",
    "export_markdown",
    "find",
    "fold",
    "fork",
    "get",
    "import_json",
    "is_exportable",
    "is_searchable",
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
    "trash",
    "trashed",
    "wipe",
]

_HOMES = {
    "DAYS": "deletion",
    "LARGEST_FILE": "export_import",
    "Deleted": "deletion",
    "Hit": "hit",
    "Trashed": "deletion",
    "delete": "deletion",
    "export_json": "export_import",
    "export_markdown": "markdown_export",
    "fork": "forking",
    "import_json": "export_import",
    "is_exportable": "export_import",
    "is_searchable": "full_text_search",
    "questions": "input_history",
    "restore": "deletion",
    "search": "full_text_search",
    "trash": "deletion",
    "trashed": "deletion",
    "wipe": "deletion",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
