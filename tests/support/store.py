"""Creates, fills, locks and inspects stores in trouble."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from support import ROOT
from tui.eventlog import EventLog
from tui.events import (
    Event,
    MessageAdded,
    Queued,
    TextDelta,
    TurnFinished,
)
from tui.messages import Message

LIMIT = 30.0


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
    """Fill a store with one-message conversations; return their texts."""
    said = [f"question {number} " + "x" * size for number in range(messages)]
    with EventLog(path) as log:
        for number, words in enumerate(said):
            added = MessageAdded(f"m{number}", Message("user", words))
            log.append(f"c{number}", added).result(LIMIT)
    return said


def queued(log: EventLog, names: str, count: int) -> dict[str, list[int]]:
    """Follow `c` until each channel has sent `count` numbers; return them in order."""
    got: dict[str, list[int]] = {name: [] for name in names}
    with log.follow("c") as follow:
        while sum(map(len, got.values())) < len(names) * count:
            records = follow.poll(LIMIT)
            assert records, "a record is missing"
            for record in records:
                assert isinstance(record.event, Queued)
                got[record.event.channel].append(int(record.event.text))
    return got


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def until(condition, seconds: float = LIMIT) -> None:
    """Wait for a condition that no follower can wait for."""
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


def stream(log: EventLog, pieces: int, size: int = 1000) -> str:
    """Append an answer piece by piece; return the text that a follower got."""
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


LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked(path: Path, how: str = "BEGIN EXCLUSIVE") -> Iterator[None]:
    """Let another process hold a lock while the block runs."""
    other = python(LOCK, path, how)
    assert other.stdout
    assert other.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        other.communicate("\n", timeout=LIMIT)


def stored(path: Path) -> list[str]:
    with EventLog(path) as log:
        return texts(log)


def journal_mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA journal_mode").fetchone()[0]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop root's rights, as root may write read-only files."""
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


def scratch(path: Path, first: int, last: int, with_: bytes = b"\xa5") -> None:
    """Overwrite the bytes from `first` up to but not including `last`."""
    with path.open("r+b") as file:
        file.seek(first)
        file.write(with_ * (last - first))


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
{number} 22 0:41 /export/a {point} rw,relatime shared:7 - {kind} server:/export/a rw
31 22 0:9 / /proc rw - proc proc rw
"""
