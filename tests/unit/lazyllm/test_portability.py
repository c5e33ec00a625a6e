"""What programs of LazyLLM write, row by row: each runs, or says what to use.

Each row is a line or two of such a program, with what it gives here. Rows about a
server are asked of one; others of a scripted model.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from support.fakes.sse_server import (
    DONE,
    SSEServer,
    call,
    calls,
    delta,
    event,
    finish,
    text,
)

from tui import lazyllm, session
from tui.errors import ConfigError, LazychatError
from tui.eventlog import EventLog
from tui.lazyllm import FileSystemQueue, file_queue
from tui.lazyllm.modules import ChatModule
from tui.lazyllm.scope import ABSENT
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel
from tui.models.suppliers import SUPPLIERS
from tui.tools import registry


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """A log of its own, no tool, no key."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    for name in SUPPLIERS:
        for variable in lazyllm.online.variables_of(name):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"LAZYLLM_{name.upper()}_MODEL_NAME", raising=False)
    for name in ("LAZYLLM_DEFAULT_SOURCE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


def llm(*script: Any) -> Any:
    return ChatModule(ScriptedModel(script or ("One.",)))


def look(place: str) -> str:
    """Look at a place."""
    return f"{place}: fine"


def ringing(*script: Any) -> Any:
    """A model that calls `look` first."""
    return llm([ToolCall("c1", "look", {"place": "Rome"})], *script)


def queue() -> str:
    return "".join(FileSystemQueue().dequeue())


Row = Callable[[], tuple[object, object]]


def _of_queue(program: Callable[[], object], klass: str = "lazychat") -> str:
    FileSystemQueue(klass=klass).dequeue()
    program()
    return "".join(FileSystemQueue(klass=klass).dequeue())


def _asyncio_waits(way: str) -> int:
    async def main() -> int:
        with lazyllm.ThreadPoolExecutor(1) as pool:
            if way == "wrap":
                return await asyncio.wrap_future(pool.submit(abs, -5))
            return await asyncio.get_running_loop().run_in_executor(pool, abs, -5)

    return asyncio.run(asyncio.wait_for(main(), 20))


def _streamed_helper() -> str:
    return "".join(lazyllm.StreamCallHelper(llm("Hello."))("q"))


def _nested() -> tuple[object, object]:
    """A model within a tool: its text is not in the user's queue."""
    inner = llm("INNER secret")

    def ask_inner(question: str) -> str:
        """Ask another model."""
        return inner(question)

    outer = llm([ToolCall("c1", "ask_inner", {"question": "x"})], "OUTER final")
    agent = lazyllm.FunctionCallAgent(outer, [ask_inner])
    return _of_queue(lambda: agent("q")), "OUTER final"


def _sessions() -> tuple[object, object]:
    first = lazyllm.init_session("one")
    with lazyllm.new_session("two") as second:
        inside = session.current()
    lazyllm.teardown_session()
    return (first, second, inside), ("one", "two", "two")


def _registered() -> tuple[object, object]:
    @lazyllm.fc_register("tool", "look_it_up", execute_in_sandbox=False)
    def look_up(number):
        """Look a number up.

        Args:
            number (int): The number.
        """
        return str(number + 1)

    manager = lazyllm.ToolManager(["look_it_up"])
    one = {"function": {"name": "look_it_up", "arguments": '{"number": "4",}'}}
    return (look_up(1), manager(one)), ("2", ["5"])


def _manager() -> tuple[object, object]:
    manager = lazyllm.ToolManager([look])
    described = manager.tools_description[0]["function"]["name"]
    made = {"function": {"name": "look", "arguments": {"place": "Rome"}}}
    return (described, manager([made, made])), ("look", ["Rome: fine"] * 2)


def _one_round() -> tuple[object, object]:
    got = lazyllm.FunctionCall(ringing("Fine."), [look])("q")
    return (got["role"], got["tool_calls_results"]), ("assistant", ["Rome: fine"])


def _agent(kind: Any) -> tuple[object, object]:
    steps = ["1. Look.\n2. Tell.", "Seen.", "Told."]
    before = {"PlanAndSolveAgent": steps, "ReWOOAgent": ["No plan."]}
    said = [*before.get(kind.__name__, []), "It is fine."]
    return kind(llm(*said), [look], max_retries=3)("q", []), "It is fine."


class Weather:
    """An object whose methods are tools."""

    __public_apis__ = ("today",)

    def today(self, place: str) -> str:
        """Tell the weather of today."""
        return f"sun in {place}"


def _web(**options: Any) -> tuple[object, object]:
    web = lazyllm.WebModule(llm(), port=range(23480, 23490), **options)
    return web.status, "stopped"


ROWS: dict[str, Row] = {
    # the tutorial, point by point
    "start": lambda: (llm().start()("q"), "One."),
    "history of pairs": lambda: (llm()("q", llm_chat_history=[["a", "b"]]), "One."),
    "history None": lambda: (llm()("q", llm_chat_history=None), "One."),
    "history, half a pair": lambda: (llm()("q", [["q", None]]), "One."),
    "queue": lambda: (_of_queue(lambda: llm("Hello.")("q")), "Hello."),
    "queue as an instance": lambda: (
        FileSystemQueue().get_instance("lazy_trace").dequeue(),
        [],
    ),
    "enqueue a number": lambda: (
        _of_queue(lambda: FileSystemQueue(klass="x").enqueue(123), "x"),
        "123",
    ),
    "asyncio, wrap_future": lambda: (_asyncio_waits("wrap"), 5),
    "asyncio, run_in_executor": lambda: (_asyncio_waits("run"), 5),
    "tool manager": _manager,
    "function call": _one_round,
    "a model within a tool": _nested,
    "sessions": _sessions,
    "fc_register, second name": _registered,
    "stream call": lambda: (_streamed_helper(), "Hello."),
    "FunctionCallAgent": lambda: _agent(lazyllm.FunctionCallAgent),
    "ReactAgent": lambda: _agent(lazyllm.ReactAgent),
    "PlanAndSolveAgent": lambda: _agent(lazyllm.PlanAndSolveAgent),
    "ReWOOAgent": lambda: _agent(lazyllm.ReWOOAgent),
    "an object as tools": lambda: (
        lazyllm.ToolManager([Weather()]).names,
        ("Weather_today",),
    ),
    "messages of a turn": lambda: (
        _of_queue(
            lambda: lazyllm.FunctionCallAgent(
                llm(["I look.", ToolCall("c1", "look", {"place": "a"})], "Fine."),
                [look],
            )("q")
        ),
        "I look.\nFine.",
    ),
    # methods and keywords
    "prompt": lambda: (llm().prompt("Be short.")("q"), "One."),
    "prompt, dict": lambda: (llm().prompt({"system": "a", "user": "b"})("q"), "One."),
    "share": lambda: (llm().share(prompt="Be short.")("q"), "One."),
    "prompt in a chain": lambda: (
        llm().share().prompt(lazyllm.ChatPrompter("Be short.")).start()("q"),
        "One.",
    ),
    "query, dict": lambda: (llm()({"input": "q"}), "One."),
    "stream_output, dict": lambda: (
        llm()("q", stream_output={"prefix": "x", "color": "green"}),
        "One.",
    ),
    "stream, dict": lambda: (
        ChatModule(ScriptedModel(["One."]), stream={"color": "green"})("q"),
        "One.",
    ),
    "agent, keywords": lambda: (
        lazyllm.ReactAgent(
            llm(),
            tools=[look],
            max_retries=2,
            return_trace=False,
            prompt="Be short.",
            stream=False,
            return_last_tool_calls=False,
            skills=None,
            desc="",
            workspace=None,
        )("q"),
        "One.",
    ),
    "trace": lambda: (
        "look"
        in _of_queue(
            lambda: lazyllm.FunctionCallAgent(
                ringing("Fine."), [look], return_trace=True
            )("q"),
            "lazy_trace",
        ),
        True,
    ),
    "trainable, keywords": lambda: (
        lazyllm.TrainableModule(
            "starter",
            stream=True,
            return_trace=True,
            trust_remote_code=True,
            type="llm",
            source="modelscope",
            use_model_map=True,
        ).return_trace,
        True,
    ),
    # pages
    "web": lambda: _web(title="Chat", history=[], stream=True),
    "web, modes": lambda: _web(
        text_mode=lazyllm.WebModule.Mode.Dynamic,
        trace_mode=lazyllm.WebModule.Mode.Refresh,
    ),
    "web, audio": lambda: _web(audio=True, static_paths="/tmp", encode_files=False),
    "web of tools": lambda: (lazyllm.tools.WebModule, lazyllm.WebModule),
    # an agent behind another module's keyword
    "tools by name": lambda: (
        (
            lazyllm.fc_register("tool")(look),
            lazyllm.tools.FunctionCallAgent(ringing("Fine."), ["look"])("q"),
        )[1],
        "Fine.",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_line_of_a_program_runs(name):
    got, expected = ROWS[name]()

    assert got == expected


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a question that is a list": (lambda: llm()(["a"]), "question must be text"),
    "an unknown role": (
        lambda: llm()("q", [{"role": "robot", "content": "x"}]),
        "there are user, assistant, system and tool",
    ),
    "files": (lambda: llm()("q", lazyllm_files="a.png"), "as image_url in"),
    "tools of a call": (lambda: llm()("q", tools=[look]), "FunctionCall"),
    "a model to embed": (
        lambda: lazyllm.TrainableModule("bge-m3", type="embed"),
        "type='embed' is not offered",
    ),
    "a path to train into": (
        lambda: lazyllm.TrainableModule("m", target_path="t"),
        "no target_path",
    ),
    "deploy_method": (lambda: llm().deploy_method, "start the model's server"),
    "formatter": (lambda: llm().formatter, "json.loads"),
    "share": (lambda: lazyllm.WebModule(llm(), share=True), "ssh -L"),
    "a page of a number": (lambda: lazyllm.WebModule(5), "a module, an agent or"),
    "an agent's skills": (
        lambda: lazyllm.ReactAgent(llm(), [look], skills=True),
        "prompt=",
    ),
    "an agent without a model": (
        lambda: lazyllm.ReactAgent(None, [look]),  # pyright: ignore[reportArgumentType]: that is the case
        "llm must be",
    ),
    "a group of tools": (lambda: lazyllm.fc_register("other"), '"tool", not "other"'),
    "a queue elsewhere": (lambda: FileSystemQueue.set_default(object), "one store"),
    "keys of a group": (
        lambda: lazyllm.ToolManager([{"name": "g", "tools": [], "key_source": "k"}]),
        "list the tools whose key is there",
    ),
    "a key of a tool": (
        lambda: lazyllm.ToolManager([(Weather(), "env.KEY")]),  # pyright: ignore[reportArgumentType]: that is the case
        "list the tools whose key is there",
    ),
    "a group without tools": (
        lambda: lazyllm.ToolManager([{"name": "g"}]),
        "needs a list under 'tools'",
    ),
    "a sandbox": (
        lambda: lazyllm.ToolManager([look], sandbox=object()),
        "in a thread of the program",
    ),
    "a prompter that shows": (
        lambda: lazyllm.ChatPrompter("x", show=True),
        "the debug panel shows",
    ),
    "a prompter's text": (
        lambda: lazyllm.ChatPrompter("x").generate_prompt,
        r"messages\(query, history\)",
    ),
    "a model's parameters": (
        lambda: llm().set_default_parameters,
        "options in",
    ),
    "a model's status": (lambda: llm().status, "start the model's server"),
    "a hook": (lambda: llm().register_hook, "write a Python function"),
    "an object in a queue": (lambda: FileSystemQueue().enqueue({}), "json.dumps"),  # pyright: ignore[reportArgumentType]: that is the case
    "kimi without a model": (
        lambda: lazyllm.OnlineChatModule(source="kimi", api_key="k"),
        "has no default model",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_offered_says_what_is(name):
    program, said = REFUSED[name]

    with pytest.raises((LazychatError, AttributeError), match=said) as raised:
        program()

    assert "\n" not in str(raised.value)


def test_a_type_error_is_one_too():
    with pytest.raises(TypeError):
        llm()("q", lazyllm_files="a.png")


_EXPORTED = """
ActionModule AlpacaPrompter AutoDeploy AutoFinetune AutoModel ChatPrompter Color Config
DBManager DocServer Document DummySandbox EmptyFormatter EmptyPrompter FS FastapiApp
FileFormatter FileSystemQueue ForkProcess FormatterBase FunctionCall FunctionCallAgent
FunctionCallFormatter Git GitHub GitLab GraphDocument GraphRetriever HttpRequest
HttpTool Identity IntentClassifier JsonFormatter KeyPool LLMBase LLMParser LLMType LOG
LazyLLMAgentBase LazyLLMCMD LazyLLMDataprocBase LazyLLMDeployBase LazyLLMFinetuneBase
LazyLLMHook LazyLLMLaunchersBase LazyLLMPrompterBase LazyLLMSandboxBase
LazyLLMValidateBase LazyTraceContext MCPClient Mode ModelManager Module ModuleBase
ModuleTool MongoDBManager NotionFS OnlineChatModule OnlineChatModuleBase
OnlineEmbeddingModule OnlineEmbeddingModuleBase OnlineModule OnlineMultiModalBase
OnlineMultiModalModule Option ParameterExtractor Placeholder PlanAndSolveAgent
ProcessPoolExecutor Prompter QustionRewrite ReWOOAgent ReactAgent RecentQueue RedisQueue
Register Reranker Retriever S3FS SQLiteQueue SandboxFusion SentenceSplitter ServerModule
SkillManager SpawnProcess SqlCall SqlManager StaticParams StreamCallHelper TTSDeploy
TempDocRetriever Thread ThreadPoolExecutor ToolExecutionError ToolManager
TrainableModule TrialModule
UrlModule WebModule YamlFormatter add_doc bind code_interpreter colored_text common
component_register components config data_register dataproc deploy diverter dump_obj
enable_trace encode_query_with_filepaths fc_register finetune flow formatter
get_trace_context globals graph ifs init_session inject_model_config install_skill
kwargs launcher launchers load_obj locals loop module module_register namespace
new_session once_wrapper package parallel patch_os_env pipeline prompter rag
redis_client refresh_config retry sandbox save_pipeline_result set_trace_context switch
teardown_session timeout todo_write tool_concurrency tools warp
"""
UPSTREAM = _EXPORTED.split()
"""The names that LazyLLM's own modules export, and a program may use."""


@pytest.mark.parametrize("name", UPSTREAM)
def test_a_name_is_there_or_says_what_to_use(name):
    if name in lazyllm.__all__:
        assert getattr(lazyllm, name)
        return

    with pytest.raises(AttributeError) as raised:
        getattr(lazyllm, name)

    said = str(raised.value)
    assert ABSENT[name] in said
    assert "\n" not in said
    assert len(said) < 200


# Of servers


def online(server: SSEServer, *steps: Any, **more: Any) -> Any:
    server.answer(*steps, finish(), DONE)
    return lazyllm.OnlineChatModule("m", url=server.url, skip_auth=True, **more)


def test_a_history_with_tool_messages_is_sent_as_it_is(server):
    wish = {"id": "a", "type": "function"}
    wish |= {"function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": None, "tool_calls": [wish]},
        {"role": "tool", "tool_call_id": "a", "content": "2"},
    ]

    online(server, text("ok"))("q", llm_chat_history=said)

    sent = server.asked[0].json["messages"]
    # Between a tool's result and a question there is always an answer.
    roles = ["user", "assistant", "tool", "assistant", "user"]
    assert [m["role"] for m in sent] == roles
    assert sent[1]["tool_calls"][0]["function"] == wish["function"]
    assert sent[2]["content"] == "2"


def test_content_in_parts_is_sent(server):
    pixel = "data:image/png;base64,iVBORw0KGgo="
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": pixel}},
    ]

    said = [{"role": "user", "content": parts}, {"role": "assistant", "content": "A."}]
    online(server, text("ok"))("q", said)

    [first, _, _] = server.asked[0].json["messages"]
    assert pixel in json.dumps(first)


def test_other_choices_are_no_part_of_the_answer(server):
    other = {"index": 1, "delta": {"content": "XX"}, "finish_reason": None}
    model = online(server, text("com"), event({"choices": [other]}), text("plete"))

    assert model("q") == "complete"


def test_minimax_s_own_error_is_told(server):
    wrong = {"status_code": 2056, "status_msg": "usage limit"}
    server.answer(event({"base_resp": wrong}), DONE)
    model = lazyllm.OnlineChatModule("m", url=server.url, skip_auth=True, max_retries=0)

    with pytest.raises(LazychatError, match="usage limit"):
        model("q")


def test_keywords_of_construction_and_call_reach_the_server(server):
    model = online(
        server, text("ok"), static_params={"temperature": 0.2}, timeout=60, top_p=0.9
    )

    model("q", temperature=0.5, stream_output=False, max_retries=1)

    sent = server.asked[0].json
    assert (sent["temperature"], sent["top_p"], sent["model"]) == (0.5, 0.9, "m")


@pytest.mark.parametrize(
    "arguments", ['{"query": "x", "limit": 5,}', "{'query': 'x', 'limit': 5}"]
)
def test_nearly_json_arguments_are_read(server, arguments):
    got = []

    def find(query: str, limit: int) -> str:
        """Find something."""
        got.append((query, limit))
        return "found"

    server.answer(calls(call(0, "a", "find", arguments)), finish("tool_calls"), DONE)
    agent = lazyllm.FunctionCallAgent(online(server, text("ok")), [find])

    assert agent("q") == "ok"
    assert got == [("x", 5)]


def test_a_reasoning_model_s_thoughts_are_not_in_the_queue(server):
    model = online(server, delta(reasoning_content="Hm."), text("ok"))

    assert _of_queue(lambda: model("q")) == "ok"


def test_the_names_of_the_page_are_all_of_it():
    """So that a name that LazyLLM's users know is never lost from the table."""
    assert set(lazyllm.__all__) <= set(UPSTREAM)
    assert not set(lazyllm.__all__) & set(ABSENT)


def test_errors_are_config_errors():
    with pytest.raises(ConfigError):
        lazyllm.TrainableModule("bge-m3", type="embed")
