"""Paths made to lead out of the folder: nothing outside is read or written."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.errors import ToolError
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.reading import Reading
from tui.tools.bundled.writing import Writing

LINKS = {
    "to-root": "/proc/self/root",
    "to-zero": "/dev/zero",
    "to-stdin": "/proc/self/fd/0",
    "to-environ": "/proc/self/environ",
    "to-secret": "../outside/secret.txt",
    "circle": "circle-2",
    "circle-2": "circle",
    "here": ".",
    "up": "..",
    "long": "here/" * 30 + "../outside",
}


@pytest.fixture
def work(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "work"
    for each in (folder / "folder", tmp_path / "outside"):
        each.mkdir(parents=True)
    (tmp_path / "outside" / "secret.txt").write_text("SECRET\n")
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        # The name of a socket is short.
        monkeypatch.chdir(folder)
        bound.bind("socket")
        yield folder


PATHS = [
    *("/proc/self/root{out}", "/proc/self/cwd/../outside/secret.txt", "/dev/fd/0"),
    *("/proc/thread-self/root{out}", "/dev/tty", "//{out}", "/./{out}", "{out}"),
    *("to-root{out}", "to-root/etc/passwd", "to-zero", "to-stdin", "to-environ"),
    *("to-secret", "circle", "up/outside/secret.txt", "long/secret.txt"),
    *("here/" * 39 + "../outside/secret.txt", "here/" * 100 + "x", "fifo", "socket"),
    *("fifo/../../outside/secret.txt", "none/../../outside/secret.txt"),
    *("folder/../../outside/secret.txt", "../outside/secret.txt", "~/../../{out}"),
    *(" ../outside/secret.txt", "../outside/secret.txt ", "\t../outside/secret.txt"),
    *("file://{out}", "..\\outside\\secret.txt", "%2e%2e/outside/secret.txt"),
    *(
        "．．/outside/secret.txt",
        "\u2025/outside/secret.txt",
        "x\n../outside/secret.txt",
    ),
    *("\x1b[2J/../../outside/secret.txt", "\u202etxt.terces/..", "..\0/x", "\ud800"),
    *("n" * 256, "n/" * 3_000, "/", "//", "..", "../..", "up", "~root/x"),
]


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_no_path_leads_to_the_secret(tmp_path: Path, work: Path, path: str) -> None:
    secret = tmp_path / "outside" / "secret.txt"
    folders = Folders([str(work)])
    path = path.replace("{out}", str(secret))

    for use in (
        lambda: Reading(folders).read_file(path),
        lambda: Reading(folders).list_folder(path),
        lambda: Writing(folders).write_file(path, "changed"),
    ):
        try:
            said = use()
        except ToolError as error:
            said = str(error)
            assert "\n" not in said
            assert "\x1b" not in said
            assert len(said) < 1_000
        assert "SECRET" not in said
        assert "secret.txt  7 bytes" not in said
    assert secret.read_text() == "SECRET\n"
    assert [each.name for each in (tmp_path / "outside").iterdir()] == ["secret.txt"]


def test_a_file_and_a_folder_that_are_swapped_for_links_all_the_time(
    tmp_path: Path, work: Path
) -> None:
    outside = tmp_path / "outside"
    (work / "file").write_text("fine\n")
    (work / "folder" / "secret.txt").write_text("fine\n")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (work / "new").symlink_to(outside / "secret.txt")
            (work / "new").rename(work / "file")
            (work / "new").write_text("fine\n")
            (work / "new").rename(work / "file")
            (work / "folder").rename(work / "away")
            (work / "folder").symlink_to(outside)
            (work / "folder").unlink()
            (work / "away").rename(work / "folder")

    swapping = threading.Thread(target=swap)
    swapping.start()
    reading, seen = Reading(Folders([str(work)])), set[str]()
    try:
        for _ in range(1_500):
            for path in ("file", "folder/secret.txt"):
                try:
                    seen.add(reading.read_file(path))
                except ToolError:
                    seen.add("refused")
    finally:
        done.set()
        swapping.join()

    assert seen <= {"fine", "refused"}
    assert "fine" in seen
