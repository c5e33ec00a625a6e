"""`lazychat list`, `search`, `rename` ... in processes of their own."""

import json
import os
import select
import subprocess
import sys

import pexpect
import pytest
from support.fakes.lazychat import LIMIT, Home, complaint

from tui import conversation, process_identity
from tui.eventlog import EventLog
from tui.events import MessageAdded, Record, TextDelta, TurnRequested, TurnStarted
from tui.messages import Message


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


def fill(home, **said):
    """Store conversations, each with a question and an answer, oldest first."""
    with EventLog(home.store) as log:
        log.add(
            [
                Record(0, id, None, at * 60.0, MessageAdded(f"{id}{role}", message))
                for at, (id, text) in enumerate(said.items(), 1)
                for role in ("user", "assistant")
                for message in [Message(role, text)]
            ]
        ).result(30)


def titles(home):
    with EventLog(home.store) as log:
        return [it.title for it in conversation.recent(log)]


def start(home, id, owner):
    with EventLog(home.store) as log:
        log.append(id, owner, turn=f"turn of {id}")
        half = TextDelta(f"answer of {id}", "Half an")
        log.append(id, half, turn=f"turn of {id}").result(30)


def terminal(home, *arguments):
    command = [sys.executable, "-m", "tui", *arguments]
    return pexpect.spawn(
        command[0],
        command[1:],
        env={**home.env, "TERM": "xterm"},
        cwd=str(home.work),
        encoding="utf-8",
        timeout=LIMIT,
        dimensions=(24, 60),
    )


def printed(spawned):
    spawned.expect(pexpect.EOF)
    assert spawned.before is not None
    return spawned.before


def test_list_shows_the_last_used_first_and_what_runs(home):
    home.env["TZ"] = "UTC"
    fill(home, aaaaaaaa="First", bbbbbbbb="第二", cccccccc="Third")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = process_identity.claim()
    start(home, "aaaaaaaa", mine)
    start(home, "cccccccc", TurnStarted(mine.host, mine.boot_id, gone.pid, 1))
    home.run("pin", "aaa")

    done = home.run("list")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"aaaaaa  1970-01-01 00:01     2  * [running, pid {os.getpid()}] First",
        "cccccc  1970-01-01 00:03     2  [interrupted] Third",
        "bbbbbb  1970-01-01 00:02     2  第二",
    ]


def test_list_tells_when_there_are_more(home):
    fill(home, a="First", b="Second", c="Third")

    done = home.run("list", "-n", "2")

    assert [line[-5:] for line in done.out.splitlines()] == ["Third", "econd"]
    assert "`-n 0` lists all" in done.err
    assert len(home.run("list", "-n", "0").out.splitlines()) == 3


def test_list_of_nothing_is_said_on_stderr(home):
    assert home.run("list") == (0, "", "lazychat: no conversations yet\n")
    assert home.run("list", "--json").out == "[]\n"


def test_list_is_json_for_programs(home):
    fill(home, a='Say "hi"\x1b[31m')
    start(home, "a", process_identity.claim())

    (row,) = json.loads(home.run("list", "--json").out)

    assert row.pop("running") == [
        {"host": process_identity.claim().host, "pid": os.getpid()}
    ]
    assert row == {
        "id": "a",
        "title": 'Say "hi"\x1b[31m',
        "created": 60.0,
        "updated": 60.0,
        "messages": 2,
        "pinned": False,
    }


def test_on_a_terminal_rows_are_cut_and_can_drive_nothing(home):
    fill(home, a="\x1b]0;owned\x07" + "长" * 60)

    row = printed(terminal(home, "list")).rstrip("\r\n")

    assert "\x1b" not in row
    assert "␛]0;owned␇长" in row
    assert row.endswith("长…")
    assert sum(2 if c == "长" else 1 for c in row) <= 60


def test_search_shows_hits_in_their_place(home):
    home.env["TZ"] = "UTC"
    fill(home, a="Where is std::vector?", b="Nothing", c="打开窗口")

    done = home.run("search", "std::vec")
    assert done == (
        0,
        "a  1970-01-01 00:01  assistant  Where is std::vector?\n"
        "    Where is std::vector?\n"
        "a  1970-01-01 00:01  user       Where is std::vector?\n"
        "    Where is std::vector?\n",
        "",
    )
    assert "打开窗口" in home.run("search", "窗口").out
    assert len(home.run("search", "-n", "1", "is", "where").out.splitlines()) == 2


def test_search_marks_hits_on_a_terminal(home):
    fill(home, a="Where is the needle?")

    shown = printed(terminal(home, "search", "needle"))

    assert "Where is the \x1b[1mneedle\x1b[22m?" in shown


def test_search_is_json_for_programs(home):
    fill(home, a="Where is the needle?")

    _, hit = json.loads(home.run("search", "--json", "needle").out)

    assert hit == {
        "conversation": "a",
        "title": "Where is the needle?",
        "message_id": "auser",
        "role": "user",
        "time": 60.0,
        "excerpt": "Where is the needle?",
        "marks": [[13, 19]],
        "seq": 1,
    }


@pytest.mark.parametrize("words", [["needle"], ["++"], ["AND", "NOT"]])
def test_search_that_finds_nothing_ends_with_1(home, words):
    fill(home, a="hello")

    assert home.run("search", *words) == (1, "", "lazychat: nothing found.\n")
    assert home.run("search", "--json", *words)[:2] == (1, "[]\n")


