"""`lazychat undo-write`."""

from pathlib import Path

import pytest

from tui.cli import main
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.writing import Writing


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_the_newest_write_is_undone(work: Path, capsys: pytest.CaptureFixture[str]):
    tools = Writing(Folders())
    tools.write_file("a.txt", "one")
    tools.write_file("a.txt", "two")

    assert main(["undo-write"]) == 0
    assert capsys.readouterr().out == f"{work}/a.txt restored.\n"
    assert (work / "a.txt").read_text() == "one"

    assert main(["undo-write"]) == 0
    assert capsys.readouterr().out == f"{work}/a.txt deleted (it was new).\n"
    assert main(["undo-write"]) == 1


def test_what_can_be_undone_is_listed(work: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["undo-write", "--list"]) == 0
    Writing(Folders()).write_file("a\nb\x1b.txt", "one")

    assert main(["undo-write", "--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].endswith(f"  created  {work}/a b\x1b.txt")


def test_a_changed_file_is_left(work: Path, capsys: pytest.CaptureFixture[str]):
    Writing(Folders()).write_file("a.txt", "one")
    (work / "a.txt").write_text("mine")

    assert main(["undo-write"]) == 1

    said = capsys.readouterr().err
    assert "was changed after the tool wrote it; left as it is" in said
    assert (work / "a.txt").read_text() == "mine"
