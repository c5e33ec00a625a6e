"""Reads the log, from any thread."""

import sqlite3
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tui import events
from tui.errors import LogError
from tui.events import Record


class Reader:
    """A pool of reading connections: each is used by one thread at a time.

    A pool rather than one connection a thread: threads come and go, and a
    connection that died with its thread could not be closed in order.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    def read(
        self,
        conversation: str | None = None,
        after: int = 0,
        limit: int = -1,
        *,
        provisional: bool = True,
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first; no side effect.

        `conversation` None means all of them; `limit` -1 means no limit. With
        `provisional` False those are left out that go when their message is added.
        """
        where = "" if conversation is None else "conversation = :conversation AND "
        where += "" if provisional else "delta_of IS NULL AND "
        rows = self.query(
            "SELECT seq, conversation, turn, time, kind, data FROM event "
            f"WHERE {where}seq > :after ORDER BY seq LIMIT :limit",
            {"conversation": conversation, "after": after, "limit": limit},
        )
        return [
            Record(seq, of, turn, at, events.decode(kind, data.encode()))
            for seq, of, turn, at, kind, data in rows
        ]

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        rows = self.query("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return rows[0][0] if rows else 0

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows. Raises `LogError`."""
        try:
            with self._connection() as connection:
                return connection.execute(sql, parameters).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue] # the stubs want a narrower mapping
        except sqlite3.Error as error:
            raise LogError(
                f"The conversation store cannot be read: {error}."
            ) from error

    def close(self) -> None:
        """Close the connections that are not in use, and the others after use."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise LogError("The conversation store is closed.")
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._connect()
        try:
            yield connection
        finally:
            with self._lock:
                if keep := not self._closed:
                    self._idle.append(connection)
            if not keep:
                connection.close()
