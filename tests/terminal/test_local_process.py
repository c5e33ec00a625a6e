"""A local model in its own process: whatever ends that, the turn ends with a line."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import ROOT
from support.fault_notes import Tried
from support.start import Start
from support.terminal import wait_until

from tui import paths
from tui.config import Config, LlamaModelConfig
from tui.errors import Cancelled, ConfigError, ContextOverflow, ModelError
from tui.events import Event, NoticeGiven, TextDelta, UsageReported
from tui.messages import Attachment, Message, Reply, ToolSchema
from tui.models.catalog import ModelCatalog
from tui.models.llama import starter_path
from tui.models.local import LocalModel, Spec, crashes, process
from tui.models.local.death import Death
from tui.turn import Cancellation, Turn

ASK = [Message("user", "Tell me a long story.")]
Make = Callable[..., LocalModel]


@pytest.fixture(autouse=True)
def crashes_of_its_own(home: Path) -> Path:
    """Keep what the tests crash out of the user's own folders."""
    return home


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[LocalModel] = []

    def make(path: Path | None = None, **settings: object) -> LocalModel:
        file = os.path.realpath(path or starter_path())
        spec = Spec(file, "tiny", sampling={"temperature": 0}, **settings)  # type: ignore[arg-type]
        made.append(LocalModel(spec))
        return made[-1]

    yield make
    for model in made:
        model.close()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return Path(shutil.copy(starter_path(), tmp_path / "copy.gguf"))


def answered(model: LocalModel, ask: list[Message] = ASK) -> tuple[str, Reply]:
    said, run = "", model.generate(ask, [], Turn())
    while True:
        try:
            event = next(run)
        except StopIteration as stop:
            return said, stop.value
        said += event.text if isinstance(event, TextDelta) else ""


def broken(model: LocalModel, act: Callable[[int], object]) -> tuple[str, ModelError]:
    """Do `act` with the process once three pieces are said; return what came of it."""
    said: list[str] = []
    with pytest.raises(ModelError) as raised:  # noqa: PT012 - of whichever event
        for event in model.generate(ASK, [], Turn()):
            said += [event.text] if isinstance(event, TextDelta) else []
            if len(said) == 3:
                act(model.process.pid)
    return "".join(said), raised.value


def lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def assertable(path: Path) -> Path:
    """Make llama.cpp assert on `path`: no block in the model."""
    data = bytearray(path.read_bytes()[:2_000_000])
    key = b"llama.block_count"
    at = data.index(key) + len(key)
    struct.pack_into("<I", data, at + 4, 0)
    with path.open("r+b") as file:
        file.write(data)
    return path


def test_an_answer_is_the_same_as_in_this_process(make: Make):
    from tui.models.llama import LlamaEngine, LlamaModel, Sampling

    here = LlamaModel(LlamaEngine(starter_path()), "tiny", Sampling(temperature=0), 20)
    run, text = here.generate(ASK, [], Turn()), ""
    try:
        while True:
            event = next(run)
            text += event.text if isinstance(event, TextDelta) else ""
    except StopIteration as stop:
        expected = stop.value

    said, reply = answered(make(max_tokens=20))

    assert (said, reply) == (text, expected)
    assert said
    here.close()


def test_notices_usage_and_overflow_come_through_whole(make: Make):
    model = make(context=256, max_tokens=4)
    old = Message("user", "one two three " * 75)
    kept = Message("assistant", "Good.")
    picture = Message(
        "user", "Hi", attachments=(Attachment("a.png", "image/png", b"\0\xff"),)
    )
    turn = Turn()
    turn.sources = [("first", old), ("second", kept), ("third", picture)]

    events: list[Event] = list(model.generate([old, kept, picture], [], turn))
    with pytest.raises(ContextOverflow) as raised:
        answered(model, [Message("user", "one two three " * 200)])

    notices = [event for event in events if isinstance(event, NoticeGiven)]
    assert "a.png is left out" in notices[0].text
    assert (notices[1].left_out, notices[1].first_message_id) == (2, "third")
    [usage] = [event for event in events if isinstance(event, UsageReported)]
    assert usage.window == raised.value.window == model.window == 256
    assert raised.value.tokens > 256


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (signal.SIGSEGV, "SIGSEGV"),
        (signal.SIGBUS, "changed or truncated"),
        (signal.SIGABRT, "SIGABRT"),
        (signal.SIGILL, "make run"),
        (signal.SIGFPE, "SIGFPE"),
        (signal.SIGKILL, "out of memory"),
        (signal.SIGTERM, "ended by SIGTERM"),
        (signal.SIGQUIT, "ended by SIGQUIT"),
    ],
)
def test_a_signal_ends_the_answer_and_not_more(
    make: Make, tried: Tried, number: signal.Signals, why: str
):
    model = make(max_tokens=40)

    said, error = broken(model, lambda pid: os.kill(pid, number))
    again, _ = answered(make(max_tokens=3))

    assert said
    assert again
    assert error.kind == "died"
    assert why in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) <= 3 * 74  # rows of a message at 80 columns
    tried(f"{number.name} of the model's process")


