"""What can be chosen with the keyboard can be clicked."""

from pathlib import Path

import pytest
from support.pilot import Chat, opened

from tui.models.scripted import Pause

pytestmark = pytest.mark.usefixtures("home")


async def click(chat: Chat, text: str) -> None:
    """Click the last place where `text` is on the screen."""
    rows = chat.text.splitlines()
    y = max(n for n, row in enumerate(rows) if text in row)
    await chat.pilot.click(offset=(rows[y].rfind(text) + 1, y))


async def test_a_command_of_the_menu_is_run_by_a_click() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("/")
        await chat.until("/history")

        await click(chat, "Ask the last question")

        await chat.until("Nothing to retry")


async def test_a_command_with_an_argument_is_completed_by_a_click() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press(*"/co")
        await chat.until("/compact")

        await click(chat, "/compact")

        await chat.until(lambda: chat.screen.composer.text == "/compact ")
        assert chat.screen.composer.has_focus


async def test_a_file_of_the_menu_is_named_by_a_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.md", "other.md"):
        (tmp_path / name).write_text("x")
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press(*"see @o")
        await chat.until("other.md")

        await click(chat, "other.md")

        await chat.until(lambda: chat.screen.composer.text.startswith("see @other.md"))


@pytest.mark.parametrize(
    ("key", "shown"),
    [("F1 help", "Keys and commands"), ("F2 tools", "calc"), ("F3 debug", "Debug")],
)
async def test_the_keys_of_the_status_line_are_run_by_a_click(
    key: str, shown: str
) -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.until(key)

        await click(chat, key)

        await chat.until(shown)


async def test_a_click_on_stop_stops_the_answer() -> None:
    async with opened([["One ", Pause(600)]], size=(80, 24)) as chat:
        await chat.ask("Count")
        await chat.until("One")
        await chat.until("Esc stop")

        await click(chat, "Esc stop")

        await chat.until("Cancelled")


async def test_what_the_empty_state_offers_is_done_by_a_click() -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.ask("An old question")
        await chat.until("One.")
        await chat.ready()
        await chat.pilot.press("ctrl+n")
        await chat.until("F5 open")

        await click(chat, "What's 17 %")
        await chat.until(lambda: chat.screen.composer.text == "What's 17 % of 2,340?")
        assert chat.screen.composer.has_focus
        assert "What time" in chat.text

        await click(chat, "F5 open")
        await chat.until("One.")


async def test_the_keys_of_the_history_are_run_by_a_click() -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.ask("An old question")
        await chat.until("One.")
        await chat.ready()
        await chat.pilot.press("ctrl+s")
        await chat.until("F2 rename")

        await click(chat, "F2 rename")
        await chat.until("Rename to")
        await chat.pilot.press("end", "s")
        await click(chat, "Enter rename")
        await chat.until("An old questions")
        await click(chat, "F4 pin")
        await chat.until("Pinned")
        await click(chat, "F6 import")
        await chat.until("path/to/file.json")
        await click(chat, "Esc cancel")
        await chat.until("Search all conversations")
        await click(chat, "Esc back")

        await chat.until("One.")
        assert chat.screen.composer.has_focus


async def test_the_model_is_chosen_by_a_click_in_the_empty_state() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.until("Ctrl+L choose")

        await click(chat, "Ctrl+L choose")

        await chat.until("Type to filter")


async def test_attached_files_are_removed_by_a_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "b.md", "c.md", "d.md", "e.md"):
        (tmp_path / name).write_text("x")
    async with opened(size=(80, 24)) as chat:

        def files() -> str:
            return "".join(file.name[0] for file in chat.screen.composer.files)

        for name in "abcde":
            await chat.ask(f"/attach {name}.md")
            await chat.until(lambda name=name: files().endswith(name))
        await chat.until("… and 3 more files")

        await click(chat, "more files")  # stands for several files
        await click(chat, "a.md")  # not its mark
        await click(chat, " ×")
        await chat.until(lambda: files() == "acde")
        await chat.until("… and 2 more files")
        await click(chat, "Backspace removes")
        await chat.until(lambda: files() == "acd")
        await chat.until("d.md")
        await click(chat, " ×")
        await chat.until(lambda: files() == "ac")

        assert chat.screen.composer.has_focus


@pytest.mark.parametrize("width", [80, 44])
async def test_the_keys_of_the_list_are_pressed_by_a_click(width: int) -> None:
    async with opened(["One."], size=(width, 24)) as chat:
        await chat.ask("An old question")
        await chat.until("One.")
        await chat.ready()
        await chat.pilot.press("ctrl+s")
        await chat.until("F2 rename")

        await click(chat, "F2 rename")
        await chat.until("Rename to")
        await click(chat, "Esc cancel")
        await chat.until("F4 pin")
        await click(chat, "F4 pin")
        await chat.until("Pinned")
        await chat.pilot.press("tab")
        await chat.until("p pin")
        await click(chat, "p pin")
        await chat.until(lambda: "Pinned" not in chat.text)
        await click(chat, "Enter open")

        await chat.until("One.")
        await chat.until(lambda: "rename" not in chat.text)
