"""The keys of find, reasoning and effort, as a terminal sends them."""

import re

from support.start import Start, ask

REPLY = [
    {"steps": [{"reasoning": "a hidden thought"}, {"text": "A token, a word."}]},
]


def test_alt_r_shows_reasoning_and_types_nothing(start: Start) -> None:
    terminal = start(REPLY)
    ask(terminal, "Hi", "A token, a word.")

    terminal.type("\x1br")

    terminal.wait_for("a hidden thought")
    terminal.wait_for("Reasoning shown")
    terminal.type("\x1be")
    terminal.wait_for("scripted has no reasoning effort")
    terminal.wait_for("Message (Enter")  # nothing was typed


def test_ctrl_f_finds_counts_and_returns(start: Start) -> None:
    terminal = start(REPLY, environment={"NO_COLOR": "1"})
    ask(terminal, "A token?", "A token, a word.")

    terminal.type("\x06token")
    terminal.wait_for("1 of 2")
    assert b"\x1b[7" in terminal.raw or b";7m" in terminal.raw
    terminal.press("enter")
    terminal.wait_for("n next")
    terminal.type("n")
    terminal.wait_for("2 of 2  n next")
    terminal.press("escape")

    terminal.wait_for(lambda t: "ready" in t.row(-1) and "of 2" not in t.row(-1))


def test_the_keyboard_of_the_program_before_does_no_harm(start: Start) -> None:
    """What a shell has asked for arrives here: releases of keys, answers."""
    terminal = start(REPLY)

    terminal.send(b"\x1b[13;1:3u\x1b[?62;22c\x1b]11;rgb:1111/1111/1111\x1b\\")
    terminal.send(b"\x1b[72:104:104;2;72u\x1b[1110::105;;1110u\x1b[13;129u")
    terminal.wait_for("A token, a word.")
    assert "Hі" in terminal.text
    terminal.send(b"\x1b[1081::113;5u")  # Ctrl+Q on a Russian layout

    assert terminal.wait_exit() == 0
    flags = re.search(rb"\x1b\[>(\d+)u", terminal.raw)
    assert flags
    assert int(flags[1]) & 4
