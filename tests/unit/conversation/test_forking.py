"""Forks: what a copy of a conversation has, and that the original stays as it is."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from support.talk import Expected, Talk, acts

from tui import conversation
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ConversationConfigured,
    ConversationForked,
    ConversationPinned,
    ConversationRenamed,
    MessageAdded,
    Record,
    SummaryAdded,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Attachment, Message

pytestmark = pytest.mark.usefixtures("home")


def texts(log: EventLog, id: str) -> list[str]:
    entries = conversation.fold(log.read(id)).entries.values()
    return [entry.message.text for entry in entries]


def store(log: EventLog, records: list[Record]) -> None:
    log.add(records).result(30)


def exchanges(count: int) -> Talk:
    talk = Talk()
    for _ in range(count):
        talk.go_on()
        talk.answer()
    return talk


def contents(log: EventLog, id: str) -> list[object]:
    return [(r.turn, r.time, r.event) for r in log.read(id)]


def test_a_fork_has_all_messages_and_the_original_is_untouched(log):
    store(log, exchanges(2).log)
    before = contents(log, "c")

    copy = conversation.fork(log, "c")

    assert texts(log, copy) == ["t1?", "t1.1", "t2?", "t2.1"]
    assert contents(log, "c") == before
    first = log.read(copy)[0].event
    assert first == ConversationForked("c", "t1?")
    summary = conversation.get(log, copy)
    assert summary
    assert (summary.title, summary.messages) == ("t1? (fork)", 4)


def test_a_fork_goes_on_under_ids_of_its_own(log):
    store(log, exchanges(1).log)

    copy = conversation.fork(log, "c")

    old, new = (conversation.fold(log.read(id)).entries for id in ("c", copy))
    assert not old.keys() & new.keys()
    turns = [{e.turn for e in entries.values()} for entries in (old, new)]
    assert not turns[0] & turns[1]


def test_a_fork_at_an_answer_ends_there(log):
    store(log, exchanges(3).log)

    assert texts(log, conversation.fork(log, "c", "t2.1")) == [
        "t1?",
        "t1.1",
        "t2?",
        "t2.1",
    ]


def test_a_fork_at_a_question_leaves_its_answer_out(log):
    store(log, exchanges(2).log)

    copy = conversation.fork(log, "c", "t2.0")

    assert texts(log, copy) == ["t1?", "t1.1", "t2?"]
    assert not conversation.fold(log.read(copy)).requested


def test_a_fork_of_an_older_version_shows_that_one(log):
    talk = exchanges(2)
    talk.edit("t2.0")
    talk.answer()
    store(log, talk.log)

    copy = conversation.fork(log, "c", "t2.1")

    assert texts(log, copy) == ["t1?", "t1.1", "t2?", "t2.1"]


def test_a_fork_keeps_the_versions(log):
    talk = exchanges(1)
    talk.again("t1.0")
    talk.answer()
    store(log, talk.log)

    view = conversation.fold(log.read(conversation.fork(log, "c")))

    last = list(view.entries)[-1]
    ids, place = view.versions(last)
    assert (len(ids), place) == (2, 1)
    view.choose(ids[0])
    assert [e.message.text for e in view.entries.values()] == ["t1?", "t1.1"]


def test_a_running_answer_leaves_only_its_question(log):
    talk = exchanges(1)
    talk.go_on()
    talk.begin()
    talk.say()
    talk.go_on()  # queued
    store(log, talk.log)

    copy = conversation.fork(log, "c")

    view = conversation.fold(log.read(copy))
    assert texts(log, copy) == ["t1?", "t1.1", "t2?"]
    assert not view.running
    assert not view.queued


_ASKED_AGAIN = ("ask", "begin", "end", "again", "begin", "say")


@example([(act, 0) for act in _ASKED_AGAIN])
@given(acts)
@settings(deadline=None, max_examples=40)
def test_a_fork_shows_what_was_on_the_screen_up_to_its_message(acts):
    expected = Expected()
    for act in acts:
        expected.do(*act)
    talk = expected.talk
    with (
        tempfile.TemporaryDirectory() as folder,
        EventLog(Path(folder) / "lazychat.db") as log,
    ):
        if talk.log:
            store(log, talk.log)
        for id in talk.shown:
            copy = conversation.fork(log, "c", id)

            kept: list[str] = []
            turn = id.partition(".")[0]
            for entry in talk.view.entries.values():
                own = entry.turn == turn
                if own and (id.endswith(".0") or turn == talk.running):
                    # A turn that asks again has no question of its own.
                    if entry.message.role == "user":
                        kept.append(entry.message.text)
                    break
                if own or not kept or entry.turn != turn:
                    kept.append(entry.message.text)
                rest = list(talk.view.entries.values())
                after = rest[rest.index(entry) + 1 :]
                if own and not any(e.turn == turn for e in after):
                    break
            assert texts(log, copy) == kept


def test_settings_and_summaries_come_along_but_no_pin_and_no_permission(log):
    talk = exchanges(3)
    talk.write(ConversationConfigured("Be brief."), None)
    talk.write(SummaryAdded("t1.0", "t1.1", "They met."), "summary")
    talk.write(ConversationPinned(), None)
    talk.write(ConversationRenamed("Greetings"), None)
    talk.write(ApprovalRequested("x", "shell"), "t3")
    talk.write(ApprovalGiven("x", True, "conversation"), "t3")
    store(log, talk.log)

    copy = conversation.fork(log, "c")

    view = conversation.fold(log.read(copy))
    summary = conversation.get(log, copy)
    assert summary
    assert (summary.title, summary.pinned) == ("Greetings (fork)", False)
    assert view.configured.system == "Be brief."
    assert view.messages()[0].text.endswith("They met.")
    events = [r.event for r in log.read(copy)]
    assert not [e for e in events if isinstance(e, ApprovalRequested)]
    assert [e.scope for e in events if isinstance(e, ApprovalGiven)] == ["once"]


def test_attached_files_are_in_the_fork_and_outlive_the_original(log):
    picture = Attachment("a.png", "image/png", b"\x89PNG\xff")
    message = Message("user", "Look", attachments=(picture,))
    log.append("c", MessageAdded("q", message)).result(30)

    copy = conversation.fork(log, "c")
    conversation.delete(log, "c")

    (entry,) = conversation.fold(log.read(copy)).entries.values()
    (file,) = entry.message.attachments
    assert log.blob(file.digest) == b"\x89PNG\xff"


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("", "Greetings (fork)"),
        ("  Another\n way ", "Another way"),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_fork_has_the_given_title_or_one_made_from_the_original(log, title, wanted):
    store(
        log,
        [*exchanges(1).log, Record(0, "c", None, 0, ConversationRenamed("Greetings"))],
    )

    summary = conversation.get(log, conversation.fork(log, "c", title=title))

    assert summary
    assert summary.title == wanted


def test_forks_of_forks_are_counted(log):
    store(log, exchanges(1).log)

    second = conversation.fork(log, conversation.fork(log, "c"))

    found = (
        conversation.get(log, second),
        conversation.get(log, conversation.fork(log, second)),
    )
    assert [it and it.title for it in found] == ["t1? (fork 2)", "t1? (fork 3)"]


def test_a_fork_is_listed_first_and_is_the_one_to_continue(log):
    store(log, exchanges(1).log)
    log.append("d", MessageAdded("d1", Message("user", "Later"))).result(30)

    copy = conversation.fork(log, "c")

    assert [it.id for it in conversation.recent(log)] == [copy, "d", "c"]
    newest = conversation.newest(log)
    assert newest
    assert newest.id == copy


def test_a_conversation_in_memory_is_forked_there(tmp_path):
    with EventLog(tmp_path / "none.db", source="", keeps=False) as log:
        store(log, exchanges(1).log)

        copy = conversation.fork(log, "c")

        assert texts(log, copy) == ["t1?", "t1.1"]
        assert not (tmp_path / "none.db").exists()


def test_an_exported_fork_says_where_it_is_from(log, tmp_path):
    store(log, exchanges(1).log)
    copy = conversation.fork(log, "c")

    with EventLog(tmp_path / "other.db") as other:
        conversation.import_json(other, conversation.export_json(log, copy))

        assert contents(other, copy) == contents(log, copy)


@pytest.mark.parametrize(
    ("id", "message", "problem"),
    [("none", "", "still empty"), ("c", "odd", "not stored yet")],
)
def test_what_cannot_be_forked_is_said(log, id, message, problem):
    store(log, exchanges(1).log)

    with pytest.raises(LogError, match=problem):
        conversation.fork(log, id, message)


def test_a_queued_message_cannot_be_forked(log):
    talk = exchanges(1)
    talk.go_on()
    talk.begin()
    talk.go_on()
    store(log, talk.log)

    with pytest.raises(LogError, match="still queued"):
        conversation.fork(log, "c", "t3.0")


def test_no_runner_answers_in_a_fork_by_itself(log):
    started = TurnStarted("host", "boot", 1, 1)
    events = (
        MessageAdded("q", Message("user", "Hi")),
        TurnRequested("m"),
        started,
        TurnFinished("error"),
    )
    store(log, [Record(0, "c", "t", 1.0, event) for event in events])

    view = conversation.fold(log.read(conversation.fork(log, "c")))

    assert view.requested == []
    assert list(view.finished.values()) == ["error"]


def test_a_fork_of_a_damaged_log_is_bounded(log):
    data = msgspec.json.encode({"origin": "o" * 9_999, "title": "t" * 9_999})
    from tui import events

    forked = events.read("conversation_forked", data)

    assert isinstance(forked, ConversationForked)
    assert (len(forked.origin), len(forked.title)) == (255, 255)
