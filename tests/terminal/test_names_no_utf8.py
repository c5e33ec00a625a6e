"""No odd value in a store, such as a name that is not UTF-8, keeps one from asking."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from support import ROOT
from support.start import write_config

from tui import process_identity
from tui.eventlog import EventLog
from tui.events import MessageAdded, TurnFinished, TurnRequested
from tui.messages import Message

BAD = "CAST(x'ff6261' AS TEXT)"
SPOILT = {
    "a turn": f"UPDATE event SET turn = {BAD} WHERE turn = 't2'",
    "a turn, and that it runs": f"UPDATE event SET turn = {BAD} WHERE turn = 't2'; "
    f"UPDATE running SET turn = {BAD} WHERE turn = 't2'",
    "that it runs": f"UPDATE running SET turn = {BAD}",
    "a turn that has ended": f"UPDATE event SET turn = {BAD} WHERE turn = 't1'",
    "a question that waits": f"UPDATE event SET turn = {BAD} WHERE turn = 't3'",
    "a conversation": f"UPDATE event SET conversation = {BAD} WHERE turn = 't2'",
    "all of a conversation": f"UPDATE event SET conversation = {BAD}; "
    f"UPDATE conversation SET id = {BAD}; UPDATE running SET conversation = {BAD}",
    "an id": f"UPDATE conversation SET id = {BAD}",
    "a title": f"UPDATE conversation SET title = {BAD}",
    "a kind": f"UPDATE event SET kind = {BAD} WHERE kind = 'turn_started'",
    "of what a delta is": f"UPDATE event SET delta_of = {BAD} WHERE seq = 4",
    "an event": f"UPDATE event SET data = {BAD} WHERE seq = 4",
    "a draft": f"INSERT INTO draft VALUES ('c', {BAD}, 1, '')",
    "whose a draft is": "INSERT INTO draft "
    "VALUES (CAST(x'6e657720ff' AS TEXT), 'x', 1, '')",
    "what was seen": f"INSERT INTO seen VALUES ({BAD}, 1)",
    "a journal": f"INSERT INTO taken VALUES ({BAD})",
    "an import": f"INSERT INTO importing VALUES ({BAD}, {BAD}, 1)",
    "a claim": "UPDATE event SET data = '[]' "
    "WHERE turn = 't2' AND kind = 'turn_started'",
    "the turn of a claim": "UPDATE event SET turn = NULL "
    "WHERE turn = 't2' AND kind = 'turn_started'",
    "the last number": "UPDATE sqlite_sequence SET seq = 'x'",
    "the last number, which is missing": "UPDATE sqlite_sequence SET seq = NULL",
    "a deletion": "INSERT INTO deleted(conversation, title, draft, time) "
    f"VALUES ({BAD}, {BAD}, {BAD}, 9e9)",
}


@pytest.mark.parametrize("what", SPOILT)
def test_one_can_ask_on_whatever_is_spoilt(home: Path, what: str) -> None:
    gone = msgspec.structs.replace(process_identity.claim(), pid=2**31 + 1)
    store = home / "lazychat.db"
    with EventLog(store) as log:
        for turn in ("t1", "t2", "t3"):
            asked = MessageAdded(f"{turn}.0", Message("user", "hello"))
            log.append("c", asked, TurnRequested("scripted", runner="x"), turn=turn)
            if turn != "t3":
                log.append("c", gone, turn=turn)
            if turn == "t1":
                answer = MessageAdded("t1.1", Message("assistant", "world"))
                log.append("c", answer, TurnFinished("stop"), turn=turn)
    with closing(sqlite3.connect(store)) as db:
        db.executescript(SPOILT[what])
        db.commit()
    write_config(home, [{"text": "Well then."}])

    for command in (["ask", "-c", "and?"], ["ask", "-c", "and then?"], ["list"]):
        ran = subprocess.run(
            [sys.executable, "-m", "tui", *command],
            env={**os.environ, "PYTHONPATH": str(ROOT), "LAZYCHAT_HOME": str(home)},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if command[-1] != "and then?":  # the script has one answer
            assert ran.returncode == 0, ran.stderr
            assert "Well then." in ran.stdout or command == ["list"]
        assert "Traceback" not in ran.stderr
