"""lazychat as a library: an agent is a generator, and needs neither log nor screen."""

import threading

import pytest
from support.fakes.sse_server import DONE, SSEServer, call, calls, finish, text

from tui import FunctionCallAgent, Message, OpenAIModel, ScriptedModel, ToolBox, tool
from tui.errors import Cancelled
from tui.events import (
    MessageAdded,
    TextDelta,
    ToolCallFinished,
    ToolCallOpened,
    ToolCallStarted,
)
from tui.messages import ToolCall
from tui.turn import Turn

LIMIT = 30.0
ASKED = [Message("user", "What's the weather in Tokyo?")]


def test_an_agent_is_iterated(capfd):
    model = ScriptedModel(
        [
            [
                "Let me ",
                "look. ",
                ToolCall("", "get_current_weather", {"location": "Tokyo"}),
            ],
            ["10 ", "degrees."],
        ]
    )
    agent = FunctionCallAgent(model, ToolBox(["get_current_weather"]))

    said = [e.text for e in agent.run(ASKED) if isinstance(e, TextDelta)]

    assert "".join(said) == "Let me look. 10 degrees."
    assert capfd.readouterr() == ("", "")


def test_it_runs_against_a_server_with_a_tool_of_ones_own():
    @tool
    def weather(city: str) -> dict[str, str]:
        """Tell the weather.

        Args:
            city: Where.
        """
        return {"city": city, "sky": "clear"}

    with SSEServer() as server:
        wanted = call(0, "a", "weather", '{"city": "Tokyo"}')
        server.answer(calls(wanted), finish("tool_calls"), DONE)
        server.answer(text("Clear."), finish(), DONE)
        model = OpenAIModel("mine", "fake", server.url)
        kinds = [type(e) for e in FunctionCallAgent(model, [weather]).run(ASKED)]
        model.close()

    assert kinds == [
        ToolCallOpened,
        MessageAdded,
        ToolCallStarted,
        ToolCallFinished,
        MessageAdded,
        TextDelta,
        MessageAdded,
    ]
    assert server.requests[1].json["messages"][-1]["content"] == (
        '{"city":"Tokyo","sky":"clear"}'
    )


def test_what_it_returns_goes_on_the_conversation():
    model = ScriptedModel(["One.", "Two."])
    agent = FunctionCallAgent(model)
    messages = list(ASKED)
    for _ in range(2):
        for event in agent.run(messages):
            if isinstance(event, MessageAdded):
                messages.append(event.message)
        messages.append(Message("user", "And then?"))

    assert [m.text for m in model.requests[1].messages] == [
        ASKED[0].text,
        "One.",
        "And then?",
    ]


def test_leaving_the_loop_stops_the_model():
    ended = threading.Event()

    class Endless:
        name = "endless"

        def generate(self, messages, tools, turn):
            try:
                while True:
                    yield TextDelta(turn.message_id, "more ")
            finally:
                ended.set()

    for event in (run := FunctionCallAgent(Endless()).run(ASKED)):
        if isinstance(event, TextDelta):
            break
    run.close()

    assert ended.is_set()


def test_another_thread_can_cancel():
    never = threading.Event()
    turn = Turn()
    run = FunctionCallAgent(ScriptedModel([["Half an", never]])).run(ASKED, turn)
    assert isinstance(next(run), TextDelta)

    threading.Timer(0.01, turn.cancel.request).start()

    with pytest.raises(Cancelled):
        next(run)


def test_nothing_is_written_to_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))

    list(FunctionCallAgent(ScriptedModel(["Fine."]), ToolBox([])).run(ASKED))

    assert list(tmp_path.iterdir()) == []