def test_a_conversation_is_renamed(home):
    fill(home, abc="First", abd="Second")

    assert home.run("rename", "abc", "A", "new  title") == (0, "", "")

    assert titles(home) == ["Second", "A new title"]
    assert "Several conversations have" in complaint(home.run("rename", "ab", "x"), 1)
    assert "at least one character" in complaint(home.run("rename", "abc", " "), 1)


def test_a_conversation_is_pinned_and_let_go(home):
    fill(home, a="First", b="Second")

    assert home.run("pin", "a") == (0, "", "")
    assert titles(home) == ["First", "Second"]
    assert home.run("pin", "a", "--off") == (0, "", "")
    assert titles(home) == ["Second", "First"]


def test_deletion_leaves_nothing_in_the_files(home):
    fill(home, a="a needle", b="a haystack", c="a needle too")

    assert home.run("delete", "--yes", "a", "c", "a") == (0, "", "")

    assert titles(home) == ["a haystack"]
    for file in home.store.parent.glob(f"{home.store.name}*"):
        assert b"needle" not in file.read_bytes()


def test_deletion_asks_and_needs_a_terminal_for_it(home):
    fill(home, a="First", b="Second")

    assert "add --yes" in complaint(home.run("delete", "a"), 2)
    for answer, left in [("", ["Second", "First"]), ("y", ["Second"])]:
        asked = terminal(home, "delete", "a")
        asked.expect("First.*Delete permanently")
        asked.sendline(answer)
        asked.expect(pexpect.EOF)
        asked.close()
        assert asked.exitstatus == (0 if answer else 130)
        assert titles(home) == left


def test_an_answer_that_is_being_written_is_not_deleted(home):
    fill(home, a="a needle")
    start(home, "a", process_identity.claim())

    assert "stop it first" in complaint(home.run("delete", "-y", "a"), 1)
    assert titles(home) == ["a needle"]


def test_an_answer_whose_process_has_died_is_deleted(home):
    fill(home, a="a needle")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = process_identity.claim()
    start(home, "a", TurnStarted(mine.host, mine.boot_id, gone.pid, 1))

    assert home.run("delete", "-y", "a") == (0, "", "")
    assert titles(home) == []


def test_what_is_exported_can_be_imported_elsewhere(home, tmp_path):
    fill(home, a="First", b="第二")
    file = home.work / "all.json"

    assert home.run("export", "--all", "-o", file) == (0, "", "")
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "elsewhere").mkdir()
    with Home(tmp_path / "elsewhere") as other:
        assert other.run("import", file) == (0, "a\nb\n", "")
        assert titles(other) == ["第二", "First"]
        piped = home.run("export", "--format", "json", "b").out
        done = other.run("import", "-", input=piped)
        assert done.code == 0
        assert done.out.strip() not in ("", "b")
        assert titles(other).count("第二") == 2


def test_markdown_goes_to_stdout(home):
    fill(home, a="First", b="Second")

    done = home.run("export", "a", "b")

    assert (done.code, done.err) == (0, "")
    one, two = done.out.split("\n---\n\n")
    assert one.startswith("# First\n\n## You, ")
    assert two.startswith("# Second\n\n## You, ")


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["export"], 2, "the id of a conversation, or --all"),
        (["export", "a", "--all"], 2, "the id of a conversation, or --all"),
        (["export", "zz"], 1, "No conversation has an id"),
        (["export", "a", "-o", "/nowhere/x.md"], 1, "/nowhere/x.md cannot be written"),
        (["import", "/nowhere/x.json"], 1, "/nowhere/x.json cannot be read"),
        (["import", "bad.json"], 1, "bad.json: This is not a lazychat export"),
        (["import", "bytes.json"], 1, "bytes.json: it is not UTF-8 text"),
        (["delete", "-y", "zz"], 1, "No conversation has an id"),
        (["pin", ""], 1, "an id that begins with ''"),
        (["export", "a", "-o", "bad.json"], 1, "bad.json exists already: --force"),
        (["search", '"'], 1, "cannot search for punctuation alone"),
        (["search", "zz"], 1, "nothing found"),
    ],
)
def test_what_is_wrong_is_one_line(home, arguments, code, problem):
    fill(home, a="First")
    (home.work / "bad.json").write_text("{}")
    (home.work / "bytes.json").write_bytes(b"\xff\xfe")

    assert problem in complaint(home.run(*arguments), code)


def test_only_force_writes_over_a_file_and_a_pipe_needs_none(home):
    fill(home, a="First")
    file = home.write("talk.md", "precious")

    assert home.run("export", "a", "-o", file).code == 1
    assert file.read_text() == "precious"
    assert home.run("export", "a", "-o", file, "--force") == (0, "", "")
    assert file.read_text().startswith("# First")
    assert home.run("export", "a", "-o", "/dev/null") == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [["list", "-n", "-3"], ["search", "x", "-n", "-1"], ["tail", "--after", "-1"]],
)
def test_a_number_below_zero_is_a_wrong_use(home, arguments):
    done = home.run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert "a whole number, 0 or more" in done.err


def test_a_reader_that_goes_away_is_no_fault(home):
    fill(home, **{f"c{n}": "x" * 70 for n in range(2000)})
    with home.start("-m", "tui", "list", "-n", "0") as listing:
        select.select([listing.stdout], [], [], LIMIT)
        listing.stdout.close()

        assert listing.wait(LIMIT) == 1
        assert listing.stderr.read() == b""


def test_a_question_that_waits_is_taken_back_by_a_deletion(home):
    fill(home, a="a needle")
    with EventLog(home.store) as log:
        log.append("a", TurnRequested("m", runner="x"), turn="t").result(30)

    assert home.run("delete", "-y", "a") == (0, "", "")
