"""A store whose bytes are wrong: set aside, and what can be read of it saved."""

import fcntl
import os
import re
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from support.store import (
    LIMIT,
    answer,
    is_whole,
    python,
    scratch,
    stored,
    stream,
    talk,
    texts,
    until,
)

from tui import conversation
from tui.errors import DamagedError, LogError
from tui.eventlog import EventLog, open_log
from tui.events import (
    Queued,
)


def broken(path: Path) -> Path:
    """Return the one file that was set aside."""
    (aside,) = (
        file
        for file in path.parent.glob("lazychat.db.broken-*")
        if not file.name.endswith(("-wal", "-shm"))
    )
    return aside


def test_a_store_with_broken_pages_is_set_aside_and_the_rest_of_it_saved(path, told):
    said = talk(path, 200)
    size = path.stat().st_size
    scratch(path, size // 2 // 4096 * 4096, size // 2 // 4096 * 4096 + 3 * 4096)
    before = path.read_bytes()
    # Found by reading, not by opening.
    with EventLog(path) as log, pytest.raises(LogError, match="damaged"):
        log.read()

    with closing(open_log(path, told.append)) as log:
        saved = texts(log, None)
        listed = conversation.recent(log)
        assert log.tail() == 200
        log.append("c", Queued("x", "goes on")).result(LIMIT)

    assert broken(path).read_bytes() == before
    assert is_whole(path)
    assert len(told) == 1
    assert f"set aside as {broken(path)}" in told[0]
    assert 185 <= len(saved) < 200
    assert set(saved) < set(said)
    assert f"{200 - len(saved)} records" in told[0]
    assert len(listed) >= len(saved)


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_store_that_was_cut_off_is_set_aside_and_the_rest_of_it_saved(
    path, told, part
):
    said = talk(path, 100)
    os.truncate(path, int(path.stat().st_size * part))

    with pytest.raises(DamagedError):
        EventLog(path)
    with closing(open_log(path, told.append)) as log:
        saved = texts(log, None)

    assert saved == [one for one in said if one in set(saved)]
    assert len(saved) > 100 * part - 25
    assert len(told) == 1
    assert is_whole(path)


@pytest.mark.parametrize("size", [16, 100])
def test_a_store_without_its_header_is_saved(path, told, size):
    said = talk(path, 20)
    scratch(path, 0, size)

    with closing(open_log(path, told.append)) as log:
        assert texts(log, None) == said
        assert len(conversation.recent(log)) == 20

    assert "20 conversations were recovered." in told[0]
    assert is_whole(path)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        path.name,
        broken(path).name,
    ]


@pytest.mark.parametrize("at", [0, 40])
def test_a_damaged_write_ahead_log_costs_only_what_was_in_it(path, told, at):
    with EventLog(path.with_name("live.db")) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        log.query("PRAGMA wal_checkpoint(FULL)")
        log.append("c", Queued("x", "2")).result(LIMIT)
        for suffix in ("", "-wal"):
            shutil.copy(path.with_name(f"live.db{suffix}"), f"{path}{suffix}")
    scratch(Path(f"{path}-wal"), at, at + 30)

    with closing(open_log(path, told.append)) as log:
        assert texts(log) == ["1"]
        log.append("c", Queued("x", "3")).result(LIMIT)
    assert stored(path) == ["1", "3"]


def test_a_store_that_breaks_under_a_running_log_is_repaired_there(path, told):
    talk(path, 100)
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "before")).result(LIMIT)
        log.query("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size
        scratch(path, size - 30 * 4096, size)
        shrink(log)

        got = stream(log, 20)
        assert got == answer(20)

        until(lambda: any("set aside" in line for line in told))
        until(lambda: any("all messages since" in line for line in told))
    assert broken(path).stat().st_size == size
    with EventLog(path) as log:
        kept = texts(log)
        assert len(log.read()) > 60
    assert "".join(kept[kept[0] == "before" : -1]) == answer(20)
    assert is_whole(path)


def shrink(log: EventLog) -> None:
    """Forget what is in memory of the file."""
    connection = log._writer._store
    assert connection
    connection.execute("PRAGMA shrink_memory")


OPENER = """
import sys
from pathlib import Path
from tui.eventlog import open_log
from tui.events import Queued
sys.stdin.readline()
log = open_log(Path(sys.argv[1]), lambda line: print(line, flush=True))
for number in range(20):
    log.append("c", Queued(sys.argv[2], f"{sys.argv[2]} {number}")).result(30)
log.close()
"""


def test_of_many_processes_one_sets_the_damaged_store_aside(path):
    talk(path, 100)
    scratch(path, 0, 100)
    openers = [python(OPENER, path, name) for name in "abcd"]
    for opener in openers:
        assert opener.stdin
        opener.stdin.write("go\n")
        opener.stdin.flush()

    lines = [opener.communicate(timeout=60)[0].splitlines() for opener in openers]

    assert [opener.returncode for opener in openers] == [0] * 4
    said = [line for of_one in lines for line in of_one]
    assert len([line for line in said if "set aside" in line]) == 1
    assert broken(path)
    with EventLog(path) as log:
        kept = texts(log)
        assert len(log.read()) == 180
    assert sorted(kept) == sorted(f"{name} {n}" for name in "abcd" for n in range(20))


def test_who_comes_second_to_a_damaged_store_finds_it_repaired(path):
    talk(path, 3)
    good = path.read_bytes()
    scratch(path, 0, 100)
    with (
        Path(f"{path}.repairing").open("w") as lock,
        ThreadPoolExecutor(1) as pool,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = pool.submit(EventLog.repair, path)
        with pytest.raises(TimeoutError):
            second.result(0.3)

        path.write_bytes(good)
        Path(lock.name).unlink()
        fcntl.flock(lock, fcntl.LOCK_UN)

        assert second.result(LIMIT) == ""
    assert path.read_bytes() == good
    assert list(path.parent.glob("*.broken-*")) == []
    assert not Path(f"{path}.repairing").exists()


def test_a_broken_first_page_of_a_table_is_found_by_opening(path):
    talk(path, 100)
    with closing(sqlite3.connect(path)) as db:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'event'"
        (page,) = db.execute(sql).fetchone()
    scratch(path, (page - 1) * 4096, page * 4096)

    with pytest.raises(DamagedError):
        EventLog(path)
    with closing(open_log(path, print)) as log:
        assert len(conversation.recent(log)) == 100
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert log.tail() == 101


def test_of_a_store_overwritten_with_garbage_no_more_is_promised_than_is_there(
    path, told
):
    talk(path, 3)
    with EventLog(path, told.append) as log:
        log.query("PRAGMA wal_checkpoint(TRUNCATE)")
        # In place: a file that is empty for a moment was truncated, which is not this.
        scratch(path, 0, path.stat().st_size)
        shrink(log)

        log.append("c", Queued("x", "1")).result(LIMIT)

        until(lambda: any("written again" in line for line in told))
        assert any("0 conversations were recovered" in line for line in told)
        assert re.search(r"all messages since \d\d:\d\d are saved", told[-1])
    assert stored(path) == ["1"]


def test_a_record_that_makes_no_sense_any_more_hides_no_others(path):
    with EventLog(path) as log:
        for words in ("1", "2", "3"):
            log.append("c", Queued("x", words)).result(LIMIT)
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE event SET data = '{\"chan' WHERE seq = 2")
            db.commit()

        assert texts(log) == ["1", "Unreadable", "3"]
