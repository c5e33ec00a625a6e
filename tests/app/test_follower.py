"""What a conversation's log gains is handed on, whoever looks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from tui import config
from tui.app.chat.follower import Follower
from tui.conversation import read_state
from tui.conversation.read_state import Opened
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import MessageAdded, Record
from tui.messages import Message
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend

LIMIT = 60.0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(config.parse(""), log=tmp_path / "log.db")
    yield host
    host.close()


@pytest.fixture
def log(host: Host) -> EventLog:
    return host.log


def say(log: EventLog, text: str) -> None:
    log.append("c", MessageAdded(text, Message("user", text))).result(LIMIT)


class Followed:
    def __init__(self, host: Host) -> None:
        self.batches: SimpleQueue[list[Record]] = SimpleQueue()
        self.failures: list[str] = []
        self.opened: list[Opened | None] = []
        backend = LocalBackend(host)
        self.follower = Follower(
            backend.conversation("c"),
            self.opened.append,
            self.batches.put,
            self.failures.append,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.follower.run)
        thread.start()
        try:
            yield
        finally:
            self.follower.close()
            thread.join(LIMIT)
            assert not thread.is_alive()

    def next(self) -> list[str]:
        events = [record.event for record in self.batches.get(timeout=LIMIT)]
        return [e.message_id for e in events if isinstance(e, MessageAdded)]


def test_what_is_there_and_what_comes_is_handed_on(host: Host, log: EventLog) -> None:
    say(log, "old")
    followed = Followed(host)
    with followed.running():
        assert followed.next() == ["old"]

        say(log, "new")

        assert followed.next() == ["new"]


def test_a_pause_hands_on_nothing_and_loses_nothing(host: Host, log: EventLog) -> None:
    followed = Followed(host)
    with followed.running():
        followed.follower.pause()
        say(log, "one")
        say(log, "two")
        with pytest.raises(Empty):
            followed.batches.get(timeout=0.2)

        followed.follower.resume()

        said = followed.next()
        while said[-1:] != ["two"]:
            said += followed.next()
        assert said == ["one", "two"]


def test_closed_before_it_runs_and_while_it_is_paused_it_ends(
    host: Host, log: EventLog
) -> None:
    early = Followed(host)
    early.follower.close()
    with early.running():
        pass
    paused = Followed(host)
    paused.follower.pause()
    with paused.running():
        say(log, "unseen")


def test_a_log_that_fails_is_told_once_and_one_that_is_closed_is_not(
    host: Host, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = Followed(host)

    def fail(*_: object, **__: object) -> list[Record]:
        raise LogError("No such disk.")

    with followed.running():
        say(log, "read")
        followed.next()
        monkeypatch.setattr("tui.eventlog.reader.Reader.read", fail)
        say(log, "lost")
        limit = threading.Event()
        for _ in range(6000):
            if followed.failures or limit.wait(0.01):
                break
    assert followed.failures == ["No such disk."]


def test_what_is_known_of_a_conversation_comes_before_its_records(
    host: Host, log: EventLog
) -> None:
    say(log, "old")
    read_state.save_draft(log, "c", "half a thou").result(LIMIT)
    read_state.mark_seen(log, "c", 1).result(LIMIT)
    followed = Followed(host)
    followed.follower.pause()
    with followed.running():
        followed.follower.resume()
        followed.next()

        assert followed.opened == [Opened(True, 1, "half a thou")]
