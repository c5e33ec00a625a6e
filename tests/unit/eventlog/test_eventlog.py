import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui.conversation import read_state
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog
from tui.events import (
    MessageAdded,
    Queued,
    ReasoningDelta,
    Record,
    TextDelta,
    TurnFinished,
    TurnStarted,
    Unknown,
)
from tui.messages import Message

STARTED = TurnStarted("host", "boot", 1, 1)


def events_of(records: list[Record]):
    return [record.event for record in records]


def test_what_is_appended_is_read_by_another_process_s_connection(log, path):
    event = MessageAdded("m1", Message("user", "你好 👋\x1b[31m\x00"))

    seq = log.append("c", event, turn="t").result(30)

    with EventLog(path) as other:
        (record,) = other.read("c")
    assert (record.seq, record.turn, record.event) == (seq, "t", event)


@pytest.mark.parametrize("there", ["a file", "a link that leads nowhere"])
def test_a_folder_whose_name_is_taken_is_told_in_plain_words(tmp_path, there):
    taken = tmp_path / "home"
    if there == "a file":
        taken.touch()
    else:
        taken.symlink_to(tmp_path / "nowhere")

    with pytest.raises(LogError) as raised:
        EventLog(taken / "chats" / "log.db")

    assert str(raised.value) == (
        f"Cannot create the folder {taken}/chats, because {taken} is not a folder. "
        "Move it away, or set LAZYCHAT_HOME to another folder."
    )


def test_read_has_no_effect_and_starts_after_the_cursor(log):
    first = log.append("c", Queued("x", "1")).result(30)
    log.append("c", Queued("x", "2")).result(30)

    assert events_of(log.read("c", first)) == [Queued("x", "2")]
    assert events_of(log.read("c", first)) == [Queued("x", "2")]


def test_conversations_do_not_mix(log):
    log.append("a", Queued("x", "1"))
    log.append("b", Queued("x", "2"))
    log.flush()

    assert events_of(log.read("a")) == [Queued("x", "1")]
    assert [r.conversation for r in log.read()] == ["a", "b"]


def test_a_whole_message_replaces_its_deltas_and_no_others(log):
    log.append("c", TextDelta("m1", "he"), turn="t")
    log.append("c", ReasoningDelta("m1", "hm"), turn="t")
    log.append("c", TextDelta("m2", "other"), turn="t")
    whole = MessageAdded("m1", Message("assistant", "hello", "hm"))
    log.append("c", whole, turn="t").result(30)

    assert events_of(log.read("c")) == [TextDelta("m2", "other"), whole]


def test_deltas_that_gather_become_one_row_in_order(log):
    """A guard holds the writer, so that what follows gathers behind it."""
    go = threading.Event()
    log.append("c", guard=lambda _: go.wait(5))
    for event in [TextDelta("m", "a"), TextDelta("m", "b"), ReasoningDelta("m", "r")]:
        log.append("c", event, turn="t")
    log.append("c", TextDelta("m", "c"), turn="t")
    log.append("d", TextDelta("m", "d"), turn="t")
    last = log.append("c", TextDelta("m", "e"), turn="u")
    go.set()
    last.result(30)

    assert events_of(log.read()) == [
        TextDelta("m", "ab"),
        ReasoningDelta("m", "r"),
        TextDelta("m", "c"),
        TextDelta("m", "d"),
        TextDelta("m", "e"),
    ]


def test_a_turn_is_claimed_once_and_ends_once(log, path):
    with EventLog(path) as other:
        log.append("c", STARTED, turn="t").result(30)
        with pytest.raises(ConflictError):
            other.append("c", STARTED, turn="t").result(30)
        log.append("c", TurnFinished("stop"), turn="t").result(30)
        with pytest.raises(ConflictError):
            other.append("c", TurnFinished("cancelled"), turn="t").result(30)

    assert events_of(log.read("c")) == [STARTED, TurnFinished("stop")]


def test_a_refused_append_leaves_nothing_and_spares_its_neighbours(log):
    go = threading.Event()
    log.append("c", guard=lambda _: go.wait(5))
    before = log.append("c", Queued("x", "before"))
    log.append("c", STARTED, turn="t")
    refused = log.append("c", Queued("x", "torn"), STARTED, turn="t")
    guarded = log.append("c", Queued("x", "guarded"), guard=lambda _: False)
    after = log.append("c", Queued("x", "after"))
    go.set()

    assert before.result(30) < after.result(30)
    assert isinstance(refused.exception(5), ConflictError)
    assert isinstance(guarded.exception(5), ConflictError)
    texts = [e.text for e in events_of(log.read()) if isinstance(e, Queued)]
    assert texts == ["before", "after"]


def test_sequence_numbers_are_not_reused_after_a_settle(log):
    last = log.append("c", TextDelta("m", "x"), turn="t").result(30)
    added = log.append("c", MessageAdded("m", Message("assistant", "x"))).result(30)
    assert added == last + 1
    assert log.tail() == added


