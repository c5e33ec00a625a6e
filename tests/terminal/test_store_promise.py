"""What is shown is kept: while others hold the lock, and when the file is replaced."""

import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest
from support import ROOT
from support.fault_notes import Tried
from support.start import Start
from support.terminal import wait_until

from tui import conversation
from tui.cli import main
from tui.conversation import read_state
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog
from tui.events import MessageAdded, Queued, Record, TextDelta
from tui.messages import Message

LIMIT = 30.0

TALKER = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import TextDelta
log = EventLog(Path(sys.argv[1]))
follow = log.follow("c", log.tail())
for number in range(100_000):
    log.append("c", TextDelta(sys.argv[2], f"w{number} "), turn="t").result()
    for record in follow.poll(30):
        print(record.event.text, end="", flush=True)  # what a screen shows
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "lazychat.db"


def said(log: EventLog, id: str = "c") -> list[str]:
    return [r.event.text for r in log.read(id) if isinstance(r.event, Queued)]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the writer's lock while the block runs."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def test_words_shown_during_a_lock_outlive_a_kill(path: Path, tried: Tried) -> None:
    with EventLog(path):
        pass
    lost = words = 0
    for number in range(3):
        shown = killed_during_a_lock(path, f"m{number}", 30)
        with EventLog(path) as log:
            kept = "".join(
                r.event.text
                for r in log.read("c")
                if isinstance(r.event, TextDelta) and r.event.message_id == f"m{number}"
            )
        words += len(shown.split())
        lost += len(set(shown.split()) - set(kept.split()))
        assert kept.startswith(shown.rstrip())
    assert lost == 0
    assert words >= 90
    assert [file.name for file in path.parent.iterdir()] == ["lazychat.db"]
    tried("SIGKILL while another program has locked the store", 3, lost=lost)


