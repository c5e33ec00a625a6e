"""Summing up a conversation: what is asked, what comes of it, what is refused."""

from collections.abc import Generator, Sequence

import pytest

from tui.agents import SummaryAgent
from tui.errors import Cancelled, ModelError
from tui.events import Event, NoticeGiven, SummaryAdded, TextDelta, UsageReported
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.scripted import ScriptedModel, Think
from tui.turn import Turn


def conversation(turns: int, words: int = 50) -> list[Message]:
    messages: list[Message] = []
    for n in range(turns):
        messages.append(Message("user", f"question {n} " + "abc " * words))
        messages.append(Message("assistant", f"answer {n}"))
    return messages


def run(
    agent: SummaryAgent, messages: list[Message], turn: Turn | None = None
) -> list[Event]:
    turn = turn or Turn()
    turn.sources = [(f"m{n}", message) for n, message in enumerate(messages)]
    return list(agent.run(messages, turn))


def asked(model: ScriptedModel, number: int = 0) -> list[str]:
    return [m.text.partition(" abc")[0] for m in model.requests[number].messages]


class Windowed(ScriptedModel):
    """Has a window, or refuses what is longer than `real`, as a server does."""

    window = 0
    real = 0

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        if self.real and sum(len(m.text) // 4 for m in messages) > self.real:
            yield NoticeGiven("It is too long.", 2)
        return (yield from super().generate(messages, tools, turn))


def test_all_but_the_last_turns_is_summed_up_and_no_text_is_shown():
    model = ScriptedModel([[Think("Hm."), " They talked. ", UsageReported(9, 3)]])

    events = run(SummaryAgent(model), conversation(5))

    assert events == [UsageReported(9, 3), SummaryAdded("m0", "m5", "They talked.")]
    *old, instruction = asked(model)
    assert old == [
        "question 0", "answer 0", "question 1", "answer 1", "question 2", "answer 2"
    ]  # fmt: skip
    assert instruction.startswith("Sum up our conversation")
    assert not model.requests[0].tools


def test_what_to_keep_is_told():
    model = ScriptedModel(["Fine."])

    run(SummaryAgent(model, "the names of the rivers"), conversation(4))

    assert asked(model)[-1].endswith("keep this: the names of the rivers")


def test_the_system_prompt_stands_before_it_as_in_other_requests():
    model = ScriptedModel(["Fine."])

    run(SummaryAgent(model, system="Be brief."), conversation(4))

    assert model.requests[0].messages[0] == Message("system", "Be brief.")


def test_a_summary_is_summed_up_with_what_followed_it():
    model = ScriptedModel(["Both."])
    messages = [Message("user", "summary", pinned=True), *conversation(4)]

    [added] = run(SummaryAgent(model), messages)

    # The id of a summary is that of the first message it stands for.
    assert added == SummaryAdded("m0", "m4", "Both.")
    assert asked(model)[:2] == ["summary", "question 0"]


def test_a_turn_is_never_cut_through():
    call = ToolCall("1", "add", {})
    messages = conversation(3)
    messages[1:1] = [
        Message("assistant", tool_calls=(call,)),
        Message("tool", "5", tool_call_id="1"),
    ]
    model = ScriptedModel(["Fine."])

    [added] = run(SummaryAgent(model), messages)

    assert added == SummaryAdded("m0", "m3", "Fine.")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        conversation(2),
        [Message("user", "summary", pinned=True), *conversation(2)],
        [Message("system", "rules"), *conversation(2)],
    ],
    ids=["empty", "short", "summed-up", "system"],
)
def test_what_is_short_is_left_alone(messages: list[Message]):
    model = ScriptedModel([])

    [notice] = run(SummaryAgent(model), messages)

    assert isinstance(notice, NoticeGiven)
    assert "Nothing to summarise: the last 2 turns" in notice.text
    assert model.requests == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("  \n", "scripted gave an empty summary"),
        ("abc " * 500, "summary from scripted is longer than the messages"),
    ],
)
def test_a_summary_that_is_worth_nothing_is_refused(reply: str, why: str):
    with pytest.raises(ModelError, match=why):
        run(SummaryAgent(ScriptedModel([reply])), conversation(4))


def test_a_model_that_cannot_do_it_says_so():
    class Tiny(ScriptedModel):
        summarizes = False

    with pytest.raises(ModelError, match="scripted is too small to summarise"):
        run(SummaryAgent(Tiny(["Nonsense."])), conversation(4))


def test_a_cancel_leaves_nothing_behind():
    turn = Turn()
    turn.sources = [(f"m{n}", m) for n, m in enumerate(conversation(4))]
    model = ScriptedModel([["They", UsageReported(1, 1), " talked."]])
    agent = SummaryAgent(model).run([m for _, m in turn.sources], turn)
    events = [next(agent)]

    turn.cancel.request()
    with pytest.raises(Cancelled):
        events += list(agent)

    assert events == [UsageReported(1, 1)]


def test_what_is_longer_than_the_window_is_summed_up_part_by_part():
    model = Windowed(["First.", "Second.", "Third."])
    model.window = 300  # two turns of 63 tokens are a part

    events = run(SummaryAgent(model), conversation(7))

    assert events == [SummaryAdded("m0", "m9", "Third.")]
    assert [asked(model, n)[:-1] for n in range(3)] == [
        ["question 0", "answer 0", "question 1", "answer 1"],
        [
            "Summary of what was said before:\n\nFirst.",
            "question 2", "answer 2", "question 3", "answer 3",
        ],
        ["Summary of what was said before:\n\nSecond.", "question 4", "answer 4"],
    ]  # fmt: skip


def test_what_turns_out_to_be_too_long_is_done_again_in_smaller_parts():
    model = Windowed(["cut"] + ["Part."] * 10)
    model.real = 300

    events = run(SummaryAgent(model), conversation(8))

    assert events == [SummaryAdded("m0", "m11", "Part.")]
    questions = [t for n in range(1, len(model.requests)) for t in asked(model, n)]
    assert [q for q in questions if q.startswith("question")] == [
        f"question {n}" for n in range(6)
    ]


def test_no_piece_of_a_summary_is_an_answer():
    model = ScriptedModel(["They talked."])

    events = run(SummaryAgent(model), conversation(4))

    assert not [e for e in events if isinstance(e, TextDelta)]
