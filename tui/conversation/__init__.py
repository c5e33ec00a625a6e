"""Interprets the events of the log as conversations.

Names that opening a conversation does not need are imported at first use (PEP 562).
"""

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
from tui.lazy_names import lazy_names

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
    "DAYS": "tui.conversation.deletion",
    "LARGEST_FILE": "tui.conversation.export_import",
    "Deleted": "tui.conversation.deletion",
    "Hit": "tui.conversation.hit",
    "Trashed": "tui.conversation.deletion",
    "delete": "tui.conversation.deletion",
    "export_json": "tui.conversation.export_import",
    "export_markdown": "tui.conversation.markdown_export",
    "fork": "tui.conversation.forking",
    "import_json": "tui.conversation.export_import",
    "is_exportable": "tui.conversation.export_import",
    "is_searchable": "tui.conversation.full_text_search",
    "questions": "tui.conversation.input_history",
    "restore": "tui.conversation.deletion",
    "search": "tui.conversation.full_text_search",
    "trash": "tui.conversation.deletion",
    "trashed": "tui.conversation.deletion",
    "wipe": "tui.conversation.deletion",
}

__getattr__ = lazy_names(__name__, _HOMES)
