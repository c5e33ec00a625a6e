"""What modules take and give: prompts, histories, keywords, calls within tools."""

import json
import threading
from typing import Any

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui import lazyllm, session
from tui.agents import FunctionCallAgent as FunctionCall
from tui.errors import Cancelled, ConfigError, ModelError
from tui.eventlog import EventLog
from tui.events import MessageAdded, ToolProgressed, TurnFinished, TurnRequested
from tui.lazyllm import ChatPrompter, FileSystemQueue, FunctionCallAgent, file_queue
from tui.lazyllm.modules import ChatModule
from tui.messages import Attachment, Message, ToolCall
from tui.models import keys
from tui.models.scripted import ScriptedModel
from tui.models.suppliers import SUPPLIERS
from tui.runtime.runner import Runner, request
from tui.tools import registry

LIMIT = 30.0


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in SUPPLIERS:
        for variable in lazyllm.online.variables_of(name):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"LAZYLLM_{name.upper()}_MODEL_NAME", raising=False)
    monkeypatch.delenv("LAZYLLM_DEFAULT_SOURCE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def module(*script):
    return ChatModule(ScriptedModel(script))


def asked(llm, number=-1) -> list[tuple[str, str]]:
    model: Any = llm.model
    return [(m.role, m.text) for m in model.requests[number].messages]


# Queries and prompts


@pytest.mark.parametrize("query", [5, None, ["a", "b"], {"q": "x"}, {"input": 3}, b"x"])
def test_a_question_that_is_no_text_is_an_error_at_once(log, query):
    llm = module("One.")

    with pytest.raises(TypeError, match="question must be text") as caught:
        llm(query)

    assert isinstance(caught.value, ConfigError)
    assert llm("hello") == "One."


def test_a_question_may_be_a_dict_with_input(log):
    llm = module("One.")

    assert llm({"input": "q"}) == "One."
    assert asked(llm) == [("user", "q")]


def test_start_and_prompt_return_the_module(log):
    llm = module("One.", "Two.")

    assert llm.start() is llm
    assert llm.prompt("Be short.") is llm
    llm("q")
    assert asked(llm) == [("system", "Be short."), ("user", "q")]
    llm.prompt(None)("q")
    assert asked(llm) == [("user", "q")]


def test_a_prompt_may_have_a_form_for_the_question(log):
    llm = module("One.")
    llm.prompt({"system": "You translate to {to}.", "user": "Text: {input}"})

    llm({"input": 'a {b} {"c": 1}', "to": "French"})

    assert asked(llm) == [
        ("system", "You translate to French."),
        ("user", 'Text: a {b} {"c": 1}'),
    ]


def test_braces_that_name_nothing_stay(log):
    llm = module("One.").prompt('Answer as {"a": {x}}.')

    llm("q")

    assert asked(llm)[0] == ("system", 'Answer as {"a": {x}}.')


def test_extra_keys_without_a_place_follow_the_system_prompt(log):
    llm = module("One.").prompt(ChatPrompter("Use the context.", ["context"]))

    llm({"input": "q", "context": ["a", 1]})

    assert asked(llm) == [
        ("system", 'Use the context.\n\ncontext:\n["a",1]'),
        ("user", "q"),
    ]
    with pytest.raises(TypeError, match="needs 'context'"):
        llm("q")


def test_a_value_without_a_place_is_named():
    with pytest.raises(TypeError, match="no place for 'context'"):
        module()({"input": "q", "context": "x"})


def test_a_system_message_of_the_history_joins_the_prompt(log):
    llm = module("One.").prompt("Be short.")

    llm("q", [{"role": "system", "content": "Be kind."}])

    assert asked(llm) == [("system", "Be short.\n\nBe kind."), ("user", "q")]


def test_share_gives_a_copy_that_differs(log):
    llm = module("One.", "Two.").prompt("A")
    twin = llm.share(prompt="B", stream=False)

    assert twin.model is llm.model
    assert (llm.stream, twin.stream) == (True, False)
    twin("q")
    assert asked(llm)[0] == ("system", "B")
    llm("q")
    assert asked(llm)[0] == ("system", "A")
    assert llm.share().stream is True


def test_an_agent_has_its_own_prompt_or_that_of_its_model(log):
    llm = module("One.", "Two.").prompt("model's")

    FunctionCallAgent(llm, [])("q")
    assert asked(llm)[0] == ("system", "model's")
    FunctionCallAgent(llm, [], prompt="agent's")("q")
    assert asked(llm)[0] == ("system", "agent's")


# Histories


@pytest.mark.parametrize(
    ("history", "messages"),
    [
        (None, []),
        ([], []),
        ([["q", None]], [Message("user", "q")]),
        ([(None, "a")], [Message("assistant", "a")]),
        ([Message("user", "q")], [Message("user", "q")]),
        (
            [
                {"role": "user", "content": [{"type": "text", "text": "q"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "add", "arguments": '{"a": 1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "2"},
            ],
            [
                Message("user", "q"),
                Message("assistant", tool_calls=(ToolCall("c1", "add", {"a": 1}),)),
                Message("tool", "2", tool_call_id="c1"),
            ],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        "see",
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,AAA="},
                        },
                    ],
                }
            ],
            [
                Message(
                    "user",
                    "see",
                    attachments=(Attachment("image", "image/png", b"\0\0"),),
                )
            ],
        ),
    ],
)
@pytest.mark.parametrize("positional", [True, False])
def test_a_history_in_any_form_is_sent(log, history, messages, positional):
    llm = module("One.")

    llm("now", history) if positional else llm("now", llm_chat_history=history)

    model: Any = llm.model
    assert list(model.requests[0].messages) == [*messages, Message("user", "now")]


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ("ab", "must be a list"),
        ({"role": "user"}, "must be a list"),
        (["ab"], r"llm_chat_history\[0\] must be"),
        ([["a", "b", "c"]], r"llm_chat_history\[0\] must be"),
        (
            [["q", "a"], {"role": "robot", "content": "x"}],
            r"\[1\] has the role 'robot'",
        ),
        ([{"role": "user", "content": 5}], "content must be text"),
        ([["q", 5]], "content must be text"),
        ([{"role": "assistant", "tool_calls": [{}]}], r"tool_calls\[0\] must be"),
        ([{"role": "user", "content": [{"type": "audio"}]}], "a part must be"),
    ],
)
def test_a_history_that_cannot_be_read_is_told_in_a_line(log, history, told):
    with pytest.raises(TypeError, match=told) as caught:
        module("One.")("q", history)
    assert "\n" not in str(caught.value)


