"""The terminal goes, the answer goes on: closed windows and signals, for real."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, ssh
from support.start import Start, ask, write_config
from support.terminal import LIMIT, Terminal, wait_until

from tui import conversation
from tui.eventlog import EventLog
from tui.events import TurnFinished, TurnStarted

pytestmark = pytest.mark.new_process  # /proc shows its end

WORDS = [f"word{number}" for number in range(60)]
ANSWER = " ".join([*WORDS, "theend"])
PROMPT = "Go on for a while"


def slow(rate: int = 60, answers: int = 1) -> dict[str, Any]:
    """Takes about a second."""
    return {"reply": [{"text": ANSWER}] * answers, "rate": rate}


def held() -> dict[str, Any]:
    """Says a dozen words, and the others once it is let go."""
    said, then = " ".join(WORDS[:12]), " ".join(["", *WORDS[12:], "theend"])
    steps = [{"text": said}, {"wait_for": "go"}, {"text": then}]
    return {"reply": [{"steps": steps}], "rate": 60}


def ends(log: EventLog, count: int = 1) -> list[str]:
    """Wait until so many turns have ended; return how."""
    found: list[str] = []
    with log.follow() as follow:
        while len(found) < count:
            records = follow.poll(LIMIT)
            assert records, f"only these have ended: {found}"
            found += [
                r.event.reason for r in records if isinstance(r.event, TurnFinished)
            ]
    return found


def answers(log: EventLog) -> list[str]:
    (one,) = conversation.recent(log)
    entries = conversation.fold(log.read(one.id)).entries.values()
    return [e.message.text for e in entries if e.message.role == "assistant"]


def release_answer(log: EventLog) -> None:
    (log.path.parent / "go").touch()


def the_same(log: EventLog) -> str:
    """The configuration that is there."""
    return (log.path.parent / "config.toml").read_text()


def has_let_go(terminal: Terminal) -> bool:
    # Descriptor 0 is empty while there is a screen already.
    link = Path(f"/proc/{terminal.process.pid}/fd/2")
    return str(link.readlink()) == os.devnull


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_closed_window_ends_the_screen_and_not_the_answer(
    start: Start, log: EventLog
) -> None:
    terminal = start(slow())
    ask(terminal, PROMPT)
    terminal.wait_for("word9")

    terminal.hang_up()

    assert ends(log) == ["stop"]
    assert answers(log) == [ANSWER]
    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_who_comes_back_is_told_when_the_answer_went_on(
    start: Start, log: EventLog
) -> None:
    terminal = start(slow())
    ask(terminal, PROMPT)
    terminal.wait_for("word9")
    terminal.hang_up()
    assert ends(log) == ["stop"]
    terminal.process.wait(LIMIT)

    again = start(slow())

    again.wait_for("went on while you were away (")
    again.press("x")  # seen: it is said once
    again.press("ctrl+q")
    assert again.wait_exit() == 0
    third = start(slow(), "-c")
    third.wait_for("scripted · ")
    assert "while you were away" not in third.text


def test_what_waits_behind_the_answer_is_answered_too(
    start: Start, log: EventLog
) -> None:
    terminal = start(slow(answers=2))
    ask(terminal, PROMPT)
    terminal.wait_for("word3")
    ask(terminal, "And then?")
    terminal.wait_for("Queued: And then?")

    terminal.hang_up()

    assert ends(log, 2) == ["stop", "stop"]
    assert answers(log) == [ANSWER, ANSWER]
    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_a_question_sent_in_the_last_moment_is_answered(
    start: Start, log: EventLog
) -> None:
    terminal = start(slow(rate=1000))
    terminal.type(PROMPT)
    terminal.wait_for(PROMPT)

    terminal.press("enter")
    terminal.hang_up()

    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP
    # Either the key was read before the end, or nothing was asked at all.
    asked = bool(conversation.recent(log))
    assert not asked or answers(log) == [ANSWER]


def test_hang_up_by_signal_gives_the_terminal_back_at_once(
    start: Start, log: EventLog
) -> None:
    terminal = start(slow(rate=30))
    ask(terminal, PROMPT)
    terminal.wait_for("word9")

    terminal.signal(signal.SIGHUP)
    terminal.signal(signal.SIGHUP)
    terminal.wait_closed()

    assert terminal.left_on() == set()
    assert not gone(terminal.process.pid)
    assert ends(log) == ["stop"]
    assert answers(log) == [ANSWER]
    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_it_costs_next_to_nothing_while_it_goes_on_without_a_screen(
    start: Start, log: EventLog
) -> None:
    terminal = start([{"steps": [{"text": "One "}, {"pause": 3}, {"text": "two"}]}])
    ask(terminal, PROMPT)
    terminal.wait_for("One")
    terminal.hang_up()
    stat = Path(f"/proc/{terminal.process.pid}/stat")
    wait_until(lambda: has_let_go(terminal))

    def used() -> int:
        fields = stat.read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = used()
    assert ends(log) == ["stop"]

    assert used() - before < 30  # of about 250 hundredths of a second


def test_others_may_cancel_what_goes_on_without_a_screen(
    start: Start, log: EventLog
) -> None:
    first = start([{"steps": [{"text": "One "}, {"pause": 60}, {"text": "two"}]}])
    ask(first, PROMPT)
    first.wait_for("One")
    first.hang_up()

    second = start(None, config=the_same(log))
    second.wait_for("One")
    second.press("escape")

    assert ends(log) == ["cancelled"]
    assert first.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_sigterm_ends_what_goes_on_without_a_screen(
    start: Start, log: EventLog
) -> None:
    terminal = start([{"steps": [{"text": "One "}, {"pause": 60}, {"text": "two"}]}])
    ask(terminal, PROMPT)
    terminal.wait_for("One")
    terminal.hang_up()
    wait_until(lambda: has_let_go(terminal))

    terminal.signal(signal.SIGTERM)

    assert terminal.process.wait(LIMIT) == 128 + signal.SIGTERM
    assert ends(log) == ["cancelled"]


def test_who_comes_back_sees_the_same_conversation_live(
    start: Start, log: EventLog
) -> None:
    first = start(held(), rows=40)
    ask(first, PROMPT)
    first.wait_for("word9")
    first.hang_up()

    second = start(None, rows=40, config=the_same(log))

    second.wait_for("word9")
    release_answer(log)
    second.wait_for("theend")
    assert second.words.count("word59 theend") == 1
    assert answers(log) == [ANSWER]


def test_who_comes_back_after_the_end_finds_what_was_not_seen(
    start: Start, log: EventLog
) -> None:
    first = start(slow())
    ask(first, PROMPT)
    first.wait_for("theend")
    first.hang_up()
    first.process.wait(LIMIT)

    second = start(None, config=the_same(log))
    second.wait_for("theend")
    second.press("ctrl+q")
    assert second.wait_exit() == 0

    third = start(None, config=the_same(log))
    third.settle()
    assert "theend" not in third.text


def test_what_a_key_has_followed_was_seen(start: Start, log: EventLog) -> None:
    first = start(slow())
    ask(first, PROMPT)
    first.wait_for("theend")
    first.wait_for("ready")
    first.type("x")
    (one,) = conversation.recent(log)
    wait_until(lambda: not conversation.is_unseen(log, one.id))
    first.hang_up()
    first.process.wait(LIMIT)

    second = start(None, config=the_same(log))
    second.settle()

    assert "theend" not in second.text


def test_without_a_turn_a_hang_up_ends_the_program(start: Start) -> None:
    terminal = start(slow())

    terminal.hang_up()

    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_the_answer_of_ask_goes_on_too(home: Path, log: EventLog) -> None:
    config = write_config(home, slow())
    command = [sys.executable, "-m", "tui", "ask", "--config", str(config), PROMPT]
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    with Terminal(command, env=env, cwd=home) as terminal:
        terminal.wait_for("word9")
        terminal.hang_up()

        assert ends(log) == ["stop"]
        assert answers(log) == [ANSWER]
        assert terminal.process.wait(LIMIT) == 0
    (one,) = conversation.recent(log)
    assert conversation.is_unseen(log, one.id)


def test_a_cut_link_leaves_the_answer_to_go_on(
    start_remote: Start, link: ssh.Link, log: EventLog
) -> None:
    """As over a real line: sshd finds its client gone, and hangs up."""
    first = start_remote(held(), rows=40)
    ask(first, PROMPT)
    first.wait_for("word9")
    link.relay.cut()
    first.process.wait(LIMIT)

    again = start_remote(None, rows=40, config=the_same(log))
    again.wait_for("word9")
    release_answer(log)
    again.wait_for("theend")

    # As in an uninterrupted run, on the screen and in the store.
    assert " ".join(WORDS[50:]) in again.words.replace(" │ ", " ")
    assert answers(log) == [ANSWER]
    assert ends(log) == ["stop"]
    (owner,) = {
        record.event.pid
        for record in log.read()
        if isinstance(record.event, TurnStarted)
    }
    wait_until(lambda: gone(owner))


def test_a_line_that_has_died_unheard_does_not_keep_anybody_out(
    start_remote: Start, link: ssh.Link, log: EventLog
) -> None:
    """The first app does not know that nobody is there; the second is live too."""
    first = start_remote(held(), rows=40)
    ask(first, PROMPT)
    first.wait_for("word9")
    link.relay.freeze()

    with ssh.Relay(link.server.port) as line:
        command = [sys.executable, "-m", "tui"]
        other = ssh.Link(link.server, line, link.env)
        with other.terminal(command, rows=40) as again:
            again.wait_for("word9")
            release_answer(log)
            again.wait_for("theend")

            assert answers(log) == [ANSWER]
            again.press("ctrl+q")
            assert again.wait_exit() == 0
