"""Text typed over a dialog that has no field: it closes, and no letter is lost."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.pilot import Chat, opened
from textual.events import Key, Paste

from tui.app.exit import Left
from tui.app.terminal.key_order import PATIENCE
from tui.conversation.costs import Tally
from tui.models.scripted import Pause

pytestmark = pytest.mark.usefixtures("home")

DIALOGS = {
    "/theme": "Choose a theme",
    "/agent": "Choose how answers are made",
    "/cost": "Tokens and cost",
}


async def burst(chat: Chat, *keys: str) -> None:
    """Press keys as if all came in one read."""
    for key in keys:
        chat.app.post_message(
            Key(key, {"enter": "\r"}.get(key, key if len(key) == 1 else None))
        )


def counts_when_told(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have /cost count only when the returned event is set."""
    store, told = chat.app.backend.store, threading.Event()
    count = store.spent

    def count_late(since: float, price: Any) -> Tally:
        told.wait(30)
        return count(since, price)

    monkeypatch.setattr(store, "spent", count_late)
    return told


@pytest.mark.parametrize("slash", DIALOGS)
async def test_letters_close_the_dialog_and_are_written(slash: str) -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.ask(slash)
        await chat.until(DIALOGS[slash])

        await burst(chat, *"queue")

        await chat.until(lambda: chat.screen.composer.text == "queue")
        assert chat.app.screen is chat.screen
        assert chat.screen.composer.has_focus


@pytest.mark.parametrize("slash", DIALOGS)
async def test_letters_behind_the_command_that_opens_the_dialog_are_written(
    slash: str,
) -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.type(slash)

        await burst(chat, "enter", *"zqv")

        await chat.until(lambda: chat.screen.composer.text == "zqv")
        await chat.until(lambda: chat.app.screen is chat.screen)


async def test_letters_wait_for_a_dialog_that_takes_a_while_to_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(size=(80, 24)) as chat:
        counted = counts_when_told(chat, monkeypatch)
        await chat.type("/cost")
        await burst(chat, "enter", *"zqv")
        await chat.pilot.pause(2 * PATIENCE)
        assert not chat.screen.composer.text

        counted.set()

        await chat.until(lambda: chat.screen.composer.text == "zqv")
        await chat.until(lambda: chat.app.screen is chat.screen)


async def test_the_key_to_quit_does_not_wait_for_a_dialog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(size=(80, 24)) as chat:
        counted = counts_when_told(chat, monkeypatch)
        monkeypatch.setattr("tui.app.terminal.key_order.LONGEST", 60.0)
        await chat.ask("/cost")
        await chat.pilot.pause(2 * PATIENCE)

        await burst(chat, "a", "ctrl+q")

        await chat.until(lambda: chat.app._exit)
        assert chat.screen.composer.text == "a"
        counted.set()


async def test_a_paste_over_a_dialog_is_written_and_never_sent() -> None:
    async with opened(["No."], size=(80, 24)) as chat:
        await chat.ask("/agent")
        await chat.until("Choose how answers are made")

        chat.app.post_message(Paste("one\ntwo\n"))

        await chat.until(lambda: chat.screen.composer.text.startswith("one\ntwo"))
        assert chat.app.screen is chat.screen
        assert "No." not in chat.pane


async def test_letters_over_the_themes_restore_the_theme() -> None:
    async with opened(size=(80, 24)) as chat:
        before = chat.app.theme
        await chat.ask("/theme")
        await chat.until("Choose a theme")
        await chat.pilot.press("up")
        await chat.until(lambda: chat.app.theme != before)

        await chat.pilot.press("h")

        await chat.until(lambda: chat.app.theme == before)
        assert chat.screen.composer.text == "h"


async def test_escape_and_a_word_in_one_read_close_a_dialog_and_write_the_word() -> (
    None
):
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("f1")
        await chat.until("Type to filter")

        chat.app.post_message(Key("alt+h", "\x1bh"))
        await burst(chat, *"ello")

        await chat.until(lambda: chat.screen.composer.text == "hello")
        assert chat.app.screen is chat.screen


async def test_alt_with_a_letter_that_has_a_meaning_keeps_it_in_a_burst() -> None:
    async with opened(size=(80, 24)) as chat:
        chat.app.post_message(Key("alt+r", "\x1br"))
        await burst(chat, *"ed")

        await chat.until(lambda: chat.screen.composer.text.endswith("ed"))
        assert chat.screen.composer.text == "ed"


ASKED = "An answer is still running"
STOP = "Stop and quit"


@asynccontextmanager
async def asked_whether_to_quit() -> AsyncIterator[Chat]:
    """The app with a running answer, and the question over it."""
    async with opened([["One ", Pause(600)]], size=(80, 24)) as chat:
        await chat.ask("Count")
        await chat.until("One")
        await chat.pilot.press("ctrl+q")
        await chat.until(ASKED)
        yield chat
        chat.screen.cancel()


@pytest.mark.parametrize("word", ["hello", "can", "world", "yes", "nothing", "Best"])
async def test_a_word_typed_over_the_question_whether_to_quit_is_written(
    word: str,
) -> None:
    async with asked_whether_to_quit() as chat:
        await burst(chat, *word)

        await chat.until(lambda: chat.screen.composer.text == word)
        assert chat.app.screen is chat.screen
        assert chat.screen.presenter.running


@pytest.mark.parametrize("key", ["n", "N", "escape"])
async def test_n_answers_the_question_whether_to_quit_as_escape_does(key: str) -> None:
    async with asked_whether_to_quit() as chat:
        await chat.pilot.press(key)

        await chat.until(lambda: chat.app.screen is chat.screen)
        assert not chat.screen.composer.text
        assert chat.screen.presenter.running


@pytest.mark.parametrize("key", ["y", "Y", "enter", "w", "W"])
async def test_y_takes_the_highlighted_choice_as_enter_does(key: str) -> None:
    async with asked_whether_to_quit() as chat:
        await chat.pilot.press(key)

        await chat.until("Quits when the answer is finished")


@pytest.mark.parametrize("keys", ["s", "S", "c", ["s", "enter"]])
async def test_a_letter_alone_chooses_at_the_question_whether_to_quit(
    keys: str | list[str],
) -> None:
    async with asked_whether_to_quit() as chat:
        assert f"s  {STOP}" in chat.text
        await burst(chat, *keys)

        await chat.until(lambda: chat.app.exits.left == Left(0) and chat.app._exit)


async def test_a_letter_that_is_taken_back_does_not_choose() -> None:
    async with asked_whether_to_quit() as chat:
        await burst(chat, "s", "backspace", *"xy")

        await chat.until(lambda: chat.screen.composer.text == "xy")
        assert chat.screen.presenter.running


async def test_a_paste_over_the_question_whether_to_quit_is_written() -> None:
    async with asked_whether_to_quit() as chat:
        chat.app.post_message(Paste("because"))

        await chat.until(lambda: chat.screen.composer.text == "because")
        assert chat.app.screen is chat.screen


async def test_letters_over_the_question_go_to_the_search_below_it() -> None:
    async with opened([["One ", Pause(600)]], size=(80, 24)) as chat:
        await chat.ask("Count")
        await chat.until("One")
        await chat.pilot.press("ctrl+s")
        await chat.until("Search all conversations")
        await chat.pilot.press("ctrl+q")
        await chat.until(ASKED)

        await burst(chat, *"hello")

        await chat.until(lambda: ASKED not in chat.text and "hello" in chat.text)
        chat.screen.cancel()
