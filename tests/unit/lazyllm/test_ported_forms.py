"""Forms in which LazyLLM's programs give prompts, queries, calls, tools and keys.

A row is one form, and what the model is asked or the program gets. What LazyLLM's own
pages show is accepted here as it stands.
"""

import functools
import json
import threading
from typing import Any, Literal

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui import lazyllm, session
from tui.lazyllm import ChatPrompter, FileSystemQueue, ToolManager
from tui.lazyllm.modules import ChatModule
from tui.messages import Attachment, ToolCall
from tui.models.scripted import ScriptedModel

LIMIT = 30.0


pytestmark = pytest.mark.usefixtures("bare")


def asked(prompt: Any, query: Any, history: Any = None) -> list[tuple[str, str]]:
    """Return the request for `query` of a module with `prompt`."""
    model = ScriptedModel(["One."])
    ChatModule(model).prompt(prompt)(query, history)
    return [(m.role, m.text) for m in model.requests[0].messages]


USER = {"system": "S", "user": "Ask: {question}"}
PROMPTS: dict[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "a name for the text": (
        "Add up: {expression}",
        "1+2",
        [("system", "Add up: 1+2"), ("user", "1+2")],
    ),
    "input for the text": (
        "Add {input}",
        "1+2",
        [("system", "Add 1+2"), ("user", "1+2")],
    ),
    "a name in the form": (USER, "Why?", [("system", "S"), ("user", "Ask: Why?")]),
    "two names for a text": (
        "{a} and {b}",
        "q",
        [("system", "{a} and {b}"), ("user", "q")],
    ),
    "JSON and a name": (
        'As {"a": {x}}.',
        "q",
        [("system", 'As {"a": {x}}.'), ("user", "q")],
    ),
    "doubled braces and a name": (
        'As {{"a": 1}} about {topic}',
        "{x}",
        [("system", 'As {"a": 1} about {x}'), ("user", "{x}")],
    ),
    "doubled braces around another name": (
        "{{x}} about {topic}",
        "q",
        [("system", "{x} about q"), ("user", "q")],
    ),
    "doubled braces without a name": (
        'As {{"a": 1}}',
        "q",
        [("system", 'As {{"a": 1}}'), ("user", "q")],
    ),
    "doubled braces around a name": (
        "{{x}}",
        "q",
        [("system", "{{x}}"), ("user", "q")],
    ),
    "the value that is left": (
        "About {topic}",
        {"topic": "T", "query": "Q"},
        [("system", "About T"), ("user", "Q")],
    ),
    "a value besides input": (
        {"system": "S", "user": "U {input}"},
        {"input": "i", "query": "Q"},
        [("system", "S"), ("user", "U i\n\nQ")],
    ),
    "a form without a question": (
        {"user": "Compare {a} with {b}."},
        {"a": "x", "b": "y"},
        [("user", "Compare x with y.")],
    ),
    "a prompt that is the question": (
        "Translate {text} to {language}.",
        {"text": "hi", "language": "French"},
        [("user", "Translate hi to French.")],
    ),
    "extra keys and a name": (
        ChatPrompter("Hello {instruction}", extra_keys=["knowledge"]),
        {"instruction": "I", "input": "q", "knowledge": "K"},
        [("system", "Hello I\n\nknowledge:\nK"), ("user", "q")],
    ),
    "one extra key as text": (
        ChatPrompter("S", "k", False, None),
        {"input": "q", "k": 5},
        [("system", "S\n\nk:\n5"), ("user", "q")],
    ),
    "a value with braces": (
        "C: {c}",
        {"input": "q", "c": "{input}"},
        [("system", "C: {input}"), ("user", "q")],
    ),
    "no text": ("", "q", [("user", "q")]),
    "a message": (
        "S",
        {"role": "user", "content": "q"},
        [("system", "S"), ("user", "q")],
    ),
    "a message in parts": (
        "S",
        {"role": "user", "content": [{"type": "text", "text": "q"}]},
        [("system", "S"), ("user", "q")],
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_is_filled_in(name):
    prompt, query, expected = PROMPTS[name]

    assert asked(prompt, query) == expected


def test_an_image_may_be_in_the_question():
    model = ScriptedModel(["One."])
    url = {"url": "data:image/png;base64,AAA="}
    parts = ["What is it?", {"type": "image_url", "image_url": url}]

    ChatModule(model)({"role": "user", "content": parts})

    (question,) = model.requests[0].messages
    assert question.text == "What is it?"
    assert question.attachments == (Attachment("image", "image/png", b"\0\0"),)


def test_two_values_without_a_place_are_an_error():
    with pytest.raises(TypeError, match="no place for 'query'"):
        asked("About {topic}", {"topic": "T", "query": "Q", "more": "M"})


def test_a_prompt_is_filled_in_behind_a_page_too():
    model = ScriptedModel(["One."])
    module = ChatModule(model, prompt="Add up: {expression}")

    run = module.answer([lazyllm.history.messages_of([["1+2", None]])[0]])
    list(run)

    assert model.requests[0].messages[0].text == "Add up: 1+2"


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ([["a"]], [("user", "a")]),
        ([[]], []),
        ([["a", ""]], [("user", "a"), ("assistant", "")]),
        ([["a", "b"], ["c"]], [("user", "a"), ("assistant", "b"), ("user", "c")]),
    ],
)
def test_a_pair_may_be_short(history, said):
    assert asked(None, "q", history) == [*said, ("user", "q")]


