"""An in-memory store over the unwritable one.

A database in memory, of the same tables, laid over the store: a temporary view
called `event` shows what is stored up to the moment when the trouble began and what
has come since, so everybody's SQL goes on working. What comes gets the numbers that
follow the last one stored. When the store can be written again all of it goes there,
with the same numbers unless another process has taken them: see `Move`.
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
from tui.eventlog.sqlite import event_rows, trash

ONCE = "('turn_started', 'turn_finished')"
"""The kinds of which a turn has one."""


class Move(NamedTuple):
    """What had the numbers from `start` + 1 on got those from `end` + 1 on.

    Those between belong to another process, which wrote while this one could not.
    """

    start: int
    end: int
    strange: bool = False
    """Whether it is another store, of which nothing has to do with what was read."""

    def number(self, seq: int) -> int:
        """Return what number the record `seq` has now."""
        return seq + self.end - self.start if seq > self.start else seq


class StandIn:
    """The events that are not stored yet, over those that are.

    `connect` opens a connection to a database, `migrate` makes the tables. Any
    thread may `query`; one writes, to `db`, and holds `lock` meanwhile, so that
    nobody reads half a batch.
    """

    def __init__(
        self,
        connect: Callable[[str], sqlite3.Connection],
        migrate: Callable[[sqlite3.Connection], None],
    ) -> None:
        self.lock = threading.RLock()
        self.start = 0
        """The last `seq` before those in here."""
        self.stored = False
        """Whether what is stored can be seen through it."""
        self.db = connect(":memory:")
        self.db.text_factory = event_rows.text
        try:
            self.db.execute("PRAGMA busy_timeout = 1000")
            # The disk is perhaps what is in trouble.
            self.db.execute("PRAGMA temp_store = MEMORY")
            migrate(self.db)
        except BaseException:
            self.db.close()
            raise

    def lay_over(self, uri: str) -> int:
        """Show what is stored in the database `uri`; return its last `seq`.

        Raises `sqlite3.Error`. Followed by `begin`.
        """
        self.db.execute("ATTACH ? AS stored", (uri,))
        if self._version("stored") > self._version("main"):
            raise sqlite3.NotSupportedError("it was written by a newer lazychat")
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
        """Show nothing that is stored: it cannot be read."""
        self.stored = False
        with suppress(sqlite3.Error):
            self.db.execute("DETACH stored")

    def begin(self, start: int) -> None:
        """Number what comes from `start` + 1 on."""
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
            # What was claimed or has ended in the store is not to be so again here.
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
        """Run a SELECT, over both."""
        with self.lock:
            return event_rows.fetch(self.db, sql, parameters)

    def copy_to(self, store: sqlite3.Connection) -> Move:
        """Write what is in here to `store`, within its transaction.

        A claim or an end that another process has written meanwhile is left out.
        """
        # A mended store may have lost its last records: no number is given twice. Nor
        # may a new one begin anew: whoever reads on stands after the last one given.
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
        """Return the events in here after `after`, as a journal has them."""
        found = self.db.execute(
            "SELECT seq, conversation, turn, time, kind, data FROM main.event "
            "WHERE seq > ? ORDER BY seq",
            (after,),
        )
        # What could not be read is bytes, which the lines of a journal cannot be.
        return [(*row[:5], event_rows.text(row[5])) for row in found]

    @property
    def empty(self) -> bool:
        """Whether no event is in here."""
        return not self.query("SELECT 1 FROM main.event LIMIT 1", ())

    def save(self, path: str) -> None:
        """Write what is in here as a store of its own. Raises `sqlite3.Error`."""
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
        """Forget everything."""
        with self.lock:
            self.db.close()

    def _events(self) -> Iterator[tuple[Any, ...]]:
        return self.db.execute(
            "SELECT seq, conversation, turn, kind, time, delta_of, data "
            "FROM main.event ORDER BY seq"
        )

    def _tables(self) -> list[str]:
        """Return the tables that both have, without those of a search index."""
        # What was deleted stays where it is: nothing of it is changed from here.
        both = tables(self.db, "main") & tables(self.db, "stored")
        return sorted(both - trash.TABLES)

    def _version(self, schema: str) -> int:
        found = self.db.execute(f"PRAGMA {schema}.user_version").fetchone()
        return int(found[0])

    def _columns(self, table: str) -> str:
        """Return the columns of a table that both have: the store may be older."""
        stored = {
            row[1] for row in self.db.execute(f"PRAGMA stored.table_info({table})")
        }
        mine = [row[1] for row in self.db.execute(f"PRAGMA main.table_info({table})")]
        return ", ".join(name for name in mine if name in stored)


def tables(db: sqlite3.Connection, schema: str = "main") -> set[str]:
    """Return the names of the tables that hold what was said.

    Search indexes are left out: they are made from the others.
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
    """Return the last number that the log has given, 0 when none."""
    found = db.execute(
        f"SELECT seq FROM {schema}.sqlite_sequence WHERE name = 'event'"
    ).fetchone()
    return found[0] if found else 0


def uri(path: str, mode: str) -> str:
    """Return SQLite's name for a file, with its `mode`: `rw`, `ro`, `immutable`."""
    option = "immutable=1" if mode == "immutable" else f"mode={mode}"
    # As bytes: a name may be no UTF-8.
    return f"file:{quote(os.fsencode(path))}?{option}"


def has_wal(path: Path) -> bool:
    """Return whether something is in the write-ahead log of the store."""
    wal = path.with_name(path.name + "-wal")
    return wal.is_file() and wal.stat().st_size > 0


def abandon(connection: sqlite3.Connection) -> None:
    """Roll back what is open."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
