"""`lazychat tail`: what happened, from a cursor, for people and programs."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes.lazychat import LIMIT, Home, complaint

from tui.eventlog import EventLog
from tui.events import MessageAdded, NoticeGiven, TextDelta
from tui.messages import Message

HELLO = MessageAdded("q", Message("user", "Hello?"))


@pytest.fixture
def place(home: Path) -> Iterator[Home]:
    with Home(home.parent) as place:
        place.scripted("One two.")
        yield place


def test_it_prints_a_line_for_each_record_of_the_last_conversation(
    place: Home,
) -> None:
    place.ask("Hello?")

    lines = place.run("tail").out.splitlines()

    kinds = [line.split()[3] for line in lines]
    assert kinds == [record_kind(r) for r in as_json(place)]
    assert kinds[0] == "message_added"
    assert lines[0].endswith("user: Hello?")
    assert lines[-2].endswith("assistant: One two.")
    assert lines[-1].endswith("turn_finished       stop")


def as_json(place: Home, *arguments: str) -> list[dict[str, object]]:
    done = place.run("tail", "--json", *arguments)
    assert done.code == 0, done
    return [json.loads(line) for line in done.out.splitlines()]


def record_kind(record: dict[str, object]) -> object:
    return record["kind"]


def test_json_is_the_record_as_it_is_stored(place: Home) -> None:
    place.ask("Hello?")

    records = as_json(place)

    stored = place.records()
    assert [r["seq"] for r in records] == [r.seq for r in stored]
    assert [r["turn"] for r in records] == [r.turn for r in stored]
    assert set(records[0]) == {"seq", "conversation", "turn", "time", "kind", "data"}
    message = {"role": "user", "text": "Hello?"}
    data = records[0]["data"]
    assert isinstance(data, dict)
    assert data["message"] == message


def test_it_begins_after_a_cursor(place: Home) -> None:
    place.ask("Hello?")
    all_of_it = as_json(place)

    rest = as_json(place, "--after", str(all_of_it[1]["seq"]))

    assert rest == all_of_it[2:]


def test_it_takes_the_beginning_of_an_id(place: Home) -> None:
    place.scripted("One.", "One.")
    place.ask("first")
    first = str(as_json(place)[0]["conversation"])
    place.ask("second")

    assert as_json(place, first[:8])[0]["conversation"] == first
    assert as_json(place)[0]["conversation"] != first
    assert "No conversation" in complaint(place.run("tail", "zzz"), 1)


def test_without_a_conversation_it_says_so(place: Home) -> None:
    assert "no conversation yet" in complaint(place.run("tail"), 1)


def test_nothing_in_it_drives_the_terminal(place: Home) -> None:
    with EventLog(place.store) as log:
        evil = "\x1b[2J\x1b]0;owned\x07\nmore " + "x" * 200
        log.append("c", HELLO, NoticeGiven(evil)).result(30)

    out = place.run("tail", "c").out

    assert out.count("\n") == 2
    assert not set("\x1b\x07") & set(out)
    assert out.endswith("x...\n")


def test_it_follows_until_ctrl_c(place: Home) -> None:
    with EventLog(place.store) as log:
        log.append("c", HELLO).result(30)
        tail = place.start("-m", "tui", "tail", "-f", "--json", "c")
        assert tail.stdout
        assert json.loads(tail.stdout.readline())["kind"] == "message_added"

        log.append("c", TextDelta("a", "Hi")).result(30)
        came = json.loads(tail.stdout.readline())

        assert came["data"] == {"message_id": "a", "text": "Hi"}
        tail.send_signal(signal.SIGINT)
        out, err = tail.communicate(timeout=LIMIT)
        assert (tail.returncode, out, err) == (130, b"", b"")


def test_it_ends_when_nobody_reads_any_more(place: Home) -> None:
    """Without a word more to write: that alone would tell it."""
    with EventLog(place.store) as log:
        log.append("c", HELLO).result(30)
    tail = place.start("-m", "tui", "tail", "-f", "c", stdout=subprocess.PIPE)
    assert tail.stdout
    tail.stdout.readline()

    tail.stdout.close()

    assert tail.wait(LIMIT) == 0
    assert tail.stderr
    with tail.stderr:
        assert tail.stderr.read() == b""
