"""Reads the log from any thread; from the fallback while that is active."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from tui import bounds
from tui.errors import LogError
from tui.eventlog.sqlite import error_codes, event_rows
from tui.eventlog.sqlite.overlay import Move, StandIn
from tui.events import Event, Record, Unreadable, without_surrogates


class Position:
    """Where somebody is who reads the log on and on.

    `after` is the `seq` of the last record read. It is kept right when records that
    were read before they were stored have got other numbers there. One thread.
    """

    def __init__(self, after: int, moved: int) -> None:
        self.after = after
        self._moved = moved
        """How many moves it has made."""
        self._read: list[tuple[int, int]] = []
        """What has been read already, though it comes after `after`."""

    def move(self, moves: list[Move]) -> None:
        """Make the `moves` that it has not made yet."""
        for start, end, strange in moves[self._moved :]:
            if strange:
                self.after = max(self.after, start) + end - start
            elif self.after > start and end > start:
                # Others' records have come before ours: read those, not these again.
                self._read.append((end, self.after + end - start))
                self.after = start
        self._moved = len(moves)

    def is_new(self, seq: int) -> bool:
        """Return whether the record after `after` has not been read."""
        return not any(first < seq <= last for first, last in self._read)


@cache
def _select(late: bool, one: bool, settled: bool) -> str:
    """Return the query for records: of what stands in, of one conversation, whole."""
    where = "conversation = :conversation AND " if one else ""
    where += "delta_of IS NULL AND " if settled else ""
    return (
        "SELECT seq, conversation, turn, time, kind, CAST(data AS BLOB) "
        f"FROM {'main.event' if late else 'event'} "
        f"WHERE {where}seq > :after ORDER BY seq LIMIT :limit"
    )


class Reader:
    """A pool of reading connections: each is used by one thread at a time.

    A pool rather than one connection a thread: threads come and go, and a
    connection that died with its thread could not be closed in order.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        damaged: Callable[[], None] = lambda: None,
        odd: Callable[[], object] = lambda: None,
        short: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what opens a connection, and what is told of a broken page, of text
        that is no UTF-8, and of a page that the log has no more."""
        self._connect = connect
        self._damaged = damaged
        self._odd = odd
        self._short = short
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._stand_in: StandIn | None = None
        self._moves: list[Move] = []
        self._switches = 0
        """How often readers have been sent elsewhere."""
        self._seen = 0
        """The largest `seq` that anybody in this process knows of."""
        self.unreadable: set[int] = set()
        """The `seq` of records that were met and could not be read."""

    def read(
        self,
        conversation: str | None = None,
        after: int | Position = 0,
        limit: int = -1,
        *,
        provisional: bool = True,
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first; no side effect.

        `conversation` None means all of them; `limit` -1 means no limit. With
        `provisional` False those are left out that go when their message is added. A
        `Position` is not set to the last of them: its owner does it.
        """
        while True:
            with self._lock:
                stand_in, switches = self._stand_in, self._switches
                if isinstance(after, Position):
                    after.move(self._moves)
            start = after.after if isinstance(after, Position) else after
            wanted = {"conversation": conversation, "after": start, "limit": limit}
            # The store itself is left in peace where it has nothing to say.
            late = stand_in is not None and start >= stand_in.start
            sql = _select(late, conversation is not None, not provisional)
            found = self._query(stand_in, sql, wanted, most=bounds.LARGEST_RECORD)
            if self._stands(switches, found[-1][0] if found else 0):
                break
        if isinstance(after, Position):
            found = [row for row in found if after.is_new(row[0])]
        records = [event_rows.record(*row) for row in found]
        self.unreadable.update(
            it.seq for it in records if isinstance(it.event, Unreadable)
        )
        return records

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows. Raises `LogError`."""
        while True:
            with self._lock:
                stand_in, switches = self._stand_in, self._switches
            found = self._query(stand_in, sql, parameters)
            if self._stands(switches):
                return found

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        found = self.query("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        seq = found[0][0] if found else 0
        with self._lock:
            self._seen = max(self._seen, seq)
        return seq

    def position(self, after: int) -> Position:
        """Return a position that goes on `after` a `seq` of now."""
        with self._lock:
            return Position(after, len(self._moves))

    def go_to(self, stand_in: StandIn, last: int) -> None:
        """Read what stands in, from now on; `last` is the last `seq` of the store."""
        with self._lock:
            stand_in.begin(max(last, self._seen))
            self._stand_in = stand_in
            self._switches += 1

    def go_back(self, move: Move) -> None:
        """Read the store again, which holds now what stood in."""
        with self._lock:
            self._stand_in = None
            self._switches += 1
            self._moves.append(move)
            # The file may be another one.
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the connections that are not in use, and the others after use."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _stands(self, switches: int, seq: int = 0) -> bool:
        """Return whether what was read is from where one reads now."""
        with self._lock:
            stands = switches == self._switches
            if stands and seq > self._seen:
                self._seen = seq
            return stands

    def _query(
        self,
        stand_in: StandIn | None,
        sql: str,
        parameters: Sequence[object] | Mapping[str, object],
        most: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT; with `most` no event is loaded that has more bytes."""
        try:
            if stand_in:
                if self._closed:
                    raise LogError("The conversation store is closed.")
                return stand_in.query(sql, parameters)
            connection, switches = self._take()
            try:
                if most:
                    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most)
                return event_rows.fetch(connection, sql, parameters, self._met_odd)
            except sqlite3.DataError as error:
                if error_codes.code(error) != sqlite3.SQLITE_TOOBIG or not most:
                    raise
                return _one_by_one(connection, sql, parameters)
            finally:
                if most:
                    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _NO_LIMIT)
                self._put_back(connection, switches)
        except UnicodeEncodeError:
            # Nothing in the store is like it, once it is Unicode.
            return self._query(stand_in, sql, _as_unicode(parameters))
        except sqlite3.Error as error:
            if stand_in is not self._stand_in:
                return []  # one reads elsewhere now, and again
            if error_codes.code(error) in error_codes.DAMAGED:
                self._damaged()
                raise LogError(
                    f"The conversation store is damaged: {error}. Restart lazychat: "
                    "it sets the store aside and saves what can be read of it."
                ) from error
            if error_codes.is_short(error):
                self._short()
            raise LogError(
                f"The conversation store cannot be read: {error}."
            ) from error

    def _met_odd(self) -> None:
        """Tell it once."""
        told, self._odd = self._odd, lambda: None
        told()

    def _take(self) -> tuple[sqlite3.Connection, int]:
        """Return a connection for one reader, and how often readers had moved."""
        with self._lock:
            if self._closed:
                raise LogError("The conversation store is closed.")
            connection = self._idle.pop() if self._idle else None
            switches = self._switches
        return connection or self._connect(), switches

    def _put_back(self, connection: sqlite3.Connection, switches: int) -> None:
        with self._lock:
            keep = not self._closed and switches == self._switches
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()


