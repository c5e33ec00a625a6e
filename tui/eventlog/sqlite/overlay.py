"""Lays an in-memory store over one that cannot be written.

The overlay is a database in memory with the same tables. A temporary view called
`event` shows the stored events up to the moment when the fallback began, and the new
events since then, so all queries keep working. New events get the numbers after the
last stored one. When the store can be written again, they are copied to it, with the
same numbers unless another process has taken those: see `Move`.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tui.eventlog.fallback.journal import Row
from tui.eventlog.sqlite import blobs, event_rows, trash
from tui.i18n import _

ONCE = "('turn_started', 'turn_finished')"
"""The kinds of events that each turn has at most once."""


class Move(NamedTuple):
    """A renumbering: the numbers from `start` + 1 on became those from `end` + 1 on.

    The numbers in between belong to another process, which could write meanwhile.
    """

    start: int
    end: int
    strange: bool = False
    """Whether the store is a different one, unrelated to the records read before."""

    def number(self, seq: int) -> int:
        """Return the new number of the record `seq`."""
        return seq + self.end - self.start if seq > self.start else seq


class Overlay:
    """The events that are not stored yet, laid over the stored ones.

    `connect` opens a connection to a database, `migrate` creates the tables. Any thread
    may call `query`. One thread writes to `db`, and holds `lock` while it does, so that
    no reader sees half a batch.
    """

    def __init__(
        self,
        connect: Callable[[str], sqlite3.Connection],
        migrate: Callable[[sqlite3.Connection], None],
    ) -> None:
        self.lock = threading.RLock()
        self.start = 0
        """The last `seq` before those of the overlay."""
        self.stored = False
        """Whether queries see the stored events too."""
        self.db = connect(":memory:")
        self.db.text_factory = event_rows.text
        try:
            self.db.execute("PRAGMA busy_timeout = 1000")
            # Use no temporary files: the disk may be full or failing.
            self.db.execute("PRAGMA temp_store = MEMORY")
            migrate(self.db)
        except BaseException:
            self.db.close()
            raise

    def attach(self, uri: str) -> int:
        """Show the events stored in the database `uri`; return its last `seq`.

        Raises `sqlite3.Error`. Call `begin` afterwards.
        """
        self.db.execute("ATTACH ? AS stored", (uri,))
        if self._version("stored") > self._version("main"):
            raise sqlite3.NotSupportedError(_("it was written by a newer lazychat"))
        for table in self._tables():
            if table != "event":
                columns = self._columns(table)
                self.db.execute(
                    f"INSERT OR REPLACE INTO main.{table}({columns}) "
                    f"SELECT {columns} FROM stored.{table}"
                )
        last = last_seq(self.db, "stored")
        self.stored = True
        return last

    def detach(self) -> None:
        """Stop showing the store, because it cannot be read."""
        self.stored = False
        with suppress(sqlite3.Error):
            self.db.execute("DETACH stored")

    def begin(self, start: int) -> None:
        """Number new events from `start` + 1 on, and create the view of all events."""
        self.start = start
        self.db.execute("DELETE FROM main.sqlite_sequence WHERE name = 'event'")
        self.db.execute(
            "INSERT INTO main.sqlite_sequence(name, seq) VALUES ('event', ?)", (start,)
        )
        if self.stored:
            columns = self._columns("event")
            self.db.execute(
                f"CREATE TEMP VIEW event AS SELECT {columns} FROM main.event "
                f"UNION ALL SELECT {columns} FROM stored.event WHERE seq <= {start}"
            )
            if blobs.TABLE in tables(self.db, "stored"):
                self.db.execute(
                    "CREATE TEMP VIEW blob AS SELECT digest, data FROM main.blob "
                    "UNION ALL SELECT digest, data FROM stored.blob"
                )
            # Refuse a second start or end of a turn that the store has already.
            self.db.execute(
                "CREATE TEMP TRIGGER once BEFORE INSERT ON main.event "
                f"WHEN NEW.kind IN {ONCE} AND EXISTS (SELECT 1 FROM stored.event "
                f"WHERE turn = NEW.turn AND kind = NEW.kind AND kind IN {ONCE} "
                f"AND conversation = NEW.conversation AND seq <= {start}) "
                "BEGIN SELECT RAISE(ABORT, 'written already'); END"
            )

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT over the stored and the new events; return its rows."""
        with self.lock:
            return event_rows.fetch(self.db, sql, parameters)

    def copy_to(self, store: sqlite3.Connection) -> Move:
        """Copy the new events to `store`, within the caller's transaction.

        A claim or an end that another process has written meanwhile is skipped.
        """
        # Continue after the last number ever used, even if a repaired store has lost
        # its last records or the store is new: readers are positioned after that
        # number.
        move = Move(self.start, max(self.start, last_seq(store)))
        store.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
        store.execute(
            "INSERT INTO sqlite_sequence(name, seq) VALUES ('event', ?)", (move.end,)
        )
        used = dict(self.db.execute("SELECT id, used FROM main.conversation"))
        for seq, conversation, turn, kind, time, delta_of, data in self._events():
            stored = seq - move.start + move.end
            inserted = store.execute(
                "INSERT OR IGNORE INTO event"
                "(seq, conversation, turn, kind, time, delta_of, data) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (stored, conversation, turn, kind, time, delta_of, data),
            )
            if inserted.rowcount > 0 and delta_of is None:
                event = event_rows.record(
                    seq, conversation, turn, time, kind, data
                ).event
                imported = not used.get(conversation, 1)
                event_rows.follow(
                    store, conversation, turn, stored, time, event, imported=imported
                )
        trash.move(self.db, store)
        return move

    def rows(self, after: int) -> list[Row]:
        """Return the new events after `after`, in the form of a journal."""
        found = self.db.execute(
            "SELECT seq, conversation, turn, time, kind, data FROM main.event "
            "WHERE seq > ? ORDER BY seq",
            (after,),
        )
        # An unreadable event is bytes, but a journal holds only text.
        return [(*row[:5], event_rows.text(row[5])) for row in found]

    @property
    def empty(self) -> bool:
        """Whether there are no new events."""
        return not self.query("SELECT 1 FROM main.event LIMIT 1", ())

    def save(self, path: str) -> None:
        """Write the new events as a store of their own. Raises `sqlite3.Error`."""
        self.db.execute(
            "DELETE FROM main.conversation "
            "WHERE id NOT IN (SELECT conversation FROM main.event)"
        )
        target = sqlite3.connect(path)
        try:
            self.db.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Close the database, which discards the new events."""
        with self.lock:
            self.db.close()

    def _events(self) -> Iterator[tuple[Any, ...]]:
        return self.db.execute(
            "SELECT seq, conversation, turn, kind, time, delta_of, data "
            "FROM main.event ORDER BY seq"
        )

    def _tables(self) -> list[str]:
        """Return the tables that both databases have, without search indexes."""
        # Deleted conversations and attached files are not copied: the overlay never
        # changes them, and they are large.
        both = tables(self.db, "main") & tables(self.db, "stored")
        return sorted(both - trash.TABLES - {blobs.TABLE})

    def _version(self, schema: str) -> int:
        found = self.db.execute(f"PRAGMA {schema}.user_version").fetchone()
        return int(found[0])

    def _columns(self, table: str) -> str:
        """Return the columns that a table has in both: the store may be older."""
        stored = {
            row[1] for row in self.db.execute(f"PRAGMA stored.table_info({table})")
        }
        mine = [row[1] for row in self.db.execute(f"PRAGMA main.table_info({table})")]
        return ", ".join(name for name in mine if name in stored)


def tables(db: sqlite3.Connection, schema: str = "main") -> set[str]:
    """Return the names of the tables, without search indexes.

    Search indexes are derived from the other tables.
    """
    listed: list[tuple[str, str]] = db.execute(
        f"SELECT name, sql FROM {schema}.sqlite_master "
        "WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    ).fetchall()
    virtual = {n for n, sql in listed if sql.upper().startswith("CREATE VIRTUAL")}
    return {
        name
        for name, _ in listed
        if name not in virtual and not any(name.startswith(f"{v}_") for v in virtual)
    }


def last_seq(db: sqlite3.Connection, schema: str = "main") -> int:
    """Return the last `seq` that the log has assigned, 0 when there is none."""
    return db.execute(last_seq_sql(schema)).fetchone()[0]


def last_seq_sql(schema: str = "main") -> str:
    """Return the query for `last_seq`; it yields an integer whatever the store holds.

    SQLite keeps the number in a table like any other, which holds any type.
    """
    return (
        "SELECT coalesce(max(CAST(seq AS INTEGER)), 0) "
        f"FROM {schema}.sqlite_sequence WHERE name = 'event'"
    )


def uri(path: str, mode: str) -> str:
    """Return the SQLite URI of a file; `mode` is `rw`, `ro` or `immutable`."""
    option = "immutable=1" if mode == "immutable" else f"mode={mode}"
    # Quote bytes, because the path may be invalid UTF-8.
    return f"file:{quote(os.fsencode(path))}?{option}"


def has_wal(path: Path) -> bool:
    """Return whether the store has a write-ahead log that is not empty."""
    wal = path.with_name(path.name + "-wal")
    return wal.is_file() and wal.stat().st_size > 0


def roll_back(connection: sqlite3.Connection) -> None:
    """Roll back the open transaction, if there is one."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
