"""More forms of LazyLLM's own tests and docstrings: keywords, groups, attributes.

What has no effect here is accepted where it asks for nothing; a row is one of these.
"""

import re
from typing import Any

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui import lazyllm
from tui.errors import LazychatError
from tui.lazyllm import ToolManager, file_queue
from tui.lazyllm.modules import ChatModule
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel

pytestmark = pytest.mark.usefixtures("bare")


def module(*script: Any) -> Any:
    return ChatModule(ScriptedModel(script or ("One.",)))


def add_one(value: int) -> int:
    """Add one.

    Args:
        value (int): The number.
    """
    return value + 1


def get_status() -> str:
    """Return the status."""
    return "ok"


# Groups of tools


@pytest.mark.parametrize(
    "options",
    [
        {"prefix": False},
        {"prefix": None},
        {"lazy": True, "auto_activate": ["special-link"]},
        {"auto_activate": "special-link"},
    ],
)
def test_a_group_may_have_all_keys_of_lazyllm(options):
    group = {"name": "g", "desc": "G", "tools": [add_one, get_status], **options}

    assert ToolManager([group]).names == ("add_one", "get_status")


@pytest.mark.parametrize(
    ("prefix", "begins"), [(True, "g_"), ("", "g_"), ("own", "own_")]
)
def test_a_group_s_prefix_begins_the_names_of_its_tools(prefix, begins):
    group = {"name": "g", "tools": [add_one], "prefix": prefix}
    manager = ToolManager([group])
    name = f"{begins}add_one"

    assert manager.names == (name,)
    assert manager.tools_description[0]["function"]["name"] == name
    assert manager({"name": name, "arguments": {"value": 1}}) == ["2"]


def test_prefixes_of_groups_in_groups_are_joined():
    lazyllm.fc_register("tool")(get_status)
    inner = {"name": "inner", "tools": [add_one, "get_status"], "prefix": True}
    outer = {"name": "outer", "tools": [inner, add_one], "prefix": True}

    assert ToolManager([outer]).names == (
        "outer_inner_add_one",
        "outer_inner_get_status",
        "outer_add_one",
    )


def test_a_failure_of_a_tool_with_a_prefix_is_told():
    def find(query: str) -> str:
        """Find something."""
        raise lazyllm.ToolExecutionError(f"Nothing is called {query}.")

    group = {"name": "hub", "desc": "H", "tools": [find], "prefix": True}
    llm = module([ToolCall("c", "hub_find", {"query": "x"})], "Done.")

    assert lazyllm.ReactAgent(llm, [group])("q") == "Done."
    assert "Nothing is called x." in llm.model.requests[1].messages[-1].text


def test_a_manager_s_tools_say_what_they_do():
    manager = ToolManager([add_one, get_status])

    assert {tool.name: tool.description for tool in manager.all_tools} == {
        "add_one": "Add one.",
        "get_status": "Return the status.",
    }


def test_only_allowed_tools_are_called():
    calls = [{"name": "add_one", "arguments": {"value": 1}}, {"name": "get_status"}]

    refused, run = ToolManager([add_one, get_status])(
        calls, verbose=True, allowed_tool_names={"get_status"}
    )

    assert refused.startswith("Error: ")
    assert run == "ok"


def test_an_object_may_offer_models_less_than_programs():
    class Desk:
        __public_apis__ = ("search", "count")
        __tool_public_apis__ = ("count",)

        def search(self, query: str) -> str:
            """Search."""
            return query

        def count(self) -> int:
            """Count."""
            return 3

    assert ToolManager([Desk()]).names == ("Desk_count",)


# Modules


def test_share_takes_what_lazyllm_s_does():
    llm = module("One.", "Two.")
    copies = [
        llm.share("Be short.", None, False),
        llm.share(format=None, copy_static_params=True),
    ]

    assert [copy.stream for copy in copies] == [False, True]
    assert [copy("q") for copy in copies] == ["One.", "Two."]
    with pytest.raises(LazychatError, match=r"json\.loads"):
        llm.share(format=str)


@pytest.mark.parametrize(
    "options", [{"tools": None}, {"tools": []}, {"lazyllm_files": None}]
)
@pytest.mark.parametrize("agent", [False, True])
def test_an_argument_of_a_call_that_is_not_offered_may_be_empty(options, agent):
    llm = lazyllm.ReactAgent(module(), [add_one]) if agent else module()

    assert llm("q", **options) == "One."


def test_function_call_takes_lazyllm_s_names():
    llm = module([ToolCall("c", "add_one", {"value": 1})])
    manager = ToolManager([add_one])
    called = lazyllm.FunctionCall(
        llm,
        _tool_manager=manager,
        skill_manager=None,
        sandbox=None,
        keep_full_turns=0,
        stop_tools=None,
        round_limit=None,
    )("q")

    assert called["tool_calls_results"] == ["2"]
    with pytest.raises(LazychatError, match="StreamCallHelper"):
        lazyllm.FunctionCall(llm, [add_one], stop_tools=["add_one"])


def test_a_result_of_a_tool_in_the_history_may_be_any_value():
    llm = module()
    calls = [
        {"id": "a", "function": {"name": "f"}},
        {"id": "b", "function": {"name": "f"}},
    ]
    said = [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": 2},
        {"role": "tool", "tool_call_id": "b", "content": {"n": "é"}},
    ]

    llm("q", said)

    told = [m.text for m in llm.model.requests[0].messages if m.role == "tool"]
    assert told == ["2", '{"n":"é"}']


