"""LazyLLM's other agents: what their callers get, and what of them is in the queue."""

from typing import Any

import pytest

from tui import lazyllm, session
from tui.conversation import fold
from tui.eventlog import EventLog
from tui.events import TurnRequested
from tui.lazyllm import (
    FileSystemQueue,
    PlanAndSolveAgent,
    ReactAgent,
    ReWOOAgent,
    file_queue,
)
from tui.lazyllm.modules import ChatModule
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel
from tui.tools import registry

CALL = ToolCall("1", "double", {"x": 4})
SCRIPTS: dict[type[Any], list[Any]] = {
    ReactAgent: [
        'Thought: Twice.\nAction: double\nAction Input: {"x": 4}\nObservation: 9',
        ["Thought: So.\nFinal ", "Answer: It is", " 8."],
    ],
    PlanAndSolveAgent: [
        "1. Double it.\n2. Check it.",
        ["I do. ", CALL],
        "8, I think.",
        "Checked.",
        ["It is", " 8."],
    ],
    ReWOOAgent: ['Plan: Double.\n#E1 = double[{"x": 4}]', ["It is", " 8."]],
}
AGENTS = list(SCRIPTS)
NAMES = {ReactAgent: "react", PlanAndSolveAgent: "plan", ReWOOAgent: "rewoo"}


def double(x: int) -> int:
    """Double x."""
    return 2 * x


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


@pytest.mark.parametrize("kind", AGENTS)
def test_the_queue_has_the_answer_alone_and_the_log_all(log, kind):
    agent = kind(ScriptedModel(SCRIPTS[kind]), [double]).start()
    FileSystemQueue().clear()

    assert agent("What is twice 4?", llm_chat_history=[]) == "It is 8."

    assert "".join(FileSystemQueue().dequeue()) == "It is 8."
    assert FileSystemQueue("lazy_trace").dequeue() == []
    records = log.read(session.current())
    entries = list(fold(records).entries.values())
    assert "8" in [e.message.text for e in entries if e.message.role == "tool"]
    assert any(e.message.reasoning for e in entries)
    (request,) = [r.event for r in records if isinstance(r.event, TurnRequested)]
    assert request.agent == NAMES[kind]


@pytest.mark.parametrize("kind", AGENTS)
def test_the_trace_has_the_calls(log, kind):
    agent = kind(ScriptedModel(SCRIPTS[kind]), [double], return_trace=True)
    FileSystemQueue("lazy_trace").clear()

    agent("What is twice 4?")

    traced = "".join(FileSystemQueue("lazy_trace").dequeue())
    assert 'double({"x": 4})' in traced
    assert "result: 8" in traced


@pytest.mark.parametrize("kind", AGENTS)
def test_the_calls_are_returned_if_they_are_wanted(log, kind):
    agent = kind(ScriptedModel(SCRIPTS[kind]), [double], return_last_tool_calls=True)

    (call,) = agent("What is twice 4?")

    assert call["function"] == {"name": "double", "arguments": '{"x": 4}'}
    assert call["tool_call_result"] == "8"


@pytest.mark.parametrize("kind", AGENTS)
def test_a_prompt_and_a_history_are_sent_with_each_request(log, kind):
    model = ScriptedModel(SCRIPTS[kind])
    agent = kind(model, [double], prompt="Be brief.")

    agent("What is twice 4?", [["Hi", "Hello."]])

    for request in model.requests:
        said = [m.text for m in request.messages]
        assert said[0].startswith("Be brief.")
        assert "Hi" in said


def test_the_prompt_of_the_model_is_that_of_the_agent(log):
    model = ScriptedModel(["Final Answer: Yes."])
    llm = ChatModule(model, prompt="Be kind.", stream=False)
    agent = ReactAgent(llm, [double], 3)

    assert agent("Well?") == "Yes."
    assert agent.stream is False
    assert model.requests[0].messages[0].text == "Be kind."


@pytest.mark.parametrize("kind", [PlanAndSolveAgent, ReWOOAgent])
def test_plan_and_answer_may_be_of_different_models(log, kind):
    planner = ScriptedModel(SCRIPTS[kind][:1])
    for options in (
        {"plan_llm": planner, "solve_llm": ScriptedModel(SCRIPTS[kind][1:])},
        {"llm": ScriptedModel(SCRIPTS[kind][1:]), "plan_llm": ChatModule(planner)},
    ):
        planner.requests.clear()
        assert kind(tools=[double], **options)("What is twice 4?") == "It is 8."
        assert len(planner.requests) == 1
    assert kind(solve_llm=ScriptedModel(SCRIPTS[kind]), tools=[double])("?")
    with pytest.raises(TypeError, match="needs llm, or plan_llm and solve_llm"):
        kind(tools=[double])
    with pytest.raises(TypeError, match="plan_llm must be"):
        kind(ScriptedModel([]), plan_llm="gpt")


@pytest.mark.parametrize("kind", AGENTS)
def test_arguments_that_are_not_offered_say_what_is(kind):
    for options, told in (
        ({"skills": ["a"]}, "prompt="),
        ({"enable_builtin_tools": True}, "list those"),
        ({"retires": 3}, "no argument retires"),
    ):
        with pytest.raises(TypeError, match=told):
            kind(ScriptedModel([]), [], **options)


def test_react_streams_an_answer_without_the_form_once_it_is_clear(log):
    agent = ReactAgent(ScriptedModel([["It ", "is 8."]]), [double])
    FileSystemQueue().clear()

    assert agent("What is twice 4?") == "It is 8."
    assert "".join(FileSystemQueue().dequeue()) == "It is 8."


def test_an_agent_that_a_tool_asks_answers_that_tool(log):
    inner = ReWOOAgent(ScriptedModel(SCRIPTS[ReWOOAgent]), [double])

    def consult(question: str) -> str:
        """Ask somebody else."""
        return inner(question)

    script = [
        'Thought: Ask.\nAction: consult\nAction Input: {"question": "?"}',
        "Final Answer: They say 8.",
    ]
    agent = ReactAgent(ScriptedModel(script), [consult])
    FileSystemQueue().clear()

    assert agent("What is twice 4?") == "They say 8."
    assert "".join(FileSystemQueue().dequeue()) == "They say 8."


def test_the_names_are_where_programs_import_them_from():
    for module in (lazyllm, lazyllm.tools, lazyllm.tools.agent):
        for kind in AGENTS:
            assert getattr(module, kind.__name__) is kind
