"""What a conversation's log gains is handed on, whoever looks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import pytest

from tui.app.chat.follower import Follower
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import MessageAdded, Record
from tui.messages import Message

LIMIT = 60.0


def say(log: EventLog, text: str) -> None:
    log.append("c", MessageAdded(text, Message("user", text))).result(LIMIT)


class Followed:
    def __init__(self, log: EventLog) -> None:
        self.batches: SimpleQueue[list[Record]] = SimpleQueue()
        self.failures: list[str] = []
        self.follower = Follower(log, "c", self.batches.put, self.failures.append)

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


def test_what_is_there_and_what_comes_is_handed_on(log: EventLog) -> None:
    say(log, "old")
    followed = Followed(log)
    with followed.running():
        assert followed.next() == ["old"]

        say(log, "new")

        assert followed.next() == ["new"]


def test_a_pause_hands_on_nothing_and_loses_nothing(log: EventLog) -> None:
    followed = Followed(log)
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


def test_closed_before_it_runs_and_while_it_is_paused_it_ends(log: EventLog) -> None:
    early = Followed(log)
    early.follower.close()
    with early.running():
        pass
    paused = Followed(log)
    paused.follower.pause()
    with paused.running():
        say(log, "unseen")


def test_a_log_that_fails_is_told_once_and_one_that_is_closed_is_not(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = Followed(log)

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
