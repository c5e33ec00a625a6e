"""Versions in the app: what is edited, asked again and walked to, and what is seen."""

import threading
from collections.abc import Callable

import pytest
from support.pilot import Chat, opened

from tui.app.chat.screen import ChatScreen
from tui.errors import LogError, ModelError
from tui.events import TurnRequested
from tui.messages import Message, ToolCall
from tui.runtime import runner

pytestmark = pytest.mark.usefixtures("home")


def asked(chat: Chat) -> list[list[str]]:
    """What each request told the model, without the system message."""
    return [
        [m.text for m in request.messages if m.role != "system"]
        for request in chat.model.requests
    ]


async def exchange(chat: Chat, question: str, answer: str) -> None:
    await chat.ask(question)
    await chat.until(answer)
    await chat.ready()


async def read(chat: Chat, *keys: str) -> None:
    """Go to the conversation and press keys there."""
    chat.screen.transcript.focus()
    await chat.pilot.pause()
    await chat.pilot.press(*keys)


def gone(chat: Chat, text: str) -> Callable[[], bool]:
    return lambda: text not in chat.text


async def test_edited_question_is_a_new_version_and_the_old_one_is_kept() -> None:
    async with opened(["One.", "Two.", "Three."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "Second", "Two.")

        await read(chat, "up", "e")
        await chat.until("Editing “Second” · Esc cancels")
        assert chat.screen.composer.has_focus
        assert chat.screen.composer.text == "Second"
        await chat.ask("!")
        await chat.until("Three.")

        assert asked(chat)[-1] == ["First", "One.", "Second!"]
        await chat.until("‹ 2/2 ›")
        assert "Two." not in chat.text
        assert "editing" not in chat.text
        await read(chat, "[")
        await chat.until("Two.")
        assert "‹ 1/2 ›" in chat.text
        assert "Second!" not in chat.text


async def test_escape_leaves_the_edit_and_gives_the_draft_back() -> None:
    async with opened([["Busy ", threading.Event()]]) as chat:
        await chat.ask("First")
        await chat.until("Busy")
        await chat.type("draft")
        await read(chat, "up", "e")
        await chat.until("Editing “First”")

        await chat.pilot.press("escape")

        await chat.until(gone(chat, "editing"))
        assert chat.screen.composer.text == "draft"
        assert chat.screen.presenter.running
        assert len(chat.model.requests) == 1


async def test_answer_is_asked_for_again_and_both_can_be_walked_to() -> None:
    async with opened(["One.", "Uno.", "Eins."]) as chat:
        await exchange(chat, "First", "One.")
        await chat.ask("/regenerate")
        await chat.until("Uno.")
        await chat.until("‹ 2/2 ›")
        await chat.ready()
        await read(chat, "up", "r")
        await chat.until("‹ 3/3 ›")
        await chat.until("Eins.")

        assert asked(chat) == [["First"]] * 3
        for key, answer, mark in [
            ("left_square_bracket", "Uno.", "‹ 2/3 ›"),
            ("left", "One.", "‹ 1/3 ›"),
            ("right_square_bracket", "Uno.", "‹ 2/3 ›"),
        ]:
            await read(chat, key)
            await chat.until(answer)
            assert mark in chat.text
        await read(chat, "left", "left")
        await chat.until("This is the first version")


async def test_who_goes_on_continues_the_version_on_the_screen() -> None:
    async with opened(["One.", "Uno.", "Two."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        await chat.ask("/older")
        await chat.until("One.")

        await exchange(chat, "Second", "Two.")

        assert asked(chat)[-1] == ["First", "One.", "Second"]
        assert "Uno." not in chat.text
        await chat.ask("/copy 2")
        await chat.until(lambda: chat.app.clipboard == "One.")


async def test_text_of_an_answer_arrives_in_its_own_version() -> None:
    gate, end = threading.Event(), threading.Event()
    async with opened(["One.", ["Uno ", gate, "due ", end, "tre."]]) as chat:
        await exchange(chat, "First", "One.")
        await chat.ask("/regenerate")
        await chat.until("Uno")
        await read(chat, "[")
        await chat.until("One.")
        await chat.until("The running answer belongs to another version")

        gate.set()
        views = chat.screen.presenter.timeline
        await chat.until(
            lambda: any("due" in view.text for view in views.by_id.values())
        )
        assert "due" not in chat.text
        await read(chat, "]")
        await chat.until("Uno due")
        end.set()
        await chat.until("Uno due tre.")


async def test_answer_that_ends_while_another_version_is_shown_is_whole_later() -> None:
    gate = threading.Event()
    async with opened(["One.", ["Uno ", gate, "due."]]) as chat:
        await exchange(chat, "First", "One.")
        await chat.ask("/regenerate")
        await chat.until("Uno")
        await read(chat, "[")
        gate.set()
        await chat.ready()

        await read(chat, "]")

        await chat.until("Uno due.")


async def test_answer_that_failed_leaves_the_one_before_and_says_why() -> None:
    async with opened(["One.", [ModelError("No such luck.")], "Uno."]) as chat:
        await exchange(chat, "First", "One.")

        await chat.ask("/regenerate")
        await chat.until("No such luck.")

        await chat.until("One.")
        await exchange(chat, "/regenerate", "Uno.")
        assert "‹ 2/2 ›" in chat.text
        assert "No such luck." not in chat.text


async def test_failure_of_a_version_that_is_not_shown_is_told_all_the_same() -> None:
    gate = threading.Event()
    script = ["One.", "Uno.", [gate, ModelError("No such luck.")]]
    async with opened(script) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        await chat.ask("/regenerate")
        await chat.until(gone(chat, "Uno."))
        views = chat.screen.presenter.timeline
        question = views.branches.question()
        views.choose(f"{question}".replace(".0", ".1"))
        await chat.until("One.")

        gate.set()

        await chat.until("No such luck.")
        assert "‹ 1/2 ›" in chat.text


async def test_answer_that_is_held_back_comes_whole_in_its_version() -> None:
    gate = threading.Event()
    async with opened(["One.", ["Uno ", gate, "due."]]) as chat:
        await exchange(chat, "First", "One.")
        await chat.pilot.press("ctrl+t")
        await chat.ask("/regenerate")
        held = chat.screen.presenter._held
        await chat.until(lambda: any(held.values()))
        await chat.until(gone(chat, "One."))
        assert "Uno" not in chat.text

        gate.set()

        await chat.until("Uno due.")
        assert "‹ 2/2 ›" in chat.text


async def test_cancelled_answer_is_asked_for_again() -> None:
    async with opened([["Half ", threading.Event()], "Whole."]) as chat:
        await chat.ask("First")
        await chat.until("Half")
        await chat.pilot.press("escape")
        await chat.ready()

        await exchange(chat, "/regenerate", "Whole.")

        assert asked(chat) == [["First"]] * 2
        assert "‹ 2/2 ›" in chat.text
        assert "Cancelled" not in chat.text


async def test_answer_that_begins_with_a_tool_has_versions_too() -> None:
    call = ToolCall("1", "get_current_weather", {"location": "Tokyo"})
    async with opened([[call], "Cold.", [call], "Chilly."]) as chat:
        await exchange(chat, "Weather?", "Cold.")
        await exchange(chat, "/regenerate", "Chilly.")

        assert "‹ 2/2 ›" in chat.text
        await read(chat, "[")
        await chat.until("Cold.")
        assert "‹ 1/2 ›" in chat.text


async def test_versions_are_clicked_through() -> None:
    async with opened(["One.", "Uno."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        row = chat.text.split("\n").index(
            next(line for line in chat.text.split("\n") if "‹ 2/2 ›" in line)
        )
        row -= chat.screen.transcript.region.y

        await chat.pilot.click(chat.screen.transcript, offset=(2, row))
        await chat.until("One.")
        await chat.pilot.click(chat.screen.transcript, offset=(8, row))
        await chat.until("Uno.")


async def test_versions_and_what_was_chosen_are_the_same_when_opened_again() -> None:
    async with opened(["One.", "Uno.", "Two."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        await chat.ask("/older")
        await chat.until("One.")
        await exchange(chat, "Second", "Two.")
        id = chat.screen.conversation

        chat.app.switch_screen(ChatScreen(chat.app.backend, id))
        await chat.until(lambda: chat.app.chat and chat.app.chat.composer.has_focus)
        await chat.until("Two.")

        assert "Uno." not in chat.text
        assert "‹ 1/2 ›" in chat.text
        await read(chat, "]")
        await chat.until("Uno.")
        assert "Second" not in chat.text


async def test_edit_while_an_answer_is_written_waits_for_its_end() -> None:
    gate = threading.Event()
    async with opened([["Slow ", gate, "one."], "Two."]) as chat:
        await chat.ask("First")
        await chat.until("Slow")
        await chat.ask("/revise")
        await chat.until("Editing “First”")
        await chat.ask("!")
        await chat.until("Queued: First!")
        assert "Slow" in chat.text

        gate.set()

        await chat.until("Two.")
        assert asked(chat)[-1] == ["First!"]
        assert "Slow one." not in chat.text


async def test_second_answer_that_waits_is_taken_back() -> None:
    async with opened([["Busy ", threading.Event()]]) as chat:
        await chat.ask("First")
        await chat.until("Busy")
        await chat.ask("/regenerate")
        await chat.until("Queued: another answer")

        # As after an Esc that the running turn has not obeyed yet.
        chat.screen.controller._cancelled = chat.screen.presenter.running
        await chat.pilot.press("escape")
        await chat.until("Taken back: another answer")

        assert chat.screen.presenter.running
        assert chat.screen.composer.text == ""
        assert len(chat.model.requests) == 1
        await chat.until(gone(chat, "waits"))


async def test_turn_of_another_terminal_is_shown_when_it_begins() -> None:
    async with opened(["One.", "Uno.", "Two."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        host, screen = chat.host, chat.screen
        first = screen.presenter.timeline.branches.question()
        assert first
        other = TurnRequested("starter", runner=host.runner.id)
        said = Message("user", "Anew")
        runner.request(host.log, screen.conversation, said, other, "")

        await chat.until("Two.")

        assert asked(chat)[-1] == ["Anew"]
        assert "Uno." not in chat.text
        assert "‹ 2/2 ›" in chat.text


async def test_edit_that_cannot_be_written_is_still_an_edit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from concurrent.futures import Future

    async with opened(["One."]) as chat:
        await exchange(chat, "First", "One.")
        await chat.ask("/revise")
        await chat.until("Editing “First”")
        failed: Future[int] = Future()
        failed.set_exception(LogError("The disk is full."))
        with monkeypatch.context() as patch:
            patch.setattr(chat.host.log, "append", lambda *_, **__: failed)
            await chat.ask("!")
            await chat.until("The disk is full.")

        await chat.until("Editing “First”")
        assert chat.screen.composer.text == "First!"


async def test_nothing_to_edit_or_to_answer_again_is_said() -> None:
    async with opened() as chat:
        for command, hint in [
            ("/revise", "No message to edit"),
            ("/regenerate", "Nothing to regenerate"),
            ("/newer", "This message has only one version"),
        ]:
            await chat.ask(command)
            await chat.until(hint)


async def test_versions_keep_their_place_on_the_screen() -> None:
    long = "\n\n".join(f"paragraph {number}" for number in range(60))
    less = "\n\n".join(f"line {number}" for number in range(40))
    async with opened(["One.\n" * 9, long, less, "Short."], size=(80, 24)) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "Second", "paragraph 59")
        await exchange(chat, "/regenerate", "line 39")
        await exchange(chat, "/regenerate", "Short.")
        await read(chat, "up", "[")
        await chat.until("line 0")
        row = next(n for n, t in enumerate(chat.text.split("\n")) if "‹ 2/3 ›" in t)

        back = [("[", "line 0"), ("[", "paragraph 0")]
        for key, text in [back[1], ("]", "line 0"), ("]", "Short."), *back]:
            await chat.pilot.press(key)
            await chat.until(text)
            assert "/3 ›" in chat.text.split("\n")[row]

        assert not chat.screen.transcript.following


async def test_version_that_a_message_is_in_is_shown() -> None:
    async with opened(["One.", "Uno."]) as chat:
        await exchange(chat, "First", "One.")
        await exchange(chat, "/regenerate", "Uno.")
        first, answer, other = chat.screen.presenter.timeline.by_id

        assert chat.screen.versions.show(answer)
        await chat.until("One.")
        assert chat.screen.versions.show(other)
        await chat.until("Uno.")
        assert chat.screen.versions.show(first)
        assert not chat.screen.versions.show("nonesuch")


async def test_keys_of_versions_can_be_mapped_anew() -> None:
    toml = '[keys]\nregenerate = "x"\nolder = "p"'
    async with opened(["One.", "Uno."], toml) as chat:
        await exchange(chat, "First", "One.")
        await read(chat, "x")
        await chat.until("Uno.")
        await read(chat, "p")
        await chat.until("One.")
        await chat.pilot.press("f1", "end")
        await chat.until("x, /regenerate")


async def test_a_search_shows_the_version_that_its_hit_is_in() -> None:
    async with opened(["One needle.", "Uno."]) as chat:
        await exchange(chat, "First", "One needle.")
        await exchange(chat, "/regenerate", "Uno.")
        assert "One needle." not in chat.text

        await chat.ask("/history needle")
        await chat.until("One needle.")
        await chat.pilot.press("enter")

        await chat.until(lambda: chat.app.screen is chat.screen)
        await chat.until("One needle.")
        assert "Uno." not in chat.text
