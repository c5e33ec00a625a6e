"""Sets a damaged store aside and recovers its readable rows.

Rows are read by their number, a thousand at a time. When a range fails, it is halved
until only the rows on damaged pages are missing. The damaged file itself stays
unchanged, for other recovery tools. A process that finds its file replaced switches to
the new one: see `Writer`.
"""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from tui import events
from tui.errors import LogError, NewerError
from tui.eventlog.sqlite import blobs, error_codes, event_rows
from tui.eventlog.sqlite.overlay import tables, uri
from tui.events import PROVISIONAL
from tui.i18n import _, ngettext

CHUNK = 1000
"""How many rows are read at a time while no page is damaged."""

FARTHEST = 1 << 20
"""The last row number to try when the real one is unknown."""

FRUITLESS = 16
"""How many empty chunks of `CHUNK` rows end that search."""

DERIVED = {"event", "running", "purge", "unindexed"}
"""The tables that are not copied, but filled from the recovered events."""

LOCK_SECONDS = 15.0
"""Seconds to wait for other processes' locks."""

Connect = Callable[[str, float], sqlite3.Connection]
Migrate = Callable[[sqlite3.Connection], None]


class Saved(msgspec.Struct, frozen=True):
    """How much of a damaged store was recovered."""

    conversations: int
    lost: int
    """The number of records on damaged pages, which are lost."""


def mark(path: Path) -> None:
    """Mark the store as damaged, so that the next process that opens it checks it."""
    with suppress(OSError):
        _marker(path).touch(mode=0o600)


def is_marked(path: Path) -> bool:
    """Return whether a reader found a damaged page."""
    return _marker(path).exists()


def repair(path: Path, connect: Connect, migrate: Migrate) -> str:
    """Replace the store if it is damaged; return a message for the user, else "".

    Raises `LogError` when the store cannot be checked (locked, newer) or replaced; it
    then stays unchanged. A second caller finds the store already repaired.
    """
    with alone(path):
        try:
            damage = _damage(path, connect)
            message = _replace(path, damage, connect, migrate) if damage else ""
            with suppress(FileNotFoundError):
                _marker(path).unlink()
        except (OSError, sqlite3.Error) as error:
            raise LogError(
                _(
                    "The conversation store {path} is damaged and cannot be "
                    "repaired: {error}."
                ).format(path=path, error=error)
            ) from error
    return message


