"""A summary stands for messages in requests, and takes nothing away."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tui.conversation import Entry, apply_summaries, fold
from tui.events import (
    Event,
    MessageAdded,
    Record,
    SummaryAdded,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Message, ToolCall

STARTED = TurnStarted("host", "boot", 1, 1)


def path(count: int) -> list[Entry]:
    roles = ("user", "assistant")
    return [
        Entry(f"m{n}", Message(roles[n % 2], f"text {n}"), settled=True)
        for n in range(count)
    ]


def shown(entries: Sequence[Entry]) -> list[str]:
    """Ids of messages, and texts of summaries in brackets after theirs."""
    return [
        f"{e.message_id}[{e.message.text.rpartition(chr(10))[2]}]"
        if e.message.pinned
        else e.message_id
        for e in entries
    ]


def records(*events: tuple[str, Event]) -> list[Record]:
    return [
        Record(seq, "c", turn, 0.0, event) for seq, (turn, event) in enumerate(events)
    ]


def test_a_summary_takes_the_place_of_its_range():
    sent = apply_summaries(path(6), [SummaryAdded("m0", "m3", "so far")])

    assert shown(sent) == ["m0[so far]", "m4", "m5"]
    assert sent[0].message.role == "user"


def test_a_summary_of_a_summary_takes_its_place():
    summaries = [SummaryAdded("m0", "m1", "first"), SummaryAdded("m0", "m3", "second")]

    assert shown(apply_summaries(path(6), summaries)) == ["m0[second]", "m4", "m5"]


def test_the_later_of_two_that_touch_counts():
    summaries = [SummaryAdded("m0", "m3", "first"), SummaryAdded("m2", "m4", "second")]

    assert shown(apply_summaries(path(6), summaries)) == [
        "m0", "m1", "m2[second]", "m5"
    ]  # fmt: skip


def test_a_summary_whose_range_is_not_on_the_path_does_nothing():
    summaries = [
        SummaryAdded("m0", "elsewhere", "other branch"),
        SummaryAdded("gone", "m3", "deleted"),
        SummaryAdded("m3", "m0", "backwards"),
    ]

    assert apply_summaries(path(4), summaries) == path(4)


@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=6),
)
def test_each_message_is_sent_itself_or_in_one_summary(
    count: int, ranges: list[tuple[int, int]]
):
    entries = path(count)
    summaries = [
        SummaryAdded(f"m{first}", f"m{last}", str(number))
        for number, (first, last) in enumerate(ranges)
    ]

    sent = apply_summaries(entries, summaries)

    stood: list[str] = []
    for entry in sent:
        if not entry.message.pinned:
            assert entry in entries
            stood.append(entry.message_id)
        else:
            first, last = ranges[int(entry.message.text.rpartition("\n")[2])]
            assert entry.message_id == f"m{first}"
            stood += [f"m{n}" for n in range(first, last + 1)]
    assert stood == [e.message_id for e in entries]
    assert entries == path(count)
    on_path = [n for n, (a, b) in enumerate(ranges) if a <= b < count]
    if on_path:  # the newest always counts
        assert any(e.message.text.endswith(f"\n{on_path[-1]}") for e in sent)


def test_the_fold_sends_the_summary_and_keeps_the_messages():
    transcript = fold(
        records(
            ("a", MessageAdded("a.0", Message("user", "one"))),
            ("a", STARTED),
            ("a", MessageAdded("a.1", Message("assistant", "1"))),
            ("a", TurnFinished("stop")),
            ("s", TurnRequested("m", "summary")),
            ("s", STARTED),
            ("s", SummaryAdded("a.0", "a.1", "They counted.")),
            ("s", TurnFinished("stop")),
            ("b", MessageAdded("b.0", Message("user", "two"))),
            ("b", STARTED),
        )
    )

    assert list(transcript.entries) == ["a.0", "a.1", "b.0"]
    assert transcript.messages() == [
        Message(
            "user",
            "Summary of the conversation so far, in place of its first messages:\n\n"
            "They counted.",
            pinned=True,
        ),
        Message("user", "two"),
    ]
    assert [entry.message_id for entry in transcript.sent()] == ["a.0", "b.0"]


def test_a_call_that_is_summed_up_leaves_no_result_behind():
    call = ToolCall("1", "add", {})
    transcript = fold(
        records(
            ("a", MessageAdded("a.0", Message("user", "one"))),
            ("a", STARTED),
            ("a", MessageAdded("a.1", Message("assistant", tool_calls=(call,)))),
            ("a", TurnFinished("interrupted")),
            ("s", SummaryAdded("a.0", "a.1", "Nothing.")),
            ("b", MessageAdded("b.0", Message("user", "two"))),
            ("b", STARTED),
        )
    )

    assert [m.role for m in transcript.messages()] == ["user", "user"]
