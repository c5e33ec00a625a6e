"""The driver itself, with programs small enough to know what they do."""

import signal
import sys

import pytest
from support.terminal import Terminal


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-u", "-c", code]


RAW = "import os, sys, tty; tty.setraw(0)\nw = sys.stdout.write\n"


def test_shows_what_is_drawn_where_it_is_drawn() -> None:
    with Terminal(python("print('\\x1b[3;5Hhere 世界', end='')")) as terminal:
        terminal.wait_exit()

        assert terminal.find("here") == (4, 2)
        assert terminal.row(2) == "    here 世界"
        assert terminal.cells(2)[10].data == ""
        assert terminal.cursor == (13, 2)


def test_sequence_cut_anywhere_is_understood() -> None:
    whole = "\x1b[2J\x1b[?2026h\x1b]0;title\x07\x1b[2;3H\x1b[38;5;9m世\x1b[>1u\x1b[m!"
    code = (
        f"import os\nfor b in {whole.encode()!r}:\n    os.write(1, bytes([b]))\n"
        "os.write(1, b'\\x1b[<u\\x1b[?2026l')"
    )
    with Terminal(python(code)) as terminal:
        assert terminal.wait_exit() == 0

        assert terminal.display[:3] == ["", "  世!", ""]
        assert terminal.left_on() == set()


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("\x1b[c", "\x1b[?62;22c"),
        ("\x1b[?2026$p", "\x1b[?2026;2$y"),
        ("\x1b[?2048$p", "\x1b[?2048;0$y"),
        ("\x1b[4;7H\x1b[6n", "\x1b[4;7R"),
        ("\x1b[18t", "\x1b[8;24;80t"),
        ("\x1b[?u", "\x1b[?0u"),
        ("\x1b]11;?\x07", "\x1b]11;rgb:1111/1111/1111\x1b\\"),
    ],
)
def test_answers_what_a_terminal_is_asked(query: str, answer: str) -> None:
    code = (
        f"{RAW}os.write(1, {query.encode()!r})\nback = b''\n"
        f"while len(back) < {len(answer)}: back += os.read(0, 99)\n"
        "os.write(1, b'\\r' + ascii(back).encode())"
    )
    with Terminal(python(code)) as terminal:
        terminal.wait_for(ascii(answer.encode()))


def test_shown_remembers_what_flashed_by() -> None:
    code = (
        f"{RAW}w('\\x1b[?2026h\\x1b[Hnever\\x1b[Hflash\\x1b[?2026l')\n"
        "w('\\x1b[?2026h\\x1b[Hstays\\x1b[?2026l'); sys.stdout.flush()"
    )
    with Terminal(python(code)) as terminal:
        terminal.wait_exit()

        assert terminal.row(0) == "stays"
        assert "flash" in terminal.shown
        assert "never" not in terminal.shown


def test_tells_what_was_left_on() -> None:
    code = f"{RAW}w('\\x1b[?1049h\\x1b[?1003h\\x1b[?2004h\\x1b[?25l\\x1b[?1003l')"
    with Terminal(python(code)) as terminal:
        terminal.wait_exit()

        assert terminal.left_on() == {
            "alternate screen",
            "bracketed paste",
            "hidden cursor",
            "line settings",
        }


def test_resize_is_signalled() -> None:
    code = (
        "import os, signal\n"
        "def say(*_): print(os.get_terminal_size())\n"
        "signal.signal(signal.SIGWINCH, say); say(); signal.pause()"
    )
    with Terminal(python(code)) as terminal:
        terminal.wait_for("columns=80, lines=24")

        terminal.resize(120, 40)

        terminal.wait_for("columns=120, lines=40")
        assert (terminal.columns, terminal.rows) == (120, 40)


def test_scrolling_by_a_region_moves_only_its_rows() -> None:
    code = (
        f"{RAW}w('\\x1b[Ha\\r\\nb\\r\\nc\\r\\nd\\x1b[2;3r\\x1b[S\\x1b[r');"
        "sys.stdout.flush()"
    )
    with Terminal(python(code)) as terminal:
        terminal.wait_exit()

        assert terminal.display[:4] == ["a", "c", "", "d"]
        assert "scroll region" not in terminal.left_on()


def test_wait_in_vain_shows_the_screen() -> None:
    with (
        Terminal(python("print('only this'); input()")) as terminal,
        pytest.raises(AssertionError, match=r"(?s)'that' did not appear.*only this"),
    ):
        terminal.wait_for("that", seconds=0.5)


def test_closing_ends_a_command_that_would_go_on() -> None:
    with Terminal(python("print('up'); import signal; signal.pause()")) as terminal:
        terminal.wait_for("up")

    assert terminal.process.poll() == -signal.SIGHUP