def _replace(path: Path, damage: str, connect: Connect, migrate: Migrate) -> str:
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        saved = save(path, fresh, connect, migrate)
        aside = set_aside(path, fresh)
    finally:
        remove(fresh)
    number = saved.conversations
    what = ngettext(
        "{count} conversation was", "{count} conversations were", number
    ).format(count=number)
    lost = (
        _(", but {lost} records were lost").format(lost=saved.lost)
        if saved.lost
        else ""
    )
    return _(
        "The conversation store was damaged ({damage}) and is set aside as "
        "{aside}. {what} recovered{lost}."
    ).format(damage=damage, aside=aside, what=what, lost=lost)


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".damaged")


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Keep other processes from repairing the same store at the same time."""
    lock = path.with_name(path.name + ".repairing")
    while True:
        held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held), lock.stat()):
                break
        os.close(held)  # the previous holder has removed the lock file: try again
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(held)


def _damage(path: Path, connect: Connect) -> str:
    """Return a description of the damage, "" when there is none."""
    try:
        with closing(connect(uri(str(path), "ro"), LOCK_SECONDS)) as db:
            return _problem(db)
    except sqlite3.DatabaseError as error:
        if error_codes.code(error) not in error_codes.DAMAGED:
            raise
        return str(error)


def _problem(db: sqlite3.Connection) -> str:
    (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if found == "ok" else " ".join(found.replace("*", "").split())


def save(path: Path, fresh: Path, connect: Connect, migrate: Migrate) -> Saved:
    """Write the readable rows of a damaged store to a new file `fresh`."""
    remove(fresh)
    os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(str(fresh), LOCK_SECONDS)) as new:
        migrate(new)
        new.execute("BEGIN IMMEDIATE")
        saved = Saved(0, 0)
        try:
            with _opened(path, fresh, connect) as old:
                saved = _copy(old, new)
        except sqlite3.DatabaseError as error:
            # Damaged: not even the list of tables can be read. Any other error is about
            # the new file (no room), so the old one must stay in place.
            if error_codes.code(error) not in error_codes.DAMAGED:
                raise
        new.execute("COMMIT")
    return saved


@contextmanager
def _opened(path: Path, fresh: Path, connect: Connect) -> Generator[sqlite3.Connection]:
    """Open a damaged store for reading, or a copy with a repaired header if needed."""
    copy = fresh.with_name(fresh.name + "-copy")
    try:
        try:
            old = connect(uri(str(path), "ro"), LOCK_SECONDS)
            try:
                old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except BaseException:
                old.close()
                raise
        except sqlite3.DatabaseError as error:
            if error_codes.code(error) not in error_codes.DAMAGED:
                raise
            _copy_readable(path, copy, fresh)
            old = connect(uri(str(copy), "rw"), LOCK_SECONDS)
        with closing(old):
            old.text_factory = _text
            yield old
    finally:
        remove(copy)


def _copy_readable(path: Path, copy: Path, like: Path) -> None:
    """Copy `path` so that SQLite can read beyond its first page.

    Replaces an invalid header by that of `like`, and missing pages at the end by empty
    ones (https://sqlite.org/fileformat.html).
    """
    shutil.copyfile(path, copy)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    size = copy.stat().st_size
    with like.open("rb") as whole, copy.open("r+b") as broken:
        good, header = whole.read(100), broken.read(100)
        # The magic, the page size and the fields behind it are the same in each store.
        if (header[:18], header[20:24]) != (good[:18], good[20:24]):
            pages = (size // _page_size(good)).to_bytes(4, "big")
            # Say that there are no free pages, and that the page count is valid.
            header = (
                good[:28] + pages + bytes(8) + good[40:92] + good[24:28] + good[96:]
            )
            broken.seek(0)
            broken.write(header)
        pages = int.from_bytes(header[28:32], "big")
        if size < pages * _page_size(good) < size + FARTHEST * _page_size(good):
            broken.truncate(pages * _page_size(good))


def _page_size(header: bytes) -> int:
    return int.from_bytes(header[16:18], "big")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> Saved:
    version, known = (
        db.execute("PRAGMA user_version").fetchone()[0] for db in (old, new)
    )
    if version > known:
        raise NewerError(
            _(
                "The conversation store is damaged, and was written by a newer "
                "lazychat (format {version}, this one knows {known}), so it is "
                "left unchanged. Update lazychat."
            ).format(version=version, known=known)
        )
    numbers, found = _numbers(old, "event"), 0
    columns = _columns(old, new, "event")
    for row in _rows(old, "event", columns, numbers):
        named = dict(zip(columns, row, strict=True))
        event = _event(named)
        if event and _insert(new, "event", columns, row):
            found += 1
            if not isinstance(event, PROVISIONAL):
                of, turn, at = named["conversation"], named["turn"], named["time"]
                event_rows.follow(new, of, turn, named["seq"], at, event)
    # Copy the rows that do not derive from events, or derive from lost ones.
    for table in sorted((tables(new) & tables(old)) - DERIVED):
        columns = _columns(old, new, table)
        for row in _rows(old, table, columns, _numbers(old, table)):
            _insert(new, table, columns, row)
    # A `seq` must never be reused.
    sequence = (
        "SELECT CAST(seq AS INTEGER) FROM sqlite_sequence "
        "WHERE name = 'event' AND seq IS NOT NULL"
    )
    known = [row[0] for db in (old, new) for row in _tried(db, sequence)]
    last = max([*known, *([numbers[-1]] if numbers else [])], default=0)
    new.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
    new.execute("INSERT INTO sqlite_sequence(name, seq) VALUES ('event', ?)", (last,))
    (conversations,) = new.execute(
        "SELECT count(*) FROM (SELECT conversation FROM event "
        "UNION SELECT id FROM conversation)"
    ).fetchone()
    return Saved(conversations, len(numbers) - found if numbers else 0)


def _tried(db: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, [] when they cannot be read."""
    with suppress(sqlite3.DatabaseError):
        return db.execute(sql).fetchall()
    return []


def _numbers(db: sqlite3.Connection, table: str) -> list[int] | None:
    """Return all row numbers from an undamaged full index, None if there is none."""
    for __, index, __, __, partial in _tried(db, f"PRAGMA index_list({table})"):
        if not partial:
            sql = f"SELECT rowid FROM {table} INDEXED BY {index}"
            if found := _tried(db, sql):
                return sorted(row[0] for row in found)
    return None


def _event(row: dict[str, Any]) -> events.Event | None:
    """Return the event of a row, None when it cannot be decoded."""
    if not isinstance(row["kind"], str) or not isinstance(row["data"], str):
        return None
    try:
        return events.decode(row["kind"], row["data"].encode())
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def _columns(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> list[str]:
    info = f"PRAGMA table_info({table})"
    known = {row[1] for row in old.execute(info)}
    return [row[1] for row in new.execute(info) if row[1] in known]


def _rows(
    db: sqlite3.Connection, table: str, columns: list[str], numbers: list[int] | None
) -> Iterator[tuple[Any, ...]]:
    """Yield all readable rows: those in `numbers`, or any if it is None."""
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE rowid BETWEEN ? AND ?"
    ends = f"SELECT max(rowid) FROM {table}"
    last = max([row[0] or 0 for row in _tried(db, ends)], default=FARTHEST)
    wanted: Sequence[int] = range(1, last + 1) if numbers is None else numbers
    fruitless = 0
    # A file of 20 MB is one row: read those one by one, when their numbers are known.
    chunk = 1 if table == blobs.TABLE and last != FARTHEST else CHUNK
    for start in range(0, len(wanted), chunk):
        found = _some(db, sql, wanted[start : start + chunk])
        yield from found
        # With a damaged last page the end of the table is unknown.
        fruitless = 0 if found else fruitless + 1
        if numbers is None and last == FARTHEST and fruitless == FRUITLESS:
            return


def _some(
    db: sqlite3.Connection, sql: str, wanted: Sequence[int]
) -> list[tuple[Any, ...]]:
    try:
        return db.execute(sql, (wanted[0], wanted[-1])).fetchall()
    except sqlite3.DatabaseError as error:
        if error_codes.code(error) in error_codes.BUSY:
            raise
        if len(wanted) == 1:
            return []
    middle = len(wanted) // 2
    return _some(db, sql, wanted[:middle]) + _some(db, sql, wanted[middle:])


def _insert(
    db: sqlite3.Connection, table: str, columns: list[str], row: tuple[Any, ...]
) -> bool:
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT OR IGNORE INTO {table}({', '.join(columns)}) VALUES ({marks})"
    return db.execute(sql, row).rowcount > 0


def name_aside(path: Path) -> Path:
    """Return an unused name for a damaged store."""
    day = time.strftime("%Y-%m-%d")
    names = (path.with_name(f"{path.name}.broken-{day}-{n}") for n in count(1))
    return next(name for name in names if not name.exists())


def set_aside(path: Path, fresh: Path) -> Path:
    """Rename `path`, give its name to `fresh`, and return the new name of `path`."""
    aside = name_aside(path)
    try:
        # Link before replacing, so that a file named `path` exists at every moment.
        os.link(path, aside)
    except OSError:  # the file system has no links
        path.rename(aside)
    # SQLite must not apply the old file's log to the new file.
    for suffix in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    fresh.replace(path)
    return aside


def remove(path: Path) -> None:
    """Remove a database and the files that SQLite puts beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
