"""A store that may only be read: what is there is shown, and what fails says why."""

import logging
import os
import sys

import pytest
from test_eventlog_trouble import make_read_only, shelf, talk, unprivileged

from tui import cli, conversation
from tui.app.history.actions import Library
from tui.cli import worker
from tui.config import Config
from tui.errors import LazychatError, LogError
from tui.eventlog import open_log
from tui.events import MessageAdded
from tui.messages import Message
from tui.runtime.local_store import LocalStore

__all__ = ["shelf"]


@pytest.fixture
def store(shelf, monkeypatch):
    """Three conversations, and commands that have been imported as who may do it."""
    monkeypatch.setenv("LAZYCHAT_HOME", str(shelf))
    path = shelf / "lazychat.db"
    talk(path, 3, 10)
    logger = logging.getLogger("tui")
    before = [*logger.handlers]
    yield path
    logger.handlers[:] = before
    logger.propagate = True


@pytest.fixture
def log(store):
    conversation.search  # noqa: B018 # imports what may not be read later
    conversation.export_json  # noqa: B018
    make_read_only(store.parent)
    with unprivileged():
        log = open_log(store, lambda _: None)
        yield log
        log.close()


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["search", "question"], ["tail", "c1"], ["export", "c1"]],
    ids=lambda arguments: arguments[0],
)
def test_commands_that_read_show_what_is_there(store, capsys, arguments):
    assert cli.main(arguments) == 0
    out, err = capsys.readouterr()
    assert "question 1" in out
    assert err == ""
    make_read_only(store.parent)

    with unprivileged():
        assert cli.main(arguments) == 0

    told = f"lazychat: The conversation store {store} cannot be written; it is only"
    assert capsys.readouterr() == (out, f"{told} read.\n")


def test_following_a_store_that_is_only_read_ends(store, capsys):
    cli.main(["tail", "c1"])
    out, _ = capsys.readouterr()
    make_read_only(store.parent)

    with unprivileged():
        assert cli.main(["tail", "c1", "-f"]) == 0

    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    "arguments", [["rename", "c1", "x"], ["pin", "c1"], ["delete", "-y", "c1"]]
)
def test_commands_that_write_refuse(store, capsys, arguments):
    cli.main(["rename", "c2", "y"])
    cli.main(["delete", "-y", "c2"])
    make_read_only(store.parent)

    with unprivileged():
        assert cli.main(arguments) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert f"{store} is read-only" in err
    assert err.count("\n") == 1


def test_nothing_is_deleted_and_why_is_said(log):
    why = "Nothing can be deleted: the conversation store is read-only."
    outcome = Library(LocalStore(log)).do("delete", "c1")

    assert (outcome.text, outcome.failed) == (why, True)
    with pytest.raises(LogError, match=why):
        conversation.delete(log, "c1")
    assert len(conversation.recent(log)) == 3


def test_what_is_renamed_pinned_or_imported_is_so_until_the_end(log):
    library = Library(LocalStore(log))
    document = log.path.parent / "c1.json"
    until = ", until you leave: the store is read-only"
    document = conversation.export_json(log, "c1")
    file = os.memfd_create("c1")
    os.write(file, document.encode())

    assert library.do("rename", "c1", "x").text == f'Renamed to "x"{until}'
    assert library.do("pin", "c1").text == f'Pinned: "x"{until}'
    taken = library.do("import", "", f"/proc/self/fd/{file}")
    assert taken.text == f"Imported 1 conversation{until}"
    assert conversation.recent(log)[0].title == "x"
    os.close(file)


def test_a_deletion_that_meets_a_full_disk_says_so(store, monkeypatch):
    """Whether the store can be written is known only by writing."""
    make_read_only(store.parent)
    monkeypatch.setattr("tui.eventlog.log.EventLog.refusal", "")
    with unprivileged():
        log = open_log(store, lambda _: None)
        with pytest.raises(LogError, match="nothing stored can be deleted now"):
            conversation.delete(log, "c1")
        log.append("c1", MessageAdded("n", Message("user", "x"))).result(30)
        log.close()


def test_a_fault_that_cannot_be_noted_is_no_fault(store):
    cli.main(["list"])
    make_read_only(store.parent)

    with unprivileged():
        logging.getLogger("tui").warning("noted nowhere")


def test_a_detached_worker_that_has_no_place_for_its_log_says_so(store):
    make_read_only(store.parent)

    with unprivileged(), pytest.raises(LazychatError) as raised:
        worker.serve(Config(), detach=True)

    file = store.with_name("worker.log")
    assert str(raised.value) == f"The worker cannot write to {file}: Permission denied."


def test_a_worker_that_cannot_be_noted_says_so(store):
    assert sys.modules["tui.runtime.worker_registry"]
    make_read_only(store.parent)

    with unprivileged(), pytest.raises(LazychatError, match="No worker can be noted"):
        worker._enter(worker.worker_registry.Worker("r", _claim(), 0.0, "", "", {}, {}))


def _claim():
    from tui import process_identity

    return process_identity.claim()
