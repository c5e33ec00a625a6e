"""What is sent, stopped and taken back, without a screen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui import config
from tui.app.chat.controller import Controller
from tui.app.chat.timeline import Timeline
from tui.app.chat.versions import MessageVersions
from tui.app.chat.view import Settings
from tui.app.transcript import pane
from tui.conversation import Transcript
from tui.conversation.entry import CONTINUE
from tui.events import (
    CancelRequested,
    Event,
    MessageAdded,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Attachment, Message
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend

BEGUN = TurnStarted("host", "boot", 1, 2)


class Composer:
    def __init__(self) -> None:
        self.text = ""
        self.files: tuple[Attachment, ...] = ()

    def load_text(self, text: str, files: tuple[Attachment, ...] | None = None) -> None:
        self.text = text
        self.files = self.files if files is None else files

    def focus(self) -> None:
        pass


class View:
    """Stands for the screen; the log's thread waits for nobody here."""

    def __init__(self) -> None:
        self.hints: list[str] = []
        self.notes: list[str] = []
        self.title = ""

    def settings(self) -> Settings:
        return Settings("m", "function_call", True, set)

    def hint(self, text: str) -> None:
        self.hints.append(text)

    def complain(self, text: str) -> None:
        self.hints.append(text)

    def note(self, text: str, kind: str) -> None:
        self.notes.append(text)

    def entitle(self, words: str, more: str) -> None:
        self.title = words + more

    def follow_end(self) -> None:
        pass

    def hurry(self) -> None:
        pass

    def take_draft(self) -> bool:
        return False

    def has_sent(self, request: int) -> None:
        pass

    def call_later(self, callback: Callable[..., object], *args: Any) -> None:
        callback(*args)


class Chat:
    """A controller over a log of which nobody runs anything."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.fold = Transcript()
        self.orphans: set[str] = set()
        self.composer, self.view = Composer(), View()
        timeline = Timeline(self.fold, pane.Transcript())
        versions = MessageVersions(
            self.fold,
            timeline,
            self.composer,
            hint=self.view.hint,
            choose=self.fold.choose,
            retitle=lambda: None,
        )
        self.backend = LocalBackend(host)
        self.controller = Controller(
            self.backend.conversation("c"), self, versions, self.composer, self.view
        )
        self._seq = 0

    @property
    def queued(self) -> list[str]:
        return [self.fold.question(turn) for turn in self.fold.requested]

    def is_orphaned(self, turn: str) -> bool:
        return turn in self.orphans

    def write(self, *events: Event, turn: str) -> None:
        self.host.log.append("c", *events, turn=turn).result(30)
        self.read()

    def read(self) -> list[Event]:
        """Fold what the log has gained; return it."""
        self.backend.store.flush()
        gained = [r for r in self.host.log.read("c") if r.seq > self._seq]
        for record in gained:
            self.fold.apply(record)
            self._seq = record.seq
        return [record.event for record in gained]

    def ask(self, text: str) -> str:
        self.controller.send(text, lambda: None)
        self.read()
        return self.fold.requested[-1]

    def answer(self, turn: str, text: str, ended: str) -> None:
        said = MessageAdded(
            f"{turn}.1", Message("assistant", text), finish_reason=ended
        )
        self.write(BEGUN, turn=turn)
        self.write(said, TurnFinished(ended), turn=turn)


@pytest.fixture
def chat(home: Path) -> Iterator[Chat]:
    host = Host(config.parse(""))
    yield Chat(host)
    host.close()


def test_a_question_and_its_request_are_sent_together(chat: Chat) -> None:
    chat.controller.send("Hi", lambda: None)

    said, asked = chat.read()

    assert isinstance(said, MessageAdded)
    assert said.message == Message("user", "Hi")
    assert isinstance(asked, TurnRequested)
    assert asked.model == "m"


def test_cancel_stops_what_runs_and_takes_back_what_waits(chat: Chat) -> None:
    assert not chat.controller.cancel()
    first = chat.ask("First")
    chat.write(BEGUN, turn=first)
    chat.ask("Second")

    assert chat.controller.cancel()
    assert chat.read() == [CancelRequested()]
    assert chat.fold.cancelled == {first}
    assert chat.controller.cancel()
    assert chat.composer.text == "Second"


def test_what_nobody_would_take_is_withdrawn(chat: Chat) -> None:
    chat.orphans.add(chat.ask("Hello?"))
    chat.controller.show_queue()
    assert chat.view.title.startswith("Not asked: Hello?")

    chat.controller.unsend()

    assert chat.read() == [TurnWithdrawn()]
    assert chat.composer.text == "Hello?"


def test_continue_names_its_purpose_and_retry_asks_the_question_before(
    chat: Chat,
) -> None:
    first = chat.ask("Count")
    chat.answer(first, "One, two", "length")

    chat.controller.go_on()
    said, _ = chat.read()

    assert isinstance(said, MessageAdded)
    assert said.purpose == CONTINUE
    chat.controller.retry()
    assert chat.view.hints == ["Wait for the answer to finish, or stop it"]
    chat.answer(chat.fold.requested[-1], "three", "length")
    chat.controller.retry()
    (again,) = chat.read()
    assert isinstance(again, TurnRequested)
    assert again.parent == f"{first}.0"


def test_a_whole_answer_is_not_continued(chat: Chat) -> None:
    chat.controller.go_on()
    chat.answer(chat.ask("Hi"), "Hello.", "stop")

    chat.controller.go_on()

    assert chat.view.hints == [
        "Nothing to continue",
        "The answer is already complete",
    ]
    assert chat.read() == []


def test_what_cannot_be_written_is_given_back(chat: Chat) -> None:
    chat.host.log.close()

    chat.controller.send("Kept", lambda: None)
    chat.backend.close()

    assert chat.composer.text == "Kept"
    assert chat.view.notes
