"""A conversation is opened beside the screen, and nothing typed meanwhile is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pilot import LIMIT, Chat, opened
from support.store import journal_mode

from tui import conversation
from tui.conversation import read_state
from tui.conversation.read_state import Opened
from tui.eventlog import EventLog
from tui.eventlog.sqlite import network_mounts
from tui.events import MessageAdded
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, a disk that is slow to say what is known of "old"."""
    set_now = threading.Event()
    look = read_state.opened

    def slow(log: EventLog, id: str, *, adopt: bool) -> Opened:
        assert id != "old" or set_now.wait(LIMIT)
        return look(log, id, adopt=adopt)

    monkeypatch.setattr(read_state, "opened", slow)
    yield set_now
    set_now.set()


def keep_old(chat: Chat, draft: str) -> None:
    said = MessageAdded("old.0", Message("user", "What was asked"))
    chat.host.log.append("old", said).result(LIMIT)
    read_state.save_draft(chat.host.log, "old", draft).result(LIMIT)


async def test_draft_is_put_back_when_it_is_known(looked: threading.Event) -> None:
    async with opened() as chat:
        keep_old(chat, "half a thou")
        chat.app.tabs.open("old")
        await chat.until(lambda: chat.screen.composer.has_focus)
        assert chat.screen.composer.text == ""

        looked.set()

        await chat.until(lambda: chat.screen.composer.text == "half a thou")
        await chat.until("What was asked")


async def test_what_was_typed_meanwhile_wins(looked: threading.Event) -> None:
    async with opened() as chat:
        keep_old(chat, "half a thou")
        chat.app.tabs.open("old")
        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.pilot.press("h", "i")

        looked.set()

        await chat.until("What was asked")
        assert chat.screen.composer.text == "hi"
        log = chat.host.log
        await chat.until(lambda: read_state.draft(log, "old") == "hi")


async def test_tab_of_which_nothing_is_known_yet_stays(looked: threading.Event) -> None:
    async with opened() as chat:
        keep_old(chat, "half a thou")
        chat.app.tabs.open("old")
        await chat.until(lambda: chat.screen.composer.has_focus)

        chat.app.tabs.open(new := conversation.new_id(), is_new=True)

        assert chat.app.tabs.ids == ["old", new]
        looked.set()


async def test_draft_that_came_too_late_for_a_message_is_none_any_more(
    looked: threading.Event,
) -> None:
    async with opened(["One."]) as chat:
        keep_old(chat, "half a thou")
        chat.app.tabs.open("old")
        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.ask("Hi")
        await chat.until(lambda: chat.screen.composer.text == "")

        looked.set()

        await chat.until("One.")
        assert chat.screen.composer.text == ""
        log = chat.host.log
        await chat.until(lambda: read_state.draft(log, "old") == "")


async def test_a_home_on_a_network_file_system_keeps_a_conversation(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are written as sqlite can share them there: without a WAL."""
    monkeypatch.setattr(network_mounts, "on_network", lambda folder: True)
    async with opened(["One."]) as chat:
        await chat.ask("First?")
        await chat.until("One.")
        await chat.ready()
        id = chat.screen.conversation
        assert journal_mode(home / "lazychat.db") != "wal"

    async with opened(["Two."], id=id) as chat:
        await chat.until("One.")
        await chat.ask("Second?")
        await chat.until("Two.")