def killed_during_a_lock(path: Path, message: str, more: int) -> str:
    """Kill a talker that has shown `more` words during a lock; return all it showed."""
    talker = subprocess.Popen(
        [sys.executable, "-c", TALKER, str(path), message],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert talker.stdout
    shown = os.read(talker.stdout.fileno(), 65536)
    with locked(path):
        while shown.count(b" ") < more or not list(path.parent.glob("*.kept-*")):
            shown += os.read(talker.stdout.fileno(), 65536)
        talker.send_signal(signal.SIGKILL)
        talker.wait(LIMIT)
        shown += talker.stdout.read()
    talker.stdout.close()
    return shown.decode()


def test_a_journal_is_taken_in_once(path: Path) -> None:
    with EventLog(path) as log:
        with locked(path):
            log.append("c", Queued("x", "1")).result(LIMIT)
            read_state.save_draft(log, "c", "half a thought").result(LIMIT)
            (journal,) = path.parent.glob("*.kept-*")
            copy = journal.read_bytes()
        wait_until(lambda: not journal.exists())
    # As if the process had died between the store and the file.
    journal.write_bytes(copy)

    with EventLog(path) as log:
        assert said(log) == ["1"]
        assert read_state.draft(log, "c") == "half a thought"
    assert not journal.exists()


@pytest.mark.parametrize("first", ["draft", "seen", "flush", "write", "question"])
@pytest.mark.parametrize("removed", ["all", "db"])
def test_after_the_file_was_removed_everything_goes_on(
    path: Path, first: str, removed: str
) -> None:
    told: list[str] = []
    with EventLog(path, told.append) as log, log.follow("c") as follow:
        for number in range(5):
            log.append("c", Queued("x", str(number))).result(LIMIT)
        assert len(follow.poll(LIMIT)) == 5
        for suffix in ("", "-wal", "-shm") if removed == "all" else ("",):
            Path(f"{path}{suffix}").unlink()
        match first:
            case "draft":
                read_state.save_draft(log, "c", "x").result(LIMIT)
            case "seen":
                read_state.mark_seen(log, "c", 3).result(LIMIT)
            case "flush":
                log.flush()
            case "write":
                log.write("c", Queued("x", "first"))
            case _:
                pass

        seq = log.append("c", Queued("x", "asked")).result(LIMIT)

        got: list[str] = []
        while "asked" not in got:
            got += [r.event.text for r in follow.poll(LIMIT)]  # type: ignore[union-attr]
        assert seq > 5
        wait_until(lambda: told)
        assert "a new one was created" in told[0]
    with EventLog(path) as log:
        assert said(log)[-1] == "asked"


ASKER = """
import sys
from pathlib import Path
from tui.eventlog import EventLog
from tui.events import Queued
log = EventLog(Path(sys.argv[1]), lambda text: print("told", text, flush=True))
for line in sys.stdin:
    log.append("c", Queued("x", line.strip())).result()
    print("kept" if not log.unkept else "in memory", flush=True)
"""


@contextmanager
def asker(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that appends each line it gets, and kill it in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", ASKER, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process: subprocess.Popen[str], text: str) -> list[str]:
    """Have `text` appended; return what the process said until that was done."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    said = [process.stdout.readline().strip()]
    while said[-1] not in ("kept", "in memory", ""):
        said.append(process.stdout.readline().strip())
    return said


def ask_until_told(
    process: subprocess.Popen[str],
    asked: list[str],
    said: list[str],
    seen: Sequence[str] = (),
    other: subprocess.Popen[str] | None = None,
) -> None:
    """Ask until `said` or `seen` has what was done about the files.

    That comes once the store is rewritten, which may be some commits later. Whoever
    notices first does it and tells: `other`, which is not asked, may be that.
    """

    def is_told() -> bool:
        if other and other.stdout and select.select([other.stdout], [], [], 0)[0]:
            said.append(other.stdout.readline().strip())
        if seen or any(line.startswith("told") for line in said):
            return True
        asked.append(f"once more, the {len(asked)}th")
        said.extend(ask(process, asked[-1]))
        return False

    wait_until(is_told)


@pytest.mark.parametrize("removed", [["-wal"], ["-shm"], ["-wal", "-shm"]])
@pytest.mark.parametrize("others", [False, True])
def test_what_was_in_a_log_that_is_removed_in_use_outlives_a_kill(
    path: Path, removed: list[str], others: bool, tried: Tried
) -> None:
    with asker(path) as process, asker(path) as other:
        said_ = ask(process, "1")
        asked = ["1"]
        if others:
            said_ += ask(other, "other 1")
            asked.append("other 1")
        for suffix in removed:
            Path(f"{path}{suffix}").unlink()
        for text in ("2", "3"):
            said_ += ask(process, text)
            asked.append(text)
            if others:
                said_ += ask(other, f"other {text}")
                asked.append(f"other {text}")
        ask_until_told(process, asked, said_)
        process.kill()
        other.kill()
        process.wait(LIMIT)
        other.wait(LIMIT)

    told = [line for line in said_ if line.startswith("told")]
    assert sum("was removed while in use" in line for line in told) == 1
    assert "in memory" not in said_
    with EventLog(path) as log:
        lost = set(asked) - set(said(log))
        assert log.query("PRAGMA integrity_check") == [("ok",)]
        assert len(said(log)) == len(asked)
    assert lost == set()
    tried(f"{' and '.join(removed)} removed in use, then SIGKILL", 1, lost=len(lost))


@pytest.mark.parametrize("size", [0, 0.3, 0.9])
@pytest.mark.parametrize("others", ["none", "write", "look on"])
def test_what_was_in_a_log_that_is_cut_short_in_use_outlives_a_kill(
    path: Path, size: float, others: str, tried: Tried
) -> None:
    seen: list[str] = []
    with (
        asker(path) as process,
        asker(path) as other,
        EventLog(path, seen.append) as reader,
    ):
        # More than a connection has in memory.
        asked = [f"{number} {'x' * 50_000}" for number in range(100)]
        said_ = [line for text in asked for line in ask(process, text)]
        if others == "write":
            asked += [f"other {number}" for number in range(5)]
            said_ += [line for text in asked[-5:] for line in ask(other, text)]
        with reader.follow("c") if others == "look on" else nullcontext() as follow:
            if follow:
                wait_until(lambda: follow.poll(LIMIT) and len(said(reader)) == 100)
            log = Path(f"{path}-wal")
            store = path.stat().st_ino
            os.truncate(log, int(log.stat().st_size * size))
            if follow:
                # Whoever notices first rewrites the store, and tells.
                wait_until(lambda: seen or path.stat().st_ino != store)
        for text in ("2", "3"):
            for who in (process, other) if others == "write" else (process,):
                asked.append(f"{text} of {who.pid}")
                said_ += ask(who, asked[-1])
        ask_until_told(process, asked, said_, seen, other)
        process.kill()
        other.kill()
        process.wait(LIMIT)
        other.wait(LIMIT)

    told = [*seen, *(line for line in said_ if line.startswith("told"))]
    assert len(told) == 1
    assert all("truncated while in use" in line for line in told)
    assert "in memory" not in said_
    with EventLog(path) as log:
        assert log.query("PRAGMA integrity_check") == [("ok",)]
        assert sorted(said(log)) == sorted(asked)
    tried("-wal cut short in use, then SIGKILL", 1, lost=0)


@pytest.mark.parametrize("by", ["older", "empty", "strange"])
def test_a_file_put_in_the_place_of_the_store_is_used_and_the_old_one_kept(
    path: Path, tmp_path: Path, by: str
) -> None:
    told: list[str] = []
    other = tmp_path / "other.db"
    if by == "empty":
        other.touch()
    elif by == "strange":
        with EventLog(other) as log:
            for number in range(9):
                asked = MessageAdded(f"s{number}", Message("user", "strange"))
                log.append("d", asked).result(LIMIT)
    with EventLog(path, told.append) as log:
        log.append("a", MessageAdded("m1", Message("user", "old"))).result(LIMIT)
        if by == "older":
            log.backup(other)
        log.append("c", MessageAdded("m2", Message("user", "newer"))).result(LIMIT)
        os.utime(other, (1, 1))
        other.rename(path)

        with log.follow("c", log.tail()) as follow:
            read_state.save_draft(log, "c", "x").result(LIMIT)
            seq = log.append("c", Queued("x", "asked")).result(LIMIT)
            assert [r.event for r in follow.poll(LIMIT)] == [Queued("x", "asked")]
        assert seq > 2
        wait_until(lambda: told)

    wording = {
        "older": "by an older one",
        "empty": "by an empty",
        "strange": "by another one",
    }
    assert wording[by] in told[0]
    (aside,) = path.parent.glob("*.replaced-*")
    assert str(aside) in told[0]
    with EventLog(aside) as log:
        assert [c.title for c in conversation.recent(log)] == ["newer", "old"]
    with EventLog(path) as log:
        assert said(log) == ["asked"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_append_that_cannot_be_fails_alone(path: Path) -> None:
    with EventLog(path) as log:
        wrong = [
            log.append("c", Queued("x", {"input": "q"})),  # type: ignore[arg-type]
            log.append("c", MessageAdded("m", Message("user", 5))),  # type: ignore[arg-type]
            log.append("c", TextDelta("m", None)),  # type: ignore[arg-type]
            log.append("c", TextDelta("m", 2**70)),  # type: ignore[arg-type]
            log.add([Record(1, "c", None, float("nan"), Queued("x", "y"))]),
            log.append("c", "no event"),  # type: ignore[arg-type]
            log.append("c", guard=lambda db: 1 / 0 > 0),
        ]
        good = log.append("c", Queued("x", "good"))

        assert good.result(LIMIT)
        for future in wrong:
            with pytest.raises(LogError) as error:
                future.result(LIMIT)
            assert not isinstance(error.value, ConflictError)
        assert said(log) == ["good"]


def test_text_that_is_no_unicode_is_stored_as_what_can_be(path: Path) -> None:
    with EventLog(path) as log:
        log.append("c\udce9", MessageAdded("m", Message("user", "caf\udce9"))).result(
            30
        )
        read_state.save_draft(log, "c\udce9", "\udce9").result(30)

        (found,) = conversation.recent(log)
        assert (found.id, found.title) == ("c\ufffd", "caf\ufffd")
        assert read_state.draft(log, "c\ufffd") == "\ufffd"
        with pytest.raises(LogError, match="No conversation has"):
            conversation.find(log, "\udce9")


def test_a_home_whose_name_is_no_utf8_works(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9") / "lazychat.db"
    for text in ("1", "2"):
        with EventLog(path) as log:
            log.append("c", Queued("x", text)).result(LIMIT)
            with locked(path):
                log.append("c", Queued("x", text)).result(LIMIT)
    with EventLog(path) as log:
        assert said(log) == ["1", "1", "2", "2"]


def test_what_was_said_last_is_the_newest_whatever_the_clock_says(path: Path) -> None:
    with EventLog(path) as log:
        log.append("old", MessageAdded("m1", Message("user", "before"))).result(LIMIT)
        back = time.time() - 86400
        asked = MessageAdded("m2", Message("user", "clock set back"))
        log.add([Record(0, "new", None, back, asked)]).result(LIMIT)
        imported = MessageAdded("m3", Message("user", "imported"))
        log.add([Record(0, "in", None, back, imported)], imported=True).result(LIMIT)

        newest = conversation.newest(log)

        assert newest
        assert newest.id == "new"


def test_an_import_that_was_broken_off_is_completed_by_the_next(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EventLog(tmp_path / "source.db") as log:
        for number in range(350):
            asked = MessageAdded(f"m{number}", Message("user", f"question {number}"))
            log.append("c", asked).result(LIMIT)
        document = conversation.export_json(log, "c")
    with EventLog(path) as log:
        log.append("c", MessageAdded("here", Message("user", "mine"))).result(LIMIT)
        add, calls = log.add, []

        def dies(*given, **options):
            calls.append(1)
            if len(calls) > 3:
                raise KeyboardInterrupt
            return add(*given, **options)

        monkeypatch.setattr(log, "add", dies)
        with pytest.raises(KeyboardInterrupt):
            conversation.import_json(log, document)
        monkeypatch.setattr(log, "add", add)

        (id,) = conversation.import_json(log, document)

        assert len(conversation.recent(log)) == 2
        entries = conversation.fold(log.read(id)).entries.values()
        texts = [entry.message.text for entry in entries]
        assert texts == [f"question {number}" for number in range(350)]
        assert log.query("SELECT count(*) FROM importing") == [(0,)]


def test_an_import_holds_one_large_message_at_a_time_in_a_transaction(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a" * 1_100_000, "b", "c" * 1_100_000, "d" * 1_100_000, "e"]
    with EventLog(tmp_path / "source.db") as log:
        for number, text in enumerate(texts):
            said = MessageAdded(f"m{number}", Message("user", text))
            log.append("c", said).result(LIMIT)
        document = conversation.export_json(log, "c")
    with EventLog(path) as log:
        add, sizes = log.add, []

        def counts(records, **options):
            sizes.append(len(records))
            return add(records, **options)

        monkeypatch.setattr(log, "add", counts)
        (id,) = conversation.import_json(log, document)

        assert sizes == [1, 2, 1, 1]
        entries = conversation.fold(log.read(id)).entries.values()
        assert [entry.message.text for entry in entries] == texts


def test_a_backup_is_whole_while_another_process_writes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.db"
    with EventLog(home / "lazychat.db") as log:
        asked = MessageAdded("m", Message("user", "kept"))
        log.append("c", asked).result(LIMIT)
        with locked(home / "lazychat.db"):
            assert main(["backup", str(file)]) == 0

        assert main(["backup", str(file)]) == 1
        assert "--force overwrites it" in capsys.readouterr().err
        assert main(["backup", "--force", str(file)]) == 0
        assert main(["backup", "--force", str(log.path)]) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in tmp_path.glob("*backup*")] == ["backup.db"]
    restored = home / "restored.db"
    shutil.copy(file, restored)
    with EventLog(restored) as log:
        assert [it.title for it in conversation.recent(log)] == ["kept"]


def test_a_question_outlives_a_kill_as_soon_as_it_is_sent(
    start: Start, home: Path, tried: Tried
) -> None:
    lost = 0
    for number, delay in enumerate((0, 0.004, 0.009, 0.016, 0.028, 0.042)):
        terminal = start([{"steps": [{"pause": 60}]}])
        terminal.type(f"question {number}")
        terminal.wait_for(f"question {number}")
        terminal.press("enter")
        terminal.written_within(delay)
        terminal.signal(signal.SIGKILL)
        terminal.process.wait(LIMIT)
        with closing(sqlite3.connect(home / "lazychat.db")) as db:
            sql = "SELECT data FROM event UNION ALL SELECT text FROM draft"
            stored = [text for (text,) in db.execute(sql)]
            db.execute("DELETE FROM draft")
            db.execute("DELETE FROM conversation")
            db.commit()
        lost += not any(f"question {number}" in text for text in stored)
    assert lost == 0
    tried("SIGKILL 0-42 ms after Enter", 6, lost=lost)


@pytest.mark.parametrize("sent", [False, True])
def test_a_question_that_is_typed_while_the_store_is_locked_outlives_a_kill(
    start: Start, home: Path, tried: Tried, sent: bool
) -> None:
    """As soon as it can be seen: nothing is said of it that is not so."""
    lost, times = 0, 4
    for number in range(times):
        terminal = start([{"steps": [{"pause": 60}]}])
        terminal.settle()
        with locked(home / "lazychat.db"):
            terminal.type(f"question {number}")
            terminal.wait_for(f"question {number}")
            if sent:
                terminal.press("enter")
                terminal.written_within(0.05 * number)
            terminal.signal(signal.SIGKILL)
            terminal.process.wait(LIMIT)
        with EventLog(home / "lazychat.db") as log:
            kept = [text for (text,) in log.query("SELECT text FROM draft")]
            kept += [text for (text,) in log.query("SELECT data FROM event")]
        lost += not any(f"question {number}" in text for text in kept)
        for file in home.glob("lazychat.db*"):
            file.unlink()
    assert lost == 0
    tried("SIGKILL after a question was typed in a locked store", times, lost=lost)
