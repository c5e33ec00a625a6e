"""Several conversations in one app: what goes on, what is kept, what is marked."""

import asyncio
import re
import threading

import pytest
from support.pilot import Chat, opened, text_of

from tui import conversation
from tui.app.widgets.tab_bar import ChatBar, Tab
from tui.conversation import read_state
from tui.conversation.read_state import unread
from tui.events import MessageAdded, TurnFinished, TurnStarted
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")


def bar(chat: Chat) -> str:
    """What the row of open conversations tells, without its padding."""
    row = chat.text.splitlines()[0].removeprefix(" lazychat ")
    return " ".join(re.sub(r"\d open( · \d busy)?$", "", row).split())


async def test_row_is_there_when_more_than_one_conversation_is_open() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.until(lambda: bar(chat) == "First")
        assert chat.text.startswith(" lazychat  First")

        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: bar(chat) == "First New conversation")

        await chat.pilot.press("ctrl+f4")
        await chat.until("One.")
        await chat.until(lambda: bar(chat) == "First")


async def test_several_answers_at_once_and_the_unread_one_is_marked() -> None:
    gates = [threading.Event(), threading.Event()]
    script = [["One ", gates[0], "is done."], ["Two ", gates[1], "is done."]]
    async with opened(script) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.pilot.press("ctrl+n")
        await chat.until("● First")
        await chat.ask("Second")
        await chat.until("Two")
        await chat.until("● Second")

        gates[0].set()
        await chat.until("• First")
        assert "One" not in chat.text
        await chat.pilot.press("f4")
        await chat.until("One is done.")
        await chat.until(lambda: bar(chat) == "First ● Second")

        gates[1].set()
        await chat.until("• Second")
        await chat.pilot.press("shift+f4")
        await chat.until("Two is done.")
        await chat.until(lambda: bar(chat) == "First Second")


async def test_screen_that_is_not_shown_reads_nothing_until_it_is() -> None:
    gate, end = threading.Event(), threading.Event()
    async with opened([["One ", gate, "two ", end, "three."]]) as chat:
        await chat.ask("First")
        await chat.until("One")
        left = chat.screen
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.screen is not left)
        gate.set()
        end.set()
        await chat.until("• First")

        assert "three" not in text_of(left.transcript)
        await chat.pilot.press("f4")
        await chat.until("One two three.")
        assert chat.screen is left


async def test_draft_and_place_stay_in_a_conversation_that_is_left() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.type("half a thought")
        await chat.pilot.press("ctrl+n")
        await chat.until("New conversation")
        assert chat.screen.composer.text == ""

        await chat.pilot.press("f4")

        await chat.until("half a thought")


async def test_conversation_that_is_gone_to_can_be_written_in_at_once() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("shift+tab")
        await chat.until(lambda: chat.screen.transcript.has_focus)
        await chat.pilot.press("ctrl+n")
        await chat.until("New conversation")
        await chat.ask("Second")
        await chat.until("Two.")

        await chat.pilot.press("f4")
        await chat.until("One.")

        await chat.until(lambda: chat.screen.composer.has_focus)


async def test_new_conversation_that_was_never_used_is_not_kept_open() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        first = chat.screen.conversation
        await chat.pilot.press("ctrl+n")
        await chat.until("New conversation")

        await chat.pilot.press("f4")
        await chat.until("One.")

        assert chat.app.tabs.ids == [first]


async def test_closed_conversation_goes_on_and_the_last_one_makes_room() -> None:
    gate = threading.Event()
    async with opened([["One ", gate, "is done."]]) as chat:
        await chat.ask("First")
        await chat.until("One")
        id = chat.screen.conversation

        await chat.pilot.press("ctrl+f4")
        await chat.until(lambda: chat.screen.conversation != id)
        gate.set()
        chat.app.tabs.open(id)

        await chat.until("One is done.")


async def test_more_open_than_are_kept_come_back_as_they_were() -> None:
    async with opened([f"Answer {n}." for n in range(5)]) as chat:
        for number in range(5):
            await chat.ask(f"Question {number}")
            await chat.until(f"Answer {number}.")
            await chat.type("draft")
            await chat.pilot.press("ctrl+n")
            await chat.until(lambda: chat.screen.composer.text == "")
        assert len(chat.app._installed_screens) <= 3

        for number in range(5):
            await chat.pilot.press("f4")
            await chat.until(f"Answer {number}.")
            await chat.until("draft")


async def test_screen_that_was_left_has_the_theme_and_size_of_now() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        left = chat.screen
        await chat.pilot.press("ctrl+n")
        await chat.until("New conversation")
        chat.app.theme = "lazychat-light"
        await chat.pilot.resize_terminal(70, 20)
        await chat.until(lambda: chat.screen.size == (70, 20))

        await chat.pilot.press("f4")
        await chat.until(lambda: left.is_current and left.size == (70, 20))

        await chat.until("One.")
        assert left.transcript.background_colors[1].brightness > 0.5
        strip = left._compositor.render_strips()[3]
        shown = [s.style.bgcolor for s in strip if s.style and s.style.bgcolor]
        assert all(colour.get_truecolor().red > 128 for colour in shown)


