"""ReAct with a model's own tool calls, and in text once its server refuses tools."""

from typing import Any

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui.agents import ReactAgent
from tui.events import Event, ReasoningDelta, TextDelta, ToolCallStarted
from tui.messages import Message, ToolCall
from tui.models import Model
from tui.models.openai.model import OpenAIModel
from tui.models.scripted import ScriptedModel
from tui.turn import Turn

ASKED = Message("user", "What is twice 4?")
CALL = ToolCall("1", "double", {"x": 4})
ACT = 'Thought: Twice.\nAction: double\nAction Input: {"x": 4}\n'


def double(x: int) -> int:
    """Double x."""
    return 2 * x


def play(model: Model, *messages: Message, **options: Any) -> list[Event]:
    agent = ReactAgent(model, [double], native=True, **options)
    return list(agent.run(messages or (ASKED,), Turn("t")))


def shown(events: list[Event]) -> list[str]:
    return [e.text for e in events if isinstance(e, TextDelta)]


def called(events: list[Event]) -> list[object]:
    return [e.call.arguments for e in events if isinstance(e, ToolCallStarted)]


def test_tools_are_offered_and_the_answer_streams_as_it_comes() -> None:
    model = ScriptedModel([["Let me ", "see.", CALL], ["It is", " 8."]])

    events = play(model)

    assert "".join(shown(events)) == "Let me see.It is 8."
    assert shown(events)[-2:] == ["It is", " 8."]
    assert not [e for e in events if isinstance(e, ReasoningDelta)]
    assert called(events) == [{"x": 4}]
    first, second = model.requests
    assert [tool.name for tool in first.tools] == ["double"]
    assert [m.role for m in first.messages] == ["system", "user"]
    assert "step by step" in first.messages[0].text
    assert "Action:" not in first.messages[0].text
    assert [m.role for m in second.messages[-2:]] == ["assistant", "tool"]
    assert second.messages[-2].tool_calls == (CALL,)


def test_a_system_message_replaces_the_advice() -> None:
    model = ScriptedModel(["8"])

    play(model, Message("system", "Be brief."), ASKED)

    assert [m.text for m in model.requests[0].messages] == ["Be brief.", ASKED.text]


def test_what_a_model_writes_in_the_form_is_understood() -> None:
    model = ScriptedModel([ACT, "Thought: So.\nFinal Answer: It is 8."])

    events = play(model)

    assert called(events) == [{"x": 4}]
    assert "".join(shown(events)) == "It is 8."


def test_the_last_round_offers_no_tools_and_its_answer_streams() -> None:
    model = ScriptedModel([[CALL], ["It is", " 8."]])

    events = play(model, max_rounds=1)

    assert shown(events) == ["It is", " 8."]
    assert [len(request.tools) for request in model.requests] == [1, 0]


@pytest.fixture
def refusing() -> Any:
    with SSEServer() as server:
        said = "qwen:1b does not support tools"
        server.json({"error": {"message": said}}, status=400)
        yield server


def test_a_server_that_refuses_tools_is_asked_in_text(refusing: SSEServer) -> None:
    refusing.answer(text("I have no tools."), finish(), DONE)
    refusing.answer(text(ACT), finish(), DONE)
    refusing.answer(text("Final Answer: It is 8."), finish(), DONE)
    refusing.answer(text("Final Answer: Yes."), finish(), DONE)
    model = OpenAIModel("m", "qwen:1b", base_url=refusing.url, api_key="k")

    events = play(model)
    again = play(model)

    assert called(events) == [{"x": 4}]
    assert "".join(shown(events)) == "It is 8."
    assert "".join(shown(again)) == "Yes."
    requests = [request.json for request in refusing.requests]
    assert [("tools" in body) for body in requests] == [True] + [False] * 4
    in_form = ["Action Input:" in body["messages"][0]["content"] for body in requests]
    assert in_form == [False, False, True, True, True]
