"""Tables derived from events: the list of conversations and the search index.

All of it follows from the events and is written in their transaction, by Python code
in the one thread that writes. Triggers that call a function of ours would do it for
any program, and refuse what an older lazychat or the `sqlite3` shell writes: an
answer that is lost is worse than one that is not found.
"""

import re
import sqlite3

import msgspec

from tui.events import (
    ConversationDeleted,
    ConversationPinned,
    ConversationRenamed,
    Event,
    MessageAdded,
    TurnFinished,
    TurnStarted,
)

TITLE = 80
"""Characters of the first question that are a conversation's title."""

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
"""`conversation` and `running` are what lists show; `purge` holds the deletions whose
traces may still be in the file; `message_text` has the `seq` of a message as rowid."""


LATE_SCHEMA = """
    CREATE TABLE unindexed(seq INTEGER PRIMARY KEY, done INTEGER NOT NULL)
"""
"""The messages of which the index has the first `done` characters: see `late_index`."""

INDEX = "INSERT INTO message_text(rowid, terms) VALUES (?, ?)"


class Said(msgspec.Struct):
    """What is looked for in a message."""

    role: str
    text: str = ""


class _Added(msgspec.Struct):
    message: Said


_decode = msgspec.json.Decoder(_Added).decode
SAID = "CASE WHEN length(data) <= 16777216 THEN CAST(data AS BLOB) END"
"""SQL for what `said` is asked of a row: NULL where it is too long to be of use."""
_SPOKEN = ("user", "assistant")
_PIECE = 100_000
"""Characters that are looked through at a time: what else runs in the process waits for
a regular expression to end, 0.3 s for each million. What is longer is indexed later."""


def terms_of(text: str) -> set[str]:
    """Return what a message is found by."""
    from tui.eventlog.sqlite.search_terms import (
        terms,  # its patterns take 10 ms to compile
    )

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
    """Return where the piece of a text ends that begins at `at`.

    The same in what such pieces make up: what a message is found by is told again when
    it is deleted.
    """
    # At a space, which is in no term.
    space = text.rfind(" ", at, at + _PIECE) + 1 if at + _PIECE < len(text) else 0
    return space or at + _PIECE


def said(data: str | bytes | None) -> Said:
    """Return who said what in a stored `MessageAdded`; nobody, nothing if unreadable.

    What is in the index of a message that cannot be read any more stays there: it
    leads to no text.
    """
    try:
        return _decode(data or b"").message
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Said("")


def migrate(db: sqlite3.Connection) -> None:
    """Make the tables and fill them from the events; 0.3 ms a message."""
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
    """Write what follows from an event that has been stored as `seq`."""
    match event:
        case MessageAdded(_, message):
            said = Said(message.role, message.text)
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
    """Write what follows from a message; `late`: what is long is indexed later."""
    role, text = message.role, message.text
    if role not in _SPOKEN:
        return
    title = _title(text) if role == "user" else ""
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
    """Return the first words of a text, which may have millions."""
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
    # It may have no message yet: a screen names what it is about to begin.
    db.execute(
        f"INSERT INTO conversation(id, created, updated, {column}) VALUES (?, ?, ?, ?) "
        f"ON CONFLICT(id) DO UPDATE SET {column} = excluded.{column}",
        (conversation, time, time, value),
    )


def _remove(db: sqlite3.Connection, conversation: str, tombstone: int) -> None:
    """Remove all of a conversation but `tombstone`, the event that says so.

    Those who follow it in other processes learn of it from there. Traces stay in
    the file until `purge`.
    """
    stands_in = "SELECT 1 FROM temp.sqlite_master WHERE name = 'event'"
    if db.execute(stands_in).fetchone():
        raise sqlite3.OperationalError("nothing stored can be deleted now")
    rows = db.execute(
        f"SELECT event.seq, {SAID}, unindexed.done FROM event "
        "LEFT JOIN unindexed ON unindexed.seq = event.seq WHERE conversation = ? "
        "AND event.seq < ? AND kind = 'message_added'",
        (conversation, tombstone),
    ).fetchall()
    for seq, data, done in rows:
        message = said(data)
        if message.role in _SPOKEN and (found := terms_of(message.text[:done])):
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