async def test_place_is_shown_and_its_phrase_selected() -> None:
    async with opened() as chat:
        log, id = chat.host.log, conversation.new_id()
        for n in range(60):
            text = f"Message {n} " + "and more words " * 20 + "*needle* here"
            log.append(id, MessageAdded(f"m{n}", Message("assistant", text)))
        log.append(id, MessageAdded("q", Message("user", "Title")))
        log.flush()

        from tui.app.transcript.find import Place

        chat.app.tabs.open(id, Place("m20", "NEEDLE  here"))
        await chat.until("Message 20")

        pane = chat.screen.transcript
        await chat.until(lambda: chat.app.screen.get_selected_text() == "needle here")
        assert pane.message_at_cursor() == "m20"
        assert not pane.following


def test_row_shows_what_fits_about_the_current_one() -> None:
    row = ChatBar()
    row.set_reactive(ChatBar.tabs, tuple(Tab(str(n), f"T{n}") for n in range(9)))
    row.set_reactive(ChatBar.current, "4")

    shown = row.spans(40)

    assert [id for id, _ in shown] == ["3", "4"]
    assert {style for id, (_, style) in shown if id == "4"} == {("current",)}
    assert sum(len(text) for _, (text, _) in shown) <= 40


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_header_names_the_app_and_counts_where_there_is_room(width: int) -> None:
    row = ChatBar()
    row.set_reactive(ChatBar.title, "A title " * 20)
    alone = "".join(text for _, (text, _) in row.spans(width))
    tabs = tuple(Tab(str(n), f"T{n}", running=n == 1) for n in range(3))
    row.set_reactive(ChatBar.tabs, tabs)
    several = "".join(text for _, (text, _) in row.spans(width))

    assert alone.startswith(" lazychat  A title")
    assert len(alone) < width
    assert len(several) <= width
    assert ("3 open · 1 busy" in several) == (width >= 60)


async def test_header_goes_where_there_are_few_rows() -> None:
    async with opened(["One."], size=(80, 16)) as chat:
        assert chat.text.startswith(" lazychat")

        await chat.pilot.resize_terminal(80, 15)
        await chat.until(lambda: not chat.text.startswith(" lazychat"))


async def test_header_shows_the_title_and_a_new_one_at_once() -> None:
    async with opened(["One."]) as chat:
        await chat.until(lambda: bar(chat) == "New conversation")
        await chat.ask("How do I limit   a rate?")
        await chat.until(lambda: bar(chat) == "How do I limit a rate?")
        await chat.ask("/rename Rates")
        await chat.until(lambda: bar(chat) == "Rates")


async def test_turn_of_a_program_that_is_gone_is_not_shown_as_running() -> None:
    async with opened() as chat:
        log = chat.host.log
        log.append("c", MessageAdded("m", Message("user", "Hi")), turn="t")
        log.append("c", TurnStarted("elsewhere", "", 1, 1), turn="t").result()
        assert read_state.answering(log, ["c"]) == {"c"}

        log.append("c", TurnFinished("interrupted"), turn="t").result()
        assert read_state.answering(log, ["c"]) == set()


async def test_conversation_is_chosen_by_a_click_on_the_row() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: bar(chat) == "First New conversation")

        await chat.pilot.click(ChatBar, offset=(13, 0))

        await chat.until("One.")


async def test_conversation_deleted_elsewhere_says_so_and_comes_back_clean() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        log, id = chat.host.log, chat.screen.conversation

        deleted = await asyncio.to_thread(conversation.trash, log, id)
        await chat.until("Another program deleted this conversation")

        await asyncio.to_thread(conversation.restore, log, deleted)
        chat.app.tabs.open(id)
        await chat.until("One.")
        assert "deleted" not in chat.text


@pytest.mark.parametrize("behind", ["", "f1"])
async def test_after_a_deletion_elsewhere_one_goes_on_in_a_new_conversation(
    behind: str,
) -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.type("Second")
        log, id = chat.host.log, chat.screen.conversation
        gone = chat.screen
        if behind:
            await chat.pilot.press(behind)
            await chat.until(lambda: chat.app.screen is not gone)

        await asyncio.to_thread(conversation.delete, log, id)
        await chat.until(lambda: gone.presenter.deleted)
        if behind:
            await chat.pilot.press("escape")
        await chat.until("Another program deleted this conversation")
        await chat.until(lambda: chat.screen.composer.text == "Second")
        assert "One." not in chat.text
        assert chat.app.tabs.ids == [chat.screen.conversation]
        await chat.pilot.press("enter")
        await chat.until("Two.")

        assert chat.screen.conversation != id
        assert conversation.get(log, id) is None
        assert [m.text for m in chat.model.requests[-1].messages][-1:] == ["Second"]
        assert len(chat.model.requests[-1].messages) <= 2


async def test_up_in_a_new_conversation_brings_what_was_asked_in_another() -> None:
    async with opened(["One.", "Two."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ask("Second")
        await chat.until("Two.")
        await chat.pilot.press("ctrl+n")
        await chat.until("New conversation")

        await chat.pilot.press("up")
        await chat.until(lambda: chat.screen.composer.text == "Second")
        await chat.pilot.press("up")
        assert chat.screen.composer.text == "First"


async def test_answer_that_ends_behind_the_list_is_unread_until_one_is_back() -> None:
    gate = threading.Event()
    async with opened([["One ", gate, "is done."]]) as chat:
        await chat.ask("First")
        await chat.until("One")
        await chat.pilot.press("ctrl+s")
        await chat.until("● First")
        gate.set()
        await chat.until("• First")

        await chat.pilot.press("escape")
        await chat.until("One is done.")
        await chat.pilot.press("x")

        log, id = chat.host.log, chat.screen.conversation
        await chat.until(lambda: not unread(log, [id]))
