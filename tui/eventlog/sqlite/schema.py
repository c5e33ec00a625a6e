"""Defines the tables of the store, and migrates them between versions."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tui.errors import NewerError
from tui.eventlog.sqlite import blobs, projections, trash
from tui.i18n import _

MIGRATIONS: list[str | Callable[[sqlite3.Connection], None]] = [
    """
    CREATE TABLE event(
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        turn TEXT,
        kind TEXT NOT NULL,
        time REAL NOT NULL,
        delta_of TEXT,
        data TEXT NOT NULL);
    CREATE INDEX event_conversation ON event(conversation, seq);
    CREATE INDEX event_delta ON event(delta_of) WHERE delta_of IS NOT NULL;
    CREATE UNIQUE INDEX event_claim ON event(turn) WHERE kind = 'turn_started';
    CREATE UNIQUE INDEX event_end ON event(turn) WHERE kind = 'turn_finished';
    CREATE INDEX event_claimed ON event(conversation, turn)
        WHERE kind = 'turn_started';
    CREATE TABLE conversation(
        id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '', created REAL NOT NULL);
    CREATE TABLE draft(
        conversation TEXT PRIMARY KEY, text TEXT NOT NULL, time REAL NOT NULL)
    """,
    """
    CREATE TABLE seen(conversation TEXT PRIMARY KEY, seq INTEGER NOT NULL)
    """,
    projections.migrate,
    trash.SCHEMA,
    """
    ALTER TABLE conversation ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    UPDATE conversation SET used = ifnull((SELECT max(seq) FROM event
        WHERE event.conversation = conversation.id AND kind = 'message_added'), 0);
    CREATE INDEX conversation_used ON conversation(used DESC, updated DESC);
    CREATE TABLE taken(journal TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE importing(
        source TEXT PRIMARY KEY, conversation TEXT NOT NULL, done INTEGER NOT NULL)
        WITHOUT ROWID
    """,
    projections.LATE_SCHEMA,
    blobs.SCHEMA,
]
"""The steps from each format of the file to the next: SQL statements, or a function if
rows must be filled in."""

VERSION = len(MIGRATIONS)
"""The format of the file that this version of lazychat uses (`PRAGMA user_version`)."""


def migrate(connection: sqlite3.Connection) -> None:
    """Create the tables, or migrate them to this version's format.

    Raises `NewerError` for a later format.
    """
    if (version := user_version(connection)) == VERSION:
        return
    if version > VERSION:
        raise NewerError(_("The conversation store was written by a newer lazychat."))
    connection.execute("BEGIN IMMEDIATE")
    for number in range(user_version(connection), VERSION):
        step = MIGRATIONS[number]
        if isinstance(step, str):
            for statement in step.split(";"):
                connection.execute(statement)
        else:
            step(connection)
        connection.execute(f"PRAGMA user_version = {number + 1}")
    connection.execute("COMMIT")


def require_known(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `NewerError` for a file of a later version, and leave it unchanged."""
    version = user_version(connection)
    if version > VERSION:
        raise NewerError(
            _(
                "The conversation store {path} was written by a newer lazychat "
                "(format {version}, this one knows {known}), so it is left unchanged. "
                "Update lazychat, or set LAZYCHAT_HOME to another folder."
            ).format(path=path, version=version, known=VERSION)
        )


def user_version(connection: sqlite3.Connection) -> int:
    """Return the format of the file, 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
