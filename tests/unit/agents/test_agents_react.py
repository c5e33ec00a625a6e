"""ReAct: what is thought, what is called and what is said, however it is cut."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.agents import ReactAgent
from tui.agents.react import in_form
from tui.conversation import fold
from tui.events import (
    Event,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Record,
    Relabelled,
    TextDelta,
    ToolCallOpened,
    ToolCallStarted,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel, Step, Think
from tui.tools import tool
from tui.turn import Turn

ASKED = Message("user", "What is 1 + 2?")


@tool
def add(a: int, b: int = 0) -> int:
    """Add two numbers.

    All of them.
    """
    return a + b


@tool
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


ACT = 'Thought: I add them.\nAction: add\nAction Input: {"a": 1, "b": 2}\n'
END = "Thought: I know it.\nFinal Answer: It is 3.\n\nNot 4."
ANSWER = "It is 3.\n\nNot 4."


def cut(text: str, *places: int) -> list[Step]:
    ends = [0, *sorted({p % (len(text) + 1) for p in places}), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


def play(model: ScriptedModel, **options: Any) -> tuple[list[Event], Message]:
    agent = ReactAgent(model, [add, greet], **options)
    run, events = agent.run([ASKED], Turn("t")), list[Event]()
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def shown(events: list[Event]) -> str:
    """Return the text that a reader has seen, also if only for a moment."""
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def calls(events: list[Event]) -> list[tuple[str, object]]:
    started = [e.call for e in events if isinstance(e, ToolCallStarted)]
    return [(call.name, call.arguments) for call in started]


def added(events: list[Event]) -> list[Message]:
    return [e.message for e in events if isinstance(e, MessageAdded)]


def consistent(events: list[Event]) -> bool:
    """Whether the deltas of each message add up to it, as the log requires."""
    records = [Record(n, "c", "t", 0.0, event) for n, event in enumerate(events)]
    live = fold(())
    for record in records:
        event = record.event
        if isinstance(event, MessageAdded) and event.message.role == "assistant":
            entry = live.entries.get(event.message_id)
            text, reasoning = (
                (entry.message.text, entry.message.reasoning) if entry else ("", "")
            )
            if (text, reasoning) != (event.message.text, event.message.reasoning):
                return False
        live.apply(record)
    return True


def test_a_tool_is_called_in_text_and_only_the_answer_is_shown():
    model = ScriptedModel([ACT, END])

    events, answer = play(model)

    assert answer.text == shown(events) == ANSWER
    assert calls(events) == [("add", {"a": 1, "b": 2})]
    first, result, last = added(events)
    assert first.reasoning == "I add them.\n"
    assert (first.text, result.text) == ("", "3")
    assert last.reasoning == "I know it.\n"
    assert [type(e) for e in events].count(ToolCallOpened) == 1
    assert consistent(events)


def test_the_tools_are_told_in_words_and_the_results_as_observations():
    model = ScriptedModel([ACT, END])

    play(model, system="Be brief.")

    first, second = model.requests
    assert first.tools == second.tools == ()
    system, asked = first.messages
    assert system.text.startswith("Be brief.\n\n")
    assert "- add: Add two numbers. All of them." in system.text
    assert '"a": {"type": "integer"}' in system.text
    assert asked == ASKED
    assert second.messages[2:] == (
        Message(
            "assistant",
            'Thought: I add them.\nAction: add\nAction Input: {"a":1,"b":2}',
        ),
        Message("user", "Observation: 3"),
    )


def test_what_was_said_before_is_told_in_the_form():
    pair = (ToolCall("a", "add", {"a": 1}), ToolCall("b", "add", "{"))
    messages = [
        Message("user", "Go."),
        Message("assistant", "", "Hm.", tool_calls=pair),
        Message("tool", "1", tool_call_id="a"),
        Message("tool", "Error: no", tool_call_id="b"),
        Message("assistant", "One.", "Long thoughts."),
        Message("user", "Again."),
    ]

    said = [(m.role, m.text) for m in in_form(messages, [add.schema])[1:]]

    assert said == [
        ("user", "Go."),
        (
            "assistant",
            'Action: add\nAction Input: {"a":1}\nAction: add\nAction Input: {',
        ),
        ("user", "Observation: 1\nObservation: Error: no"),
        ("assistant", "Final Answer: One."),
        ("user", "Again."),
    ]


@given(st.lists(st.integers(0, 200)), st.lists(st.integers(0, 200)))
def test_no_cut_of_the_stream_lets_a_thought_or_a_call_into_the_answer(first, second):
    # An observation that the model invents is never believed.
    act = f"{ACT}Observation: 99\nThought: So 99.\nFinal Answer: 99"

    events, answer = play(ScriptedModel([cut(act, *first), cut(END, *second)]))

    assert answer.text == shown(events) == ANSWER
    assert calls(events) == [("add", {"a": 1, "b": 2})]
    assert not any(isinstance(e, Relabelled) for e in events)
    assert consistent(events)


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("Action: greet\nAction Input: Ann", ("greet", {"name": "Ann"})),
        (
            'Action: greet\nAction Input: "Ann"\nObservation: z',
            ("greet", {"name": "Ann"}),
        ),
        ("Action: greet[Ann]", ("greet", {"name": "Ann"})),
        ("Action: greet(Ann)\nObservation: x", ("greet", {"name": "Ann"})),
        ("Action: `greet`\nAction Input: Ann", ("greet", {"name": "Ann"})),
        (
            'Action: add\nAction Input: ```json\n{"a": 1, "b": 2}\n```',
            ("add", {"a": 1, "b": 2}),
        ),
        ("Action: add\nAction Input: {'a': 1, 'b': 2,}", ("add", {"a": 1, "b": 2})),
        ("Action: add\nAction Input: [1, 2]", ("add", {"a": 1, "b": 2})),
        ("Action: add\nAction Input: a=1, b=2", ("add", {"a": 1, "b": 2})),
        ("Action: add(a=1, b=2)\nObservation: x", ("add", {"a": 1, "b": 2})),
        ('Action: greet\nAction Input: `{"name": "Ann"}`', ("greet", {"name": "Ann"})),
        ("Action: greet\nAction Input: `Ann`", ("greet", {"name": "`Ann`"})),
        ("Action: add\nAction Input: 1", ("add", {"a": 1})),
        (
            '**Thought:** x\n**Action:** add\n**Action Input:** {"a": 1}',
            ("add", {"a": 1}),
        ),
        (
            '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>',
            ("add", {"a": 1}),
        ),
        ('Action: sub\nAction Input: {"a": 1}', ("sub", {"a": 1})),
        ('Action: add\nAction Input: {"a": 1, "b', ("add", '{"a": 1, "b')),
        ("Action: add\nAction Input: {}\nAction: greet[Bo]", ("add", {})),
    ],
)
def test_calls_that_are_not_quite_in_the_form_are_read(written, call):
    random.seed(written)
    places = [random.randrange(len(written)) for _ in range(5)]
    model = ScriptedModel([cut(f"Thought: Go.\n{written}", *places), END])

    events, answer = play(model)

    assert calls(events) == [call]
    assert answer.text == shown(events) == ANSWER
    assert len(model.requests) == 2
    assert consistent(events)


def test_a_structured_call_is_run_as_well():
    model = ScriptedModel([[ToolCall("x", "add", {"a": 5})], END])

    events, _ = play(model)

    assert calls(events) == [("add", {"a": 5})]


@pytest.mark.parametrize(
    "written",
    [
        "Just 3.",
        ["Ju", "st", " 3."],
        "\n Final Answer: Just 3.",
        "**Final Answer:** Just 3.",
        "Thought: x\nAction: Final Answer\nAction Input: Just 3.",
        "Thought: x\nAction: Finish[Just 3.]",
        [Think("Let me see."), "Just", " 3."],
        [Think("Let me see."), "Thought: I see.\nFinal Answer: Just", " 3."],
    ],
)
def test_the_answer_is_found_without_the_form(written):
    model = ScriptedModel([written])

    events, answer = play(model)

    assert answer.text.strip() == "Just 3."
    assert consistent(events)


def test_the_reasoning_of_a_model_never_becomes_the_answer():
    # Without the form it is unclear until the end whether a text is the answer.
    model = ScriptedModel(
        [[Think("Hidden."), "I look it up.\nAction: greet\nAction Input: Ann\n"], END]
    )

    events, answer = play(model)

    assert answer.text == shown(events) == ANSWER
    assert added(events)[0].reasoning == "Hidden.\n\nI look it up.\n"
    assert consistent(events)


def test_a_model_that_only_thinks_is_told_once_to_go_on():
    model = ScriptedModel(["Thought: I should add.", ACT, END])

    events, answer = play(model)

    assert answer.text == shown(events) == ANSWER
    assert model.requests[1].messages[-2:] == (
        Message("assistant", "Thought: I should add."),
        model.requests[1].messages[-1],
    )
    assert "Final Answer:" in model.requests[1].messages[-1].text
    assert added(events)[0].reasoning == "I should add.\n\nI add them.\n"
    assert consistent(events)


def test_a_model_that_goes_on_thinking_has_said_its_answer():
    model = ScriptedModel(["Thought: Hm.", "Thought: It is 3."])

    events, answer = play(model)

    assert (answer.text, answer.reasoning) == ("It is 3.", "Hm.")
    assert consistent(events)


def test_a_model_is_interrupted_once_its_call_is_written():
    def endless():
        yield ACT
        yield "Observation: "
        while True:
            yield "99 "

    class Talker(ScriptedModel):
        def generate(self, messages, tools, turn):
            if self.requests:
                return (yield from super().generate(messages, tools, turn))
            self.requests.append(None)  # pyright: ignore[reportArgumentType]
            for piece in endless():
                yield TextDelta(turn.message_id, piece)
            raise AssertionError

    events, answer = play(Talker(["", END]))

    assert answer.text == shown(events) == ANSWER
    assert calls(events) == [("add", {"a": 1, "b": 2})]


def test_at_the_limit_it_answers_with_what_it_has():
    model = ScriptedModel([ACT, ACT, ACT, END])

    events, answer = play(model, max_rounds=2)

    assert answer.text == shown(events) == ANSWER
    assert len(calls(events)) == 2
    (notice,) = [e.text for e in events if isinstance(e, NoticeGiven)]
    assert "2 times" in notice
    assert "Tools cannot be used any more" in model.requests[2].messages[0].text
    assert consistent(events)


def test_without_tools_a_model_is_asked_as_usual():
    model = ScriptedModel(["Thought: is a word."])
    agent = ReactAgent(model)

    events = list(agent.run([ASKED]))

    assert shown(events) == "Thought: is a word."
    assert model.requests[0].messages == (ASKED,)


def test_a_model_too_small_for_the_form_gets_the_tools_themselves():
    class Small(ScriptedModel):
        summarizes = False

    model = Small([[ToolCall("x", "add", {"a": 5})], "Five."])

    events, answer = play(model)

    assert answer.text == "Five."
    assert [t.name for t in model.requests[0].tools] == ["add", "greet"]
    assert calls(events) == [("add", {"a": 5})]
    assert [e.text for e in events if isinstance(e, NoticeGiven)] == [
        "scripted is too small for ReAct; it calls tools in its own format."
    ]


def test_a_relabelling_of_the_model_counts():
    class Guessed(ScriptedModel):
        """Its server took the text for reasoning, until the end."""

        def generate(self, messages, tools, turn):
            text = [ACT, END, "Just 3."][len(self.requests)]
            self.requests.append(None)  # pyright: ignore[reportArgumentType]
            yield ReasoningDelta(turn.message_id, text)
            yield Relabelled(turn.message_id, as_text=True)
            from tui.messages import Reply

            return Reply(Message("assistant", text))

    model = Guessed([])
    events, answer = play(model)

    assert calls(events) == [("add", {"a": 1, "b": 2})]
    assert answer.text == ANSWER
    assert consistent(events)
    events, answer = play(model)
    assert (answer.text, answer.reasoning) == ("Just 3.", "")
    assert consistent(events)
