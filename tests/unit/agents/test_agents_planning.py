"""Agents that plan: what is a plan, what is done, and what is shown of it."""

import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.agents import AGENTS, PlanAndSolveAgent, ReWOOAgent
from tui.agents.plan import MOST_STEPS, read_steps
from tui.agents.rewoo import MOST_EVIDENCE, read_plan
from tui.config import Config
from tui.conversation import fold
from tui.errors import Cancelled, ModelError
from tui.events import (
    Event,
    MessageAdded,
    NoticeGiven,
    Record,
    TextDelta,
    ToolCallStarted,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel, Step, Think
from tui.tools import tool
from tui.turn import Turn

LIMIT = 30.0
ASKED = Message("user", "How warm is it in both cities?")
PLAN = "1. Look at Rome.\n2. Look at Oslo."


@tool
def warmth(city: str) -> int:
    """Get the temperature of a city."""
    if city == "Nowhere":
        raise ValueError("there is no such city")
    return len(city)


@tool
def total(numbers: list[int], note: str = "") -> str:
    """Add numbers up."""
    return f"{sum(numbers)}{note}"


@tool
def twice(text: str) -> str:
    """Say it twice."""
    return text * 2


TOOLS = [warmth, total, twice]


def cut(text: str, places: Sequence[int]) -> list[Step]:
    ends = [0, *sorted({p % (len(text) + 1) for p in places}), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


def call(city: str, id: str = "c") -> ToolCall:
    return ToolCall(id, "warmth", {"city": city})


def play(
    kind: type[PlanAndSolveAgent | ReWOOAgent], model: ScriptedModel, **options: Any
) -> tuple[list[Event], Message]:
    run, events = kind(model, TOOLS, **options).run([ASKED], Turn("t")), list[Event]()
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def shown(events: list[Event]) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def added(events: list[Event]) -> list[Message]:
    return [e.message for e in events if isinstance(e, MessageAdded)]


def calls(events: list[Event]) -> list[tuple[str, object]]:
    started = [e.call for e in events if isinstance(e, ToolCallStarted)]
    return [(call.name, call.arguments) for call in started]


def results(events: list[Event]) -> list[str]:
    """Return the results in the order of their calls; they are added as they arrive."""
    calls = [call.id for m in added(events) for call in m.tool_calls]
    found = [m for m in added(events) if m.role == "tool"]
    found.sort(key=lambda m: calls.index(m.tool_call_id or ""))
    return [m.text for m in found]


def notices(events: list[Event]) -> list[str]:
    return [e.text for e in events if isinstance(e, NoticeGiven)]


def consistent(events: list[Event]) -> bool:
    """Whether deltas add up to their message, and all calls and messages differ."""
    live, ids = fold(()), list[str]()
    for number, event in enumerate(events):
        if isinstance(event, MessageAdded):
            ids.append(event.message_id)
            if event.message.role == "assistant":
                said = live.entries.get(event.message_id)
                message = said.message if said else Message("assistant")
                whole = (message.text, message.reasoning)
                if whole != (event.message.text, event.message.reasoning):
                    return False
        live.apply(Record(number, "c", "t", 0.0, event))
    started = [c.id for m in added(events) for c in m.tool_calls]
    return len({*ids}) == len(ids) and len({*started}) == len(started)


def test_the_names_of_the_configuration_are_those_of_the_agents():
    for name in AGENTS:
        assert Config(agent=name).agent == name  # pyright: ignore[reportArgumentType]


# -- plan and solve


def test_each_step_is_done_with_tools_and_only_the_answer_is_shown():
    model = ScriptedModel(
        [
            ["1. Look at ", "Rome.\n2. Look at Oslo."],
            ["I look. ", call("Rome")],
            "Rome has 4.",
            [call("Oslo"), call("Bergen")],
            ["Oslo ", "has 4."],
            ["Both ", "have 4."],
        ]
    )

    events, answer = play(PlanAndSolveAgent, model)

    assert shown(events) == answer.text == "Both have 4."
    assert results(events) == ["4", "4", "6"]
    thoughts = [m.reasoning for m in added(events) if m.role == "assistant"]
    assert thoughts == [
        PLAN,
        "Step 1 of 2: Look at Rome.\n\nI look. ",
        "Rome has 4.",
        "Step 2 of 2: Look at Oslo.\n\n",
        "Oslo has 4.",
        "",
    ]
    assert consistent(events)
    planned, step, *_, last = model.requests
    assert planned.tools == ()
    assert planned.messages[0].text.startswith(f"{ASKED.text}\n\nMake a plan")
    assert "- warmth: Get the temperature of a city." in planned.messages[0].text
    assert [t.name for t in step.tools] == ["warmth", "total", "twice"]
    assert "Step 1 of 2: Look at Rome." in step.messages[-1].text
    assert step.messages[0].pinned
    assert ASKED.text in last.messages[-1].text
    told = [m.text for m in last.messages]
    assert "I look. " in told
    assert "Oslo has 4." in told


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Plan:\n1. a\n2. b\n<END_OF_PLAN>\n3. no", ["a", "b"]),
        ("1) a\n2) b", ["a", "b"]),
        ("(1) a\n(2) b", ["a", "b"]),
        ("Step 1: a\nStep 2: b", ["a", "b"]),
        ("**Step 1:** a\n**Step 2:** b", ["a", "b"]),
        ("### Step 1\na\n### Step 2\nb", ["a", "b"]),
        ("1. **a**\n   - of it\n2. b", ["a - of it", "b"]),
        ("- a\n- b", ["a", "b"]),
        ("* a\n  more\n* b", ["a more", "b"]),
        ("1、查天气\n2、回答", ["查天气", "回答"]),
        ("1.查天气\n2.回答", ["查天气", "回答"]),
        ("一、查天气\n二、回答", ["查天气", "回答"]),
        ("第一步：查天气\n第2步 回答", ["查天气", "回答"]),
        ("1. a\n1.5 million people\n2. b", ["a 1.5 million people", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ('Plan:\n```json\n{"steps": ["a", "b [1]"]}\n```', ["a", "b [1]"]),
        ('["a", 5, "b"]', ["a", "b"]),
        ('I would say ["a", or "b"].', []),
        ("Hello! How can I help?", []),
        ("1.\n2.\n", []),
        ("", []),
    ],
)
def test_steps_are_read_in_whatever_way_they_are_numbered(text, steps):
    assert read_steps(text) == steps


@pytest.mark.parametrize("written", ["I would just look.", "", "Plan:"])
@pytest.mark.parametrize("kind", [PlanAndSolveAgent, ReWOOAgent])
def test_without_a_plan_that_can_be_read_tools_are_called_as_usual(kind, written):
    model = ScriptedModel([written, ["Well. ", call("Rome")], "It is 4."])

    events, answer = play(kind, model)

    assert answer.text == "It is 4."
    assert shown(events) == "Well. It is 4."
    assert calls(events) == [("warmth", {"city": "Rome"})]
    assert ["no plan that can be read" in text for text in notices(events)] == [True]
    assert consistent(events)


@pytest.mark.parametrize(
    ("kind", "written"),
    [(PlanAndSolveAgent, "1. Answer."), (ReWOOAgent, "Plan: answer")],
)
def test_what_needs_no_plan_is_answered_at_once(kind, written):
    events, answer = play(kind, ScriptedModel([written, "Hello!"]))

    assert shown(events) == answer.text == "Hello!"
    assert notices(events) == []


def test_a_step_that_says_nothing_or_reaches_the_limit_does_not_end_the_answer():
    model = ScriptedModel(
        [PLAN, "", *[[call("Rome")]] * 2, "Rome has 4.", "As far as I know, 4."]
    )

    events, answer = play(PlanAndSolveAgent, model, max_rounds=2)

    assert shown(events) == answer.text == "As far as I know, 4."
    assert "2 times" in notices(events)[0]
    assert "This step has no result." in [m.text for m in model.requests[2].messages]
    assert consistent(events)


def test_a_plan_is_cut_at_the_most_steps():
    plan = "\n".join(f"{n}. Do {n}." for n in range(1, 12))
    model = ScriptedModel([plan, *["Done."] * MOST_STEPS, "All."])

    events, answer = play(PlanAndSolveAgent, model)

    assert answer.text == "All."
    assert "11 steps" in notices(events)[0]


def test_an_error_of_the_model_ends_it():
    model = ScriptedModel([PLAN, [ModelError("gone", "network")]])

    with pytest.raises(ModelError, match="gone"):
        play(PlanAndSolveAgent, model)


# -- ReWOO

EVIDENCE = """Plan: Look at Rome.
#E1 = warmth[{"city": "Rome"}]
Plan: Look at Oslo.
#E2 = warmth[{"city": "Oslo"}]
Plan: Add them.
#E3 = total[{"numbers": ["#E1", "#E2"], "note": "#E1"}]"""


def test_evidence_is_looked_up_in_its_order_and_only_the_answer_is_shown():
    model = ScriptedModel([[Think("Hm. "), EVIDENCE], "Together 8."])

    events, answer = play(ReWOOAgent, model, system="Be brief.")

    assert shown(events) == answer.text == "Together 8."
    assert calls(events)[2:] == [("total", {"numbers": [4, 4], "note": "4"})]
    assert sorted(calls(events)[:2], key=str) == [
        ("warmth", {"city": "Oslo"}),
        ("warmth", {"city": "Rome"}),
    ]
    assert results(events) == ["4", "4", "84"]
    first, *_ = added(events)
    assert first.reasoning == f"Hm. {EVIDENCE}"
    assert len(first.tool_calls) == 2
    assert consistent(events)
    planned, solved = model.requests
    assert planned.messages[0].text == "Be brief."
    assert "- total: Add numbers up." in planned.messages[1].text
    assert solved.tools == ()
    assert [m.role for m in solved.messages] == [
        *("system", "user", "assistant", "tool", "tool", "assistant", "tool", "user"),
    ]
    assert ASKED.text in solved.messages[-1].text


def test_independent_evidence_is_looked_up_at_once():
    meet = threading.Barrier(2, timeout=LIMIT)

    @tool
    def wait(name: str) -> str:
        """Wait for the other."""
        meet.wait()
        return name

    plan = '#E1 = wait[{"name": "a"}]\n#E2 = wait[{"name": "b"}]'
    agent = ReWOOAgent(ScriptedModel([plan, "Done."]), [wait])

    events = list(agent.run([ASKED]))

    assert shown(events) == "Done."
    assert sorted(results(events)) == ["a", "b"]


def test_ten_is_not_one():
    lines = [f'#E{n} = twice[{{"text": "{n}-"}}]' for n in range(1, 11)]
    lines.append('#E11 = twice[{"text": "#E10 and #E1"}]')
    model = ScriptedModel(["\n".join(lines), "Done."])

    events, _ = play(ReWOOAgent, model)

    assert calls(events)[-1] == ("twice", {"text": "10-10- and 1-1-"})


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("#E1 = warmth[Rome]", ("warmth", {"city": "Rome"})),
        ('#E1 = warmth["Rome"]', ("warmth", {"city": "Rome"})),
        ("#E1 = warmth(Rome)", ("warmth", {"city": "Rome"})),
        ("- #E1: warmth[Rome, Italy]", ("warmth", {"city": "Rome, Italy"})),
        ("  #E1=warmth[ {'city': 'Rome',} ]", ("warmth", {"city": "Rome"})),
        ('#E1 = warmth[{\n  "city": "Rome"\n}]', ("warmth", {"city": "Rome"})),
        ('#E1 = twice[{"text": "a]b"}]', ("twice", {"text": "a]b"})),
        ("#E1 = total[[1, 2, 3]]", ("total", {"numbers": [1, 2, 3]})),
        ("#E1 = total[1, 2, 3]", ("total", {"numbers": [1, 2, 3]})),
        ('#E1 = total[{"numbers": [1, 2]}]', ("total", {"numbers": [1, 2]})),
        (
            '#E1 = warmth[Rome]\n#E2 = total[{"numbers": [#E1, 1]}]',
            ("total", {"numbers": [4, 1]}),
        ),
        (
            '#E1 = total[[1]]\n#E2 = twice[{"text": "#E1"}]',
            ("twice", {"text": "1"}),
        ),
        ("#E1 = warmth[Rome]\n#E2 = twice[#E1]", ("twice", {"text": "4"})),
        (
            '#E1 = twice["#E9\\"]\n#E2 = warmth[Rome]',
            ("warmth", {"city": "Rome"}),
        ),
        ("#E1 = sing[la]", ("sing", "la")),
        ('#E1 = warmth[city="Rome"]', ("warmth", {"city": "Rome"})),
        ("#E1 = warmth(city='Rome')", ("warmth", {"city": "Rome"})),
        ("#E1 = total[numbers=[1, 2]]", ("total", {"numbers": [1, 2]})),
        ("#E1 = warmth[Rome]\n#E2 = twice[text=#E1]", ("twice", {"text": "4"})),
        ("#E1 = warmth[town=Rome]", ("warmth", {"city": "town=Rome"})),
        ("#E1 = warmth[city=Rome]", ("warmth", {"city": "city=Rome"})),
        ("1. #E1 = warmth[Rome]", ("warmth", {"city": "Rome"})),
        ("Plan: Look it up. #E1 = warmth[Rome]", ("warmth", {"city": "Rome"})),
        ("计划：查 #E1 = warmth[Rome]", ("warmth", {"city": "Rome"})),
    ],
)
def test_arguments_are_read_as_they_are_meant(written, call):
    events, answer = play(ReWOOAgent, ScriptedModel([written, "Done."]))

    assert calls(events)[-1] == call
    assert answer.text == "Done."


