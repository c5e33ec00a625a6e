"""The app in a real terminal while its store is in trouble: the chat goes on."""

import os
import re
import resource
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.fault_notes import Tried
from support.start import Start, ask
from support.terminal import Terminal

from tui.conversation import read_state, recent
from tui.eventlog import EventLog
from tui.events import MessageAdded, Queued, TextDelta
from tui.messages import Message
from tui.runtime.turn_driver import end_if_gone

pytestmark = pytest.mark.new_process  # /proc shows its end

LONG = " ".join(f"word{number}" for number in range(200)) + " theend"


def ready(terminal: Terminal) -> None:
    terminal.wait_for(lambda t: "ready" in t.row(-1))


def said(terminal: Terminal) -> str:
    """Return the words of the conversation, without what stands beside it."""
    rows = [row.split("│")[0] for row in terminal.display]
    return " ".join(" ".join(rows).split())


def leave(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0


def kept(home: Path) -> list[str]:
    """Return what was said, in all conversations."""
    with EventLog(home / "lazychat.db") as log:
        return [
            record.event.message.text
            for record in log.read()
            if isinstance(record.event, MessageAdded)
        ]


def limit(terminal: Terminal, size: int) -> None:
    """Let the app write no more than `size` bytes of a file: a disk that is full."""
    if sys.platform != "linux":
        pytest.skip("another process can be limited on Linux only")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.prlimit(
        terminal.process.pid,
        resource.RLIMIT_FSIZE,
        (size if size else hard, hard),
    )


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (96, 40)])
def test_a_disk_that_runs_full_in_mid_answer_is_told_and_the_answer_goes_on(
    start: Start, home: Path, columns: int, rows: int
) -> None:
    script = {"rate": 200, "reply": [{"text": LONG}, {"text": "Second."}]}
    terminal = start(script, columns=columns, rows=rows)
    ask(terminal, "First?")
    terminal.wait_for("word10 ")

    limit(terminal, 1000)
    terminal.wait_for("theend")
    ready(terminal)
    ask(terminal, "Second?")
    terminal.wait_for("Second.")
    ready(terminal)

    assert said(terminal).count("new messages are kept in a file in") == 1
    limit(terminal, 0)
    terminal.wait_for(lambda t: "everything is saved." in said(t))
    leave(terminal)
    assert kept(home) == ["First?", LONG, "Second?", "Second."]


def colour(terminal: Terminal, text: str) -> set[str]:
    """Return the colours of a text that is on the screen."""
    x, y = terminal.find(text)
    return {cell.fg for cell in terminal.cells(y)[x : x + len(text)]}


def test_what_is_in_memory_only_is_dim_until_it_is_stored(
    start: Start, home: Path
) -> None:
    terminal = start({"rate": 100, "reply": [{"text": LONG}]}, rows=30)
    ask(terminal, "First?")
    terminal.wait_for("word10 ")
    plain = colour(terminal, "word5")
    assert "not saved" not in terminal.row(-1)

    limit(terminal, 1)
    terminal.wait_for(lambda t: "not saved" in t.row(-1))
    terminal.wait_for("theend")
    ready(terminal)

    assert colour(terminal, "theend").isdisjoint(plain)
    assert colour(terminal, "First?") == plain
    limit(terminal, 0)
    terminal.wait_for(lambda t: "not saved" not in t.row(-1))
    assert colour(terminal, "theend") == plain
    leave(terminal)
    assert kept(home) == ["First?", LONG]


def test_no_word_that_is_not_dim_is_lost_by_a_kill(
    start: Start, home: Path, tried: Tried
) -> None:
    lost = 0
    for number in (5, 20, 50):
        terminal = start({"rate": 200, "reply": [{"text": LONG}]}, rows=30)
        ask(terminal, f"Question {number}")
        terminal.wait_for(f"word{number}")
        limit(terminal, 1)
        terminal.wait_for(f"word{number + 6}")
        terminal.signal(signal.SIGKILL)
        terminal.written_within(10)
        terminal.wait_exit()

        words = re.findall(r"word\d+", said(terminal))
        dim = "not saved" in terminal.row(-1)
        with EventLog(home / "lazychat.db") as log:
            newest = recent(log)[0].id
            told = "".join(
                r.event.text for r in log.read(newest) if isinstance(r.event, TextDelta)
            )
            read_state.mark_seen(log, newest, log.tail()).result(30)
            end_if_gone(log, newest)
        missing = [word for word in words if f"{word} " not in f"{told} "]
        if missing:
            assert dim
            assert colour(terminal, missing[0]) != colour(terminal, "Question")
        lost += len(missing) if not dim else 0
    assert lost == 0
    tried("SIGKILL while the disk is full", 3, lost=lost)


def test_what_could_not_be_stored_is_told_after_the_screen_has_gone(
    start: Start, home: Path, tmp_path: Path
) -> None:
    # What measures coverage would write, too, and is not what is limited here.
    unmeasured = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
    environment = {"TMPDIR": str(tmp_path), **unmeasured}
    terminal = start([{"text": "Fine."}], environment=environment)
    # The store that is made elsewhere is smaller than the log of this one.
    with EventLog(home / "lazychat.db") as log:
        log.append("c", Queued("x", "y" * 200_000)).result(30)
        limit(terminal, 150_000)
        ask(terminal, "Well?")
        terminal.wait_for("Fine.")
        ready(terminal)
        leave(terminal)

    (folder,) = tmp_path.glob("lazychat-unsaved-*")
    # Wrapped wherever the length of the path has it, at a blank too.
    said = "".join(terminal.text.split())
    assert f"LAZYCHAT_HOME={folder}lazychat" in said
    assert kept(folder) == ["Well?", "Fine."]


def test_a_lock_of_another_program_does_not_hold_the_answer_up(
    start: Start, home: Path
) -> None:
    terminal = start({"rate": 100, "reply": [{"text": LONG}]})
    ask(terminal, "Go on")
    terminal.wait_for("word10 ")

    with closing(sqlite3.connect(home / "lazychat.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        # It waits a second for the lock, then goes on without.
        terminal.wait_for("theend", 10)
        ready(terminal)
        db.execute("ROLLBACK")

    leave(terminal)
    assert kept(home) == ["Go on", LONG]


def test_a_damaged_store_is_told_and_what_was_in_it_is_there(
    start: Start, home: Path
) -> None:
    path = home / "lazychat.db"
    with EventLog(path) as log:
        for id in ("one", "two"):
            said = MessageAdded(id, Message("user", f"About {id}"))
            log.append(id, said).result(30)
    with path.open("r+b") as file:
        file.write(bytes(100))

    terminal = start([{"text": "Fine."}])
    terminal.wait_for(lambda t: "2 conversations were recovered" in t.words)
    ask(terminal, "Three")
    terminal.wait_for("Fine.")
    ready(terminal)
    leave(terminal)

    with EventLog(path) as log:
        titles = {summary.title for summary in recent(log)}
    assert titles == {"About one", "About two", "Three"}
    assert len(list(home.glob("lazychat.db.broken-*"))) == 1


def test_a_store_that_cannot_be_written_is_told_and_the_chat_works(
    start: Start, home: Path
) -> None:
    path = home / "lazychat.db"
    with EventLog(path) as log:
        said = MessageAdded("m", Message("user", "What was before"))
        log.append("one", said).result(30)
    os.truncate(path, path.stat().st_size)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    terminal = start([{"text": "Fine."}])
    terminal.wait_for(lambda t: "nothing is saved" in t.words)
    ask(terminal, "Three")
    terminal.wait_for("Fine.")
    ready(terminal)
    leave(terminal)

    assert path.read_bytes() == before
