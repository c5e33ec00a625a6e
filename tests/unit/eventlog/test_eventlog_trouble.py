"""The log where SQLite is in trouble: the real thing each time, as far as it goes.

A full disk is a small file system, where one may be mounted, and else a limit on the
size of files; a lock is another process's; a damaged file has bytes overwritten.
"""

import fcntl
import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import pytest
from support import ROOT

from tui import conversation
from tui.conversation import read_state
from tui.errors import ConflictError, DamagedError, LogError
from tui.eventlog import EventLog, open_log
from tui.events import (
    Event,
    MessageAdded,
    Queued,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from tui.lazyllm.file_queue import FileSystemQueue
from tui.messages import Message

LIMIT = 30.0
STARTED = TurnStarted("host", "boot", 1, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "lazychat.db"


def texts(log: EventLog, id: str | None = "c", after: int = 0) -> list[str]:
    return [text(record.event) for record in log.read(id, after)]


def text(event: Event) -> str:
    match event:
        case Queued(_, said) | TextDelta(_, said):
            return said
        case MessageAdded():
            return event.message.text
        case _:
            return type(event).__name__


def talk(path: Path, messages: int = 40, size: int = 2000) -> list[str]:
    """Fill a store with conversations of one message; return their texts."""
    said = [f"question {number} " + "x" * size for number in range(messages)]
    with EventLog(path) as log:
        for number, words in enumerate(said):
            added = MessageAdded(f"m{number}", Message("user", words))
            log.append(f"c{number}", added).result(LIMIT)
    return said


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def until(condition, seconds: float = LIMIT) -> None:
    """Wait for what no follower can wait for."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end
        threading.Event().wait(0.01)


def python(script: str, *arguments: object, **options) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


# -- a disk that is full


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


@pytest.fixture
def told() -> list[str]:
    return []


def stream(log: EventLog, pieces: int, size: int = 1000) -> str:
    """Append an answer piece by piece; return what of it a follower got."""
    got = ""
    with log.follow("c", log.tail()) as follow:
        for number in range(pieces):
            log.append("c", TextDelta("m", f"{number}:" + "x" * size), turn="t")
        log.append("c", TurnFinished("stop"), turn="t")
        while True:
            records = follow.poll(LIMIT)
            assert records
            for record in records:
                if isinstance(record.event, TurnFinished):
                    return got
                got += text(record.event)


def answer(pieces: int, size: int = 1000) -> str:
    return "".join(f"{number}:" + "x" * size for number in range(pieces))


def test_a_disk_that_runs_full_does_not_stop_the_stream(disk, told):
    path = disk.folder / "lazychat.db"
    with EventLog(path, told.append) as log:
        log.append("c", Queued("x", "before")).result(LIMIT)
        disk.fill(path)

        assert stream(log, 200) == answer(200)

        assert len(told) == 1
        assert "what comes is kept in" in told[0]
        assert texts(log)[0] == "before"
        with closing(sqlite3.connect(path)) as db:
            assert "200:" not in str(db.execute("SELECT data FROM event").fetchall())
        seen = [(record.seq, record.event) for record in log.read()]
        disk.free()
        until(lambda: len(told) == 2)
        assert told[1].endswith("can be written again: everything is kept.")
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
        assert "what comes is kept in" in told[0]
        disk.free()
        until(lambda: len(told) == 2)
        assert told[1].endswith("everything is kept.")
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


# -- locked by another program

LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked(path: Path, how: str = "BEGIN EXCLUSIVE") -> Iterator[None]:
    """Have another process hold a lock while the block runs."""
    other = python(LOCK, path, how)
    assert other.stdout
    assert other.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        other.communicate("\n", timeout=LIMIT)


def test_a_lock_of_another_program_does_not_stop_the_stream(path, told):
    with EventLog(path, told.append) as log:
        with locked(path):
            assert stream(log, 50) == answer(50)
        until(lambda: "".join(stored(path)[:-1]) == answer(50))
    assert told == []


def stored(path: Path) -> list[str]:
    with EventLog(path) as log:
        return texts(log)


def test_a_locked_store_is_opened_without_waiting(path, told):
    with EventLog(path):
        pass
    with locked(path):
        began = monotonic()
        log = EventLog(path, told.append)
        assert monotonic() - began < 1.0
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


# -- where the write-ahead log is unsafe

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
{number} 22 0:41 /export/a {point} rw,relatime shared:7 - {kind} server:/export/a rw
31 22 0:9 / /proc rw - proc proc rw
"""


@pytest.fixture
def network(path, tmp_path, monkeypatch) -> Path:
    """A table of mounts that has the store's folder on a server."""
    table = tmp_path / "mountinfo"
    point = str(tmp_path.resolve()).replace(" ", r"\040")
    table.write_text(MOUNTS.format(number=30, point=point, kind="nfs4"))
    monkeypatch.setattr("tui.eventlog.sqlite.network_mounts.TABLE", table)
    return table


@pytest.mark.parametrize(
    ("kind", "is_network"),
    [
        *[(kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs")],
        *[(kind, True) for kind in ("afs", "ceph", "lustre", "fuse.glusterfs")],
        *[(kind, False) for kind in ("ext4", "tmpfs", "overlay", "fuseblk", "btrfs")],
    ],
)
def test_a_network_file_system_is_known_by_its_type(tmp_path, kind, is_network):
    from tui.eventlog.sqlite.network_mounts import on_network

    home = tmp_path / "my home\\"
    (home / "data").mkdir(parents=True)
    table = tmp_path / "mountinfo"
    point = str(home.resolve()).replace("\\", r"\134").replace(" ", r"\040")
    table.write_text(MOUNTS.format(number=30, point=point, kind=kind))

    assert on_network(home / "data", table) is is_network
    assert on_network(home, table) is is_network
    assert not on_network(tmp_path, table)
    assert not on_network(home, tmp_path / "no such table")


def test_of_two_mounts_in_one_place_the_later_counts(tmp_path):
    from tui.eventlog.sqlite.network_mounts import file_system

    table = tmp_path / "mountinfo"
    lines = [
        f"3{n} 22 0:4 / {point} rw - {kind} x rw\n"
        for n, (point, kind) in enumerate(
            [("/", "ext4"), (tmp_path, "autofs"), (tmp_path, "nfs"), ("/tm", "cifs")]
        )
    ]
    table.write_text("".join(lines))

    assert file_system(tmp_path, table) == "nfs"


def test_what_mount_prints_on_macos_is_understood():
    from tui.eventlog.sqlite.network_mounts import _of_mount

    output = (
        "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n"
        "map auto_home on /System/Volumes/Data/home (autofs, automounted)\n"
        "server:/vol/home on /Users/me on it (nfs, nodev, nosuid)\n"
        "//me@nas._smb._tcp.local/My%20Share on /Volumes/My Share (smbfs, nodev)\n"
    )
    assert list(_of_mount(output)) == [
        (Path("/"), "apfs"),
        (Path("/System/Volumes/Data/home"), "autofs"),
        (Path("/Users/me on it"), "nfs"),
        (Path("/Volumes/My Share"), "smbfs"),
    ]


def journal_mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA journal_mode").fetchone()[0]


def test_on_a_network_file_system_there_is_no_write_ahead_log(network, path):
    with EventLog(path) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert not Path(f"{path}-wal").exists()
        assert not Path(f"{path}-shm").exists()
    assert journal_mode(path) == "delete"


def test_a_store_that_moved_to_a_server_is_switched(path, tmp_path, request, told):
    with EventLog(path) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
    assert journal_mode(path) == "wal"
    request.getfixturevalue("network")

    with EventLog(path, told.append) as log:
        assert texts(log) == ["1"]
    assert journal_mode(path) == "delete"
    assert told == []


def test_a_program_that_keeps_the_write_ahead_log_on_a_server_is_told(
    path, request, told
):
    with EventLog(path):
        request.getfixturevalue("network")
        with EventLog(path, told.append) as log:
            log.append("c", Queued("x", "1")).result(LIMIT)
            assert texts(log) == ["1"]
    assert len(told) == 1
    assert "network file system" in told[0]


WRITER = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.eventlog.sqlite import network_mounts
from tui.events import Queued
network_mounts.TABLE = Path(sys.argv[4])
with EventLog(Path(sys.argv[1])) as log:
    for number in range(int(sys.argv[3])):
        log.append("c", Queued(sys.argv[2], str(number))).result(20)
"""


def test_without_the_write_ahead_log_processes_write_and_follow_no_gap_no_double(
    network, path, told
):
    count = 60
    with EventLog(path, told.append) as log, EventLog(path, told.append) as second:

        def read(log: EventLog) -> dict[str, list[int]]:
            got: dict[str, list[int]] = {name: [] for name in "abc"}
            with log.follow("c") as follow:
                while sum(map(len, got.values())) < 3 * count:
                    records = follow.poll(30)
                    assert records, "a record is missing"
                    for record in records:
                        assert isinstance(record.event, Queued)
                        got[record.event.channel].append(int(record.event.text))
            return got

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read, log), pool.submit(read, second)]
            writers = [python(WRITER, path, name, count, network) for name in "ab"]
            for number in range(count):
                log.append("c", Queued("c", str(number))).result(LIMIT)
            for writer in writers:
                writer.communicate(timeout=60)
            assert [writer.returncode for writer in writers] == [0, 0]
            expected = {name: list(range(count)) for name in "abc"}
            assert [reader.result(60) for reader in readers] == [expected] * 2
        assert [r.seq for r in log.read()] == list(range(1, 3 * count + 1))
    assert told == []
    assert journal_mode(path) == "delete"


def test_without_the_write_ahead_log_a_whole_message_replaces_its_deltas(network, path):
    with EventLog(path) as log:
        log.append("c", TextDelta("m1", "he"), turn="t").result(LIMIT)
        whole = MessageAdded("m1", Message("assistant", "hello"))
        log.append("c", whole, turn="t").result(LIMIT)
        assert [r.event for r in log.read("c")] == [whole]


def test_without_the_write_ahead_log_a_lock_is_waited_for(
    network, path, told, monkeypatch
):
    """Nobody may even read then, so nothing can be shown; and nothing is lost."""
    monkeypatch.setattr("tui.eventlog.log.BUSY_SECONDS", 0.1)
    with EventLog(path, told.append) as log, log.follow("c") as follow:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert follow.poll(LIMIT)
        with locked(path):
            assert follow.poll(0.5) == []
            written = log.append("c", Queued("x", "2"))
            with pytest.raises(TimeoutError):
                written.result(2.5)
        assert written.result(LIMIT) == 2
        assert [text(r.event) for r in follow.poll(LIMIT)] == ["2"]
    assert told == []


# -- a store that may only be read


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that another user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write what nobody may."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def make_read_only(folder: Path) -> dict[str, bytes]:
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_read_only_store_is_read_and_what_is_new_is_not_kept(shelf, told):
    path = shelf / "lazychat.db"
    said = talk(path, 3)
    before = make_read_only(shelf)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert not log.keeps
        assert len(conversation.recent(log)) == 3
        assert texts(log, "c1") == [said[1]]
        asked = MessageAdded("new", Message("user", "and now?"))
        seq = log.append("c1", asked).result(LIMIT)
        assert seq == log.tail() == 4
        assert texts(log, "c1") == [said[1], "and now?"]
        read_state.save_draft(log, "c2", "x").result(LIMIT)
        assert read_state.draft(log, "c2") == "x"

    assert len(told) == 1
    assert told[0].endswith("can be read, and nothing new is kept.")
    assert contents(shelf) == before


def test_a_read_only_file_in_a_folder_that_is_not_is_read(shelf, told):
    path = shelf / "lazychat.db"
    said = talk(path, 1)
    path.chmod(0o444)
    shelf.chmod(0o777)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert not log.keeps
        assert texts(log, "c0") == said
    assert "is read-only" in told[0]


def test_a_read_only_store_whose_last_words_are_in_its_log_is_read(shelf, told):
    """As after a crash: the main file has not got everything."""
    path = shelf / "lazychat.db"
    with EventLog(shelf / "live.db") as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        for suffix in ("", "-wal"):
            shutil.copy(shelf / f"live.db{suffix}", f"{path}{suffix}")
    assert Path(f"{path}-wal").stat().st_size
    before = make_read_only(shelf)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert texts(log) == ["1"]
        log.append("c", Queued("x", "2")).result(LIMIT)
        assert texts(log) == ["1", "2"]

    assert "nothing new is kept" in told[0]
    assert contents(shelf) == before


def test_a_store_in_a_folder_that_is_not_there_is_in_memory(tmp_path, told):
    (tmp_path / "file").write_text("")

    with closing(open_log(tmp_path / "file" / "lazychat.db", told.append)) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert texts(log) == ["1"]

    assert len(told) == 1
    assert told[0].endswith("Until then nothing is kept.")


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


# -- a file that is damaged


def broken(path: Path) -> Path:
    """Return the one file that was set aside."""
    (aside,) = (
        file
        for file in path.parent.glob("lazychat.db.broken-*")
        if not file.name.endswith(("-wal", "-shm"))
    )
    return aside


def scratch(path: Path, first: int, last: int, with_: bytes = b"\xa5") -> None:
    """Overwrite the bytes from `first` on up to `last`."""
    with path.open("r+b") as file:
        file.seek(first)
        file.write(with_ * (last - first))


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

    assert "20 conversations were saved from it." in told[0]
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


def test_a_store_that_breaks_under_a_running_log_is_mended_there(path, told):
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
        until(lambda: any("everything said since" in line for line in told))
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


def test_who_comes_second_to_a_damaged_store_finds_it_mended(path):
    talk(path, 3)
    good = path.read_bytes()
    scratch(path, 0, 100)
    with (
        Path(f"{path}.mending").open("w") as lock,
        ThreadPoolExecutor(1) as pool,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = pool.submit(EventLog.mend, path)
        with pytest.raises(TimeoutError):
            second.result(0.3)

        path.write_bytes(good)
        Path(lock.name).unlink()
        fcntl.flock(lock, fcntl.LOCK_UN)

        assert second.result(LIMIT) == ""
    assert path.read_bytes() == good
    assert list(path.parent.glob("*.broken-*")) == []
    assert not Path(f"{path}.mending").exists()


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


def test_a_log_whose_file_was_replaced_goes_on_with_the_new_one(path, told):
    """As when another process has mended it."""
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
        assert told[1].endswith("everything is kept.")
        assert texts(log) == ["1", "2"]


def test_of_a_store_overwritten_with_garbage_no_more_is_promised_than_is_there(
    path, told
):
    talk(path, 3)
    with EventLog(path, told.append) as log:
        log.query("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(random.Random(1).randbytes(100_000))
        shrink(log)

        log.append("c", Queued("x", "1")).result(LIMIT)

        until(lambda: any("written again" in line for line in told))
        assert any("0 conversations were saved" in line for line in told)
        assert re.search(r"everything said since \d\d:\d\d is kept", told[-1])
    assert stored(path) == ["1"]


def test_a_locked_store_is_never_taken_for_a_damaged_one(network, path, told):
    talk(path, 2)
    with locked(path), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.eventlog.log.BUSY_SECONDS", 0.1)
        patch.setattr("tui.eventlog.fallback.recovery.LOCK_SECONDS", 0.1)
        with pytest.raises(LogError, match="locked"):
            EventLog.mend(path)
        with closing(open_log(path, told.append)):
            pass
    assert sorted(file.name for file in path.parent.iterdir()) == ["lazychat.db"]
    assert "locked" in told[0]


def test_a_store_that_may_not_be_read_is_never_taken_for_a_damaged_one(shelf, told):
    path = shelf / "lazychat.db"
    talk(path, 2)
    path.chmod(0)
    with unprivileged(), closing(open_log(path, told.append)) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
    assert [file.name for file in shelf.iterdir()] == ["lazychat.db"]
    assert told[0].endswith("Until then nothing is kept.")


def test_a_record_that_makes_no_sense_any_more_hides_no_others(path):
    with EventLog(path) as log:
        for words in ("1", "2", "3"):
            log.append("c", Queued("x", words)).result(LIMIT)
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE event SET data = '{\"chan' WHERE seq = 2")
            db.commit()

        assert texts(log) == ["1", "Unreadable", "3"]
