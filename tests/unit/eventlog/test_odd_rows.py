"""No row of the store, and no field of an import, takes anything else along."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.terminal import wait_until

from tui import cli, conversation, paths
from tui.app.history.actions import Library
from tui.conversation import read_state
from tui.errors import LazychatError
from tui.eventlog import EventLog
from tui.eventlog.sqlite import late_index
from tui.events import MessageAdded, ToolCallStarted, Unreadable
from tui.messages import Message, ToolCall
from tui.runtime.local_store import LocalStore

DEEP = "[" * 5000 + "]" * 5000
COMMANDS = (
    ["list"],
    ["list", "--json"],
    ["search", "needle"],
    ["search", "--json", "needle"],
    ["tail", "c"],
    ["tail", "--json", "c"],
    ["export", "--all"],
    ["export", "--all", "--format", "json"],
)


@pytest.fixture
def store(home):
    """The store with one good conversation, and one to be spoilt."""
    with EventLog(paths.log_file()) as log:
        for id in ("c", "good"):
            for number, text in enumerate(("a needle", "it is found")):
                message = Message("assistant" if number % 2 else "user", text)
                log.append(id, MessageAdded(f"{id}.{number}", message))
        log.flush()
    return paths.log_file()


def spoil(store, sql, *values):
    with closing(sqlite3.connect(store)) as db, db:
        db.execute(sql, values)


def run_all(capsys):
    """Run all commands that read; return what they said."""
    said = {}
    for command in COMMANDS:
        code = cli.main(command)
        out, err = capsys.readouterr()
        assert code == 0, (command, err)
        assert "Traceback" not in err
        said[" ".join(command)] = out, err
    return said


ROWS = {
    "a BLOB": ("data = x'00ff00ff'",),
    "good JSON as a BLOB": ("data = CAST(data AS BLOB)",),
    "broken JSON": ("data = '{\"message_id'",),
    "deep JSON": ("data = ?", DEEP),
    "deep JSON in a field": (
        "data = ?",
        '{"message_id": "m", "message": ' + DEEP + "}",
    ),
    "a number": ("data = 17",),
    "no UTF-8": ("data = CAST(x'7b22ff22' AS TEXT)",),
    "no UTF-8 in a string": (
        "data = CAST(x'7b226d6573736167655f6964223a22ff227d' AS TEXT)",
    ),
    "a time of 1e300": ("time = 1e300",),
    "an infinite time": ("time = 9e999",),
    "a time before all time": ("time = -1e300",),
    "a time that is text": ("time = 'yesterday'",),
    "a time that is a BLOB": ("time = x'00'",),
    "a kind that is no UTF-8": ("kind = CAST(x'ff' AS TEXT)",),
    "a kind that is a BLOB": ("kind = x'ff00'",),
    "a turn that is a BLOB": ("turn = x'ff00'",),
    "a turn that is no UTF-8": ("turn = CAST(x'ff' AS TEXT)",),
}


@pytest.mark.parametrize("name", ROWS)
def test_one_odd_row_takes_no_other_along(store, capsys, name, tried):
    change, *values = ROWS[name]
    spoil(store, f"UPDATE event SET {change} WHERE seq = 1", *values)

    said = run_all(capsys)

    assert "good" in said["list"][0]
    assert "it is found" in said["tail c"][0]
    assert said["export --all"][0].count("it is found") == 2
    lines = [json.loads(line) for line in said["tail --json c"][0].splitlines()]
    assert len(lines) == 2
    with EventLog(store) as log:
        odd = [r for r in log.read() if isinstance(r.event, Unreadable)]
    for command in ("tail c", "export --all"):
        told = "1 record of the store could not be read" in said[command][1]
        assert told == bool(odd)
    again = json.loads(said["export --all --format json"][0])
    assert len(again["conversations"]) == 2
    with EventLog(store.with_name("other.db")) as other:
        document = said["export --all --format json"][0]
        assert len(conversation.import_json(other, document)) == 2
    tried("one odd row in the store", lost=0)


LISTED = {
    "no UTF-8 in a title": ("title = CAST(x'61ff62' AS TEXT)",),
    "a title that is a BLOB": ("title = x'61ff62'",),
    "an update at 1e300": ("updated = 1e300, created = -1e300",),
    "an update that is text": ("updated = 'x', created = x'ff', messages = 'x'",),
}


@pytest.mark.parametrize("name", LISTED)
def test_an_odd_line_of_the_list_takes_no_other_along(store, capsys, name):
    change, *values = LISTED[name]
    spoil(store, f"UPDATE conversation SET {change} WHERE id = 'c'", *values)

    said = run_all(capsys)

    assert len(said["list"][0].splitlines()) == 2
    if "update" in name:
        assert "unknown time" in said["list"][0]


ODD_IDS = {
    "an id that is no UTF-8": "CAST(x'ff41' AS TEXT)",
    "an id that is a BLOB": "x'ff41'",
    "an id without events": "'empty'",
    "the id of another as a BLOB": "CAST('good' AS BLOB)",
}


@pytest.mark.parametrize("name", ODD_IDS)
def test_a_line_of_the_list_without_events_is_left_out_of_an_export(
    store, capsys, name
):
    spoil(
        store,
        "INSERT INTO conversation(id, title, created, updated) "
        f"VALUES ({ODD_IDS[name]}, 'odd', 1, 1)",
    )

    said = run_all(capsys)

    for command in ("export --all", "export --all --format json"):
        out, err = said[command]
        assert out.count("it is found") == 2
        told = err.splitlines()
        assert len(told) == ("another" not in name)
        assert all("Skipped" in line for line in told)
    document = json.loads(said["export --all --format json"][0])
    assert {it["id"] for it in document["conversations"]} == {"c", "good"}


ODD = [row for name, row in ROWS.items() if "kind" not in name and "turn" not in name]


def test_the_app_opens_a_store_of_odd_rows(store, start, tried):
    for number, (change, *values) in enumerate(ODD):
        spoil(
            store,
            "INSERT INTO event(seq, conversation, kind, time, data) "
            "VALUES (?, 'c', 'message_added', 0, '{}')",
            100 + number,
        )
        spoil(store, f"UPDATE event SET {change} WHERE seq = {100 + number}", *values)
    spoil(
        store, "UPDATE conversation SET title = CAST(x'6162ff' AS TEXT) WHERE id = 'c'"
    )
    for kind in ("turn_started", "turn_finished", "turn_requested"):
        spoil(
            store,
            "INSERT INTO event(conversation, turn, kind, time, data) "
            "VALUES ('c', ?, ?, 9e999, '{\"reason')",
            f"t.{kind}",
            kind,
        )
    spoil(store, "INSERT INTO running VALUES ('t.turn_started', 'c')")
    spoil(store, "INSERT INTO draft VALUES ('NEW x', x'ff', 0, x'ff')")

    app = start([{"text": "Still here."}], "--cid", "c")
    app.wait_for("Cannot read a record")
    app.press("ctrl+s")
    app.wait_for("2 conversations")
    app.press("escape")
    app.wait_for("Message")
    app.type("/new")
    app.press("enter")
    app.type("Anybody there?")
    app.press("enter")
    app.wait_for("Still here.")
    tried("a store of odd rows opened in the app", len(ODD) + 5)


def test_a_message_of_200_mb_is_shown_cut(store, start, tried):
    text = "the beginning " + "x" * 200_000_000
    data = {
        "message_id": "c.2",
        "message": {"role": "assistant", "text": text},
        "parent": "c.1",
        "finish_reason": "stop",
    }
    spoil(
        store,
        "INSERT INTO event(conversation, kind, time, data) "
        "VALUES ('c', 'message_added', 1, ?)",
        json.dumps(data, separators=(",", ":")),
    )
    with EventLog(store) as log:
        last = log.read("c")[-1].event
        assert len(conversation.search(log, "needle")) == 2

    assert isinstance(last, MessageAdded)
    assert last.message.text.startswith("the beginning xxx")
    assert "[Cut off here: the message is too long" in last.message.text
    assert len(last.message.text) < 100_000
    assert (last.parent, last.finish_reason) == ("c.1", "stop")
    program = (
        "import resource, sys; from pathlib import Path; "
        "from tui.eventlog import EventLog; "
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "log = EventLog(Path(sys.argv[1])); log.read(); log.close(); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(store)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 50_000  # KiB

    app = start([{"text": "Still here."}], "--cid", "c")
    app.wait_for("Cut off here")
    tried("a message of 200 MB in the store")


IMPORTED = {
    "deep JSON": '{"format": "lazychat", "version": 1, "conversations": ' + DEEP + "}",
    "deep JSON without a format": DEEP,
    "a deep event": '{"format": "lazychat", "version": 1, "conversations": [{"id": "x",'
    '"events": [{"kind": "message_added", "time": 1, "data": ' + DEEP + "}]}]}",
    "no JSON": "x",
    "nothing": "",
    "a list": "[]",
    "text for a version": '{"format": "lazychat", "version": "1"}',
    "a huge version": '{"format": "lazychat", "version": 1%s}' % ("0" * 400),
    "no events": '{"format": "lazychat", "version": 1, "conversations": [{"id": "x", '
    '"events": []}]}',
    "a number for an id": '{"format": "lazychat", "version": 1, "conversations": '
    '[{"id": 5, "events": []}]}',
    "an event of 20 MB": '{"format": "lazychat", "version": 1, "conversations": [{"id":'
    '"x", "events": [{"kind": "message_added", "time": 1, "data": {"message_id": "m", '
    '"message": {"role": "user", "text": "%s"}}}]}]}' % ("x" * 20_000_000),
}


@pytest.mark.parametrize("name", IMPORTED)
def test_a_bad_import_is_one_line(store, capsys, tmp_path, name):
    file = tmp_path / "file.json"
    file.write_text(IMPORTED[name])

    with EventLog(store) as log:
        outcome = Library(LocalStore(log)).do("import", "", str(file))
    assert cli.main(["import", str(file)]) == 1

    err = capsys.readouterr().err
    assert outcome.failed
    assert err.count("\n") == 1
    assert len(err) < 400
    with EventLog(store) as log:
        assert len(conversation.recent(log)) == 2


@pytest.mark.parametrize(
    "name", ["/dev/zero", "/dev", "~nobody-of-that-name/x", "a\0b", "\ud800", "", "no"]
)
def test_what_is_no_file_is_said_in_one_line(store, name):
    with EventLog(store) as log:
        for act in ("import", "export"):
            if act == "import" or name:
                outcome = Library(LocalStore(log)).do(act, "c", name)
                assert outcome.failed
                assert "\n" not in outcome.text


def test_a_pipe_without_a_writer_is_not_waited_for(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with EventLog(store) as log:
        outcome = Library(LocalStore(log)).do("import", "", str(tmp_path / "pipe"))

    assert "is not a regular file" in outcome.text


ODD_ID = "a\x1b[31m b\n" + "x" * 5000


def test_odd_ids_are_made_anew(store, capsys):
    event = {
        "kind": "message_added",
        "time": 1e300,
        "data": {"message_id": ODD_ID, "message": {"role": "user", "text": "odd"}},
    }
    second = {**event, "data": {**event["data"], "message_id": "n", "parent": ODD_ID}}
    document = {
        "format": "lazychat",
        "version": 1,
        "conversations": [{"id": ODD_ID, "events": [event, second]}],
    }
    with EventLog(store) as log:
        [id] = conversation.import_json(log, json.dumps(document))
        first, second = (record.event for record in log.read(id))
        times = [record.time for record in log.read(id)]

    assert id.isalnum()
    assert isinstance(first, MessageAdded)
    assert isinstance(second, MessageAdded)
    assert first.message_id.isalnum()
    assert second.parent == first.message_id
    assert times == [0.0, 0.0]
    said = run_all(capsys)
    assert "unknown time" in said["list"][0]
    assert "unknown time" in said["export --all"][0]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["m", "n", "user", "assistant", "tool", "t", "stop", 1e300]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message_id", "message", "role", "text", "parent", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KINDS = (
    "message_added",
    "turn_withdrawn",
    "turn_requested",
    "turn_started",
    "turn_finished",
    "tool_call_started",
    "tool_call_finished",
    "usage_reported",
    "notice_given",
    "summary_added",
    "conversation_renamed",
    "conversation_pinned",
    "text_delta",
    "no_such_kind",
)
MESSAGES = st.fixed_dictionaries(
    {
        "message_id": st.sampled_from(["m", "n", "o", ""]),
        "message": st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
            optional={"text": st.text(max_size=5), "tool_call_id": st.just("x")},
        ),
    },
    optional={"parent": st.sampled_from(["m", "n", "o", "", "gone"])},
)
IDS = st.sampled_from(["m", "n", "o", "", "gone"])
WORDS = st.sampled_from(["stop", "cancelled", "error", "summary", "x", ""])
HUGE = st.sampled_from([0, 1, -1, 2**31, 2**63, 10**40])
CALLS = st.fixed_dictionaries(
    {"id": IDS, "name": WORDS, "arguments": st.dictionaries(WORDS, JSON, max_size=2)}
)
GOOD = {
    "message_added": MESSAGES,
    "text_delta": st.fixed_dictionaries({"message_id": IDS, "text": WORDS}),
    "turn_requested": st.fixed_dictionaries(
        {"model": WORDS}, optional={"agent": WORDS, "parent": IDS}
    ),
    "turn_withdrawn": st.just({}),
    "turn_started": st.fixed_dictionaries(
        {"host": WORDS, "boot_id": WORDS, "pid": HUGE, "process_start": HUGE}
    ),
    "turn_finished": st.fixed_dictionaries({"reason": WORDS}),
    "tool_call_started": st.fixed_dictionaries({"call": CALLS}),
    "tool_call_finished": st.fixed_dictionaries(
        {"call_id": IDS, "seconds": HUGE}, optional={"error": WORDS}
    ),
    "usage_reported": st.fixed_dictionaries(
        {"input_tokens": HUGE, "output_tokens": HUGE},
        optional={"seconds": HUGE, "window": HUGE, "cached_tokens": HUGE},
    ),
    "notice_given": st.fixed_dictionaries(
        {"text": WORDS}, optional={"left_out": HUGE, "first_message_id": IDS}
    ),
    "summary_added": st.fixed_dictionaries(
        {"first_message_id": IDS, "last_message_id": IDS, "text": WORDS}
    ),
    "conversation_renamed": st.fixed_dictionaries({"title": st.text(max_size=5)}),
}


def events(data):
    """Return events with the data of their kind, or with any other."""
    return st.sampled_from(KINDS).flatmap(
        lambda kind: st.fixed_dictionaries(
            {
                "kind": st.just(kind),
                "time": st.just(1.0) | st.floats(allow_nan=False, allow_infinity=False),
                "data": GOOD.get(kind, JSON) if data == "good" else JSON,
            },
            optional={"turn": st.sampled_from(["t", "u", "", None])},
        )
    )


DOCUMENTS = st.fixed_dictionaries(
    {
        "format": st.just("lazychat"),
        "version": st.just(1),
        "conversations": st.lists(
            st.fixed_dictionaries(
                {"id": st.sampled_from(["x", "y", "\x1b", "c"]) | st.text(max_size=4)}
                | {
                    "events": st.lists(events("good"), min_size=1, max_size=8)
                    | st.lists(events("any"), min_size=1, max_size=2)
                }
            ),
            max_size=2,
        )
        | JSON,
    }
)
FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FEW
@given(DOCUMENTS)
def test_any_import_is_taken_in_or_refused_and_is_no_fault(store, capsys, document):
    with EventLog(store) as log:
        ids = []
        with suppress(LazychatError):
            ids = conversation.import_json(log, json.dumps(document))
        for id in ids:
            conversation.fold(log.read(id)).messages()

    run_all(capsys)


@FEW
@given(
    st.sampled_from(KINDS),
    st.one_of(st.binary(max_size=20), st.text(max_size=20), JSON.map(json.dumps)),
    st.one_of(st.floats(allow_nan=False), st.text(max_size=3), st.binary(max_size=3)),
    st.booleans(),
)
def test_any_row_is_read(store, capsys, kind, data, time, as_text):
    what = "CAST(? AS TEXT)" if as_text else "?"
    if isinstance(data, str):
        data = data.encode()
    spoil(
        store,
        "INSERT OR IGNORE INTO event(conversation, turn, kind, time, data) "
        f"VALUES ('c', 't', ?, ?, {what})",
        kind,
        time,
        data,
    )

    run_all(capsys)
    with EventLog(store) as log:
        conversation.fold(log.read("c")).messages()
        conversation.questions(log)
        conversation.running_anywhere(log)
        conversation.is_unseen(log, "c")


ODD_VALUES = {
    "text": "'x'",
    "a BLOB": "x'ff00'",
    "a fraction": "1.5",
    "infinity": "9e999",
    "a negative number": "-7",
    "a huge number": "9223372036854775807",
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_an_odd_progress_of_the_index_does_not_end_the_log(store, name):
    spoil(store, f"INSERT INTO unindexed VALUES (1, {ODD_VALUES[name]})")

    with EventLog(store) as log:
        wait_until(lambda: not log.query("SELECT 1 FROM unindexed"))
        log.append("c", MessageAdded("c.9", Message("user", "Later"))).result(30)
        assert [hit.message_id for hit in conversation.search(log, "later")] == ["c.9"]


@pytest.mark.parametrize("name", ODD_VALUES)
def test_an_odd_progress_of_the_index_keeps_nothing_from_its_deletion(
    store, monkeypatch, name
):
    monkeypatch.setattr(late_index, "PAUSE_SECONDS", 3600.0)
    spoil(store, f"INSERT INTO unindexed VALUES (1, {ODD_VALUES[name]})")

    with EventLog(store) as log:
        assert conversation.delete(log, "c").traces == ""
        assert [it.id for it in conversation.recent(log)] == ["good"]


@pytest.mark.parametrize("value", ["'x'", "17", "-7", "1.5", "9223372036854775807"])
def test_a_file_that_is_no_bytes_is_one_that_is_gone(store, value):
    spoil(store, f"INSERT INTO blob VALUES ('{'0' * 64}', {value})")

    with EventLog(store) as log:
        assert log.blob("0" * 64) is None


@pytest.mark.parametrize("value", ["CAST(x'61ff62' AS TEXT)", "x'ff'", "17", "1e300"])
def test_an_odd_draft_keeps_no_trace_of_what_is_deleted(store, value):
    spoil(store, f"INSERT INTO blob VALUES ('{'0' * 64}', x'00')")
    spoil(store, f"INSERT INTO draft VALUES ('new x', 'd', 0, {value})")

    with EventLog(store) as log:
        assert conversation.delete(log, "c").traces == ""


@pytest.mark.parametrize("name", ODD_VALUES)
def test_an_odd_read_marker_is_a_number(store, name):
    spoil(store, f"INSERT INTO seen VALUES ('c', {ODD_VALUES[name]})")
    spoil(store, f"INSERT INTO seen VALUES (x'ff', {ODD_VALUES[name]})")

    with EventLog(store) as log:
        assert read_state.seen(log, "c") >= 0
        assert isinstance(read_state.opened(log, "c", adopt=True).seen, int)
        assert all(isinstance(id, str) for id in read_state.unread(log))
        read_state.mark_seen(log, "c", 3).result(30)


@pytest.mark.parametrize("time", ["9e999", "1e300", "'yesterday'", "x'00'", "-5"])
def test_the_record_of_calls_is_json_whatever_the_times(store, capsys, time):
    call = ToolCall("c1", "look_up", {})
    with EventLog(store) as log:
        log.append("c", ToolCallStarted(call), turn="t").result(30)
    spoil(store, f"UPDATE event SET time = {time} WHERE turn = 't'")

    assert cli.main(["tools", "log", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert row["time"] == 0.0
    assert cli.main(["tools", "log"]) == 0
    assert "unknown time" in capsys.readouterr().out


def test_a_row_without_data_takes_no_other_along(store, capsys):
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') "
            "WHERE name = 'event'"
        )
    for kind in ("turn_started", "usage_reported", "tool_call_started"):
        spoil(
            store,
            "INSERT INTO event(conversation, turn, kind, time, data) "
            "VALUES ('c', ?, ?, 0, NULL)",
            kind,
            kind,
        )
    spoil(store, "INSERT INTO running VALUES ('turn_started', 'c')")

    said = run_all(capsys)

    assert "good" in said["list"][0]
    assert cli.main(["cost"]) == 0
    assert cli.main(["tools", "log"]) == 1  # none of them could be read


def test_an_end_of_no_turn_does_not_end_the_screen(store, start):
    spoil(
        store,
        "INSERT INTO event(conversation, turn, kind, time, data) "
        "VALUES ('c', NULL, 'turn_finished', 0, '{\"reason\":\"stop\"}')",
    )
    with EventLog(store) as log:
        again = MessageAdded("c.5", Message("user", "Another beginning"), parent="")
        log.append("c", again).result(30)

    app = start([{"text": "Still here."}], "--cid", "c")
    app.wait_for("Another beginning")
    app.type("Anybody there?")
    app.press("enter")
    app.wait_for("Still here.")
