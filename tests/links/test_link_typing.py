"""What is typed over a slow link arrives in bursts: no key of them may be lost."""

import pytest
from support.ssh import Link
from support.start import Start, ask
from support.terminal import Terminal

CODE = "Done.\n\n```py\nx = 1\n```"
OPENS = {
    "help": b"\x1bOP",
    "tools": b"\x1bOQ",
    "debug panel": b"\x1bOR",
    "history": b"\x13",
    "models": b"\x0c",
    "palette": b"\x10",
    "find": b"\x06",
    "themes": b"/theme\r",
    "agents": b"/agent\r",
    "cost": b"/cost\r",
    "setup": b"/setup\r",
}
KEEPS = {"help", "history", "models", "palette", "find", "setup"}
"""What has a field, which takes the letters; what closes with it is dropped by Esc."""


def composed(terminal: Terminal) -> str:
    """The text of a composer of one line."""
    return terminal.row(-3).strip("│ ")


@pytest.mark.parametrize("opens", OPENS)
def test_letters_over_each_screen_of_a_slow_link_are_written_or_filter(
    start_remote: Start, link: Link, opens: str
) -> None:
    terminal = start_remote([{"text": CODE}])
    ask(terminal, "Hi", "Done.")
    link.relay.round_trip = 0.3

    terminal.send(OPENS[opens] + b"zqv")
    terminal.wait_for("zqv")
    terminal.send(b"\x1bhello")  # Esc and a word, in one read

    before = "" if opens in KEEPS else "zqv"
    terminal.wait_for(lambda t: composed(t) == f"{before}hello")


def test_ten_keys_in_one_read_do_what_each_of_them_does(
    start_remote: Start, link: Link
) -> None:
    terminal = start_remote([{"text": CODE}], columns=80)
    link.relay.round_trip = 0.3

    # Tools, a letter, Esc, tools, Ctrl+T, a letter, debug panel on and off, a letter.
    terminal.send(b"\x1bOQa\x1b\x1bOQ\x14b\x1bOR\x1bORc\x1b\x1bOQd")

    terminal.wait_for(lambda t: composed(t) == "abcd")
    terminal.wait_for("stream off")
    assert "Tools " not in terminal.text
    assert "Debug" not in terminal.text