def test_a_local_model_takes_lazyllm_s_arguments(capsys):
    llm = lazyllm.TrainableModule("starter", "", stream=False, trust_remote_code=False)

    assert llm.stream is False
    assert lazyllm.TrainableModule("starter", False).stream is False
    with pytest.raises(TypeError, match="no target_path"):
        lazyllm.TrainableModule("starter", "folder")
    lazyllm.TrainableModule("internlm2-chat-20b")
    assert capsys.readouterr().err == (
        'lazychat: no model is named "internlm2-chat-20b"; using the starter.\n'
    )


def test_a_forward_that_would_never_be_called_is_an_error():
    with pytest.raises(TypeError, match=r"Mine: a module has no forward .* __call__"):

        class Mine(lazyllm.TrainableModule):  # pyright: ignore[reportUnusedClass]
            def forward(self, input: str) -> str:
                return input


def test_nothing_that_drives_a_terminal_comes_out():
    """The tutorial's loop prints what it gets."""
    said = "a\x1b]52;c;aGk=\x07\tb\r\n\x9b31m\u200dc"
    clean = "a␛]52;c;aGk=␇\tb\r\n\ufffd31m\u200dc"
    llm = ChatModule(ScriptedModel([list(said)]), return_trace=True)

    assert llm("q") == clean
    assert "".join(file_queue.FileSystemQueue().dequeue()) == clean
    assert file_queue.FileSystemQueue("lazy_trace").dequeue() == [f"{clean}\n"]
    agent = lazyllm.FunctionCallAgent(ScriptedModel([said]), [add_one])
    assert agent("q") == clean


async def test_a_call_may_be_awaited_as_it_streams():
    pieces = [piece async for piece in module("One.").astream_call("q")]

    assert pieces == ["One."]
    assert file_queue.FileSystemQueue().dequeue() == []


def test_a_stream_call_keeps_what_was_returned():
    helper = lazyllm.StreamCallHelper(module("One."), 0.01)

    assert helper.future is None
    assert list(helper("q")) == ["One."]
    assert helper.future is not None
    assert helper.future.result() == "One."


# Models on servers


def ask(server: SSEServer, asking: dict[str, Any] | None = None, **making: Any) -> Any:
    """Ask a module for one answer; return the request that the server got."""
    server.answer(text("ok"), finish(), DONE)
    made: dict[str, Any] = {"model": "m", "url": server.url} | making
    llm = lazyllm.OnlineChatModule(**made)

    assert llm("q", **(asking or {})) == "ok"

    return server.requests[-1]


@pytest.mark.parametrize(
    "making", [{"timeout": (5, 60)}, {"type": "LLM"}, {"type": "VLM"}]
)
def test_arguments_are_read_as_lazyllm_does(server, making):
    assert ask(server, **making).json["model"] == "m"


def test_arguments_of_a_call_have_lazyllm_s_other_names(server):
    sent = ask(
        server,
        {"base_url": server.url, "model_name": "n", "timeout": (5, 60)},
        url="http://127.0.0.1:9/v1",
    )

    assert sent.json["model"] == "n"


def test_a_dynamic_source_is_that_of_the_address(server, monkeypatch):
    server.answer(text("ok"), finish(), DONE)
    llm = lazyllm.OnlineChatModule("m", "dynamic", server.url)

    monkeypatch.setenv("LAZYLLM_OPENAI_API_KEY", "sk-late")
    llm("q")

    assert server.requests[-1].headers["authorization"] == "Bearer sk-late"


def test_static_params_may_be_replaced(server):
    for _ in range(2):
        server.answer(text("ok"), finish(), DONE)
    llm = lazyllm.OnlineChatModule("m", url=server.url, skip_auth=True, top_p=0.9)
    copy = llm.share(copy_static_params=True)

    assert llm.static_params == {}
    copy.static_params = {"temperature": 0.3}
    copy("q")
    llm("q")

    changed, unchanged = (request.json for request in server.asked)
    assert (changed["temperature"], changed["top_p"]) == (0.3, 0.9)
    assert "temperature" not in unchanged
    with pytest.raises(TypeError, match="must be a dict"):
        llm.static_params = "temperature"  # pyright: ignore[reportAttributeAccessIssue]: that is the case


def test_a_local_model_s_params_are_in_the_configuration():
    llm = module()

    llm.static_params = llm.static_params
    with pytest.raises(TypeError, match=r"options in \[models\.NAME\]"):
        llm.static_params = {"temperature": 0.3}


# Names

NOT_OFFERED = """
ArxivSearch BaseEvaluator Calculator ChineseCorrector DocStatus FeishuFS Gitee
GraphRagServerModule HttpExecutorResponse JsonExtractor LazyLLMFormatterBase
PrompterBase configs decode_query_with_filepaths encode_request engine eval fs git mcp
memory sql tool webpages writer
"""


@pytest.mark.parametrize("name", NOT_OFFERED.split())
def test_a_name_of_any_of_lazyllm_s_modules_says_what_to_use(name):
    with pytest.raises(AttributeError, match=rf"lazychat has no {name} .*: .* \(docs"):
        getattr(lazyllm, name)


def test_the_ready_made_tools_say_what_to_use():
    with pytest.raises(AttributeError, match=re.escape("has no tools.tools of")):
        _ = lazyllm.tools.tools


@pytest.mark.parametrize("name", ["type", "series", "options", "set_train_tasks"])
def test_an_attribute_of_modules_says_what_to_use(name):
    with pytest.raises(AttributeError, match=rf"ChatModule has no {name}: \w+"):
        getattr(module(), name)
