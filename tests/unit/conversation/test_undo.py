"""What was deleted comes back: after a kill, from the list, from the command line."""

import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from tui import cli, conversation, i18n, paths
from tui.app.history.actions import Library
from tui.conversation import read_state
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.eventlog.sqlite import trash
from tui.events import MessageAdded, ToolCallStarted, TurnRequested, TurnStarted
from tui.messages import Message, ToolCall
from tui.runtime.local_store import LocalStore

F8, F9 = b"\x1b[19~", b"\x1b[20~"
ANSWER = [{"text": "A needle in a haystack."}]


def say(log, id, *texts):
    for number, text in enumerate(texts):
        message = Message("assistant" if number % 2 else "user", text)
        log.append(id, MessageAdded(f"{id}.{number}", message))
    log.flush()


def left(needle):
    """Return the store's files that have `needle` in them."""
    folder = paths.log_file().parent
    return [
        file.name for file in sorted(folder.iterdir()) if needle in file.read_bytes()
    ]


@pytest.mark.parametrize("from_list", [False, True])
def test_delete_and_undo_work_after_the_list_was_left(start, from_list, tried):
    app = start(ANSWER)
    app.type("First question")
    app.press("enter")
    app.wait_for("haystack.")
    app.wait_for("ready")

    app.press("ctrl+s")
    app.wait_for("1 conversation")
    if from_list:
        app.send(F8)
        app.wait_for('Deleted "First question"')
    app.press("escape")
    app.wait_for("Message")
    if not from_list:
        app.type("/delete")
        app.press("enter")
        app.wait_for('Deleted "First question"')
    app.type("/undo")
    app.press("enter")
    app.wait_for("haystack.")

    tried("deleted and brought back after the list was left")


def test_undo_outlives_a_kill_and_a_restart(start, tried):
    app = start(ANSWER)
    app.type("First question")
    app.press("enter")
    app.wait_for("haystack.")
    app.wait_for("ready")
    app.type("/delete")
    app.press("enter")
    app.wait_for('Deleted "First question"')
    app.signal(signal.SIGKILL)
    app.wait_exit()

    again = start(ANSWER)
    again.send(F9)
    again.wait_for("haystack.")

    with EventLog(paths.log_file()) as log:
        assert [it.title for it in conversation.recent(log)] == ["First question"]
        assert conversation.trashed(log) == []
    tried("killed by SIGKILL after a deletion, then brought back")


def test_all_that_was_there_is_there_again(log):
    deep = "[" * 5000 + "]" * 5000
    say(log, "c", "a needle", "found")
    say(log, "d", "other")
    call = ToolCall("1", "look", {"for": "needle"})
    log.append("c", TurnRequested("m"), turn="t")
    log.append("c", ToolCallStarted(call), turn="t").result(30)
    conversation.pin(log, "c").result(30)
    conversation.rename(log, "c", "Sewing").result(30)
    read_state.save_draft(log, "c", "and now").result(30)
    with closing(sqlite3.connect(log.path)) as db, db:
        db.execute(
            "INSERT INTO event(conversation, kind, time, data) "
            "VALUES ('c', 'notice_given', 1e300, ?)",
            (deep,),
        )
    before = [r.event for r in log.read("c")], conversation.get(log, "c")

    trashed = conversation.trash(log, "c")
    assert conversation.get(log, "c") is None
    assert conversation.search(log, "needle") == []
    assert [it.title for it in conversation.trashed(log)] == ["Sewing"]
    assert conversation.restore(log, trashed) == "c"

    after = [r.event for r in log.read("c")]
    # The deletion, what was there, and the end of a turn that nobody runs.
    assert after[2:-1] == before[0]
    assert conversation.get(log, "c") == before[1]
    assert read_state.draft(log, "c") == "and now"
    assert len(conversation.search(log, "needle")) == 1


def test_the_last_deletion_comes_back_first(log):
    for id in "abc":
        say(log, id, f"Question {id}")
    library = Library(LocalStore(log))

    assert library.do("delete", "a").text == 'Deleted "Question a"'
    library.do("delete", "c")

    assert library.do("undo", "").id == "c"
    assert library.do("undo", "").id == "a"
    assert library.do("undo", "").text == "Nothing to undo in the last 7 days"


