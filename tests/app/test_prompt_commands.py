"""Prompt files as slash commands."""

import threading
from pathlib import Path
from typing import Any

import pytest
from support.pilot import opened

from tui import paths, prompt_files

pytestmark = pytest.mark.usefixtures("home")


def write(name: str, text: str) -> None:
    folder = paths.prompt_files_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


async def test_a_prompt_is_found_in_the_menu_filled_and_sent() -> None:
    write("review.md", "---\ndescription: Look a file over\n---\nReview $1, please.")
    async with opened(["Fine."]) as chat:
        await chat.until(lambda: chat.screen.composer.menu.more())
        await chat.type("/rev")
        await chat.until("Look a file over")
        chat.screen.composer.load_text("")

        await chat.ask("/review a.py")
        await chat.until(lambda: chat.screen.composer.text == "Review a.py, please.")
        await chat.pilot.press("enter")
        await chat.until("Fine.")

        assert chat.model.requests[0].messages[-1].text == "Review a.py, please."


async def test_what_is_typed_before_the_files_are_read_is_found_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("review.md", "---\ndescription: Look a file over\n---\nReview $1, please.")
    read, load = threading.Event(), prompt_files.load

    def slowly(folder: Path) -> Any:
        read.wait(30)
        return load(folder)

    monkeypatch.setattr(prompt_files, "load", slowly)
    async with opened([]) as chat:
        await chat.type("/rev")
        await chat.until("/revise")
        read.set()

        await chat.until("Look a file over")


async def test_a_new_file_counts_without_a_restart() -> None:
    async with opened([]) as chat:
        await chat.type("/tidy")
        write("tidy.md", "Tidy up.")
        await chat.until(lambda: chat.screen.composer.menu.parse("/tidy"))


async def test_a_prompt_with_the_name_of_a_command_is_reported() -> None:
    write("model.md", "Never used.")
    async with opened([]) as chat:
        await chat.type("/mod")
        await chat.until(lambda: chat.host.problems)
        assert "lazychat has a /model command of its own" in chat.host.problems[0]
        parsed = chat.screen.composer.menu.parse("/model x")
        assert parsed
        assert parsed[0].name == "model"
