"""Where a copy goes: the terminal, tmux, or a file; and what is said of it."""

import os
import stat
from pathlib import Path

import pytest
from support.pilot import opened

from tui.app.chat.attention import call_back, notification
from tui.app.chat.clipboard import MOST_BYTES


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """A tmux that stores what it is given."""
    kept = tmp_path / "buffer"
    program = tmp_path / "tmux"
    program.write_text(
        '#!/bin/sh\n[ "$2" = "$REFUSED" ] && exit 1\n'
        f'echo "$@" > {tmp_path}/arguments\ncat > {kept}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "/tmp/tmux-1/default,1,0")
    return kept


def given(file: Path) -> str:
    return file.read_text("utf-8")


async def test_in_tmux_a_copy_goes_into_its_buffer_and_to_its_terminal(tmux: Path):
    async with opened(["**One.**"]) as chat:
        await chat.ask("1")
        await chat.until("One.")
        await chat.ready()
        await chat.ask("/copy")

        await chat.until("8 characters copied to tmux and its terminal")
        assert given(tmux) == "**One.**"
        assert given(tmux.parent / "arguments").strip() == "load-buffer -w -"


async def test_an_old_tmux_gets_the_buffer_alone(tmux: Path, monkeypatch) -> None:
    monkeypatch.setenv("REFUSED", "-w")
    async with opened(["One."]) as chat:
        chat.screen.clipboard.copy("text")

        await chat.until("copied to tmux (prefix ] pastes)")
        assert given(tmux) == "text"


async def test_without_a_tmux_that_answers_it_goes_to_the_terminal(
    tmux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSED", "-w")
    (tmux.parent / "tmux").write_text("#!/bin/sh\nexit 1\n")
    async with opened(["One."]) as chat:
        chat.screen.clipboard.copy("text")

        await chat.until("4 characters sent to the terminal's clipboard")
        assert chat.app.clipboard == "text"


async def test_what_no_terminal_takes_goes_into_a_private_file(home: Path) -> None:
    text = "é" * MOST_BYTES
    async with opened(["One."]) as chat:
        chat.screen.clipboard.copy(text)

        await chat.until("Too long for a clipboard: written to ")
        file = home / "copied.txt"
        assert file.read_text("utf-8") == text
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert chat.app.clipboard != text


def written(how: str, *, focused: bool = False, title: str = "Rates") -> str:
    said: list[str] = []
    call_back(how, title, focused=focused, write=said.append)  # type: ignore[arg-type]
    return "".join(said)


def test_a_bell_rings_only_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")

    assert written("bell") == "\a"
    assert written("bell", focused=True) == ""
    assert written("off") == ""
    assert written("notify") == "\x1b]9;lazychat: answered “Rates”\x1b\\\a"


def test_a_title_cannot_end_the_notification_or_be_endless() -> None:
    said = notification("a\x1b\\;\x07" + "b" * 500, "foot")

    assert said.startswith("\x1b]777;notify;lazychat: answered;a␛\\,␇bb")
    assert said.count("\x1b") == 2
    assert len(said) < 130
