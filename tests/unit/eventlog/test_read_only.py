"""A store that may only be read: what is there is shown, and what fails says why."""

import logging
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.store import (
    LIMIT,
    contents,
    make_read_only,
    talk,
    texts,
    unprivileged,
)

from tui import cli, conversation
from tui.app.history.actions import Library
from tui.cli import worker
from tui.config import Config
from tui.conversation import read_state
from tui.errors import LazychatError, LogError
from tui.eventlog import EventLog, open_log
from tui.events import MessageAdded, Queued
from tui.messages import Message
from tui.runtime.local_store import LocalStore


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

    told = f"lazychat: Cannot write the conversation store {store}; it is opened as"
    assert capsys.readouterr() == (out, f"{told} read-only.\n")


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
    why = "Cannot delete: the conversation store is read-only"
    outcome = Library(LocalStore(log)).do("delete", "c1")

    assert (outcome.text, outcome.failed) == (why, True)
    with pytest.raises(LogError, match="the conversation store is read-only"):
        conversation.delete(log, "c1")
    assert len(conversation.recent(log)) == 3


def test_what_is_renamed_pinned_or_imported_is_so_until_the_end(log):
    library = Library(LocalStore(log))
    document = log.path.parent / "c1.json"
    until = ", until you quit: the store is read-only"
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

    with (
        unprivileged(),
        pytest.raises(LazychatError, match="Cannot register the worker"),
    ):
        worker._enter(worker.worker_registry.Worker("r", _claim(), 0.0, "", "", {}, {}))


def _claim():
    from tui import process_identity

    return process_identity.claim()


# -- the log


def test_a_read_only_store_is_read_and_what_is_new_is_not_kept(shelf, told):
    path = shelf / "lazychat.db"
    said = talk(path, 3)
    before = make_read_only(shelf)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert not log.keeps
        assert len(conversation.recent(log)) == 3
        assert texts(log, "c1") == [said[1]]
        asked = MessageAdded("new", Message("user", "and now?"))
        seq = log.append("c1", asked).result(LIMIT)
        assert seq == log.tail() == 4
        assert texts(log, "c1") == [said[1], "and now?"]
        read_state.save_draft(log, "c2", "x").result(LIMIT)
        assert read_state.draft(log, "c2") == "x"

    assert len(told) == 1
    assert told[0].endswith("read old conversations, but nothing new is saved.")
    assert contents(shelf) == before


def test_a_read_only_file_in_a_folder_that_is_not_is_read(shelf, told):
    path = shelf / "lazychat.db"
    said = talk(path, 1)
    path.chmod(0o444)
    shelf.chmod(0o777)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert not log.keeps
        assert texts(log, "c0") == said
    assert "is read-only" in told[0]


def test_a_read_only_store_whose_last_words_are_in_its_log_is_read(shelf, told):
    """As after a crash: the main file has not got everything."""
    path = shelf / "lazychat.db"
    with EventLog(shelf / "live.db") as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        for suffix in ("", "-wal"):
            shutil.copy(shelf / f"live.db{suffix}", f"{path}{suffix}")
    assert Path(f"{path}-wal").stat().st_size
    before = make_read_only(shelf)

    with unprivileged(), closing(open_log(path, told.append)) as log:
        assert texts(log) == ["1"]
        log.append("c", Queued("x", "2")).result(LIMIT)
        assert texts(log) == ["1", "2"]

    assert "nothing new is saved" in told[0]
    assert contents(shelf) == before


def test_a_store_in_a_folder_that_is_not_there_is_in_memory(tmp_path, told):
    (tmp_path / "file").write_text("")

    with closing(open_log(tmp_path / "file" / "lazychat.db", told.append)) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
        assert texts(log) == ["1"]

    assert len(told) == 1
    assert told[0].endswith("Until then nothing is saved.")


def test_a_store_that_may_not_be_read_is_never_taken_for_a_damaged_one(shelf, told):
    path = shelf / "lazychat.db"
    talk(path, 2)
    path.chmod(0)
    with unprivileged(), closing(open_log(path, told.append)) as log:
        log.append("c", Queued("x", "1")).result(LIMIT)
    assert [file.name for file in shelf.iterdir()] == ["lazychat.db"]
    assert told[0].endswith("Until then nothing is saved.")
