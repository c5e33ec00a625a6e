"""Jumping from question to question, from the composer and in the pane."""

import pytest
from support.pilot import Chat, opened

pytestmark = pytest.mark.usefixtures("home")

LONG = "\n\n".join(f"paragraph {n}" for n in range(30))


async def asked(chat: Chat, count: int) -> None:
    for n in range(count):
        await chat.ask(f"Question {n}")
        await chat.until(lambda n=n: len(chat.screen.presenter.answers) > n)
        await chat.ready()


def top(chat: Chat) -> str:
    return chat.screen.transcript.render_line(0).text[2:].split("  ")[0]


async def test_ctrl_up_puts_each_question_at_the_top_and_ctrl_down_goes_back() -> None:
    async with opened([LONG] * 3, size=(80, 24)) as chat:
        await asked(chat, 3)

        for n in (2, 1, 0, 0):
            await chat.pilot.press("ctrl+up")
            await chat.until(lambda n=n: top(chat) == f"Question {n}")
        assert chat.screen.composer.has_focus

        await chat.pilot.press("ctrl+down", "ctrl+down")
        await chat.until(lambda: top(chat) == "Question 2")
        await chat.pilot.press("ctrl+down")
        await chat.until(lambda: chat.screen.transcript.following)


async def test_braces_jump_in_the_pane_and_are_letters_in_the_composer() -> None:
    async with opened([LONG] * 2, size=(80, 24)) as chat:
        await asked(chat, 2)
        await chat.pilot.press("{")
        assert chat.screen.composer.text == "{"
        await chat.pilot.press("backspace", "shift+tab")
        await chat.until(lambda: chat.screen.transcript.has_focus)

        await chat.pilot.press("{", "{")
        await chat.until(lambda: top(chat) == "Question 0")
        await chat.pilot.press("}")
        await chat.until(lambda: top(chat) == "Question 1")


async def test_after_scrolling_the_jump_starts_from_what_is_on_the_screen() -> None:
    async with opened([LONG] * 3, size=(80, 24)) as chat:
        await asked(chat, 3)
        await chat.pilot.press("ctrl+up", "ctrl+up", "ctrl+up")
        await chat.until(lambda: top(chat) == "Question 0")
        await chat.pilot.press(*["pagedown"] * 5)

        await chat.pilot.press("ctrl+up")

        await chat.until(lambda: top(chat) == "Question 1")


async def test_short_answers_at_the_end_are_gone_through_one_by_one() -> None:
    async with opened(["Short"] * 4, size=(80, 24)) as chat:
        await asked(chat, 4)
        pane = chat.screen.transcript
        found = []
        for _ in range(4):
            await chat.pilot.press("ctrl+up")
            await chat.pilot.pause()
            found.append(pane.message_at_cursor())
        assert len(set(found)) == 4


async def test_a_remapped_jump_has_its_key_in_the_pane_too() -> None:
    toml = '[keys]\nquestion_above = "alt+k"'
    async with opened([LONG] * 2, toml, size=(80, 24)) as chat:
        await asked(chat, 2)
        await chat.pilot.press("alt+k")
        await chat.until(lambda: top(chat) == "Question 1")
        await chat.ask("/above")
        await chat.until(lambda: top(chat) == "Question 0")