_NO_LIMIT = 2**31 - 1
"""SQLite takes it for the largest that it was built for."""


def _one_by_one(connection: sqlite3.Connection, sql: str, parameters: Any) -> list[Any]:
    """Return the rows of `_select`, of those that are too long their beginning.

    A row that is too long is not loaded: SQLite reads a part of it where it stands.
    """
    bare = sql.replace("CAST(data AS BLOB)", "NULL", 1)
    found: list[Any] = []
    for seq, of, turn, at, kind, _ in event_rows.fetch(connection, bare, parameters):
        data: bytes | Event | None = None
        with (
            suppress(sqlite3.OperationalError),  # of a number or NULL
            connection.blobopen("event", "data", seq, readonly=True) as blob,
        ):
            size = len(blob)
            if size <= bounds.LARGEST_RECORD:
                data = blob.read()
            else:
                head = blob.read(event_rows.HEAD)
                blob.seek(size - event_rows.TAIL)
                data = event_rows.excerpt(
                    event_rows.text(kind), head, blob.read(), size
                )
        found.append((seq, of, turn, at, kind, data))
    return found


def _as_unicode(
    parameters: Sequence[object] | Mapping[str, object],
) -> Sequence[object] | Mapping[str, object]:
    def clean(value: object) -> object:
        return without_surrogates(value) if isinstance(value, str) else value

    if isinstance(parameters, Mapping):
        return {name: clean(value) for name, value in parameters.items()}
    return [clean(value) for value in parameters]