def test_what_fails_is_told_and_what_needs_it_is_not_run():
    plan = """
#E1 = warmth[Nowhere]
#E2 = twice[{"text": "#E1"}]
#E3 = twice[{"text": "#E2"}]
#E4 = twice[{"text": "#E8"}]
#E5 = twice[{"text": "#E6"}]
#E6 = twice[{"text": "#E5"}]
#E7 = warmth[Rome]
"""
    model = ScriptedModel([plan, "I know of Rome only."])

    events, answer = play(ReWOOAgent, model)

    assert shown(events) == answer.text == "I know of Rome only."
    assert sorted(calls(events), key=str) == [
        ("warmth", {"city": "Nowhere"}),
        ("warmth", {"city": "Rome"}),
    ]
    assert any("no such city" in text for text in results(events))
    told = model.requests[1].messages[-1].text
    assert "#E2 (twice) was not looked up, as #E1 failed." in notices(events)
    assert "#E3 (twice) was not looked up, as #E2 failed." in told
    assert "#E4 (twice) was not looked up, as #E8 cannot be had." in told
    assert "#E5 (twice) was not looked up, as it and #E6 need each other." in told


def test_a_plan_of_which_nothing_can_be_looked_up_still_gives_an_answer():
    events, answer = play(
        ReWOOAgent, ScriptedModel(['#E1 = twice["#E2"]', "I do not know."])
    )

    assert answer.text == "I do not know."
    assert consistent(events)


