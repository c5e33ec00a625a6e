"""What is typed wrong is said where it goes again, and nothing typed is lost."""

import threading

import pytest
from support.pilot import Chat, opened

from tui.app import commands
from tui.app.transcript.note import Note

pytestmark = pytest.mark.usefixtures("home")


def notes(chat: Chat) -> list[Note]:
    """The notes of the conversation."""
    return [item for item in chat.screen.transcript._items if isinstance(item, Note)]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("/copy x", "/copy takes a number"),
        ("/copy \u00b2", "/copy takes a number"),
        ("/continue with it", "/continue takes no argument"),
        ("/quit now", "/quit takes no argument"),
        ("/nosuch", "There is no command /nosuch."),
        ("/theme nosuch", 'There is no theme "nosuch".'),
        ("/model nosuch", 'No model is named "nosuch".'),
        ("/import nosuch.json", "No such file"),
        ("/attach nosuch.txt", "There is no file nosuch.txt"),
        ("/set temperature x", "temperature must be a number"),
        ("/effort zzz", "/effort takes low"),
        ("/agent zzz", 'There is no agent "zzz".'),
        ("/compare zzz Why?", 'No model is named "zzz".'),
    ],
)
async def test_what_cannot_be_done_is_said_and_given_back(typed: str, why: str) -> None:
    async with opened(size=(160, 24)) as chat:
        before = notes(chat)

        await chat.ask(typed)
        await chat.until(why)
        await chat.until(lambda: chat.screen.composer.text == typed)
        assert notes(chat) == before
        await chat.pilot.press("end")

        await chat.until(lambda: why not in chat.text)
        assert chat.model.requests == []


async def test_what_does_not_fit_in_the_status_line_is_a_note() -> None:
    async with opened(size=(60, 24)) as chat:
        before = notes(chat)

        await chat.ask("/model " + "nosuch" * 10)

        await chat.until(lambda: notes(chat) != before)
        chat.screen.composer.load_text("")
        await chat.ask("/stream")

        await chat.until(lambda: notes(chat) == before)


async def test_bad_file_name_leaves_no_note() -> None:
    async with opened() as chat:
        before = notes(chat)

        await chat.ask("/import nosuch.json")
        await chat.until("No such file")

        assert notes(chat) == before


def test_commands_that_promise_an_argument_take_one() -> None:
    for command in commands.COMMANDS:
        if command.slash and f"{command.slash} " in command.help:
            assert command.argument, command.name


async def test_message_that_is_taken_back_stands_before_the_draft() -> None:
    gate = threading.Event()
    async with opened([["One ", gate]]) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.ask("Second")
        await chat.until("Queued: Second")
        await chat.ask("Third")
        await chat.until("and 1 more")
        await chat.type("draft")

        await chat.pilot.press("alt+up", "alt+up")

        await chat.until("Taken back: Second")
        await chat.until("Taken back: Third")
        assert chat.screen.composer.text == "Second\n\nThird\n\ndraft"
        assert chat.screen.presenter.running
        gate.set()


async def test_message_that_waits_is_not_mixed_into_one_that_is_edited() -> None:
    gate = threading.Event()
    async with opened([["One ", gate]]) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.ask("Second")
        await chat.until("Queued: Second")
        chat.app.action_command("revise")
        await chat.until("Editing “First”")

        await chat.pilot.press("alt+up")

        await chat.until("First send the edited message")
        assert chat.screen.composer.text == "First"
        assert chat.screen.presenter.waiting
        gate.set()


async def test_note_of_what_was_taken_back_keeps_its_place() -> None:
    gate = threading.Event()
    async with opened([["One ", gate, "end."], "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.ask("Second")
        await chat.until("Queued: Second")
        await chat.pilot.press("alt+up")
        await chat.until("Taken back: Second")
        gate.set()
        await chat.until("One end.")
        await chat.ready()
        chat.screen.composer.load_text("")
        await chat.ask("Third")
        await chat.until("Two.")
        await chat.ready()
        order = ["First", "One end.", "Taken back: Second", "Third", "Two."]
        assert in_order(chat, order)

        await chat.ask("/delete")
        await chat.until("Deleted")
        await chat.ask("/undo")
        await chat.until("Two.")

        assert in_order(chat, order)


def in_order(chat: Chat, texts: list[str]) -> bool:
    places = [chat.text.find(text) for text in texts]
    return -1 not in places and places == sorted(places)


async def test_answer_that_is_whole_is_not_gone_on_with() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()

        await chat.ask("/continue")

        await chat.until("The answer is already complete")
        assert len(chat.model.requests) == 1


async def test_what_asks_to_go_on_is_labelled() -> None:
    async with opened([["One ", threading.Event()], "two."]) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.pilot.press("escape")
        await chat.ready()

        await chat.ask("/continue")

        await chat.until("two.")
        assert "\u258c continue" in chat.text