def test_titles_are_quoted_as_in_chinese_in_chinese(log, request):
    request.addfinalizer(lambda: i18n.choose("en"))
    say(log, "a", "你好")
    library = Library(LocalStore(log))
    i18n.choose("zh")

    said = [library.do(act, "a").text for act in ("pin", "delete", "undo")]

    assert said == ["已置顶：“你好”", "已删除“你好”", "已恢复“你好”"]


def test_what_was_deleted_twice_comes_back_beside_itself(log):
    say(log, "c", "a needle")
    first = conversation.trash(log, "c")
    say(log, "c", "another needle")

    id = conversation.restore(log, first)

    assert id != "c"
    assert [it.title for it in conversation.recent(log)] == [
        "another needle",
        "a needle",
    ]
    with pytest.raises(LogError, match="already restored or wiped"):
        conversation.restore(log, first)


def test_a_turn_whose_process_has_died_comes_back_as_interrupted(log):
    say(log, "c", "a needle")
    log.append("c", TurnRequested("m"), turn="t").result(30)
    trashed = conversation.trash(log, "c")
    assert conversation.running(log, "c") == []

    conversation.restore(log, trashed)

    assert conversation.fold(log.read("c")).requested == []


def test_the_draft_that_is_kept_is_the_one_saved_last(log):
    say(log, "c", "One")
    read_state.save_draft(log, "c", "/delete").result(30)
    other = sqlite3.connect(log.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    free = threading.Timer(0.05, other.close)
    read_state.save_draft(log, "c", "")  # cannot be written yet
    free.start()

    trashed = conversation.trash(log, "c")

    free.join()
    assert trashed.draft == ""


def test_a_running_turn_keeps_its_conversation_out_of_the_trash(log):
    say(log, "c", "a needle")
    log.append("c", TurnStarted("host", "boot", 1, 1), turn="t").result(30)

    with pytest.raises(LogError, match="stop it first"):
        conversation.trash(log, "c")

    assert conversation.trashed(log) == []


def test_purged_means_gone(log, tried):
    say(log, "c", "a needle", "found needle")
    conversation.trash(log, "c")
    assert left(b"needle")

    outcome = Library(LocalStore(log)).do("purge", "")

    assert outcome.text == "Permanently deleted 1 conversation."
    assert left(b"needle") == []
    assert Library(LocalStore(log)).do("undo", "").failed
    tried("deleted, then purged", leaked=len(left(b"needle")))


def test_what_is_too_old_is_wiped_at_the_next_start(log):
    say(log, "old", "an old needle")
    say(log, "new", "a new thread")
    conversation.trash(log, "old")
    conversation.trash(log, "new")
    with closing(sqlite3.connect(log.path)) as db, db:
        db.execute(
            "UPDATE deleted SET time = ? WHERE conversation = 'old'",
            (time.time() - trash.DAYS * 86_400 - 1,),
        )
    assert [it.id for it in conversation.trashed(log)] == ["new"]
    log.close()

    with EventLog(paths.log_file()) as again:
        assert again.purge() == ""
        assert left(b"needle") == []
        assert [it.id for it in conversation.trashed(again)] == ["new"]


def test_the_command_line_lists_brings_back_and_wipes(log, capsys):
    say(log, "aaa", "First needle")
    say(log, "bbb", "Second needle")
    conversation.trash(log, "aaa")
    conversation.trash(log, "bbb")
    log.close()

    assert cli.main(["list", "--deleted"]) == 0
    listed = capsys.readouterr().out
    assert listed.index("Second needle") < listed.index("First needle")
    assert cli.main(["undelete", "aa"]) == 0
    assert capsys.readouterr().out == "aaa\n"
    assert cli.main(["delete", "-y", "bb"]) == 0
    assert cli.main(["list", "--deleted"]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["undelete"]) == 1
    assert "was deleted in the last 7 days" in capsys.readouterr().err
    assert left(b"First needle")
    assert left(b"Second needle") == []


def test_deleting_for_good_wipes_what_was_in_the_trash_too(log):
    say(log, "c", "a needle")
    conversation.restore(log, conversation.trash(log, "c"))
    conversation.trash(log, "c")
    say(log, "c", "a thread")

    assert conversation.delete(log, "c").traces == ""

    assert left(b"needle") == []
    assert left(b"thread") == []
    assert conversation.trashed(log) == []
