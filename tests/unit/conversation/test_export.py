"""Conversations as files, and back."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import conversation
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ConversationConfigured,
    ConversationPinned,
    ConversationRenamed,
    Event,
    MessageAdded,
    NoticeGiven,
    Record,
    SummaryAdded,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
    Unknown,
    UsageReported,
)
from tui.messages import Attachment, Message, ToolCall

STARTED = TurnStarted("host", "boot", 1, 1)
CALL = ToolCall("a", "get_weather", {"location": "Tōkyō"})


@pytest.fixture
def other(tmp_path):
    with EventLog(tmp_path / "other.db") as log:
        yield log


def talk(log, id="c", of="t"):
    """Store a conversation that has something of everything."""
    files = (Attachment("a.png", "image/png", b"\x89PNG\xff"),)
    events: list[tuple[str | None, Event]] = [
        (of, MessageAdded("1", Message("user", "Weather? 天气", attachments=files))),
        (of, TurnRequested("m", options={"stream": False}, runner="r")),
        (of, STARTED),
        (of, ToolCallStarted(CALL)),
        (of, MessageAdded("2", Message("assistant", "", "Hm.", (CALL,)))),
        (of, ToolCallFinished("a", 0.5)),
        (of, MessageAdded("3", Message("tool", "10 °C", tool_call_id="a"))),
        (of, MessageAdded("4", Message("assistant", "Cold."), finish_reason="stop")),
        (of, UsageReported(9, 3, 0.1)),
        (of, TurnFinished("stop")),
        (None, MessageAdded("5", Message("user", "Sure?"), parent="1")),
        (None, SummaryAdded("1", "4", "They spoke of the weather.")),
        (None, ConversationRenamed("Weather")),
        (None, ConversationPinned()),
        (None, ConversationConfigured("Be brief.", {"top_p": 0.5})),
        (None, Unknown("hologram_shown", b'{"depth":3}')),
    ]
    log.add(
        [Record(0, id, turn, 100.0 + n, e) for n, (turn, e) in enumerate(events)]
    ).result(30)


def contents(log, id):
    return [(r.turn, r.time, r.event) for r in log.read(id)]


def test_all_of_a_conversation_comes_to_another_store(log, other):
    talk(log)

    assert conversation.import_json(other, conversation.export_json(log, "c")) == ["c"]

    assert contents(other, "c") == contents(log, "c")
    assert conversation.recent(other) == conversation.recent(log)
    assert len(conversation.search(other, "天气")) == 1


def test_the_format_is_the_documented_one(log):
    talk(log)

    document = json.loads(conversation.export_json(log, "c"))

    (exported,) = document.pop("conversations")
    picture = document.pop("files")
    assert list(picture.values()) == ["iVBOR/8="]
    assert list(picture) == [hashlib.sha256(b"\x89PNG\xff").hexdigest()]
    assert document == {"format": "lazychat", "version": 1}
    events = exported.pop("events")
    assert exported == {"id": "c", "title": "Weather", "created": 100.0, "pinned": True}
    assert events[4] == {
        "kind": "message_added",
        "time": 104.0,
        "turn": "t",
        "data": {
            "message_id": "2",
            "message": {
                "role": "assistant",
                "reasoning": "Hm.",
                "tool_calls": [
                    {
                        "id": "a",
                        "name": "get_weather",
                        "arguments": {"location": "Tōkyō"},
                    }
                ],
            },
        },
    }


def test_what_is_there_is_never_written_over(log):
    talk(log)
    before = contents(log, "c")
    text = conversation.export_json(log, "c")

    (copy,) = conversation.import_json(log, text)

    assert copy != "c"
    assert contents(log, "c") == before
    one, two = (
        list(conversation.fold(log.read(id)).entries.values()) for id in ("c", copy)
    )
    assert [e.message for e in one] == [e.message for e in two]
    assert not {e.message_id for e in one} & {e.message_id for e in two}
    assert not {e.turn for e in one if e.turn} & {e.turn for e in two}


def test_a_copy_refers_to_its_own_messages(log):
    talk(log)

    (copy,) = conversation.import_json(log, conversation.export_json(log, "c"))

    events = [r.event for r in log.read(copy)]
    ids = [e.message_id for e in events if isinstance(e, MessageAdded)]
    parents = [e.parent for e in events if isinstance(e, MessageAdded)]
    assert parents == [None] * 4 + [ids[0]]
    (summary,) = [e for e in events if isinstance(e, SummaryAdded)]
    assert (summary.first_message_id, summary.last_message_id) == (ids[0], ids[3])


def test_a_copy_leaves_a_message_that_is_being_written_alone(log):
    log.append("c", TextDelta("m", "half a"), turn="t").result(30)
    log.append("d", MessageAdded("m", Message("assistant", "whole"))).result(30)

    assert [r.event for r in log.read("c")] == [TextDelta("m", "half a")]


def test_turns_that_had_not_ended_are_ended(log, other):
    log.append("c", TurnRequested("m", runner="r"), turn="waits")
    log.append("c", TurnRequested("m", runner="r"), turn="runs")
    log.append("c", STARTED, turn="runs")
    log.append("c", TextDelta("1", "half an ans"), turn="runs").result(30)

    conversation.import_json(other, conversation.export_json(log, "c"))

    folded = conversation.fold(other.read("c"))
    assert (folded.requested, folded.running) == ([], {})
    assert folded.finished == {"runs": "interrupted"}
    assert folded.entries["1"].message.text == "half an ans"
    assert TurnWithdrawn() in [r.event for r in other.read("c")]
    assert conversation.running_anywhere(other) == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d.update(format="other"), 'its "format" is not "lazychat"'),
        (lambda d: d.pop("format"), 'its "format" is not "lazychat"'),
        (lambda d: d.update(version=2), "version 2; this lazychat reads 1"),
        (lambda d: d.pop("conversations"), "missing required field `conversations`"),
        (
            lambda d: d["conversations"][0]["events"][3].pop("time"),
            r"\$.conversations\[0\].events\[3\]",
        ),
        (lambda d: d["conversations"][0].update(id=""), "conversation 1 has no id"),
        (lambda d: d["conversations"][0].update(events=[]), "conversation 1 has no ev"),
        (
            lambda d: d["conversations"][1]["events"][4]["data"].pop("message"),
            "conversation 2, event 5: .*missing required field `message`",
        ),
        (
            lambda d: d["conversations"][0]["events"][4]["data"]["message"].update(
                role="king"
            ),
            "conversation 1, event 5: Invalid enum value 'king'",
        ),
    ],
)
def test_bad_input_is_told_and_nothing_of_it_is_taken(log, other, change, problem):
    talk(log)
    talk(log, "d", "u")
    document = json.loads(conversation.export_json(log, "c", "d"))
    change(document)

    with pytest.raises(LogError, match=problem):
        conversation.import_json(other, json.dumps(document))

    assert other.read() == []


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "{", '{"format": "lazychat"', "\ud800"]
)
def test_what_is_no_export_is_told(log, text):
    with pytest.raises(LogError, match="not a lazychat export"):
        conversation.import_json(log, text)


def test_what_is_not_there_cannot_be_exported(log):
    with pytest.raises(LogError, match="no conversation 'x'"):
        conversation.export_json(log, "x")
    with pytest.raises(LogError, match="no conversation 'x'"):
        conversation.export_markdown(log, "x")


_texts = st.text(max_size=20)
_ids = st.sampled_from(["1", "2", "3", "4"])
_calls = st.lists(
    st.builds(
        ToolCall, _ids, _texts, st.dictionaries(_texts, st.integers() | _texts) | _texts
    ),
    max_size=2,
).map(tuple)
_messages = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    _texts,
    _texts,
    _calls,
    st.none() | _ids,
    st.lists(
        st.builds(Attachment, _texts, _texts, st.binary(max_size=9)), max_size=1
    ).map(tuple),
)
_events = (
    st.builds(MessageAdded, _ids, _messages, st.none() | _ids, st.none() | _texts)
    | st.builds(ConversationRenamed, _texts)
    | st.builds(ConversationPinned, st.booleans())
    | st.builds(ConversationConfigured, _texts)
    | st.builds(SummaryAdded, _ids, _ids, _texts)
    | st.builds(NoticeGiven, _texts)
)


@given(st.lists(st.tuples(st.sampled_from(["t", "u", None]), _events), min_size=1))
@settings(max_examples=60, deadline=None)
def test_what_is_exported_and_imported_is_the_same(tmp_path_factory, given_events):
    folder = tmp_path_factory.mktemp("export")
    # Whole turns: those that had not ended are another test's.
    begun = [(turn, TurnRequested("m", runner="r")) for turn in ("t", "u")]
    ended = [("t", TurnWithdrawn()), ("u", STARTED), ("u", TurnFinished("stop"))]
    with EventLog(folder / "a.db") as log, EventLog(folder / "b.db") as other:
        for turn, event in [*begun, *given_events, *ended]:
            log.append("c", event, turn=turn)
        log.flush()
        text = conversation.export_json(log, "c")

        assert conversation.import_json(other, text) == ["c"]

        assert conversation.fold(other.read("c")) == conversation.fold(log.read("c"))
        assert conversation.recent(other) == conversation.recent(log)
        assert conversation.export_json(other, "c") == text


def test_markdown_is_to_be_read(log, monkeypatch):
    monkeypatch.setattr("time.localtime", lambda at: __import__("time").gmtime(at))
    talk(log)

    text = conversation.export_markdown(log, "c")

    assert text.startswith("# Weather\n\n## You, 1970-01-01 00:01\n\nWeather? 天气\n")
    assert "Attached: a.png" in text
    assert "<summary>Thinking</summary>\n\nHm.\n" in text
    assert "<summary>Tool: get_weather</summary>" in text
    assert '```json\n{\n  "location": "Tōkyō"\n}\n```\n\n```\n10 °C\n```' in text
    assert "## Assistant, 1970-01-01 00:01\n\nCold.\n" in text
    assert "## You, 1970-01-01 00:01\n\nSure?\n" in text


def test_code_in_a_result_does_not_end_its_fence(log):
    call = ToolCall("a", "run", "not json")
    log.append("c", MessageAdded("1", Message("user", "go")))
    log.append("c", MessageAdded("2", Message("assistant", tool_calls=(call,))))
    answer = Message("tool", "````\nx\n````", tool_call_id="a")
    log.append("c", MessageAdded("3", answer)).result(30)

    text = conversation.export_markdown(log, "c")

    assert "`````\n````\nx\n````\n`````" in text
    assert "```json\nnot json\n```" in text


def test_a_file_asks_nobody_and_allows_nothing(log: EventLog) -> None:
    asked = ApprovalRequested("1", "run_it", text="rm -r /")
    given = ApprovalGiven("1", True, "conversation")
    open_question = ApprovalRequested("2", "run_it", text="rm -r /")
    owner = TurnStarted("far-away", "boot", 1, 1)
    log.append(
        "c",
        MessageAdded("m", Message("user", "hi")),
        TurnRequested("model"),
        *(owner, asked, given, open_question),
        TurnFinished("interrupted"),
        turn="t",
    ).result(30)
    assert conversation.fold(log.read("c")).approvals.grants

    (id,) = conversation.import_json(log, conversation.export_json(log, "c"))

    imported = conversation.fold(log.read(id)).approvals
    assert imported.grants == {}
    assert imported.questions == []
