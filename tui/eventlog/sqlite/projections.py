"""Maintains tables derived from events: the conversation list and the search index.

Python code in the writer thread updates them in the transaction of the events. Triggers
would update them for every program. But they would have to call our Python functions,
so writes by an older lazychat or the `sqlite3` shell would fail. A lost answer is worse
than an answer that search does not find.
"""

import re
import sqlite3

import msgspec

from tui.events import (
    ConversationDeleted,
    ConversationForked,
    ConversationPinned,
    ConversationRenamed,
    Event,
    MessageAdded,
    TurnFinished,
    TurnStarted,
)
from tui.i18n import _

TITLE = 80
"""The most characters of the first question that become a conversation's title."""

SCHEMA = """
    ALTER TABLE conversation ADD COLUMN updated REAL NOT NULL DEFAULT 0;
    ALTER TABLE conversation ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversation ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX conversation_recent
        ON conversation(pinned DESC, updated DESC, id);
    CREATE INDEX conversation_updated ON conversation(updated);
    CREATE TABLE running(turn TEXT PRIMARY KEY, conversation TEXT NOT NULL)
        WITHOUT ROWID;
    CREATE TABLE purge(seq INTEGER PRIMARY KEY);
    CREATE VIRTUAL TABLE message_text
        USING fts5(terms, content = '', columnsize = 0, detail = none,
                   tokenize = 'ascii')
"""
"""Lists show `conversation` and `running`. `purge` holds the deletions whose traces may
still be in the file. The rowid of `message_text` is the `seq` of a message."""

LATE_SCHEMA = """
    CREATE TABLE unindexed(seq INTEGER PRIMARY KEY, done INTEGER NOT NULL)
"""
"""Messages of which only the first `done` characters are indexed: see `late_index`."""

DONE = "max(coalesce(CAST(unindexed.done AS INTEGER), 0), 0)"
"""SQL for `unindexed.done`: a number, whatever another program has written there."""

INDEX = "INSERT INTO message_text(rowid, terms) VALUES (?, ?)"


class Named(msgspec.Struct):
    """What is searched of an attached file: its name."""

    name: str = ""
    digest: str = ""


class Said(msgspec.Struct):
    """The parts of a message that are searched."""

    role: str
    text: str = ""
    attachments: list[Named] = []

    @property
    def searched(self) -> str:
        """The text, and the names of the files below it.

        Not of those whose bytes are in the event, as in stores of earlier versions:
        the names of these are not in the index.
        """
        names = [file.name for file in self.attachments if file.digest]
        return "\n".join(filter(None, [self.text, *names])) if names else self.text


class _Added(msgspec.Struct):
    message: Said


_decode = msgspec.json.Decoder(_Added).decode
SAID = "CASE WHEN length(data) <= 16777216 THEN CAST(data AS BLOB) END"
"""SQL for the argument of `said`: the event's JSON, NULL when it is over 16 MB."""
_SPOKEN = ("user", "assistant")
_PIECE = 100_000
"""Characters that are indexed at a time. All other threads of the process wait while a
regular expression runs, so longer messages are indexed later, in pieces."""


def terms_of(text: str) -> set[str]:
    """Return the search terms of a message."""
    # Imported here, because compiling its patterns would slow down the start.
    from tui.eventlog.sqlite.search_terms import terms

    if len(text) <= _PIECE:
        return terms(text)
    found: set[str] = set()
    at = 0
    while at < len(text):
        end = piece_end(text, at)
        found |= terms(text[at:end])
        at = end
    return found


def piece_end(text: str, at: int) -> int:
    """Return the end of the piece of `text` that begins at `at`.

    A prefix of the text that consists of such pieces is cut in the same places. This
    matters because a deletion must compute the same terms again.
    """
    # Cut at a space, which is never part of a term.
    space = text.rfind(" ", at, at + _PIECE) + 1 if at + _PIECE < len(text) else 0
    return space or at + _PIECE


def said(data: str | bytes | None) -> Said:
    """Return role and text of a stored `MessageAdded`, both "" if it is unreadable.

    The terms of a message that has become unreadable stay in the index. They do no
    harm: search finds no text for them.
    """
    try:
        return _decode(data or b"").message
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Said("")


def migrate(db: sqlite3.Connection) -> None:
    """Create the tables and fill them from the events."""
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    db.execute("UPDATE conversation SET updated = created")
    rows = db.execute(
        f"SELECT seq, conversation, time, {SAID} FROM event "
        "WHERE kind = 'message_added' ORDER BY seq"
    )
    for seq, conversation, time, data in rows:
        message = said(data)
        _keep_message(db, conversation, seq, time, message, late=False)
    db.execute(
        "INSERT INTO running SELECT turn, conversation FROM event AS started "
        "WHERE kind = 'turn_started' AND turn IS NOT NULL AND NOT EXISTS (SELECT 1 "
        "FROM event WHERE turn = started.turn AND kind = 'turn_finished')"
    )


