"""What answers behind a `WebModule`, and how it starts and ends."""

import socket
import threading

import pytest

from tui import session
from tui.conversation import fold
from tui.errors import ConfigError
from tui.eventlog import EventLog
from tui.events import (
    ErrorRaised,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
)
from tui.lazyllm import FunctionCallAgent, WebModule, file_queue
from tui.lazyllm.modules import ChatModule
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel
from tui.runtime import runner
from tui.tools import registry


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    with EventLog(tmp_path / "log.db") as log:
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


@pytest.fixture
def ask(log):
    """Serve `m` and ask it questions of one conversation; return the events."""

    def ask(m, *questions, tools=(), agent=""):
        web, id = WebModule(m, port=0).start(), session.new_id()
        try:
            for question in questions:
                turn = TurnRequested("any", agent, tools)
                asked, _ = runner.request(log, id, Message("user", question), turn)
                with log.follow(id) as follow:
                    ended = (
                        record
                        for batch in follow
                        for record in batch
                        if record.turn == asked
                        and isinstance(record.event, TurnFinished)
                    )
                    next(ended)
        finally:
            web.stop()
        return [record.event for record in log.read(id)]

    return ask


def texts(log):
    (id,) = {record.conversation for record in log.read()}
    return [e.message.text for e in fold(log.read(id)).entries.values()]


def kinds(events, kind):
    return [event for event in events if isinstance(event, kind)]


def shout(query):
    return f"{query.upper()}!"


def test_a_function_answers(ask, log):
    events = ask(shout, "hello")

    assert texts(log) == ["hello", "HELLO!"]
    assert events[-1].reason == "stop"


def test_a_function_gets_what_was_said_if_it_wants_it(ask, log):
    def count(query, llm_chat_history):
        return f"{query} after {[said['content'] for said in llm_chat_history]}"

    ask(count, "a", "b")

    assert texts(log)[-1] == "b after ['a', 'a after []']"


def test_what_a_function_asks_is_not_in_the_conversation(ask, log):
    inner = ChatModule(ScriptedModel(["secret"]))

    events = ask(lambda query: inner(query).upper(), "hello")

    assert texts(log) == ["hello", "SECRET"]
    assert len(kinds(events, TurnRequested)) == 1
    assert [e.text for e in kinds(events, ToolProgressed)] == ["secret"]
    assert [e.call.name for e in kinds(events, ToolCallStarted)] == ["<lambda>"]


def test_an_exception_of_a_function_is_one_line(ask):
    def fail(query):
        raise KeyError("no such city")

    events = ask(fail, "hello")

    (error,) = kinds(events, ErrorRaised)
    assert error.text == "fail failed: KeyError: 'no such city'"
    assert events[-1].reason == "error"


def test_a_module_answers_with_its_prompt_and_what_was_said(ask, log):
    model = ScriptedModel(["One.", "Two."])
    module = ChatModule(model, prompt={"system": "Be brief.", "user": "Q: {input}"})

    ask(module, "first", "second")

    assert texts(log) == ["first", "One.", "second", "Two."]
    said = [(m.role, m.text) for m in model.requests[1].messages]
    assert said == [
        ("system", "Be brief."),
        ("user", "first"),
        ("assistant", "One."),
        ("user", "Q: second"),
    ]


def test_an_agent_uses_the_tools_that_are_on(ask, log):
    def city() -> str:
        """Name the city."""
        return "Tokyo"

    def other() -> str:
        """Never used."""
        return ""

    model = ScriptedModel([[ToolCall("1", "city", {})], "It is Tokyo."])

    ask(FunctionCallAgent(model, [city, other]), "Where?", tools=("city", "x"))

    assert texts(log)[-1] == "It is Tokyo."
    assert [tool.name for tool in model.requests[0].tools] == ["city"]


def test_share_is_refused_with_the_reason():
    with pytest.raises(TypeError, match="ssh -L PORT:localhost:PORT"):
        WebModule(shout, share=True)


def test_arguments_without_use_are_named(capsys):
    WebModule(shout, audio=True, text_mode=None, history=[], title="x")

    assert capsys.readouterr().err == "lazychat: WebModule ignores audio.\n"


@pytest.mark.parametrize(
    ("m", "options", "said"),
    [
        (None, {}, "a module, an agent or a function, not NoneType"),
        (shout, {"prot": 1}, "no argument prot. Did you mean port"),
    ],
)
def test_wrong_arguments_are_errors(m, options, said):
    with pytest.raises(TypeError, match=said):
        WebModule(m, **options)


def test_an_occupied_port_is_named_and_nothing_stays(log):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        web = WebModule(shout, port=port)

        with pytest.raises(ConfigError, match=f"port {port}: Address already in use"):
            web.start()

    assert web.status == "stopped"
    assert not [t for t in threading.enumerate() if t.name == "lazychat-runner"]


def test_wait_ends_with_stop_and_it_can_start_again(log, capsys):
    web = WebModule(shout, port=0)
    assert web.start() is web
    assert web.start() is web
    first = web.url
    assert capsys.readouterr().out == f"lazychat: open {first}\n"
    assert web.status == "running"

    threading.Timer(0.05, web.stop).start()
    web.wait()

    assert web.status == "stopped"
    web.start()
    assert web.url != first
    web.stop()