def test_a_plan_is_cut_at_the_most_evidence():
    plan = "\n".join(f"#E{n} = warmth[Rome]" for n in range(1, 30))
    events, answer = play(ReWOOAgent, ScriptedModel([plan, "Done."]))

    assert answer.text == "Done."
    assert len(calls(events)) == MOST_EVIDENCE
    assert "29 calls" in notices(events)[0]


@given(st.text(alphabet='#E12=[]{}":, \nPlan a\\', max_size=80))
def test_any_text_is_a_plan_or_none(text):
    for evidence in read_plan(text):
        assert evidence.number >= 0
    read_steps(text)


# -- both


class Small(ScriptedModel):
    summarizes = False


@pytest.mark.parametrize("kind", [PlanAndSolveAgent, ReWOOAgent])
def test_a_model_too_small_to_plan_answers_without(kind):
    model = Small([[call("Rome")], "It is 4."])

    events, answer = play(kind, model)

    assert answer.text == "It is 4."
    assert [t.name for t in model.requests[0].tools] == ["warmth", "total", "twice"]
    assert "too small to make a plan" in notices(events)[0]


@pytest.mark.parametrize(
    ("kind", "plan"), [(PlanAndSolveAgent, PLAN), (ReWOOAgent, EVIDENCE)]
)
def test_another_model_may_make_the_plan(kind, plan):
    planner = ScriptedModel([plan])
    model = ScriptedModel(["One.", "Two.", "All."][-3 if "1." in plan else -1 :])

    _, answer = play(kind, model, planner=planner)

    assert answer.text == "All."
    assert len(planner.requests) == 1


