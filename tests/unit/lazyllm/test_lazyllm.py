"""What LazyLLM's names do beyond the tutorial's programs."""

import asyncio
import threading
import time
from functools import partial
from typing import Any

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui import lazyllm, session
from tui.errors import Cancelled, ConfigError, ModelError
from tui.eventlog import EventLog
from tui.events import (
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    TextDelta,
    TurnFinished,
    TurnRequested,
)
from tui.lazyllm import FileSystemQueue, FunctionCallAgent, fc_register, file_queue
from tui.messages import Message, ToolCall
from tui.models.scripted import Finish, ScriptedModel
from tui.models.suppliers import SUPPLIERS
from tui.tools import registry

LIMIT = 30.0


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


def agent(*script, tools=(), **options):
    return FunctionCallAgent(ScriptedModel(script), tools, **options)


def close_model(model: Any):
    model.close()


def drain(future):
    """Do as the tutorial's loop does; return the pieces."""
    pieces = []
    while True:
        if value := FileSystemQueue().dequeue():
            pieces += value
        elif future.done():
            return pieces


def test_sessions_never_cross(log):
    def serve(number, answers):
        script = [f"{number}:{word} " for word in range(40)]
        ask = agent(script)
        with session.use(session.new_id()), lazyllm.ThreadPoolExecutor(2) as pool:
            future = pool.submit(ask, "go")
            answers[number] = ("".join(drain(future)), future.result(LIMIT))

    answers = {}
    threads = [threading.Thread(target=serve, args=(n, answers)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)

    assert answers == {
        n: ("".join(f"{n}:{word} " for word in range(40)),) * 2 for n in range(6)
    }


def test_one_pool_serves_many_sessions(log):
    gate = threading.Event()
    asks = [agent([f"from {n}", gate, "."]) for n in range(4)]
    sessions = [session.new_id() for _ in asks]
    futures = []
    with lazyllm.ThreadPoolExecutor(4) as pool:
        for ask, id in zip(asks, sessions, strict=True):
            with session.use(id):
                futures.append(pool.submit(ask, "go"))
        gate.set()
    said = []
    for id in sessions:
        with session.use(id):
            said.append("".join(FileSystemQueue().dequeue()))

    assert (
        said == [f.result(LIMIT) for f in futures] == [f"from {n}." for n in range(4)]
    )


def test_each_call_streams_before_it_ends(log):
    gate = threading.Event()
    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(agent(["first ", gate, "last"]), "go")
        with log.follow(session.current()) as follow:
            while not any(isinstance(r.event, TextDelta) for r in follow.poll(LIMIT)):
                pass
        early = FileSystemQueue().dequeue()
        ended = future.done()
        gate.set()
        late = drain(future)

    assert (early, ended, "".join(late)) == (["first "], False, "last")


def test_stream_false_gives_whole_messages(log):
    gate = threading.Event()
    script = (["Let ", "me ", "look.", ToolCall("", "now", {})], ["It ", "is ", gate])

    def now() -> str:
        """Tell the time."""
        return "noon"

    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(agent(*script, tools=[now], stream=False), "go")
        with log.follow(session.current()) as follow:
            while not any(tool_says(r.event, "noon") for r in follow.poll(LIMIT)):
                pass
        early = FileSystemQueue().dequeue()
        gate.set()
        late = drain(future)

    assert (early, late) == (["Let me look."], ["\nIt is "])


def tool_says(event, text):
    return (
        isinstance(event, MessageAdded)
        and event.message.role == "tool"
        and event.message.text == text
    )


def test_the_stream_switch_acts_from_one_question_to_the_next(log):
    ask = agent(["a ", "b"], ["a ", "b"], ["a ", "b"])

    given = []
    for streams in (False, True, False):
        ask.stream = streams
        assert ask("go") == "a b"
        given.append(FileSystemQueue().dequeue())

    # All three had settled when the queue was read: what matters is that the switch
    # was written down with each question.
    assert given == [["a b"]] * 3
    asked = [r.event for r in log.read() if isinstance(r.event, TurnRequested)]
    assert [event.options["stream"] for event in asked] == [False, True, False]


def test_the_model_is_written_down_with_the_question(log):
    FunctionCallAgent(ScriptedModel(["Fine."], name="mine"), [])("go")

    asked = [r.event for r in log.read() if isinstance(r.event, TurnRequested)]
    assert [event.model for event in asked] == ["mine"]


def test_an_agent_streams_as_its_model_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    quiet = lazyllm.OnlineChatModule(stream=False)

    assert lazyllm.OnlineChatModule().stream is True
    assert FunctionCallAgent(quiet, []).stream is False
    assert FunctionCallAgent(quiet, [], stream=True).stream is True
    assert FunctionCallAgent(ScriptedModel([]), []).stream is True


@pytest.mark.parametrize(
    "history",
    [
        [["Who?", "Me."], ("And?", "You.")],
        [
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Me."},
            ["And?", "You."],
        ],
    ],
)
def test_the_history_may_be_pairs_or_dicts(log, history):
    model = ScriptedModel(["Fine."])

    answer = FunctionCallAgent(model, [])("How?", llm_chat_history=history)

    assert answer == "Fine."
    assert [(m.role, m.text) for m in model.requests[0].messages] == [
        ("user", "Who?"),
        ("assistant", "Me."),
        ("user", "And?"),
        ("assistant", "You."),
        ("user", "How?"),
    ]


def test_an_empty_content_is_an_empty_text(log):
    model = ScriptedModel(["Fine."])
    history = [{"role": "assistant", "content": None}]

    FunctionCallAgent(model, [])("How?", llm_chat_history=history)

    assert model.requests[0].messages[0] == Message("assistant")


def test_without_a_history_nothing_is_remembered(log):
    model = ScriptedModel(["One.", "Two."])
    ask = FunctionCallAgent(model, [])
    ask("first")
    ask("second")

    assert model.requests[1].messages == (Message("user", "second"),)


def test_tools_may_be_names_functions_and_methods(log):
    @fc_register("tool")
    def by_name(x: int) -> int:
        """Double x."""
        return 2 * x

    def by_itself() -> str:
        """Say hey."""
        return "hey"

    class Shop:
        def price(self, of: str) -> str:
            """Tell the price.

            :param of: the thing
            """
            return f"{of}: 5"

    script = [
        ToolCall("1", "by_name", {"x": 21}),
        ToolCall("2", "by_itself", {}),
        ToolCall("3", "price", {"of": "tea"}),
    ]

    ask = agent(script, "Done.", tools=["by_name", by_itself, Shop().price])

    assert ask("go") == "Done."
    results = [
        r.event.message.text
        for r in log.read(session.current())
        if isinstance(r.event, MessageAdded) and r.event.message.role == "tool"
    ]
    assert sorted(results) == ["42", "hey", "tea: 5"]
    assert by_name(4) == 8


def test_what_cannot_be_registered_is_told():
    def silent(x: int): ...

    with pytest.raises(ConfigError, match="docstring"):
        fc_register("tool")(silent)
    with pytest.raises(ConfigError, match='"tool"'):
        fc_register("agent")


def test_a_tool_name_that_is_not_registered_names_the_nearest(log):
    with pytest.raises(ConfigError, match="get_current_weather"):
        agent("x", tools=["get_curent_weather"])


def test_a_failure_raises_and_keeps_what_was_said(log):
    ask = agent(["half an ", ModelError("The line went dead.", "dropped")])

    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(ask, "go")
        said = drain(future)

    assert "".join(said) == "half an "
    with pytest.raises(ModelError, match="The line went dead"):
        future.result(LIMIT)
    events = [r.event for r in log.read(session.current())]
    assert events[-2:] == [
        ErrorRaised("dropped", "The line went dead."),
        TurnFinished("error"),
    ]


def test_the_length_limit_is_no_error(log):
    assert agent(["and so", Finish("length")])("go") == "and so"


def test_too_many_rounds_end_with_an_answer(log):
    def more() -> str:
        """Get more."""
        return "more"

    rounds = [[ToolCall(str(n), "more", {})] for n in range(3)]
    ask = agent(*rounds, "That is all.", tools=[more], max_retries=3)

    assert ask("go") == "That is all."
    assert any(isinstance(r.event, NoticeGiven) for r in log.read(session.current()))


def test_two_calls_at_once_in_a_session_are_told_apart(log):
    gates = threading.Event(), threading.Event()
    asks = [agent([f"{n} ", gate, f"{n}"]) for n, gate in enumerate(gates)]
    with lazyllm.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(ask, "go") for ask in asks]
        for gate in reversed(gates):
            gate.set()
    answers = {f.result(LIMIT) for f in futures}

    said = {}
    for record in log.read(session.current()):
        match record.event:
            case MessageAdded(id, message) if message.role == "assistant":
                said[record.turn, id] = message.text
    assert answers == {"0 0", "1 1"} == set(said.values())
    assert len({turn for turn, _ in said}) == 2


