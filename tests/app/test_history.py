"""The screen of all conversations: list, search, and what is done to them."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.pilot import Chat, opened
from textual.events import Key, MouseScrollDown

from tui import conversation, i18n
from tui.app.history.actions import slug
from tui.app.history.dates import ago
from tui.app.history.list import HistoryList
from tui.app.history.preview import Preview
from tui.app.history.screen import HistoryScreen
from tui.conversation.read_state import mark_seen
from tui.eventlog import EventLog
from tui.events import MessageAdded, TurnFinished, TurnStarted
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")


def keep(log: EventLog, title: str, *answers: str) -> str:
    """Store a conversation that begins with the question `title`."""
    id = conversation.new_id()
    log.append(id, MessageAdded(f"{id}-q", Message("user", title)), turn=f"{id}-t")
    for number, text in enumerate(answers):
        added = MessageAdded(f"{id}-{number}", Message("assistant", text))
        log.append(id, added, turn=f"{id}-t")
    log.append(id, TurnFinished("stop"), turn=f"{id}-t")
    log.flush()
    return id


async def listed(chat: Chat, *shown: str) -> HistoryScreen:
    """Open the screen and wait until the titles `shown` are on it."""
    await chat.pilot.press("ctrl+s")
    await chat.until(lambda: isinstance(chat.app.screen, HistoryScreen))
    await chat.until(lambda: all(title in chat.text for title in shown))
    screen = chat.app.screen
    assert isinstance(screen, HistoryScreen)
    return screen


def titles(log: EventLog) -> Sequence[str]:
    return [summary.title for summary in conversation.recent(log)]


async def test_list_opens_what_the_cursor_is_on() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Oldest", "Answer of the oldest.")
        keep(log, "Newest")
        await listed(chat, "Newest", "Oldest", "2 conversations")

        await chat.pilot.press("down", "enter")

        await chat.until("Answer of the oldest.")
        assert chat.screen.composer.has_focus


async def test_escape_goes_back_to_the_conversation_as_it_was() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.type("half")
        await listed(chat, "First")

        await chat.pilot.press("escape")

        await chat.until("half")
        await chat.until("One.")


@pytest.mark.parametrize(
    ("query", "told"),
    [("zz", "Nothing found"), ('"', "Cannot search for punctuation alone")],
)
async def test_a_search_that_finds_nothing_says_why(query: str, told: str) -> None:
    async with opened() as chat:
        keep(chat.host.log, 'The "word"')
        screen = await listed(chat, "The")

        screen.field.value = query

        await chat.until(told)


@pytest.mark.parametrize(
    ("query", "phrase"),
    [("needle", "needle"), ("天气", "天气"), ("asyncio.run(", "asyncio.run(")],
    ids=["word", "chinese", "code"],
)
async def test_search_shows_hits_and_opens_at_them(query: str, phrase: str) -> None:
    async with opened(size=(90, 40)) as chat:
        log = chat.host.log
        many = [f"Number {n} " + "more words " * 40 for n in range(40)]
        many[20] += "there is a needle, 今天天气很好, and `asyncio.run(main())` too"
        keep(log, "Long one", *many)
        keep(log, "Other", "nothing here")
        screen = await listed(chat, "Long one")
        screen.field.value = query
        await chat.until("there is a")
        assert "Other" not in chat.text

        await chat.pilot.press("enter")

        await chat.until("there is a needle")
        await chat.until(
            lambda: (chat.app.screen.get_selected_text() or "").startswith(phrase[:6])
        )
        assert chat.screen.transcript.has_focus


async def test_search_finds_titles_that_were_given() -> None:
    async with opened() as chat:
        log = chat.host.log
        id = keep(log, "Question")
        conversation.rename(log, id, "Garden plans").result()
        screen = await listed(chat, "Garden plans")

        screen.field.value = "garden"

        await chat.until("Titles")
        assert screen.list.selected
        assert screen.list.selected.id == id
        screen.field.value = "nowhere at all"
        await chat.until("Nothing found")


async def test_enter_before_the_answer_opens_what_was_typed() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Wanted", "a needle in it")
        keep(log, "Newest", "nothing of the kind")
        await listed(chat, "Newest", "Wanted")

        for key in [*"needle", "enter"]:
            chat.app.simulate_key(key)

        await chat.until(lambda: chat.app.screen.get_selected_text() == "needle")


async def test_act_without_what_it_needs_asks_for_it_and_keeps_the_draft() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ask("/rename")
        await chat.until("/rename TITLE")
        assert chat.screen.composer.text == "/rename "
        await chat.type("Better")
        await chat.pilot.press("enter")
        await chat.until('Renamed to "Better"')

        await chat.type("half a thought")
        chat.app.action_command("rename")
        assert chat.screen.composer.text == "half a thought"


async def test_slash_history_searches_for_its_words() -> None:
    async with opened() as chat:
        keep(chat.host.log, "Title", "a needle in it")

        await chat.ask("/history needle")

        await chat.until("a needle in it")


async def test_rename_in_place() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Old title")
        screen = await listed(chat, "Old title")

        await chat.pilot.press("f2")
        await chat.until("Rename to")
        assert screen.field.value == "Old title"
        screen.field.value = "New title"
        await chat.pilot.press("enter")

        await chat.until('Renamed to "New title"')
        await chat.until(lambda: chat.text.count("New title") == 2)
        assert titles(log) == ["New title"]
        assert screen.field.value == ""


async def test_title_cannot_be_taken_away() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Keep")
        screen = await listed(chat, "Keep")
        await chat.pilot.press("f2")
        await chat.until(lambda: screen.field.value == "Keep")

        await chat.pilot.press("ctrl+u", "enter")

        await chat.until("Enter a title")
        assert titles(log) == ["Keep"]
        await chat.pilot.press("N", "e", "w", "enter")
        await chat.until(lambda: titles(log) == ["New"])


async def test_escape_gives_up_a_rename_and_keeps_the_search() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Old title")
        screen = await listed(chat, "Old title")
        screen.field.value = "old"
        await chat.until("Titles")

        await chat.pilot.press("f2", "x", "escape")

        assert screen.field.value == "old"
        assert chat.app.screen is screen
        assert titles(log) == ["Old title"]


async def test_pinned_stand_first() -> None:
    async with opened(size=(90, 40)) as chat:  # too narrow for a preview
        log = chat.host.log
        keep(log, "Oldest")
        keep(log, "Newest")
        await listed(chat, "Newest", "Oldest")

        await chat.pilot.press("down", "f4")

        await chat.until("Pinned: ")
        await chat.until("Today")
        assert chat.text.index("Oldest") < chat.text.index("Newest")
        await chat.pilot.press("f4")
        await chat.until("No longer pinned")


async def test_delete_and_undo() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Keep")
        id = keep(log, "Secret", "hidden words")
        await listed(chat, "Secret", "Keep")

        await chat.pilot.press("f8")
        await chat.until('Deleted "Secret"')
        await chat.until("1 conversation")
        assert titles(log) == ["Keep"]
        assert conversation.search(log, "hidden") == []

        await chat.pilot.press("f9")
        await chat.until('Restored "Secret"')
        await chat.until("2 conversations")
        assert [hit.conversation for hit in conversation.search(log, "hidden")] == [id]
        await chat.pilot.press("f9")
        await chat.until("Nothing to undo")


async def test_keys_take_one_row_of_80_columns() -> None:
    async with opened(size=(80, 24)) as chat:
        keep(chat.host.log, "Keep")
        await listed(chat, "Keep", "F8 delete")

        assert chat.text.splitlines()[-1].strip().startswith("Enter open F2 rename")
        assert chat.text.splitlines()[-1].strip().endswith("F8 delete Esc back")


async def test_key_of_undo_is_told_while_there_is_something_to_undo() -> None:
    async with opened() as chat:
        keep(chat.host.log, "Keep")
        keep(chat.host.log, "Away")
        await listed(chat, "Away", "Keep", "F8 delete")
        assert "undo" not in chat.text

        await chat.pilot.press("f8")
        await chat.until("F9 undo")
        await chat.pilot.press("escape")
        await chat.until("Message")
        await chat.pilot.press("ctrl+s")
        await chat.until("F9 undo")
        await chat.pilot.press("tab")
        await chat.until("u undo")

        await chat.pilot.press("f9")
        await chat.until("Restored")
        await chat.until(lambda: "undo" not in chat.text)


async def test_letters_act_when_the_list_has_the_focus() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Keep")
        keep(log, "Away")
        screen = await listed(chat, "Away", "Keep", "F8 delete")

        await chat.pilot.press("tab")
        await chat.until("d delete")
        await chat.pilot.press("delete")
        await chat.until('Deleted "Away"')
        await chat.pilot.press("u")
        await chat.until("Restored")
        await chat.pilot.press("slash", "k")

        assert screen.field.value == "k"


async def test_delete_by_command_leaves_the_conversation_and_undo_comes_back() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        id = chat.screen.conversation
        await chat.type("draft")
        await chat.pilot.press("ctrl+u")

        await chat.ask("/delete")
        await chat.until('Deleted "First"')
        assert chat.screen.conversation != id
        assert "One." not in chat.text

        await chat.ask("/undo")
        await chat.until("One.")
        assert chat.screen.conversation == id


async def test_draft_goes_with_its_conversation_and_comes_back_with_it() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.type("half a secret")
        await listed(chat, "First")

        await chat.pilot.press("f8")
        await chat.until('Deleted "First"')
        chat.host.log.flush()
        assert chat.host.log.query("SELECT text FROM draft") == []

        await chat.pilot.press("f9")
        await chat.until("Restored")
        await chat.pilot.press("enter")
        await chat.until("half a secret")


async def test_conversation_that_is_answered_is_not_deleted() -> None:
    gate = threading.Event()
    async with opened([["Begin ", gate]]) as chat:
        await chat.ask("First")
        await chat.until("Begin")

        await chat.ask("/delete")

        await chat.until("conversation is still answering: stop it first")
        await chat.until("Begin")
        gate.set()


async def test_export_and_import_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(["One."]) as chat:
        await chat.ask("First question?")
        await chat.until("One.")
        await chat.ready()

        await chat.ask("/export")
        await chat.until("First-question.md")
        await chat.ask("/export")
        await chat.until("First-question-2.md")
        await chat.ask("/export a b.json")
        await chat.until(lambda: (tmp_path / "a b.json").exists())
        await chat.ask("/export a b.json")
        await chat.until("exists already")
        await chat.until(lambda: chat.screen.composer.text == "/export a b.json")
        chat.screen.composer.load_text("")

        before = chat.screen.conversation
        await chat.ask("/import 'a b.json'")
        await chat.until(lambda: chat.screen.conversation != before)
        await chat.until("One.")

    assert "One." in (tmp_path / "First-question.md").read_text()
    assert json.loads((tmp_path / "a b.json").read_text())["conversations"]
    assert (tmp_path / "a b.json").stat().st_mode & 0o077 == 0


async def test_export_and_import_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as chat:
        keep(chat.host.log, "Kept: all of it", "Answer.")
        screen = await listed(chat, "Kept")

        await chat.pilot.press("f5")
        await chat.until("Export to")
        assert screen.field.value == "Kept-all-of-it.md"
        screen.field.value = "kept.json"
        await chat.pilot.press("enter")
        await chat.until("Exported to")
        await chat.pilot.press("f6")
        await chat.until("Import file")
        await chat.until("path/to/file.json")
        await chat.until("Enter import  Esc cancel")
        assert "F2 rename" not in chat.text
        screen.field.value = "kept.json"
        await chat.pilot.press("enter")

        await chat.until("Imported 1 conversation")
        await chat.until("2 conversations")


async def test_click_opens_a_conversation() -> None:
    async with opened() as chat:
        log = chat.host.log
        keep(log, "Oldest", "Answer of the oldest.")
        keep(log, "Newest")
        screen = await listed(chat, "Newest", "Oldest")

        await chat.pilot.click(screen.list, offset=(10, 2))

        await chat.until(lambda: chat.app.screen is chat.screen)
        await chat.until("Answer of the oldest.")


async def test_import_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    async with opened() as chat:
        await chat.ask(f"/import {tmp_path}/x.json")
        await chat.until("This is no")
        await chat.until(lambda: chat.screen.composer.text.startswith("/import"))
        chat.screen.composer.load_text(f"/import {tmp_path}/none.json")
        await chat.pilot.press("enter")
        await chat.until("file or directory")


async def test_marks_of_what_runs_and_what_is_unread() -> None:
    async with opened() as chat:
        log = chat.host.log
        unread, seen, runs = (keep(log, t) for t in ("Unread", "Seen", "Runs"))
        mark_seen(log, unread, 1)
        mark_seen(log, seen, log.tail())
        log.append(runs, TurnStarted("elsewhere", "", 1, 1), turn="r")
        log.flush()

        await listed(chat, "• Unread", "● Runs", "  Seen")

        log.append(runs, TurnFinished("stop"), turn="r").result()
        await chat.until("  Runs")


async def test_control_characters_of_a_title_never_reach_the_terminal() -> None:
    async with opened() as chat:
        keep(chat.host.log, "Evil \x1b[31mtitle", "bad \x1b]0;words\x07 here")
        screen = await listed(chat, "Evil")
        assert "\x1b" not in chat.text

        screen.field.value = "words"
        await chat.until("Messages")

        assert "\x1b" not in chat.text


async def test_small_screen_has_room_for_the_list() -> None:
    async with opened(size=(40, 15)) as chat:
        for number in range(30):
            keep(chat.host.log, f"Question {number} with a long title to be cut")
        screen = await listed(chat, "Question 29", "Esc")

        assert screen.list.size.height >= 7
        await chat.pilot.press("pagedown", "pagedown")
        await chat.until("Question 11 with a long")


def test_ages_are_short() -> None:
    now = 1_750_000_000.0  # a Sunday

    spans = [5, 90, 3 * 3600, 30 * 3600, 3 * 86400, 60 * 86400, 400 * 86400]

    ages = [ago(now - seconds, now) for seconds in spans]
    assert ages[:2] == ["now", "2 min"]
    assert ages[3] == "yesterday"
    assert ages[4].endswith("day")
    assert max(map(len, ages)) <= 10


def test_ages_are_chinese_in_chinese() -> None:
    now = 1_750_000_000.0
    i18n.choose("zh")
    try:
        ages = [ago(now - seconds, now) for seconds in (5, 90, 3 * 3600, 86400)]
    finally:
        i18n.choose("en")

    assert not any(
        character.isascii() and character.isalpha() for character in "".join(ages)
    )
    assert all(cell_len(age) <= 10 for age in ages)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("What's the weather?", "What-s-the-weather"),
        ("../../etc/passwd", "etc-passwd"),
        ("天气 如何", "天气-如何"),
        ("???", "conversation"),
    ],
)
def test_file_names_are_made_of_letters(title: str, name: str) -> None:
    assert slug(title) == name


async def test_f9_brings_back_in_the_conversation_too() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.ask("/delete")
        await chat.until('Deleted "First"')

        await chat.pilot.press("f9")

        await chat.until("One.")


async def test_a_search_counts_what_it_has_found() -> None:
    async with opened(["A needle.", "Hay."]) as chat:
        await chat.ask("First")
        await chat.until("A needle.")
        await chat.ready()
        await chat.ask("Second")
        await chat.until("Hay.")
        await chat.pilot.press("ctrl+s")
        await chat.until("1 conversation")
        await chat.pilot.press(*"needle")

        await chat.until("1 match ")


async def test_versions_of_one_text_are_one_match() -> None:
    async with opened(size=(80, 24)) as chat:
        keep(chat.host.log, "First", "In the shed.", "In the shed.", "No shed here.")
        screen = await listed(chat, "First")

        screen.field.value = "shed"

        await chat.until("2 matches ")
        assert chat.text.count("In the shed.") == 1


@pytest.mark.parametrize(
    ("key", "then"), [("enter", "One."), ("f8", 'Deleted "First"')]
)
async def test_a_key_that_is_pressed_before_the_list_is_read_counts(
    monkeypatch: pytest.MonkeyPatch, key: str, then: str
) -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: "One." not in chat.text)
        reads = threading.Event()
        recent = chat.app.backend.store.recent

        def slowly(limit: int = -1) -> Sequence[conversation.Summary]:
            reads.wait(30)
            return recent(limit)

        monkeypatch.setattr(chat.app.backend.store, "recent", slowly)
        await chat.pilot.press("ctrl+s")
        await chat.until("Search all conversations")
        await chat.pilot.press(key)
        await chat.pilot.pause(0.1)
        reads.set()

        await chat.until(then)


async def test_keys_after_enter_wait_for_the_search_and_are_for_the_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(["One tram."], size=(80, 24)) as chat:
        await chat.ask("First")
        await chat.until("One tram.")
        await chat.ready()
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: "One tram." not in chat.text)
        searches = threading.Event()
        search = chat.app.backend.store.search

        def slowly(query: str, limit: int) -> Sequence[conversation.Hit]:
            searches.wait(30)
            return search(query, limit)

        monkeypatch.setattr(chat.app.backend.store, "search", slowly)
        await listed(chat, "1 conversation")
        for key in (*"tram", "enter", *"more"):
            chat.app.post_message(Key(key, "\r" if key == "enter" else key))
        await chat.pilot.pause(0.3)
        searches.set()

        await chat.until(lambda: not isinstance(chat.app.screen, HistoryScreen))
        await chat.until(lambda: chat.screen.composer.text == "more")
        await chat.until("One tram.")


async def test_keys_right_after_enter_are_for_the_conversation_that_it_opens() -> None:
    async with opened(["One tram."], size=(80, 24)) as chat:
        await chat.ask("First")
        await chat.until("One tram.")
        await chat.ready()
        await chat.pilot.press("ctrl+n")
        await listed(chat, "1 conversation")

        for key in ("enter", *"more"):
            chat.app.post_message(Key(key, "\r" if key == "enter" else key))

        await chat.until(lambda: chat.screen.composer.text == "more")
        await chat.until("One tram.")


async def test_wide_screens_preview_the_conversation_at_the_cursor() -> None:
    async with opened(size=(120, 30)) as chat:
        keep(chat.host.log, "Oldest", "Answer of the *oldest*.")
        keep(chat.host.log, "Newest", "Answer of the newest.")
        await listed(chat, "Newest", "Oldest")
        await chat.until("Answer of the newest.")
        assert "Today" in chat.text

        await chat.pilot.press("down")
        await chat.until("Answer of the oldest.")
        await chat.pilot.resize_terminal(90, 30)
        await chat.until(lambda: "Answer of the oldest." not in chat.text)


async def test_the_preview_scrolls_by_keys_and_by_the_wheel() -> None:
    async with opened(size=(120, 30)) as chat:
        keep(chat.host.log, "Long", "\n\n".join(f"Paragraph {n}." for n in range(60)))
        await listed(chat, "Long")
        await chat.until("Paragraph 5.")
        assert "Paragraph 30." not in chat.text
        selected = chat.app.screen.query_one(HistoryList).selected

        await chat.pilot.press("shift+pagedown", "shift+pagedown", "shift+down")
        await chat.until("Paragraph 28.")
        assert "Paragraph 5." not in chat.text
        await chat.pilot.press(*["shift+pagedown"] * 9)
        await chat.until("Paragraph 59.")
        await chat.pilot.press(*["shift+up"] * 40)
        await chat.until("Paragraph 5.")
        preview = chat.app.screen.query_one(Preview)
        for _ in range(5):
            await chat.pilot._post_mouse_events([MouseScrollDown], preview)
        await chat.until("Paragraph 15.")
        assert chat.app.screen.query_one(HistoryList).selected is selected


async def test_a_cut_message_in_the_preview_says_so_at_its_end() -> None:
    async with opened(size=(120, 30)) as chat:
        keep(chat.host.log, "Long", "word " * 3000)
        await listed(chat, "Long")
        await chat.until("word word")

        await chat.pilot.press(*["shift+pagedown"] * 12)

        await chat.until("  …")
