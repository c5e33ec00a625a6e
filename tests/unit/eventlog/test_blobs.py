"""The bytes of attached files: kept once, referred to, freed, carried everywhere."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from support.store import LIMIT

from tui import conversation, event_bounds, events
from tui.conversation import read_state
from tui.conversation.attached import filled
from tui.conversation.export_import import export_json, import_json
from tui.errors import LogError
from tui.eventlog import EventLog, writer
from tui.eventlog.sqlite import schema
from tui.eventlog.sqlite.blobs import digest_of
from tui.events import MessageAdded
from tui.messages import Attachment, Message

PICTURE = b"\x89PNG" + bytes(range(256)) * 40
CAT = Attachment("cat.png", "image/png", PICTURE, about="8×8")


def added(id: str, *files: Attachment, text: str = "look") -> MessageAdded:
    return MessageAdded(id, Message("user", text, attachments=files))


def send(log: EventLog, *said: MessageAdded, to: str = "c") -> None:
    log.append(to, *said).result(LIMIT)


def kept(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT digest FROM blob")]


def message(log: EventLog, id: str = "c") -> Message:
    return next(iter(conversation.fold(log.read(id)).entries.values())).message


def test_a_message_only_refers_to_its_files_which_are_kept_once(tmp_path: Path):
    path = tmp_path / "log.db"

    with EventLog(path) as log:
        send(log, added("m1", CAT), added("m2", CAT))
        log.write("d", added("m3", CAT))

        (file,) = message(log).attachments
        assert file == Attachment(
            "cat.png", "image/png", b"", digest_of(PICTURE), len(PICTURE), "8×8"
        )
        assert filled(log, message(log)).attachments[0].data == PICTURE
        assert filled(log, message(log, "d")).attachments[0].data == PICTURE
    assert kept(path) == [digest_of(PICTURE)]


def test_a_file_that_is_gone_stays_a_reference(tmp_path: Path):
    with EventLog(tmp_path / "log.db") as log:
        lost = Attachment("a", "image/png", digest="0" * 64, size=3)
        send(log, added("m", lost))

        assert filled(log, message(log)).attachments == (lost,)


def test_a_store_of_the_format_before_is_migrated_and_its_bytes_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "log.db"
    old = schema.MIGRATIONS[: schema.MIGRATIONS.index(schema.blobs.SCHEMA)]
    with closing(sqlite3.connect(path)) as db:
        monkeypatch.setattr(schema, "VERSION", len(old))
        schema.migrate(db)
        monkeypatch.undo()
        data = events.encode(added("m", CAT)).decode()
        db.execute(
            "INSERT INTO event(conversation, kind, time, data) "
            "VALUES ('c', 'message_added', 1, ?)",
            (data,),
        )
        db.execute("INSERT INTO draft VALUES ('c', 'begun', 1)")
        db.commit()

    with EventLog(path) as log:
        assert message(log).attachments == (CAT,)
        assert filled(log, message(log)).attachments == (CAT,)
        assert read_state.draft(log, "c") == "begun"
        assert read_state.draft_files(log, "c") == ()


def test_deleting_the_last_message_that_refers_to_a_file_frees_it(tmp_path: Path):
    path = tmp_path / "log.db"
    with EventLog(path) as log:
        send(log, added("m1", CAT), to="c")
        send(log, added("m2", CAT), to="d")

        conversation.delete(log, "c")
        assert kept(path) == [digest_of(PICTURE)]
        conversation.delete(log, "d")

        assert kept(path) == []
    assert PICTURE[:500] not in path.read_bytes()


def test_a_conversation_in_the_trash_keeps_its_files(tmp_path: Path):
    with EventLog(tmp_path / "log.db") as log:
        send(log, added("m", CAT))
        send(log, added("n"), to="other")
        deleted = conversation.trash(log, "c")
        conversation.delete(log, "other")

        id = conversation.restore(log, deleted)

        assert filled(log, message(log, id)).attachments[0].data == PICTURE


def test_a_draft_keeps_its_files_until_they_are_taken_out(tmp_path: Path):
    path = tmp_path / "log.db"
    with EventLog(path) as log:
        send(log, added("other"), to="d")
        read_state.save_draft(log, "c", "see", (CAT,)).result(LIMIT)

        (file,) = read_state.opened(log, "c", adopt=False).files
        assert filled(log, Message("user", attachments=(file,))).attachments[0].data
        conversation.delete(log, "d")
        assert kept(path) == [digest_of(PICTURE)]
        read_state.save_draft(log, "c", "see").result(LIMIT)
        log.purge()

        assert kept(path) == []


def test_a_draft_that_is_sent_leaves_its_file_to_the_message(tmp_path: Path):
    with EventLog(tmp_path / "log.db") as log:
        read_state.save_draft(log, "c", "see", (CAT,)).result(LIMIT)
        (file,) = read_state.draft_files(log, "c")

        sent = added("m", file)
        log.append("c", sent, states=(read_state.forgotten("c"),)).result(LIMIT)

        assert log.query("SELECT seq FROM purge") == []
        assert filled(log, message(log)).attachments[0].data == PICTURE


def test_files_survive_a_store_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "LAST_SECONDS", 0.5)
    path = tmp_path / "log.db"
    with EventLog(path) as log:
        send(log, added("m1", CAT))
    other = Attachment("b.txt", "text/plain", b"other")
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        log = EventLog(path, lambda text: None)
        lock.execute("BEGIN IMMEDIATE")
        send(log, added("m2", other), to="d")

        assert filled(log, message(log)).attachments[0].data == PICTURE
        assert filled(log, message(log, "d")).attachments[0].data == b"other"
        log.close()  # leaves a journal
        lock.execute("ROLLBACK")

    with EventLog(path) as log:
        assert filled(log, message(log, "d")).attachments[0].data == b"other"


def test_files_in_memory_are_stored_when_the_store_is_free_again(tmp_path: Path):
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        log = EventLog(path, lambda text: None)
        lock.execute("BEGIN IMMEDIATE")
        send(log, added("m", CAT))
        lock.execute("ROLLBACK")
        log.close()

    assert kept(path) == [digest_of(PICTURE)]


def test_a_backup_and_a_repair_carry_files(tmp_path: Path):
    path, copy = tmp_path / "log.db", tmp_path / "copy.db"
    with EventLog(path) as log:
        send(log, added("m", CAT))
        log.backup(copy)
    assert kept(copy) == [digest_of(PICTURE)]

    broken = bytearray(copy.read_bytes())
    broken[0:16] = b"nothing readable"
    copy.write_bytes(bytes(broken))
    EventLog.repair(copy)

    assert kept(copy) == [digest_of(PICTURE)]


def test_an_export_carries_files_once_and_an_import_restores_them(tmp_path: Path):
    with EventLog(tmp_path / "a.db") as log:
        send(log, added("m1", CAT), added("m2", CAT))
        document = export_json(log, "c")
    assert len(msgspec.json.decode(document)["files"]) == 1

    with EventLog(tmp_path / "b.db") as log:
        (id,) = import_json(log, document)

        assert filled(log, message(log, id)).attachments[0].data == PICTURE


def test_an_import_refuses_a_file_that_was_changed(tmp_path: Path):
    with EventLog(tmp_path / "a.db") as log:
        send(log, added("m1", CAT))
        document = msgspec.json.decode(export_json(log, "c"))
    document["files"] = dict.fromkeys(document["files"], "AAAA")

    with (
        EventLog(tmp_path / "b.db") as log,
        pytest.raises(LogError, match="damaged"),
    ):
        import_json(log, msgspec.json.encode(document))


def test_a_search_finds_the_names_of_files_until_they_are_deleted(tmp_path: Path):
    with EventLog(tmp_path / "log.db") as log:
        send(log, added("m", Attachment("invoice-2031.txt", "text/plain", b"x")))

        assert [hit.message_id for hit in conversation.search(log, "invoice")] == ["m"]
        conversation.delete(log, "c")
        send(log, added("n", text="invoice"))
        assert [hit.message_id for hit in conversation.search(log, "invoice")] == ["n"]


def test_attachments_from_outside_are_bounded():
    wild = Attachment("n" * 999, "t" * 999, b"", "../x", -5, "a" * 999, "l" * 999)

    read = events.decode("message_added", events.encode(added("m", *[wild] * 99)))

    assert isinstance(read, MessageAdded)
    files = read.message.attachments
    assert len(files) == event_bounds.MOST_FILES
    assert (files[0].digest, files[0].size, len(files[0].name)) == ("", 0, 255)
