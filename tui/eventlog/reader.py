"""Reads the log in any thread; reads the fallback while it is active."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from tui import bounds
from tui.errors import LogError
from tui.eventlog.sqlite import error_codes, event_rows
from tui.eventlog.sqlite.overlay import Move, Overlay, last_seq_sql
from tui.events import Event, Record, Unreadable, without_surrogates
from tui.i18n import _


class Position:
    """A reader's position in the log.

    `after` is the `seq` of the last record read. The position stays valid when records
    that were read from the fallback get other numbers in the store. Use it in one
    thread.
    """

    def __init__(self, after: int, moved: int) -> None:
        self.after = after
        self._moved = moved
        """How many moves have been applied."""
        self._read: list[tuple[int, int]] = []
        """Ranges of `seq` after `after` that have been read already."""

    def move(self, moves: list[Move]) -> None:
        """Apply the `moves` that have not been applied yet."""
        for start, end, strange in moves[self._moved :]:
            if strange:
                self.after = max(self.after, start) + end - start
            elif self.after > start and end > start:
                # Records of other processes now come before ours: read those, and skip
                # ours, which were read already.
                self._read.append((end, self.after + end - start))
                self.after = start
        self._moved = len(moves)

    def is_new(self, seq: int) -> bool:
        """Return whether the record `seq` has not been read yet."""
        return not any(first < seq <= last for first, last in self._read)


@cache
def _select(late: bool, one: bool, settled: bool) -> str:
    """Return the SQL query for records.

    `late` selects the fallback alone, `one` one conversation, `settled` no deltas.
    """
    where = "conversation = :conversation AND " if one else ""
    where += "delta_of IS NULL AND " if settled else ""
    return (
        "SELECT seq, conversation, turn, time, kind, CAST(data AS BLOB) "
        f"FROM {'main.event' if late else 'event'} "
        f"WHERE {where}seq > :after ORDER BY seq LIMIT :limit"
    )


class Reader:
    """A pool of reading connections, each used by one thread at a time.

    A pool rather than a connection for each thread: threads come and go, and a
    connection that died with its thread could not be closed properly.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        damaged: Callable[[], None] = lambda: None,
        odd: Callable[[], object] = lambda: None,
        short: Callable[[], None] = lambda: None,
    ) -> None:
        """Use `connect` to open connections, and report what reads find.

        `damaged` is called for a damaged page, `odd` once for invalid UTF-8, and
        `short` for a page that is missing because the log was truncated.
        """
        self._connect = connect
        self._damaged = damaged
        self._odd = odd
        self._short = short
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._overlay: Overlay | None = None
        self._moves: list[Move] = []
        self._switches = 0
        """How often readers have switched between the store and the fallback."""
        self._seen = 0
        """The largest `seq` that any reader of this process has seen."""
        self.unreadable: set[int] = set()
        """The `seq` of each unreadable record found so far."""

    def read(
        self,
        conversation: str | None = None,
        after: int | Position = 0,
        limit: int = -1,
        *,
        provisional: bool = True,
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first, without side effects.

        `conversation` None means all conversations; `limit` -1 means no limit. With
        `provisional` False deltas are left out. This method does not advance a
        `Position`; its owner does.
        """
        while True:
            with self._lock:
                overlay, switches = self._overlay, self._switches
                if isinstance(after, Position):
                    after.move(self._moves)
            start = after.after if isinstance(after, Position) else after
            wanted = {"conversation": conversation, "after": start, "limit": limit}
            # Do not query the store when all wanted records are in the fallback.
            late = overlay is not None and start >= overlay.start
            sql = _select(late, conversation is not None, not provisional)
            found = self._query(overlay, sql, wanted, most=bounds.LARGEST_RECORD)
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
                overlay, switches = self._overlay, self._switches
            found = self._query(overlay, sql, parameters)
            if self._stands(switches):
                return found

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        ((seq,),) = self.query(last_seq_sql())
        with self._lock:
            self._seen = max(self._seen, seq)
        return seq

    def position(self, after: int) -> Position:
        """Return a position at `after`, a `seq` in the current numbering."""
        with self._lock:
            return Position(after, len(self._moves))

    def switch_to(self, overlay: Overlay, last: int) -> None:
        """Read from `overlay` from now on; `last` is the last `seq` of the store."""
        with self._lock:
            overlay.begin(max(last, self._seen))
            self._overlay = overlay
            self._switches += 1

    def switch_back(self, move: Move) -> None:
        """Read from the store again, which now has the events of the fallback."""
        with self._lock:
            self._overlay = None
            self._switches += 1
            self._moves.append(move)
            # The connections may belong to a file that has been replaced.
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the idle connections now, and the others after their use."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _stands(self, switches: int, seq: int = 0) -> bool:
        """Return whether readers have not switched since `switches` was taken."""
        with self._lock:
            stands = switches == self._switches
            if stands and seq > self._seen:
                self._seen = seq
            return stands

    def _query(
        self,
        overlay: Overlay | None,
        sql: str,
        parameters: Sequence[object] | Mapping[str, object],
        most: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT; with `most`, load no event of more bytes than that."""
        try:
            if overlay:
                if self._closed:
                    raise LogError(_("The conversation store is closed."))
                return overlay.query(sql, parameters)
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
            # A lone surrogate: replace it, since the store holds none either.
            return self._query(overlay, sql, _as_unicode(parameters))
        except sqlite3.Error as error:
            if overlay is not self._overlay:
                return []  # readers have switched: the caller reads again
            if error_codes.code(error) in error_codes.DAMAGED:
                self._damaged()
                raise LogError(
                    _(
                        "The conversation store is damaged: {error}. Restart "
                        "lazychat: it sets the store aside and saves what can be "
                        "read of it."
                    ).format(error=error)
                ) from error
            if error_codes.is_short(error):
                self._short()
            raise LogError(
                _("The conversation store cannot be read: {error}.").format(error=error)
            ) from error

    def _met_odd(self) -> None:
        """Report invalid UTF-8, once."""
        report, self._odd = self._odd, lambda: None
        report()

    def _take(self) -> tuple[sqlite3.Connection, int]:
        """Return a connection for one reader, and the count of switches so far."""
        with self._lock:
            if self._closed:
                raise LogError(_("The conversation store is closed."))
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
"""SQLite reduces this to the largest limit that it was built with."""


def _one_by_one(connection: sqlite3.Connection, sql: str, parameters: Any) -> list[Any]:
    """Return the rows of `_select`, with an excerpt of each event that is too long.

    SQLite's incremental I/O reads the parts of a long row without loading it.
    """
    bare = sql.replace("CAST(data AS BLOB)", "NULL", 1)
    found: list[Any] = []
    for seq, of, turn, at, kind, __ in event_rows.fetch(connection, bare, parameters):
        data: bytes | Event | None = None
        with (
            suppress(sqlite3.OperationalError),  # the value is a number or NULL
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
