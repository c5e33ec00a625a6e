"""Where keys go: Tab between the parts, the tools over a narrow screen."""

import pytest
from support.pilot import opened
from textual.events import Key

from tui.conversation.read_state import is_unseen
from tui.models.scripted import Pause, ScriptedModel

pytestmark = pytest.mark.usefixtures("home")


async def test_tab_goes_between_composer_conversation_and_debug_panel() -> None:
    async with opened(["One."], size=(120, 40)) as chat:
        screen = chat.screen
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()

        await chat.pilot.press("tab")
        assert screen.transcript.has_focus
        await chat.pilot.press("tab")
        assert screen.composer.has_focus

        await chat.pilot.press("f3", "shift+tab")
        assert screen.debug_panel.has_focus
        await chat.pilot.press("shift+tab")
        assert screen.transcript.has_focus


async def test_tab_leaves_the_tools() -> None:
    async with opened(size=(120, 40)) as chat:
        await chat.pilot.press("f2")
        assert chat.screen.sidebar.has_focus
        await chat.pilot.press("tab")
        assert chat.screen.transcript.has_focus


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_tools_lie_over_a_narrow_screen(size: tuple[int, int]) -> None:
    async with opened(["One."], size=size) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("f2")
        await chat.until("current_time")

        assert "▌ First" in chat.text
        assert "One." in chat.text
        await chat.pilot.press("escape")
        await chat.until(lambda: "current_time" not in chat.text)
        assert chat.screen.composer.has_focus


async def test_letters_typed_over_the_tools_are_written_and_close_them() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("f2")
        await chat.until("current_time")
        await chat.pilot.press("H", "i")

        await chat.until(lambda: chat.screen.composer.text == "Hi")
        assert chat.screen.composer.has_focus
        await chat.until(lambda: "current_time" not in chat.text)


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
async def test_tools_over_a_narrow_screen_go_when_the_focus_does(key: str) -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("f2")
        await chat.until("current_time")
        await chat.until(lambda: chat.screen.sidebar.has_focus)

        await chat.pilot.press(key)

        await chat.until(lambda: "current_time" not in chat.text)
        await chat.until(lambda: not chat.screen.sidebar.has_focus)


@pytest.mark.parametrize("closes", ["a", "escape", "f2"])
async def test_keys_of_one_burst_leave_no_hint_at_tools_that_are_closed(
    closes: str,
) -> None:
    async with opened(size=(80, 24)) as chat:
        for key in ("f2", closes):
            chat.app.post_message(Key(key, key if len(key) == 1 else None))

        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.until("F2 tools")
        assert "closes the tools" not in chat.text


@pytest.mark.parametrize("letter", ["x", "r", "j", "k"])
async def test_letters_that_do_nothing_on_a_tool_are_written(letter: str) -> None:
    """x revokes and r reconnects, where there is something to revoke or reconnect."""
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("f2")
        await chat.until("current_time")
        await chat.pilot.press("down", letter, "y")

        await chat.until(lambda: chat.screen.composer.text == f"{letter}y")


async def test_the_tools_fit_on_a_screen_that_is_narrower_than_they_are() -> None:
    async with opened(size=(24, 20)) as chat:
        await chat.pilot.press("f2")

        await chat.until("● current_time")
        assert chat.screen.sidebar.region.x >= 0


async def test_a_turn_that_the_user_stopped_counts_as_seen() -> None:
    async with opened(model=ScriptedModel(["never"], rate=0.01)) as chat:
        await chat.ask("Hello?")
        await chat.until(lambda: chat.screen.presenter.running)
        await chat.pilot.press("escape")
        await chat.until("Cancelled")
        log, id = chat.host.log, chat.screen.conversation

        await chat.until(lambda: not is_unseen(log, id))


async def test_the_conversation_marks_the_answer_on_which_its_keys_act() -> None:
    """The newest one, until the cursor is moved: that is also where the focus is."""
    async with opened(["One.", "Two."], size=(80, 24)) as chat:
        for question, answer in (("First", "One."), ("Second", "Two.")):
            await chat.ask(question)
            await chat.until(answer)
            await chat.ready()
        assert "▌ Two." not in chat.text

        await chat.pilot.press("tab")
        await chat.until("▌ Two.")
        assert "▌ One." not in chat.text

        await chat.pilot.press("up")
        await chat.until(lambda: "▌ Two." not in chat.text)
        await chat.pilot.press("up")
        await chat.until("▌ One.")

        await chat.pilot.press("tab")
        await chat.until(lambda: "▌ One." not in chat.text)


async def test_the_mark_goes_to_an_answer_that_comes_while_one_reads() -> None:
    async with opened(["One.", [Pause(0.2), "Two."]], size=(80, 24)) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.ask("Second")
        await chat.pilot.press("tab")

        await chat.until("▌ Two.")
        assert "▌ One." not in chat.text


async def test_the_tools_are_closed_at_first_on_a_wide_screen_too() -> None:
    async with opened(["One."], size=(160, 40)) as chat:
        await chat.ask("First")
        await chat.until("One.")

        assert "current_time" not in chat.text
