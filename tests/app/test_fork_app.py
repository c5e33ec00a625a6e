"""Forks in the app: by a slash command, by a key, and from the list."""

import threading
from typing import Any

import pytest
from support.pilot import Chat, opened
from textual.events import Key

from tui import conversation
from tui.app.history.actions import Library, Outcome
from tui.app.history.screen import HistoryScreen
from tui.app.terminal.key_order import PATIENCE

pytestmark = pytest.mark.usefixtures("home")


async def exchange(chat: Chat, question: str, answer: str) -> None:
    await chat.ask(question)
    await chat.until(answer)
    await chat.ready()


async def test_a_fork_opens_in_a_tab_and_goes_its_own_way() -> None:
    async with opened(["One.", "Two.", "Three."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "Second", "Two.")
        origin = chat.screen.conversation

        await chat.ask("/fork Another way")
        await chat.until("· Forked from First")
        await exchange(chat, "Third", "Three.")

        assert chat.screen.conversation != origin
        assert [m.text for m in chat.model.requests[-1].messages][-5:] == [
            "First",
            "One.",
            "Second",
            "Two.",
            "Third",
        ]
        assert chat.pane.count("Forked from") == 1
        assert len(conversation.fold(chat.host.log.read(origin)).entries) == 4
        assert chat.app.tabs.ids == [origin, chat.screen.conversation]
        await chat.until("Another way")


@pytest.mark.parametrize("command", ["/fork", "/delete", "/undo"])
async def test_letters_behind_a_command_are_typed_in_the_conversation_that_it_opens(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(["One."]) as chat:
        await exchange(chat, "First", "One.")
        if command == "/undo":
            await chat.ask("/delete")
            await chat.until(lambda: not chat.screen.presenter.answers)
        before, done = chat.screen, threading.Event()
        do = Library.do

        def slowly(*arguments: Any) -> Outcome:
            done.wait(30)
            return do(*arguments)

        monkeypatch.setattr(Library, "do", slowly)
        # However long a busy machine takes until the keys are let go.
        monkeypatch.setattr("tui.app.terminal.key_order.LONGEST", 60.0)

        await chat.type(command)
        for key in ("enter", *"zqv"):
            chat.app.post_message(Key(key, "\r" if key == "enter" else key))
        await chat.pilot.pause(2 * PATIENCE)
        done.set()

        await chat.until(lambda: chat.screen is not before)
        await chat.until(lambda: chat.screen.composer.text == "zqv")
        assert not before.composer.text


async def test_a_key_forks_at_the_message_of_the_cursor() -> None:
    async with opened(["One.", "Two."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "Second", "Two.")

        chat.screen.transcript.focus()
        await chat.pilot.pause()
        await chat.pilot.press("up", "up", "f")
        await chat.until("Forked from First")

        await chat.until(lambda: "One." in chat.pane)
        assert "Second" not in chat.pane


async def test_the_list_forks_what_its_cursor_is_on() -> None:
    async with opened(["One."]) as chat:
        await exchange(chat, "First", "One.")
        await chat.pilot.press("ctrl+s")
        await chat.until(lambda: isinstance(chat.app.screen, HistoryScreen))
        await chat.until("F7 fork")

        await chat.pilot.press("f7")

        await chat.until("Forked from First")
        await chat.until("One.")


async def test_an_empty_conversation_is_not_forked() -> None:
    async with opened() as chat:
        await chat.ask("/fork")

        await chat.until("This conversation is still empty")
