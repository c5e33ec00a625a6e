"""Who has the keys: the conversation pane or the composer, and how one sees it."""

import threading

import pytest
from support.pilot import Chat, opened
from textual import events

pytestmark = pytest.mark.usefixtures("home")


async def read(chat: Chat) -> None:
    """Give the conversation pane the focus."""
    await chat.pilot.press("shift+tab")
    await chat.until(lambda: chat.screen.transcript.has_focus)


def burst(chat: Chat, text: str) -> None:
    """Type faster than the app reads."""
    names = {"/": "slash", " ": "space", "[": "left_square_bracket", "\r": "enter"}
    for character in text:
        key = names.get(character, character)
        chat.app.post_message(events.Key(key, character))


async def test_what_is_typed_while_one_reads_is_written_whole() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.type("so: ")
        await read(chat)

        # Once it is being written, e and r are letters.
        burst(chat, "here ye[")

        await chat.until("so: here ye[")
        assert chat.screen.composer.has_focus
        assert len(chat.model.requests) == 1


async def test_slash_begins_a_command_while_one_reads() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await read(chat)

        burst(chat, "/help\r")

        await chat.until("Keys and commands")


async def test_letters_of_the_pane_stay_its_own() -> None:
    async with opened(["One.", "Other."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await read(chat)

        await chat.pilot.press("r")

        await chat.until("Other.")
        assert chat.screen.composer.text == ""


async def test_what_is_pasted_while_one_reads_goes_to_the_composer() -> None:
    async with opened() as chat:
        await read(chat)

        chat.app.post_message(events.Paste("two\nlines"))

        await chat.until(lambda: chat.screen.composer.text == "two\nlines")
        assert chat.screen.composer.has_focus


async def test_composer_tells_that_the_pane_has_the_keys() -> None:
    toml = '[keys]\nrevise = "w"'
    async with opened(toml=toml, size=(80, 24)) as chat:
        assert "reading" not in chat.text

        await read(chat)
        await chat.until("Esc back · w edit · r regenerate")

        await chat.pilot.press("escape")
        await chat.until(lambda: "reading" not in chat.text)


async def test_first_escape_goes_back_to_the_composer_and_the_next_stops() -> None:
    async with opened([["Busy ", threading.Event()]], size=(80, 24)) as chat:
        await chat.ask("Go")
        await chat.until("Busy")
        await chat.until("  Esc stop")
        await read(chat)
        await chat.until("Esc Esc stop")

        await chat.pilot.press("escape")
        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.until("  Esc stop")
        assert chat.screen.presenter.running
        assert chat.screen.status.state == "writing"

        await chat.pilot.press("escape")
        await chat.ready()


async def test_ctrl_c_stops_an_answer_from_the_pane_at_once() -> None:
    async with opened([["Busy ", threading.Event()]]) as chat:
        await chat.ask("Go")
        await chat.until("Busy")
        await read(chat)

        await chat.pilot.press("ctrl+c")

        await chat.ready()


async def test_no_code_to_copy_is_told_in_the_status_line() -> None:
    async with opened(["Words only."]) as chat:
        await chat.ask("First")
        await chat.until("Words only.")
        await chat.ready()
        await read(chat)

        await chat.pilot.press("Y")

        await chat.until("No code block in this message")
        assert "No code block" in chat.text.splitlines()[-1]


@pytest.mark.parametrize("key", ["end", "ctrl+end"])
async def test_end_in_an_empty_composer_goes_to_the_newest_text(key: str):
    async with opened(["\n\n".join(f"line {n}" for n in range(90))]) as chat:
        await chat.ask("Count.")
        await chat.until("line 89")
        await chat.pilot.press("pageup")
        await chat.until(lambda: not chat.screen.transcript.following)

        await chat.pilot.press(key)

        await chat.until(lambda: chat.screen.transcript.following)
        assert chat.screen.composer.has_focus
