"""Plain mode in real terminals and pipes: lines that are only ever appended."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, asking_tool
from support.fakes.lazychat import LIMIT, Home
from support.start import write_config
from support.terminal import Terminal

from tui.eventlog import EventLog
from tui.events import ApprovalGiven, TurnFinished

Plain = Callable[..., Terminal]
SLOW = {"reply": [{"text": " ".join(f"word{n}" for n in range(400))}], "rate": 20}


@pytest.fixture
def plain(home: Path) -> Iterator[Plain]:
    """Start plain mode in a terminal."""
    with ExitStack() as stack:

        def start(
            script: Any = None,
            *arguments: str,
            config: Any = None,
            flags: tuple[str, ...] = ("--plain",),
            until: str = "You:",
            **environment: str,
        ) -> Terminal:
            file = home / "config.toml"
            if script is not None:
                file = write_config(home, script, config or {})
            command = [sys.executable, "-m", "tui", "--config", str(file), *flags]
            env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
            terminal = Terminal(
                [*command, *arguments],
                columns=100,
                rows=60,
                env=env | environment,
                cwd=home,
            )
            stack.enter_context(terminal)
            terminal.wait_for(until)
            return terminal

        yield start


def lines(terminal: Terminal) -> list[str]:
    return [row.rstrip() for row in terminal.display if row.strip()]


def prompts(terminal: Terminal) -> bool:
    """Whether the user is asked for the next line."""
    return bool(lines(terminal)) and lines(terminal)[-1] == "You:"


def say(terminal: Terminal, text: str) -> None:
    terminal.wait_for(prompts)
    terminal.type(text)
    terminal.press("enter")
    terminal.wait_for(f"You: {text}")


def leave(terminal: Terminal) -> None:
    terminal.wait_for(prompts)
    terminal.press("ctrl+d")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def ends(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


# -- what is written


def test_an_answer_is_labelled_lines_without_a_single_escape_sequence(
    plain: Plain,
) -> None:
    evil = "Red \x1b[31malert\x1b[0m \x1b]0;title\x07\x9b2J and\rback."
    terminal = plain([{"text": evil}])

    say(terminal, "Well?")
    terminal.wait_for("back.")
    leave(terminal)

    assert lines(terminal)[-3:] == [
        "You: Well?",
        "scripted: Red ␛[31malert␛[0m ␛]0;title␇\N{REPLACEMENT CHARACTER}2J andback.",
        "You:",
    ]
    assert b"\x1b" not in terminal.raw
    assert re.search(rb"\r(?!\n)", terminal.raw.replace(b"\r\r\n", b"\r\n")) is None


def test_text_is_written_as_it_comes(plain: Plain) -> None:
    terminal = plain(SLOW)

    say(terminal, "Tell me.")
    terminal.wait_for("word3")

    assert "scripted: word0 word1" in terminal.words
    assert "word399" not in terminal.text
    terminal.press("ctrl+c")
    terminal.wait_for("Stopped")


def test_with_streaming_off_the_answer_comes_when_it_is_complete(plain: Plain) -> None:
    script = {"reply": [{"text": " ".join("abcdefgh")}], "rate": 10}
    terminal = plain(script)

    say(terminal, "/stream")
    say(terminal, "Tell me.")
    terminal.wait_for("a b c d e f g h")

    assert "scripted: a b c" not in {row.rstrip() for row in terminal.shown}


def test_color_makes_labels_bold_and_nothing_else(plain: Plain) -> None:
    terminal = plain([{"text": "Fine."}], flags=("--plain", "--color"))

    say(terminal, "Well?")
    terminal.wait_for("Fine.")
    leave(terminal)

    assert set(re.findall(rb"\x1b[^m]*m", terminal.raw)) == {b"\x1b[1m", b"\x1b[0m"}
    assert terminal.raw.count(b"\x1b") == terminal.raw.count(b"\x1b[1m") * 2


def test_thinking_is_told_once_and_never_quoted(plain: Plain) -> None:
    steps = [{"reasoning": "Secret thoughts of many words."}, {"text": "Fine."}]
    terminal = plain({"reply": [{"steps": steps}], "rate": 5})

    say(terminal, "Well?")
    terminal.wait_for("Fine.")

    assert terminal.text.count("thinking...") == 1
    assert "Secret" not in terminal.words


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_can_show_no_screen_gets_plain_mode(
    plain: Plain, term: str
) -> None:
    terminal = plain([{"text": "Fine."}], flags=(), TERM=term)

    say(terminal, "Well?")
    terminal.wait_for("scripted: Fine.")
    leave(terminal)

    assert f"Note: This terminal (TERM={term}) cannot show a screen" in terminal.words
    assert b"\x1b" not in terminal.raw


def test_the_configuration_can_choose_it(plain: Plain) -> None:
    terminal = plain([{"text": "Fine."}], config={"plain": True}, flags=())

    leave(terminal)

    assert b"\x1b" not in terminal.raw
    assert "cannot show a screen" not in terminal.words


# -- lines


def test_lines_are_edited_and_up_recalls_them(plain: Plain) -> None:
    terminal = plain([{"text": "One."}, {"text": "Two."}])

    terminal.type("Hellx")
    terminal.press("backspace")
    terminal.type("o")
    terminal.press("enter")
    terminal.wait_for("One.")
    terminal.wait_for(prompts)
    terminal.press("up")
    terminal.wait_for(lambda t: lines(t)[-1] == "You: Hello")
    terminal.press("enter")
    terminal.wait_for("Two.")

    assert terminal.text.count("You: Hello") == 2


def test_pasted_lines_are_one_message(plain: Plain, log: EventLog) -> None:
    terminal = plain([{"text": "Fine."}])

    terminal.wait_for(prompts)
    terminal.send(b"first\rsecond\rthird\r")
    terminal.wait_for("Fine.")
    leave(terminal)

    assert ends(log) == ["stop"]


def test_a_backslash_continues_the_message(plain: Plain, place: Home) -> None:
    terminal = plain([{"text": "Fine."}])

    say(terminal, "first\\")
    terminal.wait_for("first\\")
    terminal.settle()
    terminal.type("second")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    leave(terminal)

    assert place.said()[0] == ("user", "first\nsecond")


def test_what_is_typed_during_an_answer_is_the_next_question(plain: Plain) -> None:
    script = {"reply": [SLOW["reply"][0], {"text": "Second."}], "rate": 400}
    terminal = plain(script)

    say(terminal, "One?")
    terminal.wait_for("word9")
    terminal.type("Two?")
    terminal.press("enter")
    terminal.wait_for("scripted: Second.")

    assert "Note: Queued: Two?" in terminal.words
    assert "Note: Queued: Two? scripted: word" in terminal.words


# -- tools


@pytest.mark.parametrize(
    ("answer", "told", "runs"),
    [
        ("y", "allowed once", 1),
        ("c", "allowed in this conversation", 1),
        ("a", "always allowed", 1),
        ("n not now", "denied", 0),
    ],
)
def test_a_tool_asks_and_the_answer_is_typed(
    plain: Plain, home: Path, log: EventLog, answer: str, told: str, runs: int
) -> None:
    asking_tool.add(home)
    terminal = plain([{"steps": [asking_tool.call("ls -l")]}, {"text": "Done."}])

    say(terminal, "Look.")
    terminal.wait_for("Allow:")
    assert "Tool run_it: wants to run" in terminal.words
    assert "  ls -l" in terminal.text
    terminal.type(answer)
    terminal.press("enter")
    terminal.wait_for("scripted: Done.")

    assert f"Tool run_it: {told}" in terminal.words
    assert len(asking_tool.runs(home)) == runs
    (given,) = [r.event for r in log.read() if isinstance(r.event, ApprovalGiven)]
    assert given.reason == ("not now" if answer == "n not now" else "")
    assert "ran ls" not in terminal.words  # what the tool has returned


def test_the_lines_of_a_command_are_marked(plain: Plain, home: Path) -> None:
    asking_tool.add(home)
    command = "ls\n(in /home/me, 5 s at most)"
    terminal = plain([{"steps": [asking_tool.call(command)]}, {"text": "Done."}])

    say(terminal, "Look.")
    terminal.wait_for("Allow:")

    assert "  ls\n  > (in /home/me, 5 s at most)" in "\n".join(
        row.rstrip() for row in terminal.display
    )


def test_an_unclear_answer_allows_nothing(plain: Plain, home: Path) -> None:
    asking_tool.add(home)
    terminal = plain([{"steps": [asking_tool.call()]}, {"text": "Done."}])

    say(terminal, "Look.")
    terminal.wait_for("Allow:")
    terminal.type("yes please run it")
    terminal.press("enter")
    terminal.wait_for(lambda t: t.text.count("Allow:") == 2)

    assert asking_tool.runs(home) == []


def test_ctrl_c_at_the_question_stops_the_answer(
    plain: Plain, home: Path, log: EventLog
) -> None:
    asking_tool.add(home)
    terminal = plain([{"steps": [asking_tool.call()]}, {"text": "Done."}])

    say(terminal, "Look.")
    terminal.wait_for("Allow:")
    terminal.press("ctrl+c")
    terminal.wait_for("Stopped")
    leave(terminal)

    assert ends(log) == ["cancelled"]
    assert asking_tool.runs(home) == []


def test_what_a_tool_prints_is_never_shown(plain: Plain, home: Path) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "loud.py").write_text(
        "import os, sys\nfrom tui import tool\n\n\n@tool\ndef loud() -> str:\n"
        '    """Be loud."""\n    print("Mk1 \\x1b[2J", flush=True)\n'
        '    os.system("echo Mk2; echo Mk3 >&2; echo Mk4 > /dev/tty")\n'
        '    return "Mk5"\n'
    )
    terminal = plain([{"steps": [{"call": "loud"}]}, {"text": "Done."}])

    say(terminal, "Go.")
    terminal.wait_for("scripted: Done.")
    leave(terminal)

    assert "Tool loud: done in" in terminal.words
    assert b"Mk" not in terminal.raw
    assert b"\x1b" not in terminal.raw


# -- stopping and leaving


def test_ctrl_c_stops_an_answer_and_keeps_its_text(
    plain: Plain, log: EventLog, place: Home
) -> None:
    terminal = plain(SLOW)

    say(terminal, "Tell me.")
    terminal.wait_for("word3")
    terminal.press("ctrl+c")
    terminal.wait_for("Note: Stopped")
    leave(terminal)

    assert ends(log) == ["cancelled"]
    assert place.said()[1][1].startswith("word0 word1")


def test_ctrl_c_twice_at_the_prompt_leaves(plain: Plain) -> None:
    terminal = plain([])

    terminal.wait_for(prompts)
    terminal.type("half a li")
    terminal.wait_for("half a li")
    terminal.settle()
    terminal.press("ctrl+c")
    terminal.wait_for("Ctrl+C again quits")
    terminal.wait_for(prompts)
    terminal.press("ctrl+c")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_an_answer_goes_on_in_the_background_and_is_told_on_return(
    plain: Plain, log: EventLog
) -> None:
    script = {"reply": [{"text": " ".join(f"w{n}" for n in range(60))}], "rate": 20}
    terminal = plain(script)
    say(terminal, "Tell me.")
    terminal.wait_for("w3")

    terminal.press("ctrl+d")
    terminal.wait_for("Quit:")
    terminal.type("b")
    terminal.press("enter")
    terminal.wait_exit()
    wait_until_ended(log)
    again = plain()

    again.wait_for("w59")
    assert "Conversation Tell me." in again.words
    assert "You: Tell me." in again.words
    assert ends(log) == ["stop"]


def test_a_hang_up_does_not_end_the_answer(plain: Plain, log: EventLog) -> None:
    script = {"reply": [{"text": " ".join(f"w{n}" for n in range(60))}], "rate": 20}
    terminal = plain(script)
    say(terminal, "Tell me.")
    terminal.wait_for("w3")

    terminal.hang_up()
    wait_until_ended(log)
    again = plain()

    again.wait_for("w59")
    assert ends(log) == ["stop"]


def test_a_hang_up_at_the_prompt_ends_the_program(plain: Plain) -> None:
    terminal = plain([])
    terminal.wait_for(prompts)

    terminal.hang_up()

    assert terminal.process.wait(LIMIT) == 128 + signal.SIGHUP


def test_sigterm_ends_it_and_restores_the_terminal(plain: Plain) -> None:
    terminal = plain(SLOW)
    say(terminal, "Tell me.")
    terminal.wait_for("word3")

    terminal.signal(signal.SIGTERM)

    assert terminal.wait_exit() == 128 + signal.SIGTERM
    assert terminal.left_on() == set()


def wait_until_ended(log: EventLog) -> None:
    with log.follow() as follow:
        while records := follow.poll(LIMIT):
            if any(isinstance(r.event, TurnFinished) for r in records):
                return
    raise AssertionError("the answer has not ended")


# -- conversations


def test_conversations_are_listed_opened_renamed_and_restored(plain: Plain) -> None:
    terminal = plain([{"text": "One."}, {"text": "Two."}])
    say(terminal, "First question?")
    terminal.wait_for("One.")
    say(terminal, "/new")
    say(terminal, "Second question?")
    terminal.wait_for("Two.")

    say(terminal, "/list")
    terminal.wait_for("/open ID opens one")
    row = next(row for row in lines(terminal) if "First question?, " in row)
    say(terminal, f"/open {row.split()[0]}")
    terminal.wait_for("Conversation First question?")
    say(terminal, "/rename Something else")
    say(terminal, "/delete")
    terminal.wait_for('Deleted "Something else"')
    say(terminal, "/show")
    terminal.wait_for("This conversation is empty")
    say(terminal, "/undo")
    terminal.wait_for('Restored "Something else"')
    said = [line for line in lines(terminal) if "Something else" in line]
    assert said[:2] == [
        "You: /rename Something else",
        "Note: The title is now Something else",
    ]
    assert len(said) == 4  # deleted, restored: nothing is told twice

    said = ["You: First question?", "scripted: One."]
    terminal.wait_for(lambda t: lines(t)[-3:-1] == said)


def test_settings_are_listed_and_changed_in_words(plain: Plain) -> None:
    terminal = plain([])

    say(terminal, "/tools")
    terminal.wait_for("/tools NAME turns one on or off")
    told = lines(terminal)
    assert "get_current_weather: on, demo with made-up results" in told
    assert "read_file: on, asks first" in told
    assert "current_time: on" in told
    say(terminal, "/tools current_time")
    terminal.wait_for("current_time is off")
    say(terminal, "/agent")
    terminal.wait_for("/agent NAME chooses another one")
    say(terminal, "/agent plna")
    terminal.wait_for('There is no agent "plna". Did you mean "plan"?')
    say(terminal, "/agent plan")
    terminal.wait_for("The agent is now plan: makes a plan")
    say(terminal, "/system")
    terminal.wait_for("No system prompt; /system TEXT sets one")
    say(terminal, "/system Be brief")
    say(terminal, "/system")
    terminal.wait_for("System prompt: Be brief")
    terminal.wait_for("/system TEXT sets another one, /system default resets it")
    leave(terminal)


def test_a_mistyped_command_is_not_sent(plain: Plain, log: EventLog) -> None:
    terminal = plain([])

    say(terminal, "/modle")
    terminal.wait_for('There is no command /modle. Did you mean "/model"?')
    say(terminal, "/modle qwen")
    terminal.wait_for(lambda t: t.text.count("no command /modle") == 2)
    say(terminal, "/theme")
    terminal.wait_for("/theme is not available in plain mode")
    say(terminal, "/save-code 2 rate.py")
    terminal.wait_for("/save-code is not available in plain mode")
    leave(terminal)

    assert log.read() == []


def test_every_command_of_the_app_works_or_says_what_to_do_instead() -> None:
    from tui.app.commands import COMMANDS
    from tui.cli.plain import commands

    here = {slash for it in commands.COMMANDS for slash in (it.slash, *it.aliases)}

    names = {name for it in COMMANDS for name in (it.slash, *it.aliases) if name}
    assert names - here - set(commands.ELSEWHERE) == set()
    assert not here & set(commands.ELSEWHERE)


# -- pipes


def test_lines_of_a_pipe_are_messages_and_the_end_waits_for_answers(
    place: Home,
) -> None:
    place.scripted("One.", "Two.")

    done = place.run("--plain", input="First?\n/stream\nSecond?\n")

    assert done == (
        0,
        "lazychat in plain mode, model play. /help lists commands.\n"
        "You: First?\nplay: One.\n"
        "You: /stream\nNote: Answers appear when they are complete\n"
        "You: Second?\nplay: Two.\n",
        "",
    )


def test_all_of_it_is_chinese_in_chinese(place: Home) -> None:
    place.scripted([{"call": "current_time", "arguments": {}}], "好的。")
    place.env["LAZYCHAT_LANGUAGE"] = "zh"

    done = place.run(
        "--plain",
        input="几点？\n/list\n/agent\n/tools\n/tools roll_dice\n/help\n",
    )

    assert "你：几点？\n工具 current_time：运行中\n工具 current_time：完成" in done.out
    assert "  几点？，刚刚，已在此打开\n" in done.out
    assert "plan：先制定计划，逐步执行，再回答\n" in done.out
    assert "current_time：开\n" in done.out
    assert "read_file：开，先询问\n" in done.out
    assert "提示：roll_dice：关\n" in done.out
    assert "/search 关键词：搜索所有对话\n" in done.out


def test_at_the_end_of_a_pipe_a_tool_that_asks_is_denied(
    place: Home, home: Path
) -> None:
    asking_tool.add(home)
    place.scripted([asking_tool.call()], "Then not.")

    done = place.run("--plain", input="Look.\n")

    assert done.code == 0
    assert "Tool run_it: denied\nplay: Then not.\n" in done.out
    assert asking_tool.runs(home) == []


def test_a_conversation_is_continued_by_option(place: Home) -> None:
    place.scripted("Fine.")
    place.run("--plain", input="First?\n")

    done = place.run("--plain", "-c", input="")

    assert "Note: Conversation First?\nYou: First?\nplay: Fine.\n" in done.out


def test_a_reader_that_closes_its_pipe_ends_it_without_a_traceback(
    place: Home,
) -> None:
    place.scripted("word " * 100_000)
    process = place.start(
        "-m", "tui", "--plain", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"Go.\n")
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr
    said = process.stderr.read()
    process.stdin.close()
    process.stderr.close()

    assert process.wait(LIMIT) == 1
    assert b"Traceback" not in said


def test_without_a_terminal_the_screen_names_plain_mode(place: Home) -> None:
    done = place.run()

    assert done.code == 2
    assert "lazychat --plain" in done.err