# Calls within tools


@pytest.mark.parametrize("pooled", [False, True])
def test_a_model_asked_within_a_tool_writes_nothing_for_the_user(log, pooled):
    inner = module("INNER secret")
    asked_by_tool = []

    def consult(question: str) -> str:
        """Ask an expert."""
        if not pooled:
            answer = inner(question)
        else:
            with lazyllm.ThreadPoolExecutor(1) as pool:
                answer = pool.submit(inner, question).result(LIMIT)
        asked_by_tool.append(answer)
        return answer.lower()

    script = [["PRE ", ToolCall("1", "consult", {"question": "inner?"})], "OUTER"]
    agent = FunctionCallAgent(ScriptedModel([*script, "Again."]), [consult])

    assert agent("go") == "OUTER"

    assert asked_by_tool == ["INNER secret"]
    assert "".join(FileSystemQueue().dequeue()) == "PRE OUTER"
    said = [
        r.event.message
        for r in log.read(session.current())
        if isinstance(r.event, MessageAdded)
    ]
    assert [(m.role, m.text) for m in said] == [
        ("user", "go"),
        ("assistant", "PRE "),
        ("tool", "inner secret"),
        ("assistant", "OUTER"),
    ]
    told = [r.event for r in log.read() if isinstance(r.event, ToolProgressed)]
    assert told == [ToolProgressed("1", "INNER secret")]


def test_an_agent_within_a_tool_is_seen_in_its_progress_alone(log):
    def double(x: int) -> int:
        """Double x."""
        return 2 * x

    inner = FunctionCallAgent(
        ScriptedModel([[ToolCall("i", "double", {"x": 4})], "It is 8."]), [double]
    )

    def delegate(question: str) -> str:
        """Ask another agent."""
        return inner(question)

    agent = FunctionCallAgent(
        ScriptedModel([[ToolCall("1", "delegate", {"question": "?"})], "Eight."]),
        [delegate],
    )

    assert agent("go") == "Eight."
    assert FileSystemQueue().dequeue() == ["Eight."]
    told = [r.event.text for r in log.read() if isinstance(r.event, ToolProgressed)]
    assert told[0] == 'double({"x": 4})'
    assert told[-2:] == ["result: 8", "It is 8."]


