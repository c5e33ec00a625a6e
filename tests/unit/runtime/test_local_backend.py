"""What a screen asks of a host in its own process keeps its order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.terminal import wait_until

from tui import config, process_identity
from tui.conversation import read_state
from tui.conversation.read_state import Opened
from tui.events import MessageAdded, TurnRequested
from tui.messages import Message
from tui.runtime import worker_registry
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend
from tui.runtime.local_conversation import LocalConversation

LIMIT = 30.0


@pytest.fixture
def host(home: Path) -> Iterator[Host]:
    host = Host(config.parse(""))
    yield host
    host.close()


@pytest.fixture
def backend(host: Host) -> Iterator[LocalBackend]:
    backend = LocalBackend(host)
    yield backend
    backend.close()


def ask(chat: LocalConversation, text: str, forget_draft: bool = False) -> None:
    message = Message("user", text)
    chat.ask(
        message,
        model="m",
        agent="function_call",
        tools=tuple,
        stream=True,
        forget_draft=forget_draft,
    )


def test_what_is_written_after_a_message_comes_after_it(
    host: Host, backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()

    def slow(host: Host, *_: object) -> str:
        assert found.wait(LIMIT)
        return host.runner.id

    monkeypatch.setattr(worker_registry, "runner_for", slow)
    chat = backend.conversation("c", is_new=True)
    chat.save_draft("First")
    ask(chat, "First", forget_draft=True)
    chat.save_draft("Sec")
    ask(chat, "Second")
    assert host.log.read("c") == []

    found.set()
    backend.store.flush()

    events = [record.event for record in host.log.read("c")]
    said = [e.message.text for e in events if isinstance(e, MessageAdded)]
    assert said == ["First", "Second"]
    assert sum(isinstance(event, TurnRequested) for event in events) == 2
    assert read_state.drafts(host.log, "") == [("c", "Sec")]


def test_what_one_writes_before_a_conversation_was_looked_at_is_found_again(
    host: Host, backend: LocalBackend
) -> None:
    chat = backend.conversation("c", is_new=True)
    ask(chat, "First")
    chat.opened(adopt=False)
    chat.save_draft("next")

    backend.store.flush()

    assert backend.conversation("c").opened(adopt=False).draft == "next"
    assert read_state.drafts(host.log, "") == [("c", "next")]


def test_draft_of_a_conversation_never_sent_is_there_when_one_is_back(
    backend: LocalBackend,
) -> None:
    backend.conversation("c", is_new=True).save_draft("never sent")
    backend.store.flush()

    opened = backend.conversation("c").opened(adopt=False)

    assert opened == Opened(False, 0, "never sent")


def test_draft_that_is_offered_stays_until_it_is_adopted(
    host: Host, backend: LocalBackend
) -> None:
    claim = process_identity.claim()
    gone = msgspec.structs.replace(claim, process_start=claim.process_start + 1)
    key = f"new a {msgspec.json.encode(gone).decode()}"
    read_state.save_draft(host.log, key, "left").result(LIMIT)
    chat = backend.conversation("b", is_new=True)

    assert chat.opened(adopt=False).draft == ""
    assert chat.opened(adopt=True) == Opened(False, 0, "left", key)
    assert read_state.draft(host.log, key) == "left"
    chat.adopt_draft("left")
    backend.store.flush()

    assert read_state.draft(host.log, key) == ""
    assert backend.conversation("b").opened(adopt=False).draft == "left"


def test_nothing_is_lost_when_the_door_is_closed(
    host: Host,
) -> None:
    backend = LocalBackend(host)
    backend.conversation("c").save_draft("last word")

    backend.close()

    host.log.flush()
    assert read_state.draft(host.log, "c") == "last word"


def test_whether_a_worker_lives_is_not_read_where_it_is_asked(
    host: Host, backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, asked_in = "theirs", set[threading.Thread]()
    owner = process_identity.claim()
    worker = worker_registry.Worker(runner, owner, 0.0, "", "", {}, {})

    def find(store: Path | None = None) -> worker_registry.Worker | None:
        asked_in.add(threading.current_thread())
        return worker if runner else None

    monkeypatch.setattr(worker_registry, "find", find)
    request = TurnRequested("m", runner="theirs")
    host.log.append("c", request, turn="t").result(LIMIT)

    def first() -> None:
        with backend.conversation("c").follow() as follow:
            next(iter(follow))

    follower = threading.Thread(target=first)
    follower.start()
    follower.join(LIMIT)
    assert backend.serves("theirs")
    assert backend.serves(host.runner.id)
    assert not backend.serves("another")
    runner = ""
    wait_until(lambda: not backend.serves("theirs"))
    assert threading.current_thread() not in asked_in
