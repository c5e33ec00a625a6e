"""Long messages are indexed after they are stored, and are found all the while."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.terminal import wait_until

from tui import conversation
from tui.eventlog import EventLog
from tui.eventlog.sqlite import late_index
from tui.eventlog.sqlite.late_index import LateIndex
from tui.events import MessageAdded, TextDelta
from tui.messages import Message

LIMIT = 30.0
LONG = "alpha " + " ".join(f"word{number}" for number in range(60_000)) + " omega"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "lazychat.db"


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing is ever idle for long enough."""
    with monkeypatch.context() as patched:
        patched.setattr(late_index, "PAUSE_SECONDS", 3600.0)
        yield patched


def say(log: EventLog, id: str, text: str, of: str = "c") -> None:
    log.append(of, MessageAdded(id, Message("assistant", text))).result(LIMIT)


def found(log: EventLog, query: str) -> list[str]:
    return [hit.message_id for hit in conversation.search(log, query)]


def left(log: EventLog) -> list[tuple[int, int]]:
    return log.query("SELECT seq, done FROM unindexed")


def indexed(log: EventLog, term: str) -> list[int]:
    sql = "SELECT rowid FROM message_text WHERE message_text MATCH ?"
    return [seq for (seq,) in log.query(sql, (term,))]


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO message_text(message_text) VALUES ('integrity-check')")
        return db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.usefixtures("never")
def test_a_long_message_is_found_before_it_is_in_the_index(path: Path) -> None:
    with EventLog(path) as log:
        say(log, "short", "omega too")
        say(log, "long", LONG)

        assert left(log) == [(2, 0)]
        assert found(log, "alpha omega") == ["long"]
        assert found(log, "omega") == ["long", "short"]
        assert found(log, "nothing") == []


def test_the_index_has_a_long_message_soon(path: Path) -> None:
    with EventLog(path) as log:
        say(log, "long", LONG)

        wait_until(lambda: not left(log))

        assert indexed(log, "alpha AND omega AND word31234") == [1]
        assert found(log, "word59999") == ["long"]
    assert is_sound(path)


def test_a_message_of_which_a_part_is_in_the_index_is_completed_later(
    path: Path, never: pytest.MonkeyPatch
) -> None:
    with EventLog(path) as log:
        say(log, "long", LONG)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        LateIndex().step(db)
        assert db.execute("SELECT done > 0 FROM unindexed").fetchall() == [(1,)]

    with EventLog(path) as log:
        assert indexed(log, "alpha") == [1]
        assert indexed(log, "omega") == []
        assert found(log, "alpha omega") == ["long"]
        assert found(log, "alpha") == ["long"]
    never.undo()
    with EventLog(path) as log:
        wait_until(lambda: not left(log))
        assert indexed(log, "alpha AND omega") == [1]
    assert is_sound(path)


@pytest.mark.parametrize("pieces", [0, 1, 2])
@pytest.mark.usefixtures("never")
def test_what_is_deleted_leaves_nothing_in_the_index(path: Path, pieces: int) -> None:
    with EventLog(path) as log:
        say(log, "long", LONG)
        say(log, "other", "alpha", of="d")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for _ in range(pieces):
            LateIndex().step(db)

    with EventLog(path) as log:
        conversation.delete(log, "c")

        assert left(log) == []
        assert indexed(log, "alpha") == [2]
        assert indexed(log, "word1") == []
        log.purge()
    assert is_sound(path)
    assert b"word12345" not in path.read_bytes()


@pytest.mark.usefixtures("never")
def test_a_store_that_another_program_writes_to_is_left_alone(path: Path) -> None:
    with EventLog(path) as log:
        say(log, "long", LONG)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, isolation_level=None)) as db,
    ):
        other.execute("BEGIN IMMEDIATE")
        index = LateIndex()
        index.step(db)
        assert (index.wait or 0.0) > 0
        other.execute("ROLLBACK")
        assert db.execute("SELECT done FROM unindexed").fetchall() == [(0,)]
        index.step(db)
        assert db.execute("SELECT done > 0 FROM unindexed").fetchall() == [(1,)]


def test_the_end_of_a_long_answer_is_not_held_up(path: Path) -> None:
    with EventLog(path) as log:
        say(log, "long", LONG)
        log.append("d", TextDelta("m", "more")).result(LIMIT)
        # As they are written: nothing of it waits for the index.
        assert left(log)
        wait_until(lambda: not left(log))
