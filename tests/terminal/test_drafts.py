"""What stands in the composer survives, in a real process that is killed."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from support import ROOT
from support.start import Start, ask
from support.terminal import Terminal

REPLIES = [{"text": "Answer one."}, {"text": "Answer two."}]


def kept(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "lazychat.db")) as log:
        return [text for (text,) in log.execute("SELECT text FROM draft")]


def type_and_wait(terminal: Terminal, home: Path, text: str) -> None:
    terminal.type(text)
    terminal.wait_for(lambda _: kept(home) == [text])


def kill(terminal: Terminal) -> None:
    terminal.signal(signal.SIGKILL)
    terminal.wait_exit()


def test_draft_of_a_conversation_survives_a_kill(start: Start, home: Path) -> None:
    terminal = start(REPLIES)
    ask(terminal, "First", "Answer one.")
    type_and_wait(terminal, home, "half a thou")
    kill(terminal)

    again = start(REPLIES, "-c", until="half a thou")

    again.wait_for("Answer one.")


def test_draft_never_sent_comes_back_into_a_new_conversation(
    start: Start, home: Path
) -> None:
    terminal = start(REPLIES)
    type_and_wait(terminal, home, "never sent")
    kill(terminal)

    again = start(REPLIES, until="never sent")
    again.press("enter")
    again.wait_for("Answer one.")
    again.press("ctrl+q")
    again.wait_exit()

    assert kept(home) == []


def test_draft_is_not_taken_from_a_terminal_that_is_open(
    start: Start, home: Path
) -> None:
    first = start(REPLIES)
    type_and_wait(first, home, "mine")

    second = start(REPLIES)

    second.wait_for("ready")
    assert "mine" not in second.text


def test_draft_is_saved_when_one_leaves_before_the_second_is_over(
    start: Start, home: Path
) -> None:
    terminal = start(REPLIES)
    terminal.type("leaving")
    terminal.wait_for("leaving")
    terminal.press("ctrl+q")
    terminal.wait_exit()

    assert kept(home) == ["leaving"]


def test_what_was_sent_is_no_draft_any_more(start: Start, home: Path) -> None:
    terminal = start(REPLIES)
    type_and_wait(terminal, home, "sent")
    terminal.press("enter")
    terminal.wait_for("Answer one.")
    kill(terminal)

    assert kept(home) == []


SLOW_LOG = """
import time
from tui.eventlog.writer import Writer

transact = Writer._transact


def slow(*given):
    time.sleep(0.03)
    return transact(*given)


Writer._transact = slow
"""


def test_no_frame_shows_what_a_kill_would_take(
    start: Start, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_LOG, "utf-8")
    slow = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    for question in ("first of them", "second", "third of all"):
        terminal = start(REPLIES, environment=slow)
        terminal.type(question)
        terminal.wait_for(question)

        kill(terminal)

        assert kept(home) == [question]
        with closing(sqlite3.connect(home / "lazychat.db")) as log, log:
            log.execute("DELETE FROM draft")