def test_a_model_within_a_tool_ends_with_the_tool(log):
    never = threading.Event()
    left = threading.Event()
    inner = module(["half ", never])

    def consult() -> str:
        """Ask an expert."""
        try:
            return inner("?")
        finally:
            left.set()

    from tui.tools import ToolBox

    run = ToolBox([consult], timeout=0.2).run(ToolCall("1", "consult", {}))
    list(run)

    assert left.wait(LIMIT)


def test_in_the_app_the_next_request_knows_nothing_of_a_tool_s_model(log):
    inner = module("INNER secret")

    def consult() -> str:
        """Ask an expert."""
        return inner("inner question").upper()[:5]

    model = ScriptedModel([[ToolCall("1", "consult", {})], "Done.", "Again."])
    runner = Runner(log, lambda _: FunctionCall(model, [consult]))
    runner.start()
    for question in ("go", "on"):
        asked_for = TurnRequested("scripted", runner=runner.id)
        turn, _ = request(log, "c", Message("user", question), asked_for)
        with log.follow("c") as follow:
            ended = False
            while not ended:
                records = follow.poll(LIMIT)
                assert records
                ended = any(
                    r.turn == turn and isinstance(r.event, TurnFinished)
                    for r in records
                )
    runner.close()

    assert [(m.role, m.text) for m in model.requests[-1].messages] == [
        ("user", "go"),
        ("assistant", ""),
        ("tool", "INNER"),
        ("assistant", "Done."),
        ("user", "on"),
    ]
    assert "question" not in str([r.event for r in log.read()])


def test_a_round_that_is_broken_off_is_cancelled(log):
    never = threading.Event()
    fc = lazyllm.FunctionCall(ScriptedModel([["half ", never]]), [])

    def broken_off():
        with lazyllm.ThreadPoolExecutor(1) as pool:
            tasks.append(pool.submit(fc, "go"))
            while "half " not in FileSystemQueue().dequeue():
                assert not tasks[0].done()
            raise KeyboardInterrupt

    tasks: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        broken_off()
    with pytest.raises(Cancelled):
        tasks[0].result(LIMIT)


# The queue


def test_numbers_are_queued_as_text_and_other_things_refused(log):
    queue = FileSystemQueue(klass="mine")
    queue.enqueue(123)
    queue.enqueue("")
    queue.enqueue("after")

    assert queue.peek() == "123"
    assert queue.dequeue() == ["123", "", "after"]
    for wrong in (None, b"x", {"a": 1}):
        with pytest.raises(TypeError, match="carries text"):
            queue.enqueue(wrong)  # pyright: ignore[reportArgumentType]


def test_messages_of_one_list_never_touch(log):
    llm = module("One.", "Two.\n", "Three.")
    for _ in range(3):
        llm("q")

    assert "".join(FileSystemQueue().dequeue()) == "One.\nTwo.\nThree."


def test_an_answer_that_is_read_by_itself_is_whole(log):
    llm = module("One.", "Two.")

    for _ in range(2):
        answer = llm("q")
        assert "".join(FileSystemQueue().dequeue()) == answer


def test_the_trace_has_what_the_debug_panel_shows(log):
    def double(x: int) -> int:
        """Double x."""
        return 2 * x

    script = [[ToolCall("1", "double", {"x": 4})], "It is 8."]
    quiet = FunctionCallAgent(ScriptedModel(script), [double])
    traced = FunctionCallAgent(ScriptedModel(script), [double], return_trace=True)

    quiet("go")
    assert FileSystemQueue().get_instance("lazy_trace").dequeue() == []
    traced("go")
    lines = FileSystemQueue().get_instance("lazy_trace").dequeue()
    assert lines[0] == 'double({"x": 4})\n'
    assert lines[-2:] == ["result: 8\n", "It is 8.\n"]


def test_the_queue_has_lazyllm_s_other_names(log):
    queue = FileSystemQueue()
    queue.enqueue("x")
    queue.init()

    assert queue.size() == 0
    assert session.current() in queue.sid
    FileSystemQueue.set_default(FileSystemQueue)
    with pytest.raises(TypeError, match="one store"):
        FileSystemQueue.set_default(dict)


# Sessions and streams


def test_sessions_begin_and_end(log):
    shared = session.current()
    with lazyllm.new_session() as own:
        assert session.current() == own != shared
    with lazyllm.new_session("mine"):
        assert session.current() == "mine"
    assert lazyllm.init_session("here") == "here" == session.current()
    assert lazyllm.init_session() == session.current() != "here"
    lazyllm.teardown_session()
    assert session.current() not in ("here", "mine", shared)
    session.begin(shared)


