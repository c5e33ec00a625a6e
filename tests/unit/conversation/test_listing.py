"""What is kept beside the events: the list, what runs, and what it all costs."""

import sqlite3
import time

import pytest
from bench import store as bench

from tui import conversation
from tui.conversation import store
from tui.conversation.full_text_search import SEARCH
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.eventlog.sqlite import schema
from tui.events import (
    ConversationRenamed,
    MessageAdded,
    Queued,
    Record,
    TurnFinished,
    TurnStarted,
)
from tui.messages import Message, Role

STARTED = TurnStarted("host", "boot", 1, 1)


def said(of: str, id: str, text: str, at: float, role: Role = "user"):
    return Record(0, of, None, at, MessageAdded(id, Message(role, text)))


def test_the_last_used_come_first_and_the_pinned_before_them(log):
    log.add([said(id, id, f"about {id}", at) for at, id in enumerate("abcd", 1)])
    log.add([said("a", "a2", "an answer", 9.0, "assistant")])
    conversation.pin(log, "b").result(30)

    assert [s.id for s in conversation.recent(log)] == ["b", "a", "d", "c"]
    assert [s.id for s in conversation.recent(log, 2)] == ["b", "a"]
    newest = conversation.newest(log)
    assert newest
    assert newest == conversation.Summary("a", "about a", 1.0, 9.0, 2, False)

    conversation.pin(log, "b", False).result(30)
    assert [s.id for s in conversation.recent(log)] == ["a", "d", "c", "b"]


def test_only_what_is_said_is_counted_and_is_activity(log):
    log.add(
        [
            said("c", "1", "hi", 1.0),
            said("c", "2", "", 2.0, "assistant"),
            said("c", "3", "result", 3.0, "tool"),
            said("c", "4", "well", 4.0, "assistant"),
            Record(0, "c", None, 5.0, Queued("x", "y")),
            Record(0, "other", None, 5.0, Queued("x", "y")),
        ]
    ).result(30)

    (it,) = conversation.recent(log)
    assert (it.created, it.updated, it.messages) == (1.0, 4.0, 2)


def test_there_is_no_newest_of_none(log):
    assert conversation.newest(log) is None
    assert conversation.recent(log) == []


def test_a_title_stays_what_it_was_renamed_to(log):
    conversation.rename(log, "c", "  My \n title ").result(30)
    log.add([said("c", "1", "the first question", 1.0)]).result(30)

    (it,) = conversation.recent(log)
    assert it.title == "My title"
    with pytest.raises(LogError, match="at least one character"):
        conversation.rename(log, "c", " \n ")


def test_ids_are_shown_as_short_as_they_are_found_by(log):
    ids = ["abcdef01", "abcdef02", "abcdefg", "b", "ba", "zzzzzzzzzz"]
    log.add([said(id, id, "hi", 1.0) for id in ids]).result(30)

    shorts = conversation.short_ids(log, ids)

    assert shorts == ["abcdef01", "abcdef02", "abcdefg", "b", "ba", "zzzzzz"]
    assert [conversation.find(log, short) for short in shorts] == ids


def test_what_runs_anywhere_is_known_at_once(log):
    log.append("a", STARTED, turn="x")
    log.append("b", STARTED, turn="y")
    log.append("b", STARTED, turn="z")
    log.append("b", TurnFinished("stop"), turn="y").result(30)

    assert conversation.running_anywhere(log) == {"a": [STARTED], "b": [STARTED]}


def test_an_older_store_is_filled_in_when_it_is_opened(path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        patched.setattr(schema, "VERSION", 2)
        db = sqlite3.connect(path, isolation_level=None)
        for number, step in enumerate(schema.MIGRATIONS, 1):
            assert isinstance(step, str)
            db.executescript(step)
            db.execute(f"PRAGMA user_version = {number}")
    added = '{"message_id": "1", "message": {"role": "user", "text": "a needle"}}'
    answer = '{"message_id": "2", "message": {"role": "assistant", "text": "found"}}'
    started = '{"host": "host", "boot_id": "boot", "pid": 1, "process_start": 1}'
    for turn, kind, at, data in [
        ("t", "message_added", 1.0, added),
        ("t", "turn_started", 2.0, started),
        ("t", "message_added", 3.0, answer),
        ("t", "turn_finished", 4.0, '{"reason": "stop"}'),
        ("u", "turn_started", 5.0, started),
    ]:
        db.execute(
            "INSERT INTO event(conversation, turn, kind, time, data) "
            "VALUES ('c', ?, ?, ?, ?)",
            (turn, kind, at, data),
        )
    db.execute("INSERT INTO conversation VALUES ('c', 'Sewing', 1.0)")
    db.close()

    with EventLog(path) as log:
        assert conversation.recent(log) == [
            conversation.Summary("c", "Sewing", 1.0, 3.0, 2, False)
        ]
        assert [h.message_id for h in conversation.search(log, "needle")] == ["1"]
        assert conversation.running_anywhere(log) == {"c": [STARTED]}


def test_records_keep_their_time_and_turn_and_come_all_or_none(log):
    log.append("c", STARTED, turn="t").result(30)
    one = Record(77, "d", "s", 1.5, ConversationRenamed("x"))

    log.add([one]).result(30)
    refused = log.add([one, Record(0, "d", "t", 2.0, STARTED)])

    with pytest.raises(LogError, match="already"):
        refused.result(30)
    (record,) = log.read("d")
    assert (record.turn, record.time, record.event) == ("s", 1.5, one.event)
    assert record.seq == 2


@pytest.mark.parametrize(
    ("sql", "parameters", "wanted"),
    [
        (store.RECENT, (50,), ["INDEX conversation_recent"]),
        (store.NEWEST, (), ["INDEX conversation_used"]),
        (store.FIND, {"begin": "a", "end": "b"}, ["id>? AND id<?"]),
        (store.NEIGHBOURS, {"id": "a"}, ["id<?", "id>?"]),
        (store.RUNNING, ("a",), ["conversation=?", "INDEX event_end"]),
        (
            SEARCH,
            {"wanted": '"a"', "before": 9, "limit": 50},
            ["message_text VIRTUAL TABLE INDEX", "event USING INTEGER", "(id=?)"],
        ),
    ],
)
def test_queries_go_by_indexes_and_sort_nothing(log, sql, parameters, wanted):
    """What must cost the same in a store of any size: no table is gone through."""
    plan = [row[3] for row in log.query(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    for step in wanted:
        assert any(step in line for line in plan), plan
    assert not [line for line in plan if "B-TREE FOR ORDER" in line], plan
    scans = [line for line in plan if line.startswith("SCAN")]
    assert not [s for s in scans if "INDEX" not in s and "CONSTANT" not in s], plan


def test_the_measured_store_is_what_it_says(log):
    """The program behind the figures finds what it searches for."""
    start = time.monotonic()
    bench.seed(log, 400)
    assert time.monotonic() - start < 20

    listed = conversation.recent(log)
    assert sum(it.messages for it in listed if it.id != "same") == 400
    found = {
        name: len(conversation.search(log, query))
        for name, query in bench.QUERIES.items()
    }
    assert found.pop("nothing") == 0
    assert found.pop("a rare word") == 2
    assert all(found.values()), found
    assert bench.deletion(log)[2] < 10