@given(places=st.lists(st.integers(0, 300)))
@pytest.mark.parametrize("kind", [PlanAndSolveAgent, ReWOOAgent])
def test_no_cut_of_the_stream_lets_a_plan_or_a_step_into_the_answer(kind, places):
    plan = cut(PLAN if kind is PlanAndSolveAgent else EVIDENCE, places)
    step = cut("<think>Hm.</think>Rome has 4.", places)
    script = [plan, step, ["So. ", call("Oslo")], step, cut("Both have 4.", places)]
    if kind is ReWOOAgent:
        script = [plan, script[-1]]

    events, answer = play(kind, ScriptedModel(script))

    assert shown(events) == answer.text == "Both have 4."
    assert consistent(events)


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        (PlanAndSolveAgent, [PLAN, [call("Rome")], "never"]),
        (ReWOOAgent, [EVIDENCE, "never"]),
    ],
)
def test_a_cancel_while_tools_run_leaves_a_result_for_each_call(kind, script):
    turn = Turn("t")
    events: list[Event] = []

    def run() -> None:
        for event in kind(ScriptedModel(script), TOOLS).run([ASKED], turn):
            events.append(event)
            if isinstance(event, ToolCallStarted):
                turn.cancel.request()

    with pytest.raises(Cancelled):
        run()

    asked = [c.id for m in added(events) for c in m.tool_calls]
    answered = [m.tool_call_id for m in added(events) if m.role == "tool"]
    assert sorted(asked) == sorted(filter(None, answered))
    assert shown(events) == ""


@pytest.mark.parametrize("kind", [PlanAndSolveAgent, ReWOOAgent])
def test_closing_it_cancels_the_turn(kind):
    turn = Turn("t")
    run = kind(ScriptedModel([["1. a", "\n2. b"]]), TOOLS).run([ASKED], turn)
    next(run)

    run.close()

    assert turn.cancel.requested
