"""A disk that is full: a small file system where one may be mounted, else a limit."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.store import (
    LIMIT,
    answer,
    is_whole,
    journal_mode,
    python,
    stored,
    stream,
    talk,
    text,
    texts,
    until,
)

from tui import conversation
from tui.conversation import read_state
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog, open_log
from tui.events import (
    MessageAdded,
    Queued,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from tui.lazyllm.file_queue import FileSystemQueue
from tui.messages import Message

STARTED = TurnStarted("host", "boot", 1, 1)


class FileLimit:
    """No file of this process may grow: what a quota does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, path: Path, but: int = 20_000) -> None:
        wal = Path(f"{path}-wal")
        size = max(path.stat().st_size, wal.stat().st_size) if but else 0
        limit = (size + but, self._before[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)

    close = free


class SmallDisk:
    """A file system of 2 MB, which a file fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none"]
        subprocess.run([*mount, str(self.folder)], check=True, capture_output=True)

    def fill(self, path: Path, but: int = 20_000) -> None:
        left = os.statvfs(self.folder)
        self._ballast.write_bytes(bytes(left.f_bavail * left.f_bsize - but))

    def free(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


def _may_mount() -> bool:
    if os.geteuid() or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            SmallDisk(Path(folder)).close()
        except subprocess.CalledProcessError:
            return False
    return True


@pytest.fixture(params=[FileLimit, *([SmallDisk] if _may_mount() else [])])
def disk(request, tmp_path) -> Iterator[FileLimit | SmallDisk]:
    disk = request.param(tmp_path)
    yield disk
    disk.close()


def test_a_disk_that_runs_full_does_not_stop_the_stream(disk, told):
    path = disk.folder / "lazychat.db"
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "before")).result(LIMIT)
        disk.fill(path)

        assert stream(log, 200) == answer(200)

        assert len(told) == 1
        assert "new messages are kept in" in told[0]
        assert texts(log)[0] == "before"
        with closing(sqlite3.connect(path)) as db:
            assert "200:" not in str(db.execute("SELECT data FROM event").fetchall())
        seen = [(record.seq, record.event) for record in log.read()]
        disk.free()
        until(lambda: len(told) == 2)
        assert told[1].endswith("can be written again: everything is saved.")
        assert [(record.seq, record.event) for record in log.read()] == seen

    with EventLog(path) as log:
        assert [(record.seq, record.event) for record in log.read()] == seen
    assert is_whole(path)


def test_what_is_still_in_memory_at_the_end_is_a_store_elsewhere(
    disk, told, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = disk.folder / "lazychat.db"
    with EventLog(path, told.append) as log:
        log.append("old", MessageAdded("o", Message("user", "old"))).result(LIMIT)
        disk.fill(path)
        stream(log, 30)
        assert len(told) == 1
        asked = MessageAdded("m2", Message("user", "Is it kept?"))
        log.append("new", asked).result(LIMIT)

    (folder,) = tmp_path.glob("lazychat-unsaved-*")
    assert f"LAZYCHAT_HOME={folder} lazychat" in told[-1]
    disk.free()
    with EventLog(folder / "lazychat.db") as saved:
        assert texts(saved, "new") == ["Is it kept?"]
        assert texts(saved, "c")[-1] == "TurnFinished"
        assert [c.title for c in conversation.recent(saved)] == ["Is it kept?"]
    assert is_whole(path)


def test_what_was_written_in_time_is_stored_when_the_log_closes(disk, told):
    path = disk.folder / "lazychat.db"
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "before")).result(LIMIT)
        disk.fill(path)
        stream(log, 60)
        disk.free()
    with EventLog(path) as log:
        assert "".join(texts(log)[1:-1]) == answer(60)


@pytest.mark.parametrize("existed", [True, False])
def test_a_disk_that_is_full_at_the_start_is_tried_again(disk, told, existed):
    path = disk.folder / "data" / "lazychat.db"
    path.parent.mkdir()
    if existed:
        talk(path, 2)
    disk.fill(path, 0)
    with closing(open_log(path, told.append)) as log:
        assert log.keeps
        assert len(conversation.recent(log)) == (2 if existed else 0)
        assert stream(log, 20) == answer(20)
        until(lambda: told)
        assert "new messages are kept in" in told[0]
        disk.free()
        until(lambda: len(told) == 2)
        assert told[1].endswith("everything is saved.")
    assert "".join(stored(path)[:-1]) == answer(20)
    assert journal_mode(path) == "wal"
    assert is_whole(path)


@pytest.fixture
def full(path, told) -> Iterator[EventLog]:
    """A log that goes on in memory, after a few records; `free` it at the end."""
    limit = FileLimit(path.parent)
    with EventLog(path, told.append) as log:
        log.append("c", STARTED, turn="claimed before").result(LIMIT)
        log.append("c", TextDelta("m", "half"), turn="t").result(LIMIT)
        read_state.save_draft(log, "c", "a thought").result(LIMIT)
        limit.fill(path)
        log.append("c", Queued("x", "y" * 100_000)).result(LIMIT)
        assert told
        yield log
        limit.free()


def free() -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_in_memory_a_turn_is_claimed_once_and_ends_once(full):
    with pytest.raises(ConflictError):
        full.append("c", STARTED, turn="claimed before").result(LIMIT)
    full.append("c", STARTED, turn="new").result(LIMIT)
    with pytest.raises(ConflictError):
        full.append("c", STARTED, turn="new").result(LIMIT)
    full.append("c", TurnFinished("stop"), turn="claimed before").result(LIMIT)
    assert [id for id, _ in conversation.running(full, "c")] == ["new"]


def test_in_memory_a_message_settles_and_the_settled_comes_to_the_store(
    full, told, path
):
    whole = MessageAdded("m", Message("assistant", "half and half"))
    full.append("c", TextDelta("m", " and"), turn="t").result(LIMIT)
    full.append("c", whole, turn="t").result(LIMIT)
    (entry,) = conversation.fold(full.read("c")).entries.values()
    assert entry.message.text == "half and half"

    free()
    until(lambda: len(told) == 2)

    with EventLog(path) as other:
        kinds = [type(record.event).__name__ for record in other.read("c")]
    assert kinds == ["TurnStarted", "Queued", "MessageAdded"]


def test_in_memory_drafts_and_what_was_seen_are_kept(full, told, path):
    assert read_state.draft(full, "c") == "a thought"
    read_state.save_draft(full, "c", "another").result(LIMIT)
    read_state.mark_seen(full, "c", 2).result(LIMIT)
    assert (read_state.draft(full, "c"), read_state.seen(full, "c")) == ("another", 2)

    free()
    until(lambda: len(told) == 2)

    with EventLog(path) as other:
        assert (read_state.draft(other, "c"), read_state.seen(other, "c")) == (
            "another",
            2,
        )


APPEND = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import Queued
with EventLog(Path(sys.argv[1])) as log:
    for text in sys.argv[2:]:
        log.append("c", Queued("other", text)).result(20)
"""


def test_what_another_process_writes_meanwhile_comes_once_and_nothing_twice(
    full, told, path, monkeypatch
):
    queue = FileSystemQueue("other", full)
    monkeypatch.setattr("tui.session.current", lambda: "c")
    with full.follow("c") as follow, full.follow("c", provisional=False) as whole:
        got = [text(r.event) for r in follow.poll(LIMIT)]
        got_whole = [text(r.event) for r in whole.poll(LIMIT)]
        last = full.append("c", Queued("other", "mine")).result(LIMIT)
        got += [text(r.event) for r in follow.poll(LIMIT)]
        got_whole += [text(r.event) for r in whole.poll(LIMIT)]
        assert got[-1] == got_whole[-1] == "mine"
        assert queue.dequeue() == ["mine"]
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        other = python(
            APPEND,
            path,
            *("theirs 1", "theirs 2"),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard)),
        )
        other.communicate(timeout=LIMIT)
        assert other.returncode == 0

        free()
        until(lambda: len(told) == 2)
        full.append("c", Queued("other", "after")).result(LIMIT)
        while got[-1] != "after":
            records = follow.poll(LIMIT)
            assert records
            got += [text(r.event) for r in records]
        while got_whole[-1] != "after":
            records = whole.poll(LIMIT)
            assert records
            got_whole += [text(r.event) for r in records]

    assert got_whole == [said for said in got if said != "half"]
    assert got[-4:] == ["mine", "theirs 1", "theirs 2", "after"]
    assert len(got) == 7
    there = [(r.seq, text(r.event)) for r in full.read("c")]
    order = [said for _, said in there if len(said) < 10]
    assert order == ["half", "theirs 1", "theirs 2", "mine", "after"]
    assert sorted(got) == sorted(said for _, said in there)
    assert dict(there)[last + 2] == "mine"
    assert queue.dequeue() == ["theirs 1", "theirs 2", "after"]


