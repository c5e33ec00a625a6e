"""Deleted means gone: not a byte of it in any file, whoever has the store open."""

import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui import conversation
from tui.conversation import read_state
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    ConversationDeleted,
    ConversationRenamed,
    ErrorRaised,
    MessageAdded,
    ReasoningDelta,
    TextDelta,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall

STARTED = TurnStarted("host", "boot", 1, 1)
ASKED = TurnRequested("m", runner="somebody")


def left(path, *needles):
    """Return which needles stand in any of the store's files, and where."""
    return [
        (file.name, needle)
        for file in sorted(path.parent.iterdir())
        for data in [file.read_bytes().lower()]
        for needle in needles
        if needle.lower().encode() in data
    ]


def say(log, id, *texts):
    for number, text in enumerate(texts):
        message = Message("assistant" if number % 2 else "user", text)
        log.append(id, MessageAdded(f"{id}.{number}", message))
    log.flush()


NEEDLES = ["needle", "独特", "特针", "zwölf", "zwolf"]


def test_nothing_of_it_is_in_any_file(log, path):
    call = ToolCall("a", "needle_tool", {"needle": "needle"})
    for number in range(300):
        say(log, f"other{number}", f"Something else {number}.", "An answer.")
    say(log, "c", "Where is the needle? 独特针 zwölf", "getNeedle() needle_case")
    for event in (
        TextDelta("x", "a needle in "),
        ReasoningDelta("x", "needle?"),
        ToolCallStarted(call),
        ToolProgressed("a", "needle"),
        MessageAdded("x", Message("assistant", "a needle", "needle?", (call,))),
        MessageAdded("y", Message("tool", "needle", tool_call_id="a")),
        TextDelta("z", "an unfinished needle"),
        ErrorRaised("model", "needle"),
        ConversationRenamed("The needle"),
    ):
        log.append("c", event, turn="t")
    read_state.save_draft(log, "c", "draft of a needle").result(30)
    read_state.mark_seen(log, "c", 3).result(30)
    assert {needle for _, needle in left(path, *NEEDLES)} == set(NEEDLES)

    deleted = conversation.delete(log, "c")

    assert deleted.traces == ""
    assert left(path, *NEEDLES) == []
    assert [r.event for r in log.read("c")] == [ConversationDeleted()]
    assert (read_state.draft(log, "c"), read_state.seen(log, "c")) == ("", 0)
    assert conversation.search(log, "needle") == []
    assert conversation.get(log, "c") is None
    assert len(conversation.recent(log)) == 300


