"""How the doctor contains its checks, and what it says of disks."""

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.mcp import FAKE, fake
from support.processes import children
from support.store import MOUNTS, talk
from support.terminal import wait_until

from tui import masking, paths
from tui.app.setup.rows import facts
from tui.cli.doctor import mcp, servers, storage
from tui.cli.doctor.findings import Check, Finding, examine, run_python
from tui.config import Config
from tui.eventlog import EventLog, integrity
from tui.models.discovery import ListedModel, LocalServer


def ok(text: str) -> Finding:
    return Finding("x", "ok", text)


def test_a_check_that_hangs_or_raises_keeps_nobody_waiting() -> None:
    never = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("before")
        never.wait()

    def raises() -> Iterator[Finding]:
        yield ok("first")
        raise ValueError("what\nnow")

    def ends() -> Iterator[Finding]:
        raise SystemExit(3)
        yield ok("never")

    checks = [
        Check("a", hangs, 0.2),
        Check("b", raises),
        Check("c", ends),
        Check("d", lambda: [ok("last")]),
    ]
    found = [(it.verdict, it.text) for it in examine(checks)]

    assert found == [
        ("ok", "before"),
        ("error", "this check did not finish within 0.2 seconds"),
        ("ok", "first"),
        ("error", "this check itself failed (ValueError: what now)"),
        ("error", "this check itself failed (SystemExit: 3)"),
        ("ok", "last"),
    ]
    never.set()


def test_a_finding_holds_no_secret_and_nothing_that_drives_a_terminal() -> None:
    masking.remember_key("sk-abcdefgh-0123456789")

    found = Finding("x", "ok", "key sk-abcdefgh-0123456789\x1b[2J", "a\nb\udcff")

    assert (found.text, found.remedy) == ("key ***␛[2J", "a b\ufffd")


def test_a_server_at_its_usual_address_is_told_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = (ListedModel("qwen3:8b"),)
    ollama = LocalServer("ollama", "Ollama", "http://localhost:11434/v1", models)
    monkeypatch.setattr(servers, "local_servers", lambda *_: [ollama])
    monkeypatch.delenv("LAZYCHAT_PROBE", raising=False)

    (told,) = servers.check_servers()

    assert told.text.endswith("has qwen3:8b: lazychat -m ollama/qwen3:8b")


def test_without_a_server_that_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "local_servers", lambda *_: [])
    monkeypatch.delenv("LAZYCHAT_PROBE", raising=False)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)

    (told,) = servers.check_servers()

    assert (told.verdict, told.text) == (
        "ok",
        "none answers on this machine (Ollama, LM Studio, llama.cpp, vLLM)",
    )


@pytest.mark.outside
def test_a_child_is_killed_with_what_it_started() -> None:
    code = "import os, time\nos.fork()\ntime.sleep(600)"

    assert run_python(code, seconds=0.5).status is None


class Usage(NamedTuple):
    free: int


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("free", "verdict"), [(300_000_000, "ok"), (50_000_000, "warning"), (1000, "error")]
)
def test_a_disk_without_room_is_told(
    monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))

    (row,) = storage.check_folders()

    assert row.verdict == verdict
    assert bool(row.remedy) is (verdict != "ok")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EROFS, "Mount it for writing"),
        (errno.EACCES, "Make it writable for"),
    ],
)
def test_a_folder_that_cannot_be_written_has_the_remedy_of_its_fault(
    monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    def fail(**_: object) -> object:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", fail)

    (row,) = storage.check_folders()

    assert row.verdict == "error"
    assert os.strerror(number) in row.text
    assert row.remedy.startswith(remedy)


def test_a_network_disk_is_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS.format(number=30, point=home.resolve(), kind="nfs4"))
    monkeypatch.setattr("tui.eventlog.sqlite.network_mounts.TABLE", table)

    (row,) = storage.check_folders()

    assert row.verdict == "warning"
    assert f"{home}: nfs4, " in row.text
    assert "on a network" in row.text


def test_a_store_in_use_is_whole(path: Path) -> None:
    talk(path, 3, 10)
    with EventLog(path):
        found = integrity.inspect(path, 10.0)

    assert (found.problem, found.conversations) == ("", 3)
    assert (found.complete, found.newer) == (True, False)


def test_a_check_of_the_store_ends_in_time(path: Path) -> None:
    talk(path, 400, 2000)

    found = integrity.inspect(path, -1.0)

    assert (found.complete, found.damaged, found.problem) == (False, False, "")


def test_sizes_are_spelled_as_people_write_them() -> None:
    sizes = [0, 999, 1500, 98_000_000, 1_234_000_000, 5e12]

    assert [storage.spell_bytes(size) for size in sizes] == [
        "0 bytes", "999 bytes", "1.5 kB", "98 MB", "1.2 GB", "5.0 TB",
    ]  # fmt: skip


def test_the_folder_is_the_one_that_is_used(home: Path) -> None:
    (row,) = storage.check_folders()

    assert row.text.startswith(f"{paths.log_file().parent}: ")
    assert paths.log_file().parent == home


@pytest.mark.outside
@pytest.mark.usefixtures("home")
def test_mcp_servers_that_hang_are_given_up_together_and_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mcp, "SECONDS", 3.0)
    servers = {name: fake("slow", "stubborn") for name in ("one", "two", "three")}
    settings = Config(mcp=servers | {"good": fake()})
    (check,) = mcp.checks(Config(mcp={"one": fake()}))
    assert check.seconds <= 10.0
    others = set(children(str(FAKE)))  # of tests that ran before

    found = list(mcp.checks(settings)[0].run())

    assert [(it.verdict, it.text.partition(":")[2]) for it in found] == [
        *[("warning", " it did not answer within 3 seconds")] * 3,
        ("ok", found[-1].text.partition(":")[2]),
    ]
    assert "npx" in found[0].remedy
    wait_until(lambda: not set(children(str(FAKE))) - others)


def test_prices_stand_below_one_another_whatever_their_size() -> None:
    models = [
        ListedModel("a", 131072, 0.4, 1.6),
        ListedModel("b", 200000, 15.0, 75.0),
        ListedModel("c", 1047576, 0.075, 600.0),
        ListedModel("d", 8192, 0.0, 0.0),
        ListedModel("e", 8192),
    ]

    assert facts(models) == [
        "131k   $0.40 /   $1.60",
        "200k  $15.00 /  $75.00",
        "1M   $0.07 / $600.00",
        "8k  free",
        "8k",
    ]
