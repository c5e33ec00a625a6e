"""What cannot be drawn says so in its place, and the rest of the screen lives."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.pilot import opened
from support.start import Start
from support.terminal import Terminal

from tui.app import faults
from tui.app.history import list
from tui.app.markdown.stream import Stream
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.note import Note
from tui.app.transcript.strips import Strips
from tui.app.widgets import debug_entries
from tui.app.widgets.composer import Composer
from tui.app.widgets.dialog import Choices, Words
from tui.app.widgets.sidebar_entries import ToolEntry
from tui.app.widgets.status import Status
from tui.messages import ToolCall

GONE = "could not be shown"
NO, DEEP, FULL = ValueError("no"), RecursionError("deep"), MemoryError()

pytestmark = pytest.mark.usefixtures("home")


class Seam(NamedTuple):
    """What is broken, and how it is reached."""

    owner: Any
    method: str
    error: Exception
    keys: tuple[str, ...] = ()


SEAMS = {
    "text": Seam(Stream, "append", NO),
    "text, too deep": Seam(Stream, "append", DEEP),
    "text, no memory": Seam(Stream, "append", FULL),
    "a message's head": Seam(MessageView, "_head", DEEP),
    "a note": Seam(Note, "_laid_out", FULL),
    "a call": Seam(debug_entries.Call, "line", NO, ("f3",)),
    "a call's height": Seam(debug_entries.Call, "height", DEEP, ("f3",)),
    "a tool": Seam(ToolEntry, "line", FULL),
    "the status line": Seam(Status, "spans", DEEP),
    "the composer": Seam(Composer, "render_line", NO),
    "the history": Seam(list.Stored, "line", NO, ("ctrl+s",)),
    "the help": Seam(Words, "render", FULL, ("f1",)),
    "a choice": Seam(Choices, "render_line", DEEP, (*"/model", "enter")),
}


@pytest.mark.parametrize("seam", SEAMS.values(), ids=SEAMS)
async def test_what_cannot_be_drawn_says_so_and_the_answer_is_kept(
    seam: Seam, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> object:
        raise seam.error

    logging.getLogger("tui").propagate = True
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        monkeypatch.setattr(seam.owner, seam.method, fails)
        chat.screen.transcript.add_note("A note")
        chat.screen.debug_panel.call_started(ToolCall("c", "add", {"a": 1}))
        await chat.ask("Second")
        await chat.pilot.press(*seam.keys)
        if not chat.screen.sidebar.display:
            chat.screen.arrangement.toggle_sidebar()
        chat.screen.sidebar.refresh()

        await chat.until(GONE)
        await chat.until(lambda: chat.screen.presenter.answers[-1] == "Two.")
        await chat.ready()
        assert chat.app.is_running

    noted = [r for r in caplog.records if r.name == faults.__name__]
    # Not again with each frame; what there are several of, each fails once.
    assert 0 < len(noted) < 20
    assert type(seam.error).__name__ in noted[0].getMessage()


async def test_a_row_that_cannot_be_coloured_stands_for_its_message_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strip = Strips.strip

    def fails(self: Strips, line: Any, *more: Any) -> Any:
        if "Two." in line.text:
            raise ValueError
        return strip(self, line, *more)

    monkeypatch.setattr(Strips, "strip", fails)
    async with opened(["One.", "Two.", "Three."]) as chat:
        for question, seen in (("a", "One."), ("b", GONE), ("c", "Three.")):
            await chat.ask(question)
            await chat.until(seen)
            await chat.ready()

        assert chat.text.count(GONE) == 1
        assert "One." in chat.text


async def test_a_message_is_tried_again_at_another_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append, tries = Stream.append, 0

    def fails(self: Stream, text: str) -> None:
        nonlocal tries
        tries += 1
        raise RecursionError

    async with opened(["One. " * 20]) as chat:
        monkeypatch.setattr(Stream, "append", fails)
        await chat.ask("First")
        await chat.until(GONE)
        await chat.ready()
        tried = tries
        for _ in range(5):
            chat.screen.transcript.refresh()
            await chat.pilot.pause()
        assert tries == tried

        monkeypatch.setattr(Stream, "append", append)
        await chat.pilot.resize_terminal(90, 30)
        await chat.until("One. One.")
        assert GONE not in chat.text


def test_in_a_terminal_too_the_log_file_is_named(start: Start, home: Path) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "broken.py").write_text(
        "from tui.app.markdown.stream import Stream\n"
        "def fails(self, text):\n"
        "    raise RecursionError\n"
        "Stream.append = fails\n",
        "utf-8",
    )
    terminal = start([{"text": "Fine."}], columns=200)
    terminal.type("Well?")
    terminal.press("enter")

    said = f"{GONE} (RecursionError; details: {home / 'lazychat.log'})"
    # Broken wherever the length of the path has it.
    squeezed = "".join(said.split())
    terminal.wait_for(lambda t: squeezed in "".join(beside_sidebar(t).split()))
    terminal.wait_for("ready")
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert "in fails" in (home / "lazychat.log").read_text("utf-8")


def beside_sidebar(terminal: Terminal) -> str:
    """The rows of the conversation: its columns end before those of the tools."""
    return "\n".join(row[:140] for row in terminal.display)