@pytest.mark.parametrize("run", range(4))
def test_nothing_is_left_whatever_was_written_before(path, run):
    """Rows of all lengths come, grow and go: pages split, merge and are reused.

    SQLite's secure_delete alone, or the merged index alone, does not pass this.
    """
    rng = random.Random(run)
    gone: list[str] = []
    with EventLog(path) as log:
        kept: dict[str, str] = {}
        for number in range(250):
            id, needle = f"{rng.getrandbits(64):x}", f"needle{number}x"
            kept[id] = needle
            for part in range(rng.randrange(3)):
                text = f"{needle} " * rng.choice([1, 3, 30, 300])
                log.append(id, TextDelta(f"{id}.{part}", text))
                added = MessageAdded(f"{id}.{part}", Message("assistant", text))
                log.append(id, added)
            for other in rng.sample(sorted(kept), min(3, len(kept))):
                title = f"{kept[other]} " * rng.randrange(1, 12)
                log.append(other, ConversationRenamed(title))
                read_state.save_draft(log, other, f"{kept[other]} " * rng.randrange(12))
            if number % 80 == 79:
                log.flush()
                ids = rng.sample(sorted(kept), k=len(kept) // 2)
                ids = [id for id in ids if conversation.get(log, id)]
                assert conversation.delete(log, *ids).traces == ""
                gone += [kept.pop(id) for id in ids]
                assert left(path, *gone) == []
        log.flush()
        assert left(path, *kept.values())


FOLLOWER = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import ConversationDeleted
with EventLog(Path(sys.argv[1])) as log, log.follow("c") as follow:
    for records in follow:
        for record in records:
            print(type(record.event).__name__, flush=True)
            if isinstance(record.event, ConversationDeleted):
                sys.exit()
"""


def test_who_follows_it_in_another_process_learns_of_it(log, path):
    say(log, "c", "a needle")
    command = [sys.executable, "-c", FOLLOWER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        assert follower.stdout.readline() == "MessageAdded\n"

        deleted = conversation.delete(log, "c")

        assert deleted.traces == ""
        assert left(path, "needle") == []
        assert follower.stdout.readline() == "ConversationDeleted\n"
        assert follower.wait(30) == 0


READER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("SELECT * FROM event").fetchone()
print("reading", flush=True)
sys.stdin.readline()
"""


def test_a_reader_that_holds_on_is_told_of_and_its_end_waited_for(path):
    with EventLog(path) as log:
        say(log, "c", "a needle")
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with reader:
            assert reader.stdout
            assert reader.stdout.readline() == b"reading\n"
            reader.send_signal(signal.SIGSTOP)

            deleted = conversation.delete(log, "c", seconds=0.2)

            found = left(path, "needle")
            reader.kill()
            assert "is reading the conversation store" in deleted.traces
            assert conversation.search(log, "needle") == []
            assert found
        # Whoever opens the store next wipes what could not be wiped.
        with EventLog(path) as other:
            assert other.purge() == ""
            assert left(path, "needle") == []


def test_what_a_killed_process_left_is_wiped_at_the_next_start(path):
    with EventLog(path) as log:
        say(log, "c", "a needle")
        # As far as a process comes that dies before it purges.
        log.append("c", ConversationDeleted()).result(30)
        assert log.query("SELECT count(*) FROM purge") == [(1,)]

    with EventLog(path) as log, log.follow() as follow:
        while log.query("SELECT count(*) FROM purge") != [(0,)]:
            follow.poll(0.1)
        assert left(path, "needle") == []


def test_closing_does_not_wait_for_what_is_wiped(path):
    with EventLog(path) as log:
        say(log, "c", "a needle")
        log.append("c", ConversationDeleted()).result(30)
    for _ in range(20):
        EventLog(path).close()
    with EventLog(path) as log:
        assert log.purge() == ""
        assert left(path, "needle") == []


def test_others_write_and_read_while_it_is_deleted(log, path):
    for number in range(30):
        say(log, f"c{number}", "needle " * 50, f"kept{number}")
    with EventLog(path) as other, ThreadPoolExecutor(1) as pool:
        going = pool.submit(conversation.delete, log, *[f"c{n}" for n in range(20)])
        count = 0
        while not going.done() or count < 5:
            say(other, "new", f"word {count}")
            count += 1
        assert going.result(30).traces == ""
        assert len(other.read("new")) == count
        assert len(conversation.search(other, "word", 10_000)) == count
        assert len(conversation.search(other, "needle", 1000)) == 10


def test_a_conversation_with_a_running_turn_stays(log):
    say(log, "c", "a needle")
    say(log, "d", "another")
    log.append("c", STARTED, turn="t").result(30)

    with pytest.raises(LogError, match="conversation c: stop it first"):
        conversation.delete(log, "d", "c")

    assert len(conversation.search(log, "needle")) == 1
    assert len(conversation.recent(log)) == 2
    log.append("c", TurnFinished("stop"), turn="t").result(30)
    assert conversation.delete(log, "c").traces == ""


def test_a_question_that_waits_is_taken_back(log):
    say(log, "c", "a needle")
    log.append("c", ASKED, turn="t").result(30)

    deleted = conversation.trash(log, "c")

    assert [(r.turn, r.event) for r in log.read("c")] == [
        (None, ConversationDeleted()),
        ("t", TurnWithdrawn()),
    ]
    conversation.restore(log, deleted)
    assert conversation.fold(log.read("c")).requested == []


def test_what_is_not_there_cannot_be_deleted(log):
    say(log, "c", "hello")

    with pytest.raises(LogError, match="no conversation 'd'"):
        conversation.delete(log, "c", "d")
    conversation.delete(log, "c")
    with pytest.raises(LogError, match="no conversation 'c'"):
        conversation.delete(log, "c")


def test_a_deletion_can_be_taken_back(log, path):
    say(log, "c", "a needle", "found")
    say(log, "d", "other")
    conversation.pin(log, "c").result(30)
    conversation.rename(log, "c", "Sewing").result(30)
    read_state.save_draft(log, "c", "and now").result(30)
    before = conversation.fold(log.read("c")), conversation.get(log, "c")

    deleted = conversation.trash(log, "c")
    assert conversation.get(log, "c") is None
    assert conversation.restore(log, deleted) == "c"

    assert (conversation.fold(log.read("c")), conversation.get(log, "c")) == before
    assert read_state.draft(log, "c") == "and now"
    assert len(conversation.search(log, "needle")) == 1
    assert [s.id for s in conversation.recent(log)] == ["c", "d"]


def test_a_restored_conversation_is_deleted_as_well_as_any(log, path):
    say(log, "c", "a needle")

    conversation.restore(log, conversation.trash(log, "c"))
    assert conversation.delete(log, "c").traces == ""

    assert left(path, "needle") == []


def test_deletion_works_with_a_rollback_journal_too(path, monkeypatch):
    """As where a file system refuses the write-ahead log."""
    monkeypatch.setattr("tui.eventlog.log.use_wal", lambda *_: None)
    with EventLog(path) as log:
        assert log.query("PRAGMA journal_mode") == [("delete",)]
        say(log, "c", "a needle")

        assert conversation.delete(log, "c").traces == ""

        assert left(path, "needle") == []
        assert [file.name for file in path.parent.iterdir()] == [path.name]
