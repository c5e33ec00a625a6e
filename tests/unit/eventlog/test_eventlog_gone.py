"""A store whose file, folder or disk goes away under a running log, or is replaced."""

import errno
import os
import re
import sqlite3
import tempfile
from pathlib import Path

import pytest
from support.store import LIMIT, is_whole, stored, talk, text, texts, until

from tui.errors import LogError
from tui.eventlog import EventLog
from tui.eventlog.fallback.rescue import Rescue
from tui.events import (
    Queued,
)


def test_a_log_whose_file_was_replaced_goes_on_with_the_new_one(path, told):
    """As when another process has repaired it."""
    with EventLog(path, told.append) as log, log.follow("c") as follow:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert follow.poll(LIMIT)
        path.rename(path.with_name("aside.db"))
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").rename(path.with_name(f"aside.db{suffix}"))
        with EventLog(path) as other:
            for words in ("new 1", "new 2"):
                other.append("d", Queued("x", words)).result(LIMIT)

            log.append("c", Queued("x", "2")).result(LIMIT)

            assert [text(r.event) for r in follow.poll(LIMIT)] == ["2"]
            with other.follow("c") as theirs:
                assert [text(r.event) for r in theirs.poll(LIMIT)] == ["2"]
    assert told == []


@pytest.mark.parametrize("waits", [True, False])
def test_a_store_that_is_removed_is_begun_anew_and_that_is_told(path, told, waits):
    talk(path, 3)
    with EventLog(path, told.append) as log:
        remove(path)

        if waits:
            log.write("c", Queued("x", "1"))
        else:
            log.append("c", Queued("x", "1")).result(LIMIT)
        until(lambda: told)
        log.append("c", Queued("x", "2")).result(LIMIT)

        assert len(told) == 1
        assert told[0].startswith("The old conversation store is gone: a new one was")
        assert re.search(rf"at {path}, with .* since \d\d:\d\d\.$", told[0])
    assert stored(path) == ["1", "2"]


def remove(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def test_who_reads_a_store_that_is_removed_makes_none(path):
    with EventLog(path) as log:
        remove(path)

        with pytest.raises(LogError):
            log.tail()

        assert not path.exists()


def test_a_store_whose_disk_is_gone_is_told_and_what_comes_is_in_memory(
    path, told, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        path.parent.rename(tmp_path / "elsewhere")
        log.append("c", Queued("x", "2")).result(LIMIT)
        assert texts(log) == ["2"]
        until(lambda: told)
    assert told[0].startswith(f"The conversation store is gone ({path}): ")
    (folder,) = tmp_path.glob("lazychat-unsaved-*")
    assert stored(folder / "lazychat.db") == ["2"]


def test_a_store_that_comes_back_with_its_disk_is_all_kept(path, told, tmp_path):
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        path.parent.rename(tmp_path / "elsewhere")
        log.append("c", Queued("x", "2")).result(LIMIT)
        until(lambda: told)
        (tmp_path / "elsewhere").rename(path.parent)

        until(lambda: len(told) == 2)
        assert told[1].endswith("everything is saved.")
        assert texts(log) == ["1", "2"]


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_log_that_is_removed_is_saved_without_anything_being_said(path, told, suffix):
    with EventLog(path, told.append) as log, log.follow("c") as follow:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert follow.poll(LIMIT)
        Path(f"{path}{suffix}").unlink()

        until(lambda: follow.poll(0.1) or told)

        assert "was removed while in use. Its content is saved" in told[0]
        assert stored(path) == ["1"]
        log.append("c", Queued("x", "2")).result(LIMIT)
        assert [text(r.event) for r in follow.poll(LIMIT)] == ["2"]
        assert texts(log) == ["1", "2"]
    assert len(told) == 1


def test_a_log_that_is_removed_is_saved_as_soon_as_that_can_be(path, told, monkeypatch):
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        fails = [sqlite3.OperationalError("no room")] * 2
        rewrite = Rescue._rewrite

        def refuses(*given):
            if fails:
                raise fails.pop()
            return rewrite(*given)

        monkeypatch.setattr(Rescue, "_rewrite", refuses)
        Path(f"{path}-wal").unlink()

        log.append("c", Queued("x", "2")).result(LIMIT)
        assert not log.unkept  # it is in the journal

        until(lambda: not fails and not log.refusal and told)
        until(lambda: texts(log) == ["1", "2"])
    assert stored(path) == ["1", "2"]


def cut(path: Path, how: str) -> None:
    """Cut a file short that is in use, to nothing or to its half."""
    os.truncate(path, path.stat().st_size // 2 if how == "half" else 0)


@pytest.mark.parametrize("how", ["nothing", "half"])
@pytest.mark.parametrize("suffix", ["-wal", ""])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_file_that_is_cut_short_in_use_is_written_anew(
    path, told, suffix, how, quiet
):
    asked = [f"question {number} " + "x" * 500 for number in range(50)]
    with EventLog(path, told.append) as log, log.follow("c") as follow:
        for text_ in asked[:-1]:
            log.append("c", Queued("x", text_)).result(LIMIT)
        until(lambda: follow.poll(0.1) and follow.cursor >= 49)
        if not suffix:  # else all of it is in the log
            log.query("PRAGMA wal_checkpoint(PASSIVE)")
            log.flush()
        cut(Path(f"{path}{suffix}"), how)
        if quiet:
            until(lambda: told)
        log.append("c", Queued("x", asked[-1])).result(LIMIT)

        assert [text(r.event) for r in follow.poll(LIMIT)] == asked[-1:]
        until(lambda: told)
        until(lambda: not log.refusal)
        assert texts(log) == asked
        assert stored(path) == asked
        log.append("c", Queued("x", "after")).result(LIMIT)
        assert not log.unkept
    assert stored(path) == [*asked, "after"]
    assert is_whole(path)
    assert len(told) == 1
    assert "in use" in told[0]


def test_a_store_that_cannot_be_read_at_all_is_given_up_and_that_is_told_once(
    path, told, monkeypatch
):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Rescue, "_made", fails)
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        Path(f"{path}-wal").unlink()
        log.append("c", Queued("x", "2")).result(LIMIT)

        until(lambda: told)
        until(lambda: not log.refusal)
        log.append("c", Queued("x", "3")).result(LIMIT)
        assert not log.unkept

    assert stored(path) == ["1", "2", "3"]
    (line,) = told
    assert "cannot be read: a new one was created" in line
    (aside,) = path.parent.glob("*.broken-*[0-9]")
    assert str(aside) in line
