"""A store that another process has locked, for a moment or for long."""

import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic

import pytest
from support.store import (
    LIMIT,
    answer,
    is_whole,
    locked,
    stored,
    stream,
    talk,
    text,
    texts,
    until,
)

from tui.errors import LogError
from tui.eventlog import EventLog, open_log
from tui.events import (
    Queued,
)


def test_a_lock_of_another_program_does_not_stop_the_stream(path, told):
    with EventLog(path, told.append) as log:
        with locked(path):
            assert stream(log, 50) == answer(50)
        until(lambda: "".join(stored(path)[:-1]) == answer(50))
    assert told == []


def test_a_locked_store_is_opened_without_waiting(path, told):
    with EventLog(path):
        pass
    with locked(path):
        began = monotonic()
        log = EventLog(path, told.append)
        assert monotonic() - began < 4.0  # SQLite itself would wait for 5
    log.close()


def test_a_lock_that_lasts_is_told(path, told, monkeypatch):
    monkeypatch.setattr("tui.eventlog.fallback.memory_fallback.QUIET_SECONDS", 0.1)
    with EventLog(path, told.append) as log:
        with locked(path):
            log.append("c", Queued("x", "1")).result(LIMIT)
            until(lambda: told)
            assert told[0].startswith("Another program has locked")
        until(lambda: len(told) == 2)


@pytest.mark.parametrize("seed", range(5))
def test_locks_at_any_time_lose_nothing_and_double_nothing(path, monkeypatch, seed):
    """Two logs go to memory and come back, each at its own time."""
    monkeypatch.setattr("tui.eventlog.log.WRITE_SECONDS", 0.01)
    monkeypatch.setattr("tui.eventlog.writer.WRITE_SECONDS", 0.01)
    monkeypatch.setattr("tui.eventlog.fallback.memory_fallback.RETRY_SECONDS", 0.02)
    monkeypatch.setattr("tui.eventlog.fallback.memory_fallback.PATIENCE_SECONDS", 0.01)
    rnd = random.Random(seed)
    with (
        EventLog(path) as one,
        EventLog(path) as two,
        closing(sqlite3.connect(path, timeout=LIMIT, isolation_level=None)) as db,
        ThreadPoolExecutor(4) as pool,
    ):
        said: dict[str, list[str]] = {"one": [], "two": []}
        readers = [
            pool.submit(read_to_end, log, whole)
            for log in (one, two)
            for whole in (True, False)
        ]
        for number in range(150):
            action = rnd.random()
            if action < 0.05 and not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            elif action < 0.15 and db.in_transaction:
                db.execute("ROLLBACK")
            name, log = rnd.choice([("one", one), ("two", two)])
            words = f"{name} {number}"
            said[name].append(words)
            written = log.append("c", Queued("x", words))
            if rnd.random() < 0.5:
                written.result(LIMIT)
        if db.in_transaction:
            db.execute("ROLLBACK")
        for log in (one, two):
            log.append("c", Queued("x", "end")).result(LIMIT)
        everything = sorted(said["one"] + said["two"])
        for reader in readers:
            got = reader.result(LIMIT)
            assert sorted(got) == everything
            for name, words in said.items():
                assert [one for one in got if one.startswith(name)] == words

    with EventLog(path) as log:
        kept = [words for words in texts(log) if words != "end"]
        seqs = [record.seq for record in log.read()]
    assert sorted(kept) == everything
    for name, words in said.items():
        assert [one for one in kept if one.startswith(name)] == words
    assert seqs == list(range(1, len(everything) + 3))


def read_to_end(log: EventLog, provisional: bool) -> list[str]:
    """Follow until both have come to their end."""
    got: list[str] = []
    with log.follow("c", provisional=provisional) as follow:
        while got.count("end") < 2:
            records = follow.poll(LIMIT)
            assert records, "a record is missing"
            got += [text(record.event) for record in records]
    return [words for words in got if words != "end"]


def test_a_slow_backup_disturbs_nothing(path, tmp_path, told):
    talk(path)
    with EventLog(path, told.append) as log, ThreadPoolExecutor(1) as pool:
        began, go = threading.Event(), threading.Event()

        def copy() -> None:
            def look(*_: int) -> None:
                began.set()
                go.wait(0.01)

            with (
                closing(sqlite3.connect(path)) as source,
                closing(sqlite3.connect(tmp_path / "backup.db")) as target,
            ):
                source.backup(target, pages=1, progress=look)

        copied = pool.submit(copy)
        assert began.wait(LIMIT)
        assert stream(log, 50) == answer(50)
        go.set()
        copied.result(LIMIT)
    assert told == []
    assert is_whole(tmp_path / "backup.db")


def test_a_locked_store_is_never_taken_for_a_damaged_one(network, path, told):
    talk(path, 2)
    with locked(path), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.eventlog.log.BUSY_SECONDS", 0.1)
        patch.setattr("tui.eventlog.fallback.recovery.LOCK_SECONDS", 0.1)
        with pytest.raises(LogError, match="locked"):
            EventLog.repair(path)
        with closing(open_log(path, told.append)):
            pass
    assert sorted(file.name for file in path.parent.iterdir()) == ["lazychat.db"]
    assert "locked" in told[0]
