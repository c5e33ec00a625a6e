"""What a tool may do with LazyLLM's names while an agent runs it.

Whatever it asks, and in whatever thread, the user's queue has the agent's text alone.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tui import lazyllm, session
from tui.eventlog import EventLog
from tui.events import MessageAdded
from tui.lazyllm import (
    FileSystemQueue,
    FunctionCall,
    FunctionCallAgent,
    PlanAndSolveAgent,
    ReactAgent,
    ReWOOAgent,
    file_queue,
)
from tui.lazyllm.modules import ChatModule
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel
from tui.tools import registry

CALL = ToolCall("1", "consult", {})


@pytest.fixture(autouse=True)
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


def queue() -> str:
    return "".join(FileSystemQueue().dequeue())


def in_lazy_thread(ask: Callable[[str], Any]) -> Any:
    thread = lazyllm.Thread(target=ask, args=("?",))
    thread.start()
    return thread.get_result(30)


def in_other_thread(ask: Callable[[str], Any]) -> Any:
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(ask("?")))
    thread.start()
    thread.join()
    return said[0]


def streamed(ask: Callable[[str], Any]) -> Any:
    return "".join(lazyllm.StreamCallHelper(ask, 0.01)("?"))


def in_new_session(ask: Callable[[str], Any]) -> Any:
    with lazyllm.new_session():
        return ask("?")


async def in_a_thread_of_asyncio(ask: Callable[[str], Any]) -> Any:
    return await asyncio.to_thread(ask, "?")


async def in_executor(ask: Callable[[str], Any]) -> Any:
    with lazyllm.ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, ask, "?")


WAYS = (
    *(in_lazy_thread, in_other_thread, streamed, in_new_session),
    *(in_a_thread_of_asyncio, in_executor),
)


def consulting(
    way: Callable[..., Any], ask: Callable[[str], Any]
) -> Callable[..., Any]:
    """Return a tool that asks in this way."""
    if asyncio.iscoroutinefunction(way):

        async def consult_async() -> Any:
            """Ask an expert."""
            answer: Awaitable[Any] = way(ask)
            return await answer

        consult_async.__name__ = "consult"
        return consult_async

    def consult() -> Any:
        """Ask an expert."""
        return way(ask)

    return consult


@pytest.mark.parametrize("way", WAYS)
def test_a_model_is_asked_unheard_in_any_thread(log, way):
    inner = ChatModule(ScriptedModel([["SEC", "RET"]]))
    model = ScriptedModel([["Wait. ", CALL], "Done."])
    agent = FunctionCallAgent(model, [consulting(way, inner)])
    FileSystemQueue().clear()

    assert agent("go") == "Done."

    assert queue() == "Wait. Done."
    assert model.requests[-1].messages[-1].text == "SECRET"
    said = [r.event for r in log.read(session.current())]
    messages = [e.message.text for e in said if isinstance(e, MessageAdded)]
    assert messages == ["go", "Wait. ", "SECRET", "Done."]


def test_models_that_are_asked_side_by_side_are_unheard_too():
    inner = ChatModule(ScriptedModel(["A", "B", "C"]))

    async def consult() -> str:
        """Ask three experts."""
        asked = (asyncio.to_thread(inner, "?") for _ in range(3))
        return "".join(sorted(await asyncio.gather(*asked)))

    model = ScriptedModel([[CALL], "Done."])
    FileSystemQueue().clear()

    assert FunctionCallAgent(model, [consult])("go") == "Done."
    assert queue() == "Done."
    assert model.requests[-1].messages[-1].text == "ABC"


@pytest.mark.parametrize("kind", [ReactAgent, PlanAndSolveAgent, ReWOOAgent])
def test_an_agent_of_any_kind_is_asked_unheard(kind):
    scripts = {
        ReactAgent: ["Eight."],
        PlanAndSolveAgent: ["1. Think.\n2. Tell.", "I think.", "I tell.", "Eight."],
        ReWOOAgent: ["No plan.", "Eight."],
    }
    inner = kind(ScriptedModel(scripts[kind]), [consulting(streamed, str)])
    model = ScriptedModel([[CALL], "Done."])
    FileSystemQueue().clear()

    agent = FunctionCallAgent(model, [consulting(in_lazy_thread, inner)])

    assert agent("go") == "Done."
    assert queue() == "Done."
    assert model.requests[-1].messages[-1].text == "Eight."


def test_what_a_tool_itself_puts_into_the_queue_is_the_user_s():
    def consult() -> str:
        """Tell the user something."""
        FileSystemQueue().enqueue("From the tool.\n")
        return "told"

    FileSystemQueue().clear()
    FunctionCallAgent(ScriptedModel([[CALL], "Done."]), [consult])("go")

    assert queue() == "From the tool.\nDone."


def test_messages_do_not_touch_when_they_are_read_one_by_one():
    read: list[str] = []

    def consult() -> str:
        """Read the queue in the middle of the turn."""
        read.extend(FileSystemQueue().dequeue())
        return "read"

    calls = [ToolCall(str(n), "consult", {}) for n in range(2)]
    script = [["a", calls[0]], ["b", calls[1]], "c"]
    FileSystemQueue().clear()
    FunctionCallAgent(ScriptedModel(script), [consult])("go")
    read.extend(FileSystemQueue().dequeue())

    assert "".join(read) == "a\nb\nc"


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), ValueError("a\nb\x1b[31mred")]
)
def test_whatever_a_tool_raises_is_a_line_for_the_model(error):
    def consult() -> str:
        """Fail."""
        raise error

    model = ScriptedModel([[CALL], "Done."])

    assert ReactAgent(model, [consult])("go") == "Done."
    told = model.requests[-1].messages[-1].text
    assert told.startswith("Error: consult failed: ")
    assert "\n" not in told
    assert "\x1b" not in told


@pytest.mark.parametrize("question", [5, 3.5, True, None, b"x", ["a"], {"x": 1}])
@pytest.mark.parametrize(
    "kind", [FunctionCall, FunctionCallAgent, ReactAgent, PlanAndSolveAgent, ReWOOAgent]
)
def test_a_question_that_is_no_text_ends_at_once_in_a_pool_too(kind, question):
    agent = kind(ScriptedModel(["Never."]), [])
    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(agent, question)

        with pytest.raises(TypeError, match="question must be text"):
            future.result(30)