def test_what_a_task_returns_or_raises_comes_through_the_pool(log):
    with lazyllm.ThreadPoolExecutor(1) as pool:
        good, bad = pool.submit(pow, 2, 5), pool.submit(partial(int, "x"))
        assert list(pool.map(abs, [-1, -2])) == [1, 2]

    assert good.result(LIMIT) == 32
    with pytest.raises(ValueError, match="invalid literal"):
        bad.result(LIMIT)
    assert good.done()


def test_an_exception_in_the_block_cancels_what_runs_in_it(log):
    never = threading.Event()
    elsewhere = lazyllm.ThreadPoolExecutor(1)
    other = elsewhere.submit(
        agent(["still ", gate := threading.Event(), "there"]), "go"
    )

    tasks = []

    def broken_off():
        with lazyllm.ThreadPoolExecutor(1) as pool:
            tasks.append(pool.submit(agent(["half an ", never]), "go"))
            tasks.append(pool.submit(agent(["x"]), "go"))
            given_up = time.monotonic() + LIMIT
            while "half an " not in FileSystemQueue().dequeue():
                assert time.monotonic() < given_up
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    running, waiting = tasks
    with pytest.raises(Cancelled):
        running.result(LIMIT)
    assert waiting.cancelled()
    gate.set()
    assert other.result(LIMIT) == "still there"
    elsewhere.shutdown()