def test_a_signal_while_it_loads_is_told(make: Make):
    model = make()
    child = model.process.child(model.spec)
    os.kill(child.pid, signal.SIGSTOP)
    run = model.generate(ASK, [], Turn())
    os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(ModelError, match="SIGKILL"):
        wait_until(lambda: next(run, None) is None)


@pytest.mark.parametrize("how", ["truncated", "overwritten"])
def test_a_file_that_is_cut_short_in_use_ends_the_answer(
    make: Make, weights: Path, tried: Tried, how: str
):
    model = make(weights)

    def change(pid: int) -> None:
        with weights.open("r+b") as file:
            file.truncate(1_000_000 if how == "truncated" else 0)
            if how == "overwritten":
                file.write(b"GGUF" * 1000)

    said, error = broken(model, change)
    with pytest.raises(ModelError, match="cannot load"):
        answered(model)

    assert said
    assert "copy.gguf was changed or truncated" in str(error)
    tried("GGUF file cut short or overwritten in use")


def test_a_file_that_llama_cpp_asserts_on_is_tried_twice_until_it_changes(
    make: Make, weights: Path, tried: Tried
):
    good = weights.read_bytes()
    model = make(assertable(weights), max_tokens=3)

    model.preload()
    with pytest.raises(ModelError, match="GGML_ASSERT") as first:
        answered(model)
    with pytest.raises(ModelError, match="is not tried again") as second:
        answered(model)
    assert model.process.pid == 0
    weights.write_bytes(good)
    said, _ = answered(model)

    assert first.value.kind == second.value.kind == "died"
    assert said
    tried("GGUF file that llama.cpp aborts on")


def test_what_crashed_is_not_tried_by_the_next_app_until_it_changes(
    make: Make, weights: Path
):
    good = weights.read_bytes()
    one = make(assertable(weights), max_tokens=3)
    for _ in range(2):
        one.preload()
    one.close()  # and all that this process knows of the file

    next_app = make(weights, max_tokens=3)
    with pytest.raises(ModelError, match="After 2 crashes it is not tried again"):
        answered(next_app)
    with pytest.raises(ModelError, match="GGML_ASSERT") as set_otherwise:
        answered(make(weights, max_tokens=3, context=512))
    weights.write_bytes(good)
    said, _ = answered(next_app)

    assert "not tried again" not in str(set_otherwise.value)
    assert said


def test_a_kill_while_it_loads_counts_as_a_crash_and_ours_does_not(
    make: Make, weights: Path
):
    model = make(weights, max_tokens=3)
    for _ in range(2):
        child = model.process.child(model.spec)
        os.kill(child.pid, signal.SIGSTOP)
        child.close()  # a start that was given up, with a kill of our own
    for _ in range(2):
        child = model.process.child(model.spec)
        os.kill(child.pid, signal.SIGKILL)
        wait_until(lambda child=child: child.death)

    with pytest.raises(
        ModelError, match=r"SIGKILL.*After 2 crashes .* before \d\d:\d\d\."
    ) as raised:
        answered(model)

    assert raised.value.kind == "died"


@pytest.mark.parametrize(
    "change", [{"time": 0.0}, {"boot": "an earlier one"}, {"time": 4e9}]
)
def test_what_was_killed_as_it_loaded_is_tried_after_a_while_or_a_boot(
    make: Make, weights: Path, change: dict[str, object]
):
    model = make(weights, max_tokens=3)
    key = crashes.circumstances(model.spec)
    for _ in range(2):
        crashes.add(key, Death(-signal.SIGKILL, loading=True))
    with pytest.raises(ModelError, match="is not tried again before"):
        answered(model)

    file = paths.crashes_file()
    known = json.loads(file.read_bytes())
    known[key].update(change)
    file.write_text(json.dumps(known))

    assert answered(model)[0]
    assert crashes.recall(key) is None


