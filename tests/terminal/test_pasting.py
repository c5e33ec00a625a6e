"""Pastes into the app in a real terminal: every cut, lost markers, a slow line."""

from time import monotonic, sleep

import pytest
from support.fault_notes import Tried
from support.start import Start
from support.terminal import Terminal

from tui.app.terminal.burst import SPLIT

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
LOG = b"$ make\r\x1b[31merror:\x1b[0m one\rdone"
REPLY = [{"text": "got it"}]


def composed(terminal: Terminal) -> str:
    """Return the text in the composer, its lines joined by a bar."""
    rows = [row for row in terminal.display if row.startswith("│")]
    return "|".join(row.strip("│ ") for row in rows)


def test_a_coloured_log_is_one_paste_and_nothing_is_sent(start: Start) -> None:
    terminal = start(REPLY)

    terminal.send(BEGIN + LOG + END)
    terminal.wait_for("done")

    assert composed(terminal) == "$ make|␛[31merror:␛[0m one|done"
    assert "got it" not in terminal.text
    terminal.press("enter")
    terminal.wait_for("got it")


@pytest.mark.parametrize("pause", [0.03, 0.12, 0.3])
def test_markers_are_found_wherever_they_are_cut(start: Start, pause: float) -> None:
    terminal = start(REPLY)
    expected = ""
    for cut in range(1, len(END)):
        # A pause after its first byte would make that the key Esc.
        first = max(cut, 2)
        for part in (BEGIN[:first], BEGIN[first:] + b"p", END[:cut]):
            terminal.send(part)
            terminal.written_within(pause)
        terminal.send(END[cut:] + b"t")
        expected += "pt"
        terminal.wait_for(lambda t, text=expected: composed(t) == text)


def test_a_paste_whose_end_is_lost_does_not_keep_the_keys(
    start: Start, tried: Tried
) -> None:
    cuts = (0, 1, 4)
    terminal = start(REPLY)
    for count, cut in enumerate(cuts, 1):
        terminal.send(BEGIN + b"lost" + END[:cut])
        terminal.wait_for(lambda t, n=count: composed(t) == "lost" * n)
    terminal.press("enter")
    terminal.wait_for("got it")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()
    tried("End marker of a paste lost or cut off", len(cuts))


def test_lines_without_markers_are_text(start: Start) -> None:
    terminal = start(REPLY)

    terminal.send(b"line one\rline two\r")
    terminal.wait_for("line two")
    terminal.settle()

    assert "got it" not in terminal.text
    terminal.press("enter")
    terminal.wait_for("got it")


@pytest.mark.parametrize("pause", [0.0, 0.011, 0.025])
def test_lines_without_markers_are_text_wherever_a_pause_cuts_them(
    start: Start, pause: float, tried: Tried
) -> None:
    """Up to the limit: `test_reader.py`, which has the clock that the program reads."""
    lines, whole = b"one two\rab\r\rcd\r", "one two|ab||cd|"
    terminal = start(REPLY)
    for cut in range(1, len(lines)):
        paused = 1.0
        # Longer only when this process had to wait. The kernel passes on what is
        # written in a thread of its own, for which the rest of `SPLIT` is left.
        while paused > SPLIT - 0.02:
            terminal.send(b"\x7f" * 40)
            terminal.wait_for(lambda t: composed(t).startswith("Message"))
            began = monotonic()
            terminal.send(lines[:cut])
            terminal.written_within(pause)
            terminal.send(lines[cut:])
            paused = monotonic() - began
        terminal.wait_for(lambda t: composed(t) == whole)
    tried("Lines without paste markers, cut by a pause", len(lines) - 1)


def test_a_paste_on_a_line_of_300_ms_is_one(start_remote: Start, link) -> None:
    terminal = start_remote(REPLY)
    link.relay.round_trip = 0.3

    for part in (BEGIN + LOG[:9], LOG[9:] + END[:3], END[3:] + b"!"):
        terminal.send(part)
        sleep(0.3)  # the pause is what is tried
    terminal.wait_for("done!")

    assert composed(terminal) == "$ make|␛[31merror:␛[0m one|done!"
    terminal.press("enter")
    terminal.wait_for("got it")
