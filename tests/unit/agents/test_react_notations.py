"""Odd notations of the form of ReAct, as small models write them."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.agents import ReactAgent
from tui.agents.react_form import Form
from tui.events import Event, ReasoningDelta, TextDelta, ToolCallStarted
from tui.messages import Message, ToolCall
from tui.models.gate import Call, CallOpened, Reasoning, Text
from tui.models.scripted import ScriptedModel
from tui.tools import Tool
from tui.turn import Turn

ASKED = Message("user", "What is twice 4?")
J = '{"x": 4}'


def double(x: int) -> int:
    """Double x."""
    return 2 * x


TOOLS = {"double": Tool(double).schema}


def cut(data: st.DataObject, whole: str) -> list[str]:
    places = sorted(data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)))))
    return [whole[a:b] for a, b in zip([0, *places], [*places, None], strict=True)]


def play(pieces: list[Any], native: bool) -> list[Event]:
    model = ScriptedModel([pieces, ["Final Answer: It is 8."]])
    agent = ReactAgent(model, [double], native=native)
    return list(agent.run([ASKED], Turn("t")))


def shown(events: list[Event]) -> str:
    """Return the text that a reader has seen, also if only for a moment."""
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def called(events: list[Event]) -> list[object]:
    return [e.call.arguments for e in events if isinstance(e, ToolCallStarted)]


CALLS = [
    f"**Thought:** Twice.\n**Action:** double\n**Action Input:** {J}\n",
    f"**Thought**: Twice.\n**Action**: double\n**Action Input**: {J}\n",
    f"**Action:** `double`\n**Action Input:** `{J}`\n",
    f"`Action`: double\n`Action Input`: {J}\n",
    f"`Action: double`\n`Action Input: {J}`\n",
    f"Action: `double`\nAction Input: {J}\n",
    f'Action: "double".\nAction Input: {J}\n',
    f"Action: functions.double\nAction Input: {J}\n",
    f"Action: Use the tool `double`\nAction Input: {J}\n",
    f"Action: double()\nAction Input: {J}\n",
    f"Action: double Action Input: {J}\n",
    f"Action: double, Action Input: {J}\n",
    "Action: double[4]\n",
    "Thought: Twice.\nAction: double[4]",
    f"Action: double[{J}]",
    'Action: double[{\n"x": 4\n}]\n',
    "Action: double(x=4)\n",
    'Action: {"name": "double", "arguments": {"x": 4}}\n',
    'Action: {"action": "double", "action_input": {"x": 4}}\n',
    'Action: {"action": "double", "action_input": "4"}\n',
    'Action: {"function": {"name": "double", "arguments": {"x": 4}}}',
    'Thought: Go.\nAction:\n```json\n{"name": "double", "input": {"x": 4}}\n```',
    f"Action: double\nAction Input:\n```json\n{J}\n```\n",
    f"Action: double\nAction Input: ```{J}```\n",
    f"Action: double\n```json\n{J}\n```\n",
    f"Action: double\n{J}\n",
    'Action: double\nAction Input: {\n  "x": 4\n}\nObservation: 9\n',
    f"```\nAction: double\nAction Input: {J}\n```\n",
    f"```text\nThought: Go.\nAction: double\nAction Input: {J}\n```",
    f"Thought: Go.\n```\nAction: double\nAction Input: {J}\n```",
    f"### Thought: Twice.\n### Action: double\n### Action Input: {J}\n",
    f"thought: Twice.\naction: double\naction input: {J}\n",
    f"THOUGHT: Twice.\nACTION: double\nACTION INPUT: {J}\n",
    f"Thought：Twice.\nAction：double\nAction Input：{J}\n",
    f"Action: double\nAction_Input: {J}\n",
    f"Action: double\nInput: {J}\n",
    f"Action: double\nArguments: {J}\n",
    f"Thought 1: Twice.\nAction 1: double\nAction Input 1: {J}\n",
    "Thought 1: Twice.\nAction 1: double[4]\nObservation 1: 9",
    f"- Thought: Twice.\n- Action: double\n- Action Input: {J}\n",
    f"1. **Thought:** Twice.\n2. **Action:** double\n3. **Action Input:** {J}\n",
    "Action: double\nAction Input: x: 4\n",
    "Action: double\nAction Input:\n  x: 4\n",
    f"**Action:** double\n**Action Input:** {J}\n**Observation:** 9\n"
    "**Thought:** So 9.\n**Final Answer:** 9",
]  # fmt: skip


@pytest.mark.parametrize("native", [True, False], ids=["native", "form"])
@pytest.mark.parametrize("written", CALLS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_call_in_any_notation_is_run_and_never_shown(
    written: str, native: bool, data: st.DataObject
) -> None:
    events = play(cut(data, written), native)

    assert called(events) == [{"x": 4}]
    assert shown(events) == "It is 8."


ANSWERS = [
    "**Thought:** I know.\n**Final Answer:** It is 8.",
    "**Final Answer**: It is 8.",
    "Thought: Hm.\nFinal answer: It is 8.",
    "`Final Answer`: It is 8.",
    "### Final Answer: It is 8.",
    "### Final Answer\n\nIt is 8.",
    "Final Answer：It is 8.",
    "Action: Finish[It is 8.]",
    "Thought: Hm.\nAction: None\nFinal Answer: It is 8.",
    "Thought: Hm.\nAction: Final Answer\nAction Input: It is 8.",
    'Action:\n```json\n{"action": "Final Answer", "action_input": "It is 8."}\n```',
    'Action: {"action": "Final Answer", "action_input": {"answer": "It is 8."}}',
]


@pytest.mark.parametrize("native", [True, False], ids=["native", "form"])
@pytest.mark.parametrize("written", ANSWERS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_an_answer_in_any_notation_is_shown_without_its_mark(
    written: str, native: bool, data: st.DataObject
) -> None:
    events = play(cut(data, written), native)

    assert not called(events)
    assert shown(events).strip() == "It is 8."


TEXTS = [
    "Call to Action: sign up now.\nBye.",
    "The steps:\n\n**Action:** The plan of the hero.\n\nMore text.",
    "**Action**: a word in film.\n**Thought**: another.\n\nThat is all.",
    "**Thought:** I am no good.\n**Feeling:** sad\n",
    "thought: a noun.\n",
    "Action: run away\n\nThat is what I would do.",
    "You may choose\nAction: double",
    "Action: double(4) is what I would do.\nBye.",
    f"```\nAction: double\nAction Input: {J}\n```\nis the form.",
    f"The form is:\n```\nAction: double\nAction Input: {J}\n```\n",
    "Form:\n\n    Action: double[4]\n\nis it.",
    "> Action: double[4]\n\nis it.",
    "Write `Action: double[4]` for it.",
    "| Action | Thought |\n|---|---|\n| run | hide |",
    "- Action: do it\n- Thought: think it",
    "Here:\n\nObservation: the sky is blue.\n\nConclusion: so.",
    "Observation: the sky is blue.\nConclusion: so.",
    "Steps: 1.\n\n**Final Answer:** 42",
    "Input: a\nOutput: b",
    "```python\nx = 1\n```\nDone.",
    "`x` is it.\nSo.",
    "# Title\n\n- a\n- b\n1. c",
    'Action: {"title": "Run"}\nis a film.',
]


@pytest.mark.parametrize("text", TEXTS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_text_that_is_no_call_is_shown_as_it_is(
    text: str, data: st.DataObject
) -> None:
    events = play(cut(data, text), native=True)

    assert not called(events)
    assert shown(events) == text
    assert not [e for e in events if isinstance(e, ReasoningDelta)]


@pytest.mark.parametrize("mark", ["**Action:**", "Action:", "**Thought:** Twice.\n"])
def test_a_mark_before_a_call_of_the_servers_own_is_not_shown(mark: str) -> None:
    events = play([f"{mark}\n", ToolCall("1", "double", {"x": 4})], native=True)

    assert called(events) == [{"x": 4}]
    assert shown(events) == "It is 8."


def test_a_tool_that_does_not_exist_is_told() -> None:
    written = f"**Action:** triple\n**Action Input:** {J}\n"
    model = ScriptedModel([written, "Final Answer: It is 12."])

    events = list(ReactAgent(model, [double], native=True).run([ASKED], Turn("t")))

    assert shown(events) == "It is 12."
    assert "no tool named triple" in model.requests[1].messages[-1].text


Split = tuple[str, str, list[tuple[str, Any]]]
PIECES = [
    *("Thought:", "Action:", "Action Input:", "Observation:", "Final Answer:"),
    *("**Thought:**", "**Action:**", "`Action`:", "**Action Input:**", "action:"),
    *("**Final Answer:**", "### Final Answer\n", "Observation 1:", "Input:", "- "),
    *(" double", "double[4]", "double(", ")", "]", "[", J, "{", "}", '"', "`", "```"),
    *("\n", "\n\n", "```json\n", "\n```\n", " ", "    ", "Hi.", "so", "*", "**", ":"),
    *("：", "1. ", "# ", "Fin", "Act", 'Action: {"action": "double"}', "é", "\\"),
]


def split(pieces: list[str], thinks_first: bool) -> Split:
    form = Form(TOOLS, thinks_first)
    came = [each for piece in pieces for each in form.feed(piece)]
    came += form.finish()
    return (
        "".join(p.text for p in came if isinstance(p, Text)),
        "".join(p.text for p in came if isinstance(p, Reasoning)),
        [(p.name, p.arguments) for p in came if isinstance(p, Call)],
    )


@pytest.mark.parametrize("thinks_first", [True, False])
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_the_outcome_does_not_depend_on_the_pieces(
    thinks_first: bool, data: st.DataObject
) -> None:
    text = "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=14)))

    whole = split([text], thinks_first)

    assert split(list(text), thinks_first) == whole
    if len(text) > 1:
        assert split(cut(data, text), thinks_first) == whole


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([p for p in PIECES if ":" not in p and "：" not in p])))
def test_text_without_marks_comes_out_whole(pieces: list[str]) -> None:
    text = "".join(pieces).replace("### Final Answer", "")

    assert split(list(text), thinks_first=False) == (text, "", [])


def test_a_call_is_announced_before_its_arguments_have_come() -> None:
    form = Form(TOOLS, thinks_first=False)

    assert form.feed("**Action:** double\n**Action In") == []
    assert form.feed("put:** ") == [CallOpened()]
    assert form.feed('{"x": ') == []
    assert form.feed("4}") == [Call("double", {"x": 4})]


def test_long_arguments_take_time_in_proportion_to_their_length() -> None:
    def seconds(length: int) -> float:
        form = Form({}, thinks_first=False)
        form.feed('Action: write\nAction Input: {"text": "')
        begun = time.process_time()
        for _ in range(length):
            form.feed("word ")
        (_, call) = form.feed('"}')
        assert isinstance(call, Call)
        return time.process_time() - begun

    seconds(100)
    assert seconds(40_000) < 30 * seconds(4_000) + 0.1