def test_only_what_may_be_due_to_other_programs_passes(home: Path):
    for said, status, passes in (
        ("", signal.SIGKILL, True),
        ("what(): std::bad_alloc", signal.SIGABRT, True),
        ("GGML_ASSERT(x) failed", signal.SIGABRT, False),
        ("", signal.SIGSEGV, False),
        ("", signal.SIGILL, False),
    ):
        key = f"{status} {said}"
        for _ in range(2):
            crashes.add(key, Death(-status, said, loading=True))
        crash = crashes.recall(key)
        assert crash
        assert crash.refuses
        assert bool(crash.again) == passes
    for killer in (signal.SIGKILL, signal.SIGSEGV):
        crashes.add("killed first", Death(-killer, loading=True))
    crash = crashes.recall("killed first")
    assert crash
    assert crash.count == 1


def test_what_has_spoken_has_no_crashes_behind_it(make: Make, weights: Path):
    model = make(weights, max_tokens=3)
    for _ in range(2):
        child = model.process.child(model.spec)
        os.kill(child.pid, signal.SIGSEGV)
        wait_until(lambda child=child: child.death)
        weights.touch()  # so that it is tried again
        assert answered(model)[0]
        os.kill(model.process.pid, signal.SIGSEGV)
        wait_until(lambda: not model.process.pid)

    assert answered(model)[0]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (1, "RuntimeError: can't start new thread"),
        (-signal.SIGABRT, "  what():  Resource temporarily unavailable"),
        (-signal.SIGABRT, "  what():  std::bad_alloc"),
    ],
)
def test_what_lacks_memory_for_a_thread_is_out_of_memory(status: int, said: str):
    death = Death(status, f"Traceback\n{said}\n", loading=True)

    assert "out of memory" in death.describe("m", "m.gguf")
    assert death.passes


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit and /proc")
@pytest.mark.parametrize("megabytes", [60, 200, 300])
def test_memory_that_is_refused_is_one_line_that_blames_nothing_else(
    make: Make, megabytes: int
):
    import resource

    model = make(context=8192)
    child = model.process.child(model.spec)
    most = megabytes << 20
    resource.prlimit(child.pid, resource.RLIMIT_AS, (most, most))

    with pytest.raises(ModelError, match="out of memory") as raised:
        answered(model)

    assert "\n" not in str(raised.value)
    assert "smaller `context`" in str(raised.value)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux chooses a victim by it")
def test_it_asks_to_be_what_is_killed_when_memory_runs_out(make: Make):
    model = make(max_tokens=1)
    answered(model)

    score = Path(f"/proc/{model.process.pid}/oom_score_adj").read_text()

    assert score.strip() == "1000"


def test_signals_of_the_terminal_do_not_reach_it(make: Make):
    model = make(max_tokens=12)
    said: list[str] = []
    for event in model.generate(ASK, [], Turn()):
        said += [event.text] if isinstance(event, TextDelta) else []
        if len(said) == 3:
            pid = model.process.pid
            assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)  # even where somebody sends them to it alone

    assert len(said) >= 10
    assert model.process.pid == pid


def test_a_question_breaks_off_what_is_read_ahead_and_keeps_its_whole_pieces():
    from tui.models.llama import LlamaEngine, LlamaModel

    engine = LlamaEngine(starter_path(), 1024)
    model = LlamaModel(engine, "tiny")
    cancel = Cancellation()
    model.load()
    with engine.hold() as context:
        decode, reads = context._lib.llama_decode, []
        length = len(context.weights.tokenize("one two three " * 100))

        def then_ask(pointer: object, batch: object) -> int:
            reads.append(batch)
            if len(reads) == 3:
                cancel.request()
            return decode(pointer, batch)

        context._lib = Watched(context._lib, llama_decode=then_ask)

    with pytest.raises(Cancelled):
        model.read([Message("user", "one two three " * 100)], cancel)

    with engine.hold() as context:
        known = len(context.tokens)
    model.close()
    assert 2 * 64 <= known < length


class Watched:
    """A library, with some of its functions replaced."""

    def __init__(self, lib: object, **replaced: object) -> None:
        self._lib = lib
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> object:
        return getattr(self._lib, name)


def test_two_conversations_on_one_file_are_answered_at_once_one_after_the_other(
    make: Make,
):
    one, two = make(max_tokens=6), make(max_tokens=6)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda model: answered(model)[0], [one, two]))

    assert answers[0] == answers[1] != ""
    assert one.process.pid == two.process.pid


