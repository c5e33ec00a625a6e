"""The log between processes: real ones, that are really killed."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.store import queued

from tui import conversation
from tui.eventlog import EventLog
from tui.events import MessageAdded, TextDelta
from tui.messages import Message

WRITER = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import Queued
with EventLog(Path(sys.argv[1])) as log:
    for number in range(int(sys.argv[3])):
        last = log.append("c", Queued(sys.argv[2], str(number)))
    last.result()
"""

TALKER = """
import os, sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import MessageAdded, TextDelta
from tui.messages import Message
with EventLog(Path(sys.argv[1])) as log:
    for message in range(1000):
        id, said = f"{os.getpid()}.{message}", ""
        for word in range(20):
            piece = f"{message}:{word} "
            said += piece
            log.append("c", TextDelta(id, piece), turn="t").result()
        whole = Message("assistant", said)
        log.append("c", MessageAdded(id, whole), turn="t").result()
"""


def start(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)])


def test_four_writers_and_two_readers_no_gap_no_double(tmp_path):
    path, count = tmp_path / "log.db", 500
    with EventLog(path) as log, EventLog(path) as second:
        with ThreadPoolExecutor(2) as pool:
            readers = [
                pool.submit(queued, each, "abcd", count) for each in (log, second)
            ]
            writers = [start(WRITER, path, name, count) for name in "abcd"]
            assert [writer.wait(60) for writer in writers] == [0] * 4
            expected = {name: list(range(count)) for name in "abcd"}
            assert [reader.result(60) for reader in readers] == [expected] * 2
        assert [r.seq for r in log.read()] == list(range(1, 4 * count + 1))


@pytest.mark.parametrize("run", range(10))
def test_killing_a_writer_loses_nothing_that_a_reader_has_seen(tmp_path, run):
    """Five kills a run, each after a random number of records more."""
    rnd = random.Random(run)
    path = tmp_path / "log.db"
    for _ in range(5):
        with EventLog(path) as log:
            talker = start(TALKER, path)
            transcript, seen = conversation.Transcript(), 0
            wanted = rnd.randint(1, 60)
            with log.follow("c", log.tail()) as follow:
                while seen < wanted:
                    records = follow.poll(30)
                    assert records, "the writer is silent"
                    for record in records:
                        transcript.apply(record)
                        seen += isinstance(record.event, TextDelta | MessageAdded)
                os.kill(talker.pid, signal.SIGKILL)
                assert talker.wait(30) == -signal.SIGKILL
        with EventLog(path) as log:
            # What was on the screen is in the store, or grew there.
            stored = conversation.fold(log.read("c")).entries
            for id, entry in transcript.entries.items():
                assert stored[id].message.text.startswith(entry.message.text)
                assert entry.message.text
            log.append("c", MessageAdded("mark", Message("user", "go on"))).result(30)