def test_a_stream_call_yields_what_comes(log):
    gate = threading.Event()
    pieces = lazyllm.StreamCallHelper(module(["one ", gate, "two"]), 0.01)("q")

    assert next(pieces) == "one "
    gate.set()
    assert list(pieces) == ["two"]
    assert list(lazyllm.StreamCallHelper(str.upper, 0.01)("q")) == ["Q"]
    assert FileSystemQueue().dequeue() == []


def test_leaving_a_stream_call_ends_it(log):
    pieces = lazyllm.StreamCallHelper(module(["one ", threading.Event()]), 0.01)("q")

    assert next(pieces) == "one "
    pieces.close()


async def test_a_stream_call_may_be_awaited(log):
    helper = lazyllm.StreamCallHelper(module("one"), 0.01)

    assert [piece async for piece in helper.astream("q")] == ["one"]


def test_a_stream_call_raises_what_is_raised(log):
    pieces = lazyllm.StreamCallHelper(module([ModelError("No.")]), 0.01)("q")

    with pytest.raises(ModelError, match=r"No\."):
        list(pieces)


# Suppliers


def made(**options) -> dict[str, Any]:
    return lazyllm.OnlineChatModule(**options)._made


def test_the_order_of_arguments_is_lazyllm_s(monkeypatch):
    llm = lazyllm.OnlineChatModule(
        "gpt-4o", "openai", "http://127.0.0.1:9/v1", False, True, True
    )

    assert (llm._made["model"], llm._made["name"]) == ("gpt-4o", "openai")
    assert llm._made["base_url"] == "http://127.0.0.1:9/v1"
    assert (llm.stream, llm.return_trace, llm._made["api_key"]) == (False, True, None)


@pytest.mark.parametrize(
    "given", [("deepseek",), ("deepseek", "v9"), ("v9", "deepseek")]
)
def test_a_model_that_is_called_like_a_source_is_one(monkeypatch, given):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-1")

    llm = lazyllm.OnlineChatModule(*given)

    assert llm._made["name"] == "deepseek"
    assert llm._made["model"] == ("v9" if "v9" in given else "deepseek-chat")


@pytest.mark.parametrize("source", [n for n, s in SUPPLIERS.items() if s.key_env])
def test_lazyllm_s_variable_holds_a_key_too(monkeypatch, source):
    first, second, *_ = lazyllm.online.variables_of(source)
    with pytest.raises(ModelError, match=f"{first} or {second}"):
        lazyllm.OnlineChatModule("m", source)

    monkeypatch.setenv(second, "sk-theirs")
    assert made(model="m", source=source)["api_key"]() == "sk-theirs"
    assert made(model="m")["name"] == source
    monkeypatch.setenv(first, "sk-ours")
    assert made(model="m", source=source)["api_key"]() == "sk-ours"
    assert made(model="m", source=source, api_key="sk-mine")["api_key"] == "sk-mine"


def test_a_key_that_was_pasted_in_the_app_is_used(home):
    stored = "sk-pasted-0123456789"
    keys.store("DEEPSEEK_API_KEY", stored)
    with SSEServer() as server:
        server.answer(text("Hi."), finish(), DONE)

        chosen = lazyllm.OnlineChatModule(base_url=server.url, source="deepseek")
        assert chosen("Hello") == "Hi."

        assert server.requests[0].headers["authorization"] == f"Bearer {stored}"
    assert lazyllm.OnlineChatModule()._made["name"] == "deepseek"


def test_variables_choose_source_and_model(monkeypatch):
    monkeypatch.setenv("LAZYLLM_DEFAULT_SOURCE", "kimi")
    monkeypatch.setenv("LAZYLLM_DEFAULT_KEY", "sk-any")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("LAZYLLM_KIMI_MODEL_NAME", "k2")

    chosen = made()
    assert (chosen["name"], chosen["model"]) == ("kimi", "k2")
    assert chosen["api_key"]() == "sk-any"
    assert made(model="k1")["model"] == "k1"
    monkeypatch.setenv("LAZYLLM_CLAUDE_API_KEY", "sk-c")
    assert made(source="claude", model="m")["name"] == "anthropic"


