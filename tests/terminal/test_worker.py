"""A worker answers apart from any terminal: real processes, found and lost."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from support.fakes.lazychat import LIMIT, Home, complaint
from support.start import Start
from support.terminal import wait_until

from tui import conversation
from tui.eventlog import EventLog
from tui.events import TurnFinished, TurnRequested, TurnStarted
from tui.messages import Message
from tui.runtime.runner import request
from tui.runtime.worker_registry import Worker, find

SLOW = [{"text": "One "}, {"pause": 1.0}, {"text": "two"}]
ENDLESS = [{"text": "One "}, {"pause": 60}, {"text": "two"}]


def detach(place: Home, *arguments: str) -> Worker:
    done = place.run("worker", "--detach", *arguments)
    assert done.code == 0, done
    found = find()
    assert found, done
    assert f"process {found.owner.pid}" in done.err
    return found


def owners(place: Home) -> set[int]:
    events = [record.event for record in place.records()]
    return {event.pid for event in events if isinstance(event, TurnStarted)}


def ends(place: Home) -> list[str]:
    events = [record.event for record in place.records()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


def test_it_has_a_session_and_no_terminal_of_its_own(place: Home) -> None:
    place.scripted("Fine.")

    pid = detach(place).owner.pid

    session = os.getsid(pid)
    assert session not in (os.getsid(0), pid)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert fields[4] == "0"  # no terminal (man 5 proc)
    for descriptor in (0, 1, 2):
        target = Path(f"/proc/{pid}/fd/{descriptor}").readlink()
        assert str(target) == os.devnull or target.name == "worker.log"


def test_status_and_stop(place: Home) -> None:
    place.scripted("Fine.")
    none = place.run("worker", "--status")
    assert (none.code, none.out) == (1, "No worker is running on this machine.\n")
    found = detach(place)

    status = place.run("worker", "--status")
    stopped = place.run("worker", "--stop")

    assert status.code == 0
    assert f"process {found.owner.pid} on " in status.out
    assert f"Store:   {place.store}\n" in status.out
    assert "play" in status.out
    assert stopped.code == 0
    assert find() is None
    assert place.run("worker", "--stop").code == 1
    assert not list(place.folder.glob("worker-*.json"))


def test_there_is_one_a_machine(place: Home) -> None:
    place.scripted("Fine.")
    found = detach(place)

    for again in (place.run("worker", "--detach"), place.run("worker")):
        assert f"is already running: process {found.owner.pid}" in complaint(again, 1)


def test_one_that_was_killed_is_in_nobodys_way(place: Home) -> None:
    place.scripted("Fine.")
    first = detach(place)
    os.kill(first.owner.pid, signal.SIGKILL)
    wait_until(lambda: find() is None)

    assert place.ask("hi").out == "Fine.\n"
    second = detach(place)

    assert second.owner.pid != first.owner.pid


def test_a_store_that_cannot_be_opened_is_said_where_it_was_started(
    place: Home,
) -> None:
    place.scripted("Fine.")
    place.store.mkdir()

    done = place.run("worker", "--detach")

    assert "Cannot open" in complaint(done, 1)


def test_ask_has_the_worker_answer(place: Home) -> None:
    place.scripted("From afar.", "From here.")
    pid = detach(place).owner.pid

    done = place.ask("hi")

    assert (done.code, done.out) == (0, "From afar.\n")
    assert owners(place) == {pid}


@pytest.mark.parametrize(
    "flags", [("-s", "Be brief."), ("-T", "{tool}"), ("-m", "other")]
)
def test_what_the_worker_would_answer_otherwise_is_answered_here(
    place: Home, flags: tuple[str, str]
) -> None:
    place.scripted("Fine.")
    tool = place.write(
        "more.py",
        "from tui.tools import tool\n@tool\ndef own() -> str:\n    "
        '"""My own."""\n    return "x"\n',
    )
    pid = detach(place).owner.pid
    text = (place.folder / "config.toml").read_text()
    script = place.folder / "script.json"
    place.config(f'{text}\n[models.other]\nprovider="scripted"\npath="{script}"\n')

    done = place.ask(*(flag.format(tool=tool) for flag in flags), "hi")

    assert done.out == "Fine.\n"
    assert pid not in owners(place)


def test_the_screen_may_go_and_come_back(place: Home, start: Start) -> None:
    place.scripted(SLOW)
    config = (place.folder / "config.toml").read_text()
    pid = detach(place).owner.pid
    first = start(None, config=config)
    first.type("Count\r")
    first.wait_for("One")

    first.press("ctrl+q")  # and nothing is asked: no answer is lost
    assert first.wait_exit() == 0
    second = start(None, config=config)
    second.wait_for("One two")
    second.wait_for("ready")

    assert owners(place) == {pid}
    assert ends(place) == ["stop"]


def test_the_screen_stops_what_the_worker_says(place: Home, start: Start) -> None:
    place.scripted(ENDLESS)
    detach(place)
    terminal = start(None, config=(place.folder / "config.toml").read_text())
    terminal.type("Count\r")
    terminal.wait_for("One")

    terminal.press("escape")

    terminal.wait_for("ready")
    assert ends(place) == ["cancelled"]


def test_a_stopped_worker_keeps_what_was_said(place: Home) -> None:
    place.scripted(ENDLESS)
    detach(place)
    asking = place.start("-m", "tui", "ask", "hi")
    wait_until(lambda: place.store.exists() and owners(place))
    assert asking.stdout
    assert asking.stdout.read(4) == b"One "

    place.run("worker", "--stop")

    assert asking.wait(LIMIT) == 130
    asking.communicate()
    assert ends(place) == ["cancelled"]
    assert place.said()[-1] == ("assistant", "One ")


def test_a_worker_that_dies_does_not_keep_ask_waiting(place: Home) -> None:
    place.scripted(ENDLESS)
    pid = detach(place).owner.pid
    asking = place.start("-m", "tui", "ask", "hi")
    assert asking.stdout
    assert asking.stdout.read(4) == b"One "

    os.kill(pid, signal.SIGKILL)

    assert asking.wait(LIMIT) == 1
    asking.communicate()
    assert ends(place) == ["interrupted"]


def test_a_worker_that_dies_under_a_waiting_question_is_told_on_the_screen(
    place: Home, start: Start
) -> None:
    """A stopped process is alive, and takes nothing."""
    place.scripted("Fine.")
    pid = detach(place).owner.pid
    terminal = start(None, config=(place.folder / "config.toml").read_text())
    os.kill(pid, signal.SIGSTOP)
    terminal.type("Hello\r")
    terminal.wait_for("Queued: Hello")

    os.kill(pid, signal.SIGKILL)
    terminal.wait_for("Not asked: Hello")
    terminal.press("escape")
    terminal.wait_for("Taken back: Hello")

    assert owners(place) == set()


def test_the_list_of_what_runs_names_the_process(place: Home) -> None:
    place.scripted(ENDLESS)
    found = detach(place)
    with EventLog(place.store) as log:
        asked = TurnRequested("play", runner=found.runner)
        _, written = request(log, "c", Message("user", "hi"), asked)
        written.result(30)
        wait_until(lambda: conversation.running_anywhere(log))
        running = conversation.running_anywhere(log)

    assert running == {"c": [found.owner]}
    assert "Running: 1" in place.run("worker", "--status").out


def test_a_worker_in_a_terminal_ends_at_ctrl_c(place: Home) -> None:
    place.scripted("Fine.")
    process = place.start("-m", "tui", "worker")
    wait_until(find)

    process.send_signal(signal.SIGINT)

    assert process.wait(LIMIT) == 130
    _, err = process.communicate()
    assert re.search(rb"The worker is running: process \d+ on ", err)
    assert find() is None


def test_a_worker_whose_terminal_goes_finishes_what_it_says(place: Home) -> None:
    place.scripted(SLOW)
    nowhere = subprocess.DEVNULL
    process = place.start("-m", "tui", "worker", stdout=nowhere, stderr=nowhere)
    wait_until(find)
    asking = place.start("-m", "tui", "ask", "hi")
    assert asking.stdout
    assert asking.stdout.read(4) == b"One "

    process.send_signal(signal.SIGHUP)

    out, _ = asking.communicate(timeout=LIMIT)
    assert (asking.returncode, out) == (0, b"two\n")
    assert process.wait(LIMIT) == 0