def test_esc_ends_the_turn_at_once_when_the_process_hangs(make: Make, tried: Tried):
    model = make(max_tokens=40)
    turn = Turn()
    run = model.generate(ASK, [], turn)
    next(run)
    pid = model.process.pid
    os.kill(pid, signal.SIGSTOP)

    turn.cancel.request()
    with pytest.raises(Cancelled):
        list(run)
    waited = not lives(pid)  # it is killed after 2 seconds
    events = list(make(max_tokens=3).generate(ASK, [], Turn()))

    assert not waited
    assert not lives(pid)
    assert isinstance(events[0], NoticeGiven)
    assert "did nothing for 2 seconds" in events[0].text
    assert any(isinstance(event, TextDelta) for event in events)
    tried("hang of the model's process")


def test_a_process_that_does_nothing_is_ended_without_a_word_from_the_user(
    make: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "IDLE_SECONDS", 0.5)
    model = make()

    _, error = broken(model, lambda pid: os.kill(pid, signal.SIGSTOP))

    assert "did nothing for" in str(error)


def test_a_cancelled_answer_leaves_the_process_for_the_next(make: Make):
    model = make(max_tokens=200)
    turn = Turn()
    run = model.generate(ASK, [], turn)
    next(run)
    pid = model.process.pid

    turn.cancel.request()
    with pytest.raises(Cancelled):
        list(run)
    answered(model, [Message("user", "Hi")])

    assert model.process.pid == pid


def test_models_on_one_file_share_a_process_that_ends_with_the_last(make: Make):
    one, two = make(max_tokens=3), make(max_tokens=4)
    answered(one)
    answered(two)
    pid = one.process.pid

    one.close()
    still = lives(pid)
    two.close()

    assert still
    wait_until(lambda: not lives(pid))


OWNER = """
import sys
from tui.models.local import LocalModel, Spec
from tui.models.llama import starter_path
from tui.messages import Message
from tui.turn import Cancellation, Turn
model = LocalModel(Spec(str(starter_path()), "tiny"))
run = model.generate([Message("user", "Tell me a long story.")], [], Turn())
next(run)
print(model.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_it_dies_with_its_owner_whatever_kills_that(tried: Tried, stopped: bool):
    if stopped and sys.platform != "linux":
        pytest.skip("only Linux kills a stopped process with its parent")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        if stopped:
            os.kill(pid, signal.SIGSTOP)

        owner.kill()

        wait_until(lambda: not lives(pid))
    tried("kill -9 of the owner of a model's process", leaked=int(lives(pid)))


def test_a_pipe_or_a_circle_of_links_for_a_file_is_refused_at_once(
    make: Make, tmp_path: Path
):
    pipe, circle = tmp_path / "pipe.gguf", tmp_path / "circle.gguf"
    os.mkfifo(pipe)
    circle.symlink_to(circle)

    for path, why in [
        (pipe, "a pipe or a device"),
        (circle, "Cannot read"),
        (tmp_path, "a directory"),
    ]:
        with pytest.raises(ModelError, match=why) as raised:
            answered(make(path))
        assert raised.value.kind == "bad_file"


def test_more_threads_than_the_machine_has_cores_are_refused():
    models = ModelCatalog(
        Config(models={"m": LlamaModelConfig("starter", threads=100_000)})
    )

    with pytest.raises(
        ConfigError, match=r"threads = 100000 is more than the \d+ cores"
    ):
        models.get("m")


def test_what_answers_begin_with_is_read_until_somebody_asks(make: Make):
    path = os.path.realpath(starter_path())
    model = LocalModel(Spec(path, "starter", starter=True))
    tool = ToolSchema("weather", "Get the weather of a city.", {"type": "object"})
    model.preload()

    model.warm([tool])
    said, reply = answered(model, [Message("user", "Hello!")])

    assert said == reply.message.text != ""
    model.close()


def test_a_file_that_kills_the_process_keeps_nobody_from_starting(
    start: Start, weights: Path, tried: Tried
):
    bad = {"provider": "llama", "path": str(assertable(weights))}
    terminal = start(config={"model": "bad", "models": {"bad": bad}})

    terminal.type("Hello there")
    terminal.press("enter")
    terminal.wait_for("GGML_ASSERT")
    shown = terminal.text

    assert "Hello there" in (shown() if callable(shown) else shown)
    terminal.press("ctrl+q")
    terminal.wait_exit()
    left_on = terminal.left_on()
    assert not left_on
    tried("configured GGUF file that kills its process", left_on=len(left_on))