def test_follow_gives_what_is_there_and_then_what_comes(log):
    log.append("c", Queued("x", "1")).result(30)

    with log.follow("c") as follow, ThreadPoolExecutor(1) as pool:
        assert events_of(next(follow)) == [Queued("x", "1")]
        waiting = pool.submit(next, follow)
        log.append("other", Queued("x", "not ours"))
        log.append("c", Queued("x", "2"))
        assert events_of(waiting.result(30)) == [Queued("x", "2")]


def test_follow_sees_another_writer(log, path):
    with EventLog(path) as other, log.follow("c") as follow:
        other.append("c", Queued("x", "1"))
        assert events_of(follow.poll(30)) == [Queued("x", "1")]


def test_follow_ends_when_closed_from_another_thread(log):
    with log.follow("c") as follow, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, follow)
        follow.close()
        assert waiting.result(30) == []


def test_poll_gives_nothing_after_its_time_limit(log):
    with log.follow("c") as follow:
        assert follow.poll(0) == []
        assert follow.poll(0.01) == []


def test_closing_the_log_ends_its_followers_and_refuses_appends(path):
    log = EventLog(path)
    with log.follow("c") as follow, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, follow)
        log.close()
        assert waiting.result(30) == []
    with pytest.raises(LogError, match="closed"):
        log.append("c", Queued("x", "1")).result(30)


def test_close_writes_what_was_appended(path):
    log = EventLog(path)
    for number in range(100):
        log.append("c", Queued("x", str(number)))
    log.close()

    with EventLog(path) as again:
        texts = [e.text for e in events_of(again.read()) if isinstance(e, Queued)]
    assert texts == [str(number) for number in range(100)]


def test_the_file_is_the_user_s_alone(log, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_kind_of_a_later_version_is_carried_unread(log, path):
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO event(conversation, kind, time, data) "
            "VALUES ('c', 'hologram_shown', 0, '{\"depth\": 3}')"
        )
    db.close()
    (record,) = log.read("c")
    assert record.event == Unknown("hologram_shown", b'{"depth": 3}')


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path):
    EventLog(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()

    with pytest.raises(LogError, match=r"newer lazychat \(format 99"):
        EventLog(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_store_is_an_error_that_names_it(path):
    path.parent.mkdir()
    path.write_text("This is my diary. " * 100)
    with pytest.raises(LogError, match="not a database"):
        EventLog(path)
    assert path.read_text().startswith("This is my diary.")


def test_a_draft_is_kept_until_it_is_emptied(log, path):
    read_state.save_draft(log, "c", "half a thought").result(30)
    with EventLog(path) as other:
        assert read_state.draft(other, "c") == "half a thought"
    read_state.save_draft(log, "c", "").result(30)
    assert read_state.draft(log, "c") == ""


def test_many_threads_may_read_while_one_writes(log):
    def reader() -> list[str]:
        texts: list[str] = []
        with log.follow("c") as follow:
            while len(texts) < 200:
                texts += [
                    e.text for e in events_of(follow.poll(30)) if isinstance(e, Queued)
                ]
        return texts

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(reader) for _ in range(4)]
        for number in range(200):
            log.append("c", Queued("x", str(number)))
        expected = [str(number) for number in range(200)]
        assert [r.result(20) for r in readers] == [expected] * 4


def test_what_was_seen_never_goes_back(log, path):
    assert read_state.seen(log, "c") == 0

    read_state.mark_seen(log, "c", 7).result(30)
    read_state.mark_seen(log, "c", 3).result(30)

    with EventLog(path) as other:
        assert read_state.seen(other, "c") == 7
        assert read_state.seen(other, "d") == 0


def test_who_follows_without_deltas_is_not_woken_by_them(log, monkeypatch):
    # Its look for the writes of other processes finds ours too.
    monkeypatch.setattr("tui.eventlog.follow.WATCH_SECONDS", 60.0)
    with log.follow("c", provisional=False) as follow:
        log.append("c", TextDelta("m", "a")).result(30)
        assert follow.poll(0) == []
        before = log._changes.whole_count

        log.append("c", TextDelta("m", "b")).result(30)
        assert log._changes.whole_count == before
        log.append("c", TurnFinished("stop"), turn="t").result(30)

        assert [record.event for record in follow.poll(30)] == [TurnFinished("stop")]


def test_what_is_written_by_who_waits_keeps_the_order(log):
    def talk(name: str) -> list[int]:
        seqs: list[int] = []
        for number in range(60):
            text = f"{name}{number}"
            if number % 3:
                seqs.append(log.write("c", Queued(name, text)))
            else:
                log.append("c", Queued(name, text))
        log.flush()
        return seqs

    with ThreadPoolExecutor(4) as pool:
        seqs = list(pool.map(talk, "abcd"))

    events = [record.event for record in log.read("c")]
    for name, own in zip("abcd", seqs, strict=True):
        said = [e.text for e in events if isinstance(e, Queued) and e.channel == name]
        assert said == [f"{name}{number}" for number in range(60)]
        assert own == sorted(own)
