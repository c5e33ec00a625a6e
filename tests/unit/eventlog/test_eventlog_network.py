"""Where the write-ahead log is unsafe: file systems of a network."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.store import (
    LIMIT,
    MOUNTS,
    journal_mode,
    locked,
    python,
    queued,
    text,
    texts,
)

from tui.eventlog import EventLog
from tui.events import (
    MessageAdded,
    Queued,
    TextDelta,
)
from tui.messages import Message


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
        with ThreadPoolExecutor(2) as pool:
            readers = [
                pool.submit(queued, each, "abc", count) for each in (log, second)
            ]
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