def test_a_statement_that_is_wrong_is_refused_alone_and_is_no_trouble(path, told):
    with EventLog(path, told.append) as log:
        wrong = log.append("c", guard=lambda db: bool(db.execute("SELECT nonsense")))
        fine = log.append("c", Queued("x", "fine"))

        assert fine.result(LIMIT)
        with pytest.raises(LogError, match="nonsense"):
            wrong.result(LIMIT)
    assert told == []


WRITES_NOTHING = """
import resource, sys
from pathlib import Path
from tui.eventlog import open_log
from tui.events import MessageAdded
from tui.messages import Message

usual = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
told = []
log = open_log(Path(sys.argv[1]), told.append)
log.append("c", MessageAdded("1", Message("user", "kept in memory")))
log.flush()
print(log.read("c")[0].event.message.text)
print(*told, sep="\\n", file=sys.stderr)
log.close()
resource.setrlimit(resource.RLIMIT_FSIZE, usual)  # coverage writes its file at exit
"""


@pytest.mark.parametrize("there", [True, False])
def test_where_no_file_can_be_written_the_log_is_in_memory(path, there):
    if there:
        EventLog(path).close()

    done = subprocess.run(
        [sys.executable, "-c", WRITES_NOTHING, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout == "kept in memory\n", done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("conversation store") == 1