@pytest.mark.parametrize(
    "source",
    [
        n
        for n, s in SUPPLIERS.items()
        if not s.model and n not in ("llama.cpp", "lmstudio")
    ],
)
def test_a_supplier_without_a_default_asks_for_a_model(source):
    with pytest.raises(ConfigError, match="has no default model"):
        lazyllm.OnlineChatModule(source=source, api_key="sk-1")


def test_what_cannot_be_used_is_told():
    for options, told in (
        ({"temprature": 1}, "Did you mean temperature"),
        ({"type": "embed"}, "chat models"),
        ({"url": "http://a", "base_url": "http://b"}, "not as both"),
        ({"api_key": ["a"]}, "one key"),
    ):
        with pytest.raises(TypeError, match=told):
            lazyllm.OnlineChatModule(**options)  # pyright: ignore[reportArgumentType]


def test_a_path_that_lazyllm_would_train_into_is_refused():
    with pytest.raises(TypeError, match="no target_path"):
        lazyllm.TrainableModule("m", "/somewhere")


def test_options_go_into_each_request_and_those_of_a_call_into_one(log):
    with SSEServer() as server:
        for _ in range(2):
            server.answer(text("Fine."), finish(), DONE)
        llm = lazyllm.OnlineChatModule(
            "mine", url=server.url, skip_auth=True, temperature=0.5,
            static_params={"custom": 1}, timeout=20,
        )  # fmt: skip

        llm("hi", model="other", temperature=0.1, seed=7, max_retries=0)
        llm("hi")

        first, second = (request.json for request in server.requests)
        assert (first["model"], first["temperature"], first["seed"]) == (
            "other",
            0.1,
            7,
        )
        assert (second["model"], second["temperature"]) == ("mine", 0.5)
        assert first["custom"] == second["custom"] == 1
        assert "seed" not in second
        llm.model.close()  # pyright: ignore[reportAttributeAccessIssue]


def test_a_call_s_unknown_argument_is_named(log):
    with pytest.raises(TypeError, match="Did you mean stream"):
        module("One.")("q", steam=True)


def test_a_call_may_choose_whether_it_streams(log):
    llm = module(["a ", "b"], ["a ", "b"], ["a ", "b"])
    llm("q", stream=False)
    llm("q", stream_output=False)
    llm("q", stream_output={"color": "green"})

    asked = [
        r.event.options["stream"]
        for r in log.read()
        if type(r.event).__name__ == "TurnRequested"
    ]
    assert asked == [False, False, True]


# Agents and tools


def double(x: int) -> int:
    """Double x."""
    return 2 * x


CALLS = [ToolCall("1", "double", {"x": 4}), ToolCall("2", "double", {"x": "many"})]


def test_one_round_gives_the_results_and_the_next_the_answer(log):
    model = ScriptedModel([["Let me see.", *CALLS], "It is 8."])
    fc = lazyllm.FunctionCall(model, [double])

    first = fc("What is 2 * 4?")

    assert first["role"] == "assistant"
    assert first["content"] == "Let me see."
    assert [c["function"]["name"] for c in first["tool_calls"]] == ["double"] * 2
    assert json.loads(first["tool_calls"][0]["function"]["arguments"]) == {"x": 4}
    assert first["tool_calls_results"][0] == "8"
    assert "x: expected int" in first["tool_calls_results"][1]

    assert fc(first, [["What is 2 * 4?", None]]) == "It is 8."
    sent = model.requests[1].messages
    assert [m.role for m in sent] == ["user", "assistant", "tool", "tool"]
    assert [m.tool_call_id for m in sent[2:]] == ["1", "2"]
    assert "".join(FileSystemQueue().dequeue()) == "Let me see.\nIt is 8."


def test_an_agent_may_return_its_tool_calls(log):
    script = [[CALLS[0]], "It is 8.", "Hello."]
    agent = FunctionCallAgent(
        ScriptedModel(script), [double], return_last_tool_calls=True
    )

    (call,) = agent("go", [])
    assert call["function"]["name"] == "double"
    assert call["tool_call_result"] == "8"
    assert agent("hi", []) == "Hello."


def test_an_agent_s_arguments_that_are_not_offered_say_what_is():
    for options, told in (
        ({"skills": ["a"]}, "prompt="),
        ({"max_retires": 3}, "Did you mean max_retries"),
    ):
        with pytest.raises(TypeError, match=told):
            FunctionCallAgent(ScriptedModel([]), [], **options)  # pyright: ignore[reportArgumentType]
    FunctionCallAgent(ScriptedModel([]), [], skills=None, workspace="")
    with pytest.raises(TypeError, match="llm must be"):
        FunctionCallAgent("gpt", [])  # pyright: ignore[reportArgumentType]


