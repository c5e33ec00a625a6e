"""Plans that hang together in odd ways, and steps in which something goes wrong."""

import threading
from typing import Any

import pytest

from tui.agents import PlanAndSolveAgent, ReWOOAgent
from tui.events import Event, MessageAdded, TextDelta
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel
from tui.tools import tool

CALL = ToolCall("c", "fetch", {"page": "a"})


class Fetching:
    """A tool that notes what it is asked for; the page `bad` cannot be had."""

    def __init__(self, results: dict[str, str] | None = None) -> None:
        self.asked: list[str] = []
        self._results = results or {}
        self._lock = threading.Lock()

        @tool
        def fetch(page: str) -> str:
            """Fetch a page."""
            with self._lock:
                self.asked.append(page)
            if page == "bad":
                raise RuntimeError("disk on fire")
            return self._results.get(page, page.upper())

        self.tool = fetch


def play(agent: Any) -> tuple[str, str]:
    """Return the text that was shown, and that of the last message."""
    run, events = agent.run([Message("user", "?")]), list[Event]()
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            shown = "".join(e.text for e in events if isinstance(e, TextDelta))
            assert any(isinstance(e, MessageAdded) for e in events)
            return shown, end.value.text


def test_evidence_that_two_others_need_is_looked_up_once():
    pages = Fetching()
    plan = (
        "#E1 = fetch[a]\n#E2 = fetch[#E1 left]\n#E3 = fetch[#E1 right]\n"
        "#E4 = fetch[#E2 + #E3]"
    )

    assert play(ReWOOAgent(ScriptedModel([plan, "Done."]), [pages.tool])) == (
        "Done.",
        "Done.",
    )
    assert pages.asked[0] == "a"
    assert sorted(pages.asked[1:3]) == ["A left", "A right"]
    assert pages.asked[3:] == ["A LEFT + A RIGHT"]


def test_evidence_may_stand_before_what_it_needs():
    pages = Fetching()

    play(
        ReWOOAgent(
            ScriptedModel(["#E10 = fetch[#E2]\n#E2 = fetch[a]", "Done."]), [pages.tool]
        )
    )

    assert pages.asked == ["a", "A"]


def test_a_result_that_looks_like_a_reference_is_left_as_it_is():
    pages = Fetching({"a": "see #E2"})

    play(
        ReWOOAgent(
            ScriptedModel(["#E1 = fetch[a]\n#E2 = fetch[#E1!]", "Done."]), [pages.tool]
        )
    )

    assert pages.asked == ["a", "see #E2!"]


def test_a_call_in_the_place_of_the_answer_is_neither_run_nor_shown():
    pages = Fetching()
    called = '<tool_call>\n{"name": "fetch", "arguments": {"page": "b"}}\n</tool_call>'

    shown, answer = play(
        ReWOOAgent(ScriptedModel(["#E1 = fetch[a]", called, "Done."]), [pages.tool])
    )

    assert shown.strip() == answer == "Done."
    assert pages.asked == ["a"]


def test_brackets_and_addresses_are_part_of_an_argument():
    pages = Fetching()
    plan = "#E1 = fetch[a[0] and b]\n#E2 = fetch[https://a.b/c?d=[1]#e]\nPlan: Done."

    play(ReWOOAgent(ScriptedModel([plan, "Done."]), [pages.tool]))

    assert sorted(pages.asked) == ["a[0] and b", "https://a.b/c?d=[1]#e"]


def test_a_step_whose_tool_fails_is_told_to_the_next_ones():
    pages = Fetching()
    failing = ToolCall("c", "fetch", {"page": "bad"})
    model = ScriptedModel(
        ["1. Fetch.\n2. Tell.", [failing], "I could not.", "Told.", "It failed."]
    )

    assert play(PlanAndSolveAgent(model, [pages.tool])) == ("It failed.", "It failed.")
    for request in model.requests[2:]:
        assert any("disk on fire" in m.text for m in request.messages)


def test_a_step_at_its_limit_of_rounds_ends_with_what_it_has():
    pages = Fetching()
    more = [[ToolCall(str(n), "fetch", {"page": f"p{n}"})] for n in range(2)]
    model = ScriptedModel(["1. a\n2. b", *more, "So far.", "b done.", "Done."])

    assert play(PlanAndSolveAgent(model, [pages.tool], 2)) == ("Done.", "Done.")
    assert pages.asked == ["p0", "p1"]


@pytest.mark.parametrize(
    "plan",
    [
        "<think>1. x\n2. y</think>1. Look.\n2. Tell.",
        '["Look.", "Tell."]',
        'Plan:\n{"steps": ["Look.", "Tell."]}',
    ],
)
def test_a_plan_in_another_form_is_followed(plan):
    pages = Fetching()
    model = ScriptedModel([plan, [CALL], "Seen.", "Told.", "Done."])

    assert play(PlanAndSolveAgent(model, [pages.tool])) == ("Done.", "Done.")
    assert len(model.requests) == 5
    assert "Step 1 of 2: Look." in model.requests[1].messages[-1].text


def test_a_plan_in_prose_means_calling_tools_as_usual():
    pages = Fetching()
    model = ScriptedModel(["I would just look.", [CALL], "Done."])

    assert play(PlanAndSolveAgent(model, [pages.tool])) == ("Done.", "Done.")
    assert pages.asked == ["a"]


@pytest.mark.parametrize(
    "plan",
    [
        "#E1 = fetch[a] #E2 = fetch[#E1 b]",
        "#E1 = fetch[a], #E2 = fetch[#E1 b]",
        "#E1 = fetch[a]; #E2 = fetch[#E1 b]\n#E3 = fetch[c] #E4 = fetch[#E3]",
        '#E1 = fetch[{"page": "a"}] #E2 = fetch[{"page": "#E1 b"}]',
        'Plan: Look. #E1 = fetch["a"] Plan: Look again. #E2 = fetch["#E1 b"]',
        "Plan: Look. **#E1** = fetch(a) and then **#E2** = fetch(#E1 b)",
        "1. #E1 = fetch[a] 2. #E2 = fetch[#E1 b]",
    ],
)
def test_two_pieces_of_evidence_may_stand_on_one_line(plan: str):
    pages = Fetching()

    assert play(ReWOOAgent(ScriptedModel([plan, "Done."]), [pages.tool]))[1] == "Done."
    assert "a" in pages.asked  # what needs nothing may be looked up first
    assert "A b" in pages.asked


def test_evidence_that_an_argument_shows_is_none():
    pages = Fetching()
    plan = '#E1 = fetch[a]\n#E2 = fetch[{"page": "x] #E1 = fetch[y]"}]'

    play(ReWOOAgent(ScriptedModel([plan, "Done."]), [pages.tool]))

    assert pages.asked == ["a", "x] A = fetch[y]"]