# Calls of tools


def find(query: str, limit: int = 10, mode: Literal["near", "exact"] = "near") -> Any:
    """Find something.

    Args:
        query (str): What to find.
        limit (int): How much.
        mode (str): How.
    """
    return {"query": query, "limit": limit, "mode": mode}


def found(**arguments: Any) -> str:
    return json.dumps({"query": "a", "limit": 10, "mode": "near"} | arguments)


CALLS: dict[str, tuple[Any, str]] = {
    "under function": ({"function": {"name": "find", "arguments": {"query": "a"}}}, ""),
    "bare": ({"name": "find", "arguments": {"query": "a"}}, ""),
    "bare, JSON": ({"name": "find", "arguments": '{"query": "a"}'}, ""),
    "a number as text": (
        {"name": "find", "arguments": {"query": "a", "limit": "7"}},
        "",
    ),
    "no arguments": ({"name": "find"}, "query"),
    "a wrong type and a lack": ({"name": "find", "arguments": {"limit": "x"}}, "query"),
    "no such choice": (
        {"name": "find", "arguments": {"query": "a", "mode": "x"}},
        "mode",
    ),
    "an argument too many": (
        {"name": "find", "arguments": {"query": "a", "b": 1}},
        "b",
    ),
    "no such tool": ({"name": "fnd", "arguments": "{"}, "find"),
    "arguments cut off": ({"name": "find", "arguments": '{"query": "a'}, "JSON"),
    "a list": ({"name": "find", "arguments": "[]"}, "object"),
    "nothing": ({}, "must be"),
    "function null": ({"function": None}, "must be"),
    "function a list": ({"function": []}, "must be"),
    "a name that is a number": ({"function": {"name": 123}}, "must be"),
    "an empty name": ({"function": {"name": "  "}}, "Error"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_a_manager_gives_a_result_whatever_is_wrong(name):
    call, wrong = CALLS[name]

    (result,) = ToolManager([find])(call)

    if wrong:
        assert result.startswith("Error: ")
        assert wrong in result
        assert "\n" not in result
    else:
        given = call.get("function", call)["arguments"]
        limit = 7 if "limit" in given else 10
        assert json.loads(result) == json.loads(found(limit=limit))


def test_what_is_no_call_has_its_place_among_the_results():
    good = {"name": "find", "arguments": {"query": "a"}}

    first, second, third, fourth = ToolManager([find])(
        [{}, good, {"function": 5}, good]
    )

    assert (json.loads(second), json.loads(fourth)) == (json.loads(found()),) * 2
    assert first.startswith("Error: ")
    assert third.startswith("Error: ")


def test_several_calls_may_be_bare():
    calls = [{"name": "find", "arguments": {"query": q}} for q in "ab"]

    assert [json.loads(r)["query"] for r in ToolManager([find])(calls)] == ["a", "b"]


def test_an_error_of_a_tool_is_told_without_its_class():
    def read(name: str) -> str:
        """Read a document."""
        raise lazyllm.tools.agent.ToolExecutionError(f"There is no {name}.")

    def write(name: str) -> str:
        """Write a document."""
        raise lazyllm.ToolExecutionError.approval_required("Ask the owner first.")

    read_it, write_it = ToolManager([read, write])(
        [{"name": tool, "arguments": {"name": "x"}} for tool in ("read", "write")]
    )

    assert read_it == "Error: read failed: There is no x."
    assert write_it == "Error: write failed: Ask the owner first."


# Forms of tools


def other(place: str) -> str:
    """Look elsewhere."""
    return place


class Desk:
    """A class as LazyLLM's programs write it."""

    __public_apis__ = ("search", "list_all")

    def search(self, query: str) -> str:
        """Search."""
        return query

    def list_all(self) -> str:
        """List all."""
        return "all"


TOOLS: dict[str, tuple[list[object], tuple[str, ...]]] = {
    "a group": ([{"name": "g", "tools": [find, other]}], ("find", "other")),
    "a group that is not lazy": (
        [{"name": "g", "desc": "G", "lazy": False, "tools": [find]}],
        ("find",),
    ),
    "a group in a group": (
        [other, {"name": "g", "tools": [{"name": "h", "tools": [find]}]}],
        ("other", "find"),
    ),
    "an object in a group": (
        [{"name": "g", "tools": [Desk()]}],
        ("Desk_search", "Desk_list_all"),
    ),
    "a group without keys": (
        [{"name": "g", "tools": [find], "key_source": None, "pick_first_valid": False}],
        ("find",),
    ),
    "a partial": ([functools.partial(find, limit=3)], ("find",)),
    "a method": ([Desk().search], ("search",)),
}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_in_any_form_are_offered(name):
    tools, names = TOOLS[name]
    model = ScriptedModel(["One."])

    assert ToolManager(tools).names == names
    lazyllm.ReactAgent(model, tools)("q")
    assert tuple(tool.name for tool in model.requests[0].tools) == names


def test_a_group_may_be_added():
    manager = ToolManager([find])

    manager.add({"name": "g", "tools": [other]})

    assert manager.names == ("find", "other")


def test_a_tool_is_registered_under_a_second_name():
    assert lazyllm.fc_register("tool")(find, "look_up") is find
    assert lazyllm.fc_register("tool", name="seek")(find) is find
    assert lazyllm.fc_register("tool")(find) is find

    assert ToolManager(["find", "look_up", "seek"]).names == ("find", "look_up", "seek")


def test_a_cell_that_runs_again_registers_its_tool_again():
    for answer in ("old", "new"):

        @lazyllm.fc_register("tool")
        def cell() -> str:
            """Answer."""
            return answer  # noqa: B023 - called in the same turn of the loop

    assert ToolManager(["cell"])({"name": "cell"}) == ["new"]


# Agents


@pytest.mark.parametrize("kind", [lazyllm.FunctionCallAgent, lazyllm.ReactAgent])
def test_arguments_that_ask_for_what_is_done_anyway_are_accepted(kind):
    agent = kind(
        ScriptedModel(["One."]),
        [find],
        force_summarize=True,
        keep_full_turns=3,
        desc="Finds things.",
        tool_concurrency=True,
    )

    assert agent("q") == "One."


def test_function_call_has_lazyllm_s_name_for_its_prompt():
    model = ScriptedModel(["One."])

    lazyllm.FunctionCall(model, [find], _prompt="Be brief.")("q")

    assert model.requests[0].messages[0].text == "Be brief."


def test_rounds_are_repeated_as_the_pages_say():
    """The dict goes in again; what it was about is in the history."""
    look = [ToolCall(str(n), "other", {"place": f"place {n}"}) for n in range(3)]
    fc = lazyllm.FunctionCall(ScriptedModel([*([c] for c in look), "Done."]), [other])

    history: list[Any] = [["q", None]]
    result = fc("q")
    while not isinstance(result, str):
        last, result = result, fc(result, history)
        history.append({k: last[k] for k in ("role", "content", "tool_calls")})
        history += [
            {"role": "tool", "tool_call_id": call["id"], "content": told}
            for call, told in zip(
                last["tool_calls"], last["tool_calls_results"], strict=True
            )
        ]

    assert result == "Done."
    assert [m["content"] for m in history[1:] if m["role"] == "tool"] == [
        f"place {n}" for n in range(3)
    ]


# Threads and queues


def test_a_thread_belongs_to_the_session_and_has_a_result():
    with lazyllm.new_session("mine"):
        thread = lazyllm.Thread(target=session.current)
        added = lazyllm.Thread(None, lambda a, b: a + b, "adds", (1,), {"b": 2})
    thread.start()
    added.start()

    assert thread.get_result(LIMIT) == "mine" == thread.get_result()
    assert added.get_result(LIMIT) == 3
    assert added.name == "adds"


def test_a_thread_runs_its_hooks_first_and_raises_what_it_raised():
    seen = []
    hooks = [lambda: seen.append("first"), lambda: seen.append("second")]
    thread = lazyllm.Thread(target=int, args=("x",), prehook=hooks, daemon=True)
    thread.start()

    with pytest.raises(ValueError, match="invalid literal"):
        thread.get_result(LIMIT)
    assert seen == ["first", "second"]


def test_a_thread_that_is_not_done_can_be_waited_for_in_vain():
    gate = threading.Event()
    thread = lazyllm.Thread(target=gate.wait, prehook=lambda: None)
    thread.start()

    with pytest.raises(TimeoutError):
        thread.get_result(0.01)
    gate.set()
    assert thread.get_result(LIMIT) is True


def test_a_model_asked_in_a_thread_streams_into_the_session_s_queue():
    thread = lazyllm.Thread(target=ChatModule(ScriptedModel(["One."])), args=("q",))
    thread.start()

    assert thread.get_result(LIMIT) == "One."
    assert FileSystemQueue().dequeue() == ["One."]


def test_the_default_queue_has_lazyllm_s_name_too():
    ChatModule(ScriptedModel(["One."]))("q")

    assert FileSystemQueue(klass="__default__").dequeue() == ["One."]
    assert FileSystemQueue().dequeue() == []


# Models on servers


def request(server: SSEServer, asking: dict[str, Any], **making: Any) -> Any:
    """Ask a module for one answer; return the request that the server got."""
    server.answer(text("ok"), finish(), DONE)
    making = {"model": "m", "url": server.url} | making
    llm = lazyllm.OnlineChatModule(**making)

    assert llm("q", **asking) == "ok"

    return server.requests[-1]


def test_a_call_may_go_to_another_address(server):
    sent = request(
        server, {"url": server.url, "model": "n"}, url="http://127.0.0.1:9/v1"
    )

    assert sent.json["model"] == "n"


def test_a_module_may_have_a_system_prompt(server):
    sent = request(server, {}, system_prompt="Be a cook.")

    assert sent.json["messages"][0] == {"role": "system", "content": "Be a cook."}


def test_static_params_are_a_dict(server):
    params = lazyllm.StaticParams(temperature=0.2, top_p=0.9)

    sent = request(server, {"temperature": 0.7}, static_params=params).json

    assert params == {"temperature": 0.2, "top_p": 0.9}
    assert (sent["temperature"], sent["top_p"]) == (0.7, 0.9)


@pytest.mark.parametrize(
    "option", [{"api_key": "auto"}, {"api_key": "dynamic"}, {"dynamic_auth": True}]
)
def test_a_key_may_come_after_the_module(server, monkeypatch, option):
    for number in (1, 2):
        server.answer(text("ok"), finish(), DONE)
        llm = lazyllm.OnlineChatModule("m", "openai", url=server.url, **option)

        monkeypatch.setenv("LAZYLLM_OPENAI_API_KEY", f"sk-{number}")
        llm("q")

        sent = server.requests[-1].headers["authorization"]
        assert sent == f"Bearer sk-{number}"


def test_a_local_model_may_have_an_empty_target():
    assert lazyllm.TrainableModule("starter", "").stream is True


# Imports


@pytest.mark.parametrize(
    "line",
    [
        "from tui.lazyllm.module import OnlineChatModule",
        "from tui.lazyllm.components.formatter import JsonFormatter",
        "from tui.lazyllm.common.utils import compile_func",
        "from tui.lazyllm.tools.rag import SentenceSplitter",
        "from tui.lazyllm.tools.agent.reactAgent import ReactAgent",
        "import tui.lazyllm.thirdparty.transformers",
    ],
)
def test_an_import_from_lazyllm_s_modules_says_where_its_names_are(line):
    with pytest.raises(ModuleNotFoundError) as raised:
        exec(line, {})

    said = str(raised.value)
    assert said.startswith("lazychat has no module lazyllm.")
    assert "is in tui.lazyllm itself" in said
    assert "\n" not in said


def test_other_modules_are_missing_as_ever():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'tui\.nothing'"):
        exec("import tui.nothing", {})
