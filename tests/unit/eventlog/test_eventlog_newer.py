"""A store of a newer version is left alone."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest
from support.store import LIMIT, contents, talk, texts

from tui.eventlog import EventLog, open_log
from tui.events import (
    Queued,
)


@pytest.mark.parametrize("crashed", [False, True])
def test_a_store_of_a_newer_version_is_left_alone(path, told, crashed):
    live = path.with_name("live.db")
    with EventLog(live) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        with closing(sqlite3.connect(live)) as db:
            db.execute("PRAGMA user_version = 99")
        if crashed:
            shutil.copy(live, path)
            shutil.copy(f"{live}-wal", f"{path}-wal")
    if not crashed:
        live.rename(path)
    for file in path.parent.glob("live.db*"):
        file.unlink()
    before = contents(path.parent)

    with closing(open_log(path, told.append)) as log:
        assert texts(log) == []
        log.append("c", Queued("x", "2")).result(LIMIT)

    assert len(told) == 1
    assert "written by a newer lazychat (format 99" in told[0]
    after = contents(path.parent)
    after.pop("lazychat.db-shm", None)  # made by whoever reads; nothing of its own
    assert after == before


def test_a_damaged_store_of_a_newer_version_is_left_alone(path, told):
    talk(path, 3)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    os.truncate(path, path.stat().st_size - 4096)
    before = path.read_bytes()

    with closing(open_log(path, told.append)) as log:
        assert texts(log, None) == []

    assert path.read_bytes() == before
    assert list(path.parent.glob("*.broken-*")) == []
    assert "newer lazychat" in told[0]