def test_a_reader_is_told_at_the_second_look_that_a_task_is_done(log):
    """What it said last may have arrived between the look at the queue and this one."""
    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(abs, -1)
        FileSystemQueue().dequeue()

    assert [future.done() for _ in range(3)] == [False, True, True]


def test_who_reads_no_queue_is_told_at_once_that_a_task_is_done(log):
    with lazyllm.ThreadPoolExecutor(1) as pool:
        future = pool.submit(abs, -1)

    assert future.done()


async def test_asyncio_can_wait_for_tasks(log):
    loop = asyncio.get_running_loop()
    with lazyllm.ThreadPoolExecutor(1) as pool:
        FileSystemQueue().dequeue()
        wrapped = asyncio.wrap_future(pool.submit(abs, -5))
        run = loop.run_in_executor(pool, abs, -6)
        FileSystemQueue().dequeue()
        both = await asyncio.wait_for(asyncio.gather(wrapped, run), LIMIT)

    assert both == [5, 6]


def test_a_pool_runs_its_initializer_in_each_thread(log):
    begun = []
    with lazyllm.ThreadPoolExecutor(
        1, initializer=begun.append, initargs=("x",)
    ) as pool:
        pool.submit(abs, -1).result(LIMIT)

    assert begun == ["x"]


def test_a_task_that_waits_can_be_cancelled(log):
    gate = threading.Event()
    with lazyllm.ThreadPoolExecutor(1) as pool:
        running = pool.submit(gate.wait, LIMIT)
        waiting = pool.submit(gate.wait, LIMIT)
        cancelled = waiting.cancel()
        gate.set()

    assert cancelled
    assert waiting.cancelled()
    assert running.result(LIMIT) is True
    assert not running.cancel()


def test_a_supplier_without_its_key_names_the_variable(monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)

    with pytest.raises(ModelError, match="DEEPSEEK_API_KEY"):
        lazyllm.OnlineChatModule("deepseek")


def test_a_token_that_is_set_for_other_ends_chooses_no_service(monkeypatch):
    for supplier in SUPPLIERS.values():
        if supplier.key_env:
            monkeypatch.delenv(supplier.key_env, raising=False)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_1")
    monkeypatch.setenv("HF_TOKEN", "hf_1")

    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        lazyllm.OnlineChatModule()
    assert lazyllm.OnlineChatModule("github", "some/model").model.name == "github"


def test_a_supplier_that_is_not_known_names_the_nearest():
    with pytest.raises(ConfigError, match='Did you mean "deepseek"'):
        lazyllm.OnlineChatModule("deepsek")


def test_an_address_of_ones_own_needs_no_key(log, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with SSEServer() as server:
        server.answer(text("Fine."), finish(), DONE)
        llm = lazyllm.OnlineChatModule(base_url=server.url, model="mine")

        assert llm("hi") == "Fine."

        assert server.requests[0].json["model"] == "mine"
        close_model(llm.model)


def test_the_names_are_where_lazyllm_keeps_them():
    from tui.lazyllm.tools import FunctionCallAgent as there

    assert there is lazyllm.tools.FunctionCallAgent is lazyllm.FunctionCallAgent
