"""Text typed over a dialog that has no field: it closes, and no letter is lost."""

import threading

import pytest
from support.pilot import Chat, opened
from textual.events import Key, Paste

from tui.app.terminal.key_order import PATIENCE

pytestmark = pytest.mark.usefixtures("home")

DIALOGS = {
    "/theme": "Choose a theme",
    "/agent": "Choose how answers are made",
    "/cost": "Tokens and cost",
}


async def burst(chat: Chat, *keys: str) -> None:
    """Press keys as if all came in one read."""
    for key in keys:
        chat.app.post_message(Key(key, "\r" if key == "enter" else key[:1]))


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
        store, counted = chat.app.backend.store, threading.Event()
        monkeypatch.setattr(
            store,
            "spent",
            lambda *a, spent=store.spent: (counted.wait(30), spent(*a))[1],
        )
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
        store, counted = chat.app.backend.store, threading.Event()
        monkeypatch.setattr(
            store,
            "spent",
            lambda *a, spent=store.spent: (counted.wait(30), spent(*a))[1],
        )
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
