from concurrent.futures import ThreadPoolExecutor

import pytest

from tui import session
from tui.eventlog import EventLog
from tui.events import MessageAdded, ReasoningDelta, TextDelta
from tui.lazyllm.file_queue import FileSystemQueue
from tui.messages import Message


@pytest.fixture
def log(tmp_path):
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        yield log


def say(log, *events):
    for event in events:
        log.append(session.current(), event, turn="t")
    log.flush()


def test_a_new_object_at_every_pass_goes_on_where_the_last_stopped(log):
    text = "Each character, once: 每个字一次。"
    got = []
    for at, character in enumerate(text):
        say(log, TextDelta("m", character))
        if at % 3 == 0:
            got += FileSystemQueue(log=log).dequeue()
    say(log, MessageAdded("m", Message("assistant", text)))
    got += FileSystemQueue(log=log).dequeue()
    got += FileSystemQueue(log=log).dequeue()

    assert "".join(got) == text


def test_the_tutorial_s_loop_gets_each_character_once(log):
    text = "".join(chr(0x4E00 + n) for n in range(500))

    def produce():
        for number, character in enumerate(text):
            log.append(session.current(), TextDelta(f"m{number // 100}", character))
            if number % 100 == 99:
                whole = Message("assistant", text[number - 99 : number + 1])
                log.append(session.current(), MessageAdded(f"m{number // 100}", whole))
        log.flush()

    got = ""
    with session.SessionPool(1) as pool:
        future = pool.submit(produce)
        while not future.done():
            if value := FileSystemQueue(log=log).dequeue():
                got += "".join(value)
        got += "".join(FileSystemQueue(log=log).dequeue())

    future.result()
    assert got == text


def test_only_text_for_the_user_comes_out(log):
    say(
        log,
        MessageAdded("u", Message("user", "question")),
        ReasoningDelta("m", "thinking"),
        TextDelta("m", "answer"),
        MessageAdded("r", Message("tool", "result", tool_call_id="x")),
    )
    assert FileSystemQueue(log=log).dequeue() == ["answer"]


def test_sessions_never_cross(log):
    def turn(name: str) -> str:
        with session.use(name):
            for character in name * 50:
                say(log, TextDelta(f"m-{name}", character))
            return "".join(FileSystemQueue(log=log).dequeue())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(turn, ["ada", "bob", "cyd"])) == [
            "ada" * 50,
            "bob" * 50,
            "cyd" * 50,
        ]


def test_a_pool_carries_the_session_of_its_caller(log):
    with session.SessionPool(2) as pool, session.use("mine"):
        assert pool.submit(session.current).result(30) == "mine"


def test_channels_are_apart(log):
    FileSystemQueue("log", log).enqueue("a note")
    say(log, TextDelta("m", "an answer"))

    assert FileSystemQueue("log", log).dequeue() == ["a note"]
    assert FileSystemQueue(log=log).dequeue() == ["an answer"]


def test_limit_peek_size_and_clear(log):
    queue = FileSystemQueue(log=log)
    for piece in "abcd":
        queue.enqueue(piece)

    assert (queue.size(), queue.peek()) == (4, "a")
    assert queue.dequeue(limit=2) == ["a", "b"]
    assert (queue.size(), queue.peek()) == (2, "c")
    queue.clear()
    assert (queue.size(), queue.peek(), queue.dequeue()) == (0, None, [])


def test_clear_in_mid_answer_does_not_bring_the_start_again(log):
    queue = FileSystemQueue(log=log)
    say(log, TextDelta("m", "skipped "))
    queue.clear()
    say(log, TextDelta("m", "heard"))
    say(log, MessageAdded("m", Message("assistant", "skipped heard!")))

    assert "".join(queue.dequeue()) == "heard!"