def keep(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    seq: int,
    time: float,
    event: Event,
    *,
    imported: bool = False,
) -> None:
    """Update the tables for an event that has been stored as `seq`."""
    match event:
        case MessageAdded(_, message):
            files = [Named(file.name, file.digest) for file in message.attachments]
            said = Said(message.role, message.text, files)
            _keep_message(db, conversation, seq, time, said)
            if not imported:
                db.execute(
                    "UPDATE conversation SET used = ? WHERE id = ?", (seq, conversation)
                )
        case TurnStarted():
            db.execute(
                "INSERT OR IGNORE INTO running VALUES (?, ?)", (turn, conversation)
            )
        case TurnFinished():
            db.execute("DELETE FROM running WHERE turn = ?", (turn,))
        case ConversationRenamed(title):
            _keep(db, conversation, "title", title, time)
        case ConversationPinned(pinned):
            _keep(db, conversation, "pinned", pinned, time)
        case ConversationForked():
            # Its messages are older: without this it would be listed below others.
            db.execute(
                "INSERT OR IGNORE INTO conversation(id, created, updated) "
                "VALUES (?, ?, ?)",
                (conversation, time, time),
            )
        case ConversationDeleted():
            _remove(db, conversation, seq)
        case _:
            pass


def _keep_message(
    db: sqlite3.Connection,
    conversation: str,
    seq: int,
    time: float,
    message: Said,
    *,
    late: bool = True,
) -> None:
    """Update the tables for a message; with `late`, leave long ones to `late_index`."""
    role, text = message.role, message.searched
    if role not in _SPOKEN:
        return
    title = _title(message.text or text) if role == "user" else ""
    db.execute(
        "INSERT INTO conversation(id, title, created, updated, messages) "
        "VALUES (:id, :title, :time, :time, :count) ON CONFLICT(id) DO UPDATE SET "
        "title = CASE title WHEN '' THEN :title ELSE title END, "
        "updated = max(updated, :time), messages = messages + :count",
        {"id": conversation, "title": title, "time": time, "count": bool(text)},
    )
    if late and len(text) > _PIECE:
        db.execute("INSERT OR REPLACE INTO unindexed VALUES (?, 0)", (seq,))
    elif found := terms_of(text):
        db.execute(INDEX, (seq, " ".join(found)))


def _title(text: str) -> str:
    """Return the title made from the first words of a text, however long it is."""
    words: list[str] = []
    length = -1
    for word in _WORD.finditer(text):
        first, end = word.span()
        words.append(text[first : min(end, first + TITLE)])
        length += 1 + len(words[-1])
        if length >= TITLE:
            break
    return " ".join(words)[:TITLE]


_WORD = re.compile(r"\S+")


def _keep(
    db: sqlite3.Connection, conversation: str, column: str, value: object, time: float
) -> None:
    # A conversation may have no message yet: a screen can rename a new one.
    db.execute(
        f"INSERT INTO conversation(id, created, updated, {column}) VALUES (?, ?, ?, ?) "
        f"ON CONFLICT(id) DO UPDATE SET {column} = excluded.{column}",
        (conversation, time, time, value),
    )


def _remove(db: sqlite3.Connection, conversation: str, tombstone: int) -> None:
    """Remove all of a conversation except `tombstone`, the `seq` of the deletion event.

    Followers in other processes learn of the deletion from that event. Traces stay in
    the file until `purge`.
    """
    stands_in = "SELECT 1 FROM temp.sqlite_master WHERE name = 'event'"
    if db.execute(stands_in).fetchone():
        raise sqlite3.OperationalError(_("nothing stored can be deleted now"))
    rows = db.execute(
        f"SELECT event.seq, {SAID}, "
        f"CASE WHEN unindexed.seq IS NOT NULL THEN {DONE} END FROM event "
        "LEFT JOIN unindexed ON unindexed.seq = event.seq WHERE conversation = ? "
        "AND event.seq < ? AND kind = 'message_added'",
        (conversation, tombstone),
    ).fetchall()
    for seq, data, done in rows:
        message = said(data)
        if message.role in _SPOKEN and (found := terms_of(message.searched[:done])):
            db.execute(
                "INSERT INTO message_text(message_text, rowid, terms) "
                "VALUES ('delete', ?, ?)",
                (seq, " ".join(found)),
            )
    db.execute(
        "DELETE FROM unindexed WHERE seq IN "
        "(SELECT seq FROM event WHERE conversation = ? AND seq < ?)",
        (conversation, tombstone),
    )
    db.execute(
        "DELETE FROM event WHERE conversation = ? AND seq < ?",
        (conversation, tombstone),
    )
    for table in ("draft", "seen", "running"):
        db.execute(f"DELETE FROM {table} WHERE conversation = ?", (conversation,))
    db.execute("DELETE FROM conversation WHERE id = ?", (conversation,))
    db.execute("INSERT INTO purge VALUES (?)", (tombstone,))
