"""`lazychat fork` in a process of its own."""

import pytest
from support.fakes.lazychat import Home

from tui import conversation
from tui.eventlog import EventLog
from tui.events import MessageAdded
from tui.messages import Message


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


def test_a_fork_is_made_and_its_id_printed(home):
    with EventLog(home.store) as log:
        log.append("abcdef", MessageAdded("q", Message("user", "Hello"))).result(30)

    done = home.run("fork", "abc", "Another", "way")

    with EventLog(home.store) as log:
        found = conversation.get(log, done.out.strip())
    assert found
    assert (found.title, found.messages) == ("Another way", 1)


def test_an_unknown_conversation_is_named(home):
    EventLog(home.store).close()

    done = home.run("fork", "abc")

    assert done.code == 1
    assert "No conversation has an id that begins with 'abc'" in done.err