def test_a_tool_manager_describes_and_runs(log):
    manager = lazyllm.ToolManager([double])
    call = {"function": {"name": "double", "arguments": '{"x": 4,}'}}

    assert manager.names == ("double",)
    assert list(manager.tools_info) == ["double"]
    (told,) = manager.tools_description
    assert told["type"] == "function"
    assert told["function"]["name"] == "double"
    assert told["function"]["parameters"]["required"] == ["x"]
    assert manager(call) == ["8"]
    assert manager([call, {"function": {"name": "none"}}])[0] == "8"
    assert manager([]) == manager(None) == []
    with pytest.raises(TypeError, match="must be"):
        manager("double")  # pyright: ignore[reportArgumentType]
    assert FileSystemQueue("lazy_trace").size() == 0
    assert lazyllm.ToolManager([double], return_trace=True)(call) == ["8"]
    first, *_, last = FileSystemQueue("lazy_trace").dequeue()
    assert first.startswith("double(")
    assert last.startswith("done in")

    @lazyllm.fc_register("tool")
    def triple(x: int) -> int:
        """Triple x."""
        return 3 * x

    manager.add("triple")
    assert manager.names == ("double", "triple")
    model = ScriptedModel([[ToolCall("1", "triple", {"x": 4})], "Twelve."])
    assert FunctionCallAgent(model, manager)("go") == "Twelve."


def test_tools_are_registered_in_all_forms(log):
    def one() -> str:
        """Say one."""
        return "1"

    assert lazyllm.fc_register(one) is one
    assert lazyllm.fc_register()(one) is one
    assert lazyllm.fc_register("tool", "uno", execute_in_sandbox=False)(one) is one
    assert lazyllm.ToolManager(["one", "uno"]).names == ("one", "uno")
    with pytest.raises(TypeError, match="no argument retries"):
        lazyllm.fc_register("tool", retries=3)


def test_an_object_and_a_partial_are_tools_of_an_agent(log):
    import functools

    class Desk:
        __public_apis__ = ["note"]  # noqa: RUF012 - as LazyLLM's programs write it

        def note(self, text: str) -> str:
            """Keep a note."""
            return f"kept {text}"

    model = ScriptedModel([[ToolCall("1", "Desk_note", {"text": "x"})], "Done."])
    agent = FunctionCallAgent(model, [Desk(), functools.partial(double, x=3)])

    assert agent("go") == "Done."
    assert agent.toolbox.names == ("Desk_note", "double")


# Names


@pytest.mark.parametrize("name", ["pipeline", "Document", "deploy", "JsonFormatter"])
def test_a_name_that_is_not_offered_says_what_to_use(name):
    for module in (lazyllm, lazyllm.tools, lazyllm.tools.agent):
        with pytest.raises(AttributeError, match=f"no {name} of LazyLLM: ") as caught:
            getattr(module, name)
        assert "\n" not in str(caught.value)
        assert not hasattr(module, name)


def test_an_import_of_it_says_so_too():
    with pytest.raises(ImportError, match="no pipeline of LazyLLM: write a Python"):
        from tui.lazyllm import pipeline  # noqa: F401 # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ImportError, match="cannot import name"):
        from tui.lazyllm import piplines  # noqa: F401 # pyright: ignore[reportAttributeAccessIssue]


def test_a_misspelt_name_names_the_nearest():
    with pytest.raises(AttributeError, match="Did you mean TrainableModule"):
        _ = lazyllm.TrainableModul
    with pytest.raises(AttributeError, match=r"has no deploy_method: .*base_url"):
        module().deploy_method("x")


def test_submodules_have_the_names():
    from tui.lazyllm.tools.agent import FunctionCall, ToolManager, register

    assert FunctionCall is lazyllm.FunctionCall
    assert ToolManager is lazyllm.tools.ToolManager
    assert register is lazyllm.fc_register
    assert lazyllm.OnlineModule is lazyllm.OnlineChatModule


def test_lazyllm_s_own_bookkeeping_is_accepted():
    options: dict[str, Any] = {"id": "1", "group_id": "g", "api_key": "k"}

    llm = lazyllm.OnlineChatModule(source="openai", dynamic_auth=False, **options)

    assert llm._made["api_key"] == "k"
