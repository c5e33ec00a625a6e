"""Titles that models write: who may get one, and what is made of their words."""

import re
import sqlite3
import unicodedata
from collections.abc import Callable

from tui.eventlog import EventLog
from tui.safe import one_line, safe

COLUMNS = 60
"""Most columns of a title."""
ANSWERS = 3
"""Answers after which no title is asked for any more: the first requests may have had
to give way to questions."""
_READ = 400
"""Characters of a line that are looked at."""
_CALL = re.compile(
    r"^\s*[{\[]|```|<\||</?\s*(?:tool|function|invoke|call|think|parameter)|\[/?tool",
    re.I,
)
"""The beginning of a call: a model that is offered no tools may write one as text."""


def cleaned(text: str) -> str:
    """Return a title made of what a model has written: one line, `COLUMNS` wide.

    "" if there is nothing of use in it.
    """
    line = next((line for line in text.splitlines() if line.strip(" #*_`\"'")), "")
    line = one_line(safe(line[:_READ], newlines=False))
    if _CALL.search(line):
        return ""
    line = re.sub(
        r"^[\s#>*_`-]*(?:title|titel|titre|标题)\s*[:：]\s*", "", line, flags=re.I
    )
    line = line.strip(" #>*_`\"'“”„«»‘’「」『』《》")
    line = line.rstrip(".。").strip()
    return _fitted(line)


def _fitted(line: str) -> str:
    """Cut a line at a word's end if it is wider than `COLUMNS`."""
    columns = 0
    for at, character in enumerate(line):
        columns += _width(character)
        if columns > COLUMNS:
            cut = line[:at]
            while sum(map(_width, cut)) > COLUMNS - 1:
                cut = cut[:-1]
            words, _, rest = cut.rpartition(" ")
            if rest and not line[len(cut)].isspace() and len(words) > at // 2:
                cut = words
            return cut.rstrip() + "…"
    return line


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wants_title(log: EventLog, id: str) -> bool:
    """Return whether a model may still title a conversation. Raises `LogError`."""
    rows = log.query(_ENDED, (id, ANSWERS + 1))
    return len(rows) <= ANSWERS and not log.query(_NAMED, (id,))


def is_untitled(id: str) -> Callable[[sqlite3.Connection], bool]:
    """Return a guard that refuses a title if there is one, or no conversation."""

    def look(db: sqlite3.Connection) -> bool:
        return is_kept(id)(db) and db.execute(_NAMED, (id,)).fetchone() is None

    return look


def is_kept(id: str) -> Callable[[sqlite3.Connection], bool]:
    """Return a guard that refuses to write into a conversation that was deleted."""
    return lambda db: db.execute(_KEPT, (id,)).fetchone() is not None


_NAMED = (
    "SELECT 1 FROM event WHERE conversation = ? "
    "AND kind IN ('conversation_renamed', 'conversation_forked') LIMIT 1"
)
_ENDED = "SELECT 1 FROM event WHERE conversation = ? AND kind = 'turn_finished' LIMIT ?"
_KEPT = "SELECT 1 FROM conversation WHERE id = ?"
