"""A local model's process and the app in a terminal: hangs, deaths, signals."""

import os
import signal
import sys
from pathlib import Path

import pytest
from support.fakes.lazychat import Home
from support.fault_notes import Tried
from support.start import Start, ask
from support.terminal import Terminal, wait_until

from tui.eventlog import EventLog
from tui.events import MessageAdded, TextDelta, TurnFinished, TurnStarted
from tui.models.llama import starter_path
from tui.runtime.worker_registry import find

pytestmark = [
    pytest.mark.new_process,  # /proc shows its end
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

STORY = "Tell me a long story about a ship."
FIRST_WORD = 90.0
"""Seconds to load the model and read the prompt on a busy machine."""


def opened(start: Start, tokens: int) -> Terminal:
    """Open the app without tools, whose schemas would take seconds to read."""
    options = {"temperature": 0, "max_tokens": tokens}
    tiny = {"provider": "llama", "path": str(starter_path()), "options": options}
    return start(None, "-T", "none", config={"model": "tiny", "models": {"tiny": tiny}})


def models_of(app: int) -> list[int]:
    """Return the processes of models that belong to `app` and live."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == app and state != "Z" and b"tui.models.local" in command:
            found.append(int(folder.name))
    return found


def writing(terminal: Terminal, log: EventLog) -> int:
    """Ask for a story; return the model's process when some of it is stored."""
    ask(terminal, STORY)
    wait_until(lambda: speaks(log), FIRST_WORD)
    (model,) = models_of(terminal.process.pid)
    return model


def reasons(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


def starts(log: EventLog) -> list[int]:
    """Return the process of each turn that was begun."""
    events = [record.event for record in log.read()]
    return [event.pid for event in events if isinstance(event, TurnStarted)]


def speaks(log: EventLog) -> bool:
    """Whether something of the answer that was begun last is stored."""
    turns = [r.turn for r in log.read() if isinstance(r.event, TurnStarted)]
    said = {r.turn for r in log.read() if isinstance(r.event, TextDelta)}
    return bool(turns) and turns[-1] in said


def answers(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [
        event.message.text
        for event in events
        if isinstance(event, MessageAdded) and event.message.role == "assistant"
    ]


def test_a_hang_is_left_by_esc_and_told(
    start: Start, log: EventLog, tried: Tried
) -> None:
    terminal = opened(start, 2000)
    model = writing(terminal, log)

    os.kill(model, signal.SIGSTOP)
    terminal.press("escape")
    wait_until(lambda: reasons(log) == ["cancelled"])
    terminal.wait_for("ready")
    ask(terminal, "Say a word.")

    terminal.wait_for("did nothing for 2 seconds and was killed")
    wait_until(lambda: model not in models_of(terminal.process.pid))
    wait_until(lambda: models_of(terminal.process.pid))
    assert answers(log)[0].strip()
    terminal.press("ctrl+q")
    tried("hang of the model's process under the screen")


def test_what_was_killed_is_gone_on_with_and_tried_again(
    start: Start, log: EventLog, tried: Tried
) -> None:
    terminal = opened(start, 120)
    count, todo = 0, [STORY, "/continue", "/retry"]
    while todo:
        ask(terminal, todo[0])
        count += 1
        wait_until(
            lambda n=count: (
                len(starts(log)) == n
                # The pieces of an answer are gone once it is complete.
                and (speaks(log) or len(reasons(log)) == n)
            ),
            FIRST_WORD,
        )
        (model,) = models_of(terminal.process.pid)
        os.kill(model, signal.SIGKILL)
        wait_until(lambda n=count: len(reasons(log)) == n)
        if reasons(log)[-1] != "error":
            # What is continued may have only a few words to go: kill another answer.
            assert todo[0] != STORY
            todo.insert(0, "/retry")
            continue
        terminal.wait_for("was killed (SIGKILL)")
        del todo[0]

    ask(terminal, "/retry")
    wait_until(lambda: len(reasons(log)) == count + 1, 120)  # a whole answer

    assert reasons(log)[-1] in ("stop", "length")
    assert answers(log)[-1].strip()
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()
    tried("death of the model's process, then /continue and /retry", 3)


def test_an_interrupt_of_the_whole_group_leaves_the_model_and_the_answer(
    start: Start, log: EventLog, tried: Tried
) -> None:
    terminal = opened(start, 2000)
    model = writing(terminal, log)

    os.killpg(os.getpgid(terminal.process.pid), signal.SIGINT)

    terminal.wait_exit()
    assert terminal.left_on() == set()
    wait_until(lambda: not Path(f"/proc/{model}").exists())
    wait_until(lambda: len(reasons(log)) == 1)
    assert answers(log)[0].strip()
    tried("SIGINT to the whole foreground group")


def test_two_apps_and_a_worker_answer_at_once_with_the_starter(
    start: Start, place: Home, log: EventLog, tried: Tried
) -> None:
    settings = {"model": "starter"}
    before = start(config=settings)
    ask(before, "Tell me a story.")
    wait_until(lambda: models_of(before.process.pid))
    assert place.run("worker", "--detach").code == 0
    worker = find()
    assert worker
    after = start(config=settings)
    for terminal in (after, before):
        ask(terminal, "Say hello.")
    asked = place.start("-m", "tui", "ask", "-T", "none", "Say hello.")

    out, _ = asked.communicate(timeout=60)
    wait_until(lambda: len(reasons(log)) == 4, 60)

    assert out.strip()
    assert set(reasons(log)) <= {"stop", "length"}
    assert set(starts(log)) == {before.process.pid, worker.owner.pid}
    assert models_of(after.process.pid) == []
    for terminal in (before, after):
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    tried("Two apps and a worker with one local model", 4)
