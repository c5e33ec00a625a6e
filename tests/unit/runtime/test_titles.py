"""Titles that models write, in the background."""

import threading

import pytest
from support.store import until

from tui import config, conversation
from tui.conversation.titles import cleaned
from tui.errors import ModelError
from tui.events import (
    ConversationRenamed,
    ErrorRaised,
    TurnFinished,
    TurnRequested,
    UsageReported,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel, Think
from tui.runtime.host import Host
from tui.runtime.runner import request

pytestmark = pytest.mark.usefixtures("home")

LIMIT = 30.0
SERVER = '[models.remote]\nprovider = "openai"\nbase_url = "http://127.0.0.1:1"\n'
LOCAL = '[models.remote]\nprovider = "llama"\npath = "x.gguf"\n'


class Titled:
    """A host whose model plays a script: answers and titles."""

    def __init__(self, *script, toml: str = SERVER) -> None:
        self.model = ScriptedModel(script)
        self.host = Host(config.parse(toml))
        self.host.models._models["remote"] = self.model
        self.host.models._models["starter"] = self.model
        self.host.make_titles()
        self.host.start()

    def ask(self, text: str = "How are you?", model: str = "remote", tools=()) -> None:
        log = self.host.log
        asked = TurnRequested(model, tools=tools, runner=self.host.runner.id)
        turn, written = request(log, "c", Message("user", text), asked)
        written.result(LIMIT)
        with log.follow("c") as follow:
            while not any(
                r.turn == turn and isinstance(r.event, TurnFinished)
                for r in follow.poll(LIMIT)
            ):
                pass

    @property
    def title(self) -> str:
        found = conversation.get(self.host.log, "c")
        return found.title if found else ""

    def events(self, kind):
        found = [r.event for r in self.host.log.read("c")]
        return [event for event in found if isinstance(event, kind)]

    def settled(self) -> None:
        """Wait until no title is being made."""
        titler = self.host._titler
        assert titler
        until(lambda: not titler._turns)


@pytest.fixture
def make():
    made: list[Titled] = []

    def titled(*script, **options) -> Titled:
        made.append(Titled(*script, **options))
        return made[-1]

    yield titled
    for one in made:
        one.host.close()


def test_the_model_titles_a_conversation_after_its_first_answer(make):
    it = make("Fine.", ["Small talk", UsageReported(30, 3)])

    it.ask()
    until(lambda: it.title == "Small talk")

    assert it.events(ConversationRenamed) == [
        ConversationRenamed("Small talk", "model")
    ]
    usage = UsageReported(30, 3, purpose="title", model="remote")
    assert it.events(UsageReported) == [usage]
    (sent,) = it.model.requests[1].messages
    assert "How are you?" in sent.text
    assert "Fine." in sent.text


def test_it_is_asked_once(make):
    it = make("Fine.", "Small talk", "Yes.")
    it.ask()
    until(lambda: it.title == "Small talk")

    it.ask()
    it.settled()

    assert len(it.model.requests) == 3


def test_a_server_gets_only_the_beginning_of_long_messages(make):
    it = make("b" * 9_000, "Long things")

    it.ask("a" * 9_000)
    until(lambda: it.title == "Long things")

    (sent,) = it.model.requests[1].messages
    assert len(sent.text) < 4_000


def test_a_local_model_gets_what_it_has_read_and_the_request_below_it(make):
    it = make("Fine.", "Small talk", toml=f'system = "Be brief."\n{LOCAL}')

    it.ask(tools=("calculate",))
    until(lambda: it.title == "Small talk")

    first, second = it.model.requests
    assert [m.text for m in second.messages[:-1]] == [
        "Be brief.",
        "How are you?",
        "Fine.",
    ]
    assert second.messages[: len(first.messages)] == first.messages
    assert second.tools == first.tools


@pytest.mark.parametrize(
    ("toml", "model"),
    [(f'titles = "question"\n{SERVER}', "remote"), (SERVER, "starter")],
)
def test_the_question_is_the_title_if_configured_and_with_the_starter(
    make, toml, model
):
    it = make("Fine.", "Yes.", toml=toml)

    it.ask(model=model)
    if it.host._titler:
        it.settled()
    it.ask("And now?", model=model)

    assert it.title == "How are you?"
    assert len(it.model.requests) == 2


def test_a_title_of_the_user_is_not_overwritten(make):
    it = make("Fine.")
    conversation.rename(it.host.log, "c", "Mine").result(LIMIT)

    it.ask()
    it.settled()

    assert it.title == "Mine"
    assert len(it.model.requests) == 1


def test_a_title_given_while_the_model_writes_one_stays(make):
    go_on = threading.Event()
    it = make("Fine.", [go_on, "Small talk"])
    it.ask()
    until(lambda: len(it.model.requests) == 2)

    conversation.rename(it.host.log, "c", "Mine").result(LIMIT)
    go_on.set()
    it.settled()

    assert it.title == "Mine"


def test_a_question_stops_the_request_which_is_made_after_its_answer(make):
    never = threading.Event()
    it = make("Fine.", [never, "Too late"], "Yes.", "Small talk")
    it.ask()
    until(lambda: len(it.model.requests) == 2)

    it.ask("And now?")

    until(lambda: it.title == "Small talk")
    assert not never.is_set()


def test_closing_stops_the_request(make):
    never = threading.Event()
    it = make("Fine.", [never, "Too late"])
    it.ask()
    until(lambda: len(it.model.requests) == 2)

    it.host.close()

    assert not [t for t in threading.enumerate() if t.name == "lazychat-title"]


@pytest.mark.parametrize(
    "reply",
    [
        [ModelError("The server is gone.")],
        [ToolCall("1", "calculate", {"expression": "1"})],
        [Think("Hm.")],
        ['<tool_call>{"name": "calculate", "arguments": {}}</tool_call>'],
        ["word " * 200],
        ["At most six words, in its language, on one line, without quotes"],
    ],
    ids=["error", "call", "thought", "call in text", "endless", "request"],
)
def test_without_a_title_the_question_stays_and_nothing_is_said(make, reply):
    it = make("Fine.", reply)

    it.ask()
    until(lambda: len(it.model.requests) == 2)
    it.settled()

    assert it.title == "How are you?"
    assert not it.events(ErrorRaised)


def test_a_deleted_conversation_does_not_come_back(make):
    go_on = threading.Event()
    it = make("Fine.", [go_on, "Small talk", UsageReported(1, 1)])
    it.ask()
    until(lambda: len(it.model.requests) == 2)

    conversation.delete(it.host.log, "c")
    go_on.set()
    it.settled()

    assert conversation.get(it.host.log, "c") is None
    assert not it.events(ConversationRenamed)
    assert not it.events(UsageReported)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Small talk", "Small talk"),
        ('"Small talk."', "Small talk"),
        ("**Small talk**\n\nI chose it because", "Small talk"),
        ("\n# Title: Small  talk", "Small talk"),
        ("“Kleine Gespräche”", "Kleine Gespräche"),
        ("标题：闲聊。", "闲聊"),
        ("\x1b]0;x\x07Small", "␛]0;x␇Small"),
        ("  \n ** \n", ""),
        ("word " * 15, "word " * 11 + "word…"),
        ("words " * 15, "words " * 9 + "words…"),
        ('{"name": "calculate"}', ""),
        ("<|tool_call|>x", ""),
        ("Centre a <div> in CSS", "Centre a <div> in CSS"),
        ("天" * 40, "天" * 29 + "…"),
        ("x" * 500, "x" * 59 + "…"),
    ],
)
def test_a_title_is_one_clean_line(written, title):
    assert cleaned(written) == title
