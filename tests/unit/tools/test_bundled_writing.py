"""The bundled tools that write: what is shown is what is written, and can be undone."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tui import paths
from tui.errors import ToolError
from tui.tools.bundled import undo, writing
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.writing import Writing


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    (work / "poem.txt").write_text("roses are red\nviolets are blue\n")
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def tools(work: Path) -> Writing:
    return Writing(Folders())


def left(work: Path) -> list[str]:
    return sorted(p.name for p in work.iterdir())


# -- what is shown


def test_an_edit_is_shown_as_a_diff(work: Path, tools: Writing):
    preview = tools.edit_preview("poem.txt", "red", "green")

    assert preview.kind == "diff"
    assert preview.subject == str(work / "poem.txt")
    assert preview.text == (
        "--- poem.txt\n+++ poem.txt\n@@ -1,2 +1,2 @@\n"
        "-roses are red\n+roses are green\n violets are blue"
    )
    assert (work / "poem.txt").read_text() == "roses are red\nviolets are blue\n"


def test_a_new_file_is_shown_whole_and_nothing_is_made(work: Path, tools: Writing):
    preview = tools.write_preview("new/folder/a.txt", "one\ntwo")

    assert preview.text == (
        "--- /dev/null\n+++ new/folder/a.txt\n@@ -0,0 +1,2 @@\n+one\n"
        "+two\n\\ No newline at end of file"
    )
    assert left(work) == ["poem.txt"]


def test_a_new_folder_is_shown_where_it_will_be(work: Path, tools: Writing):
    (work / "src").mkdir()
    (work / "docs").mkdir()
    (work / "docs" / "link").symlink_to("../src")

    for path in ("docs/link/new/a.txt", str(work / "docs/link/new/a.txt")):
        preview = tools.write_preview(path, "x")

        assert preview.subject == str(work / "src/new/a.txt")
        assert "+++ src/new/a.txt\n" in preview.text
    with pytest.raises(ToolError, match="no such folder"):
        tools.write_preview("new/../docs/link/a.txt", "x")


def test_a_change_of_the_last_line_end_is_shown(tools: Writing):
    preview = tools.write_preview("poem.txt", "roses are red\nviolets are blue")

    assert preview.text.splitlines()[-2:] == [
        "+violets are blue",
        "\\ No newline at end of file",
    ]


def test_large_files_are_shown_without_looking_for_what_is_common(
    work: Path, tools: Writing
):
    (work / "large.txt").write_text("a\n" * 15_000)

    preview = tools.write_preview("large.txt", "a\nb\n" * 5_000)

    assert preview.text.count("\n-a") == 15_000
    assert preview.text.count("\n+b") == 5_000


# -- what is written


def test_what_was_shown_is_written(work: Path, tools: Writing):
    tools.edit_preview("poem.txt", "red", "green")

    said = tools.edit_file("poem.txt", "red", "green")

    assert (work / "poem.txt").read_text() == "roses are green\nviolets are blue\n"
    assert said == "Changed poem.txt, 33 bytes"
    assert left(work) == ["poem.txt"]


def test_a_new_file_is_written_with_its_folders(work: Path, tools: Writing):
    tools.write_preview("new/folder/a.txt", "one\n")

    assert (
        tools.write_file("new/folder/a.txt", "one\n")
        == "Made new/folder/a.txt, 4 bytes"
    )
    assert (work / "new" / "folder" / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_nothing_is_written_if_the_file_is_not_what_was_shown(
    work: Path, tools: Writing, change: str
):
    tools.write_preview("poem.txt", "new\n")
    if change == "changed":
        (work / "poem.txt").write_text("by another\n")
    else:
        (work / "poem.txt").unlink()
    before = left(work)

    with pytest.raises(ToolError, match="has changed since the difference was shown"):
        tools.write_file("poem.txt", "new\n")

    assert left(work) == before
    if change == "changed":
        assert (work / "poem.txt").read_text() == "by another\n"
    assert undo.writes() == []


def test_a_file_that_appears_after_it_was_shown_as_new_stays(
    work: Path, tools: Writing
):
    tools.write_preview("new.txt", "new\n")
    (work / "new.txt").write_text("by another\n")

    with pytest.raises(ToolError, match="has changed"):
        tools.write_file("new.txt", "new\n")

    assert (work / "new.txt").read_text() == "by another\n"


@pytest.mark.parametrize("path", ["poem.txt", "new.txt"])
def test_a_change_in_the_last_moment_is_not_overwritten(
    work: Path, tools: Writing, monkeypatch: pytest.MonkeyPatch, path: str
):
    real = undo.keep

    def keep(*arguments):
        (work / path).write_text("by another\n")
        return real(*arguments)

    monkeypatch.setattr(writing.undo, "keep", keep)

    with pytest.raises(ToolError, match="nothing was written"):
        tools.write_file(path, "new\n")

    assert (work / path).read_text() == "by another\n"
    assert undo.writes() == []
    assert [name for name in left(work) if name.startswith(".")] == []


def test_the_mode_and_the_byte_order_mark_stay(work: Path, tools: Writing):
    script = work / "run.sh"
    script.write_bytes(b"\xef\xbb\xbfecho 1\n")
    script.chmod(0o750)

    tools.edit_file("run.sh", "1", "2")

    assert script.read_bytes() == b"\xef\xbb\xbfecho 2\n"
    assert stat.S_IMODE(script.stat().st_mode) == 0o750


def test_line_ends_of_windows_stay(work: Path, tools: Writing):
    (work / "dos.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")

    tools.edit_file("dos.txt", "one\ntwo", "1\n2")

    assert (work / "dos.txt").read_bytes() == b"1\r\n2\r\nthree\r\n"


def test_a_link_stays_a_link(work: Path, tools: Writing):
    (work / "link").symlink_to("poem.txt")

    tools.edit_file("link", "red", "green")

    assert (work / "link").is_symlink()
    assert (work / "poem.txt").read_text().startswith("roses are green")


def test_other_names_of_a_file_keep_its_old_text(work: Path, tools: Writing):
    os.link(work / "poem.txt", work / "copy.txt")

    tools.edit_file("poem.txt", "red", "green")

    assert (work / "copy.txt").read_text().startswith("roses are red")


@pytest.mark.parametrize(
    ("old", "why"),
    [
        ("yellow", "poem.txt does not contain this text; read the file again"),
        ("are", "poem.txt contains this text 2 times; give more of what is around it"),
        ("", "old is empty; give the text to replace"),
    ],
)
def test_an_edit_must_say_what_it_means(work: Path, tools: Writing, old, why):
    for edit in (tools.edit_preview, tools.edit_file):
        with pytest.raises(ToolError) as error:
            edit("poem.txt", old, "x")
        assert str(error.value) == why
    assert undo.writes() == []


def test_what_cannot_be_a_text_is_refused(work: Path, tools: Writing):
    (work / "binary").write_bytes(b"a\0b")

    with pytest.raises(ToolError, match="is a binary file"):
        tools.write_preview("binary", "text")
    with pytest.raises(ToolError, match="characters that no file can hold"):
        tools.write_file("new.txt", "\ud800")
    with pytest.raises(ToolError, match="larger than 5 MB"):
        tools.write_file("new.txt", "x" * 5_000_001)
    with pytest.raises(ToolError, match="no such file; write_file makes one"):
        tools.edit_file("new.txt", "a", "b")
    assert left(work) == ["binary", "poem.txt"]


def test_a_folder_that_cannot_be_written_is_one_line(
    tools: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuses(path: Any, flags: int, *more: Any, **options: Any) -> int:
        # Root, as which this may run, would be allowed everything.
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(ToolError, match="permission denied"):
        tools.write_file("new.txt", "x")


# -- undoing


def test_a_change_is_undone(work: Path, tools: Writing):
    tools.edit_file("poem.txt", "red", "green")
    (written,) = undo.writes()

    said = undo.undo(written)

    assert said == f"{work}/poem.txt restored."
    assert (work / "poem.txt").read_text() == "roses are red\nviolets are blue\n"
    assert undo.writes() == []
    assert left(work) == ["poem.txt"]


def test_a_new_file_is_removed_again(work: Path, tools: Writing):
    tools.write_file("new.txt", "x")
    (written,) = undo.writes()

    assert undo.undo(written) == f"{work}/new.txt deleted (it was new)."
    assert left(work) == ["poem.txt"]


def test_writes_are_undone_one_after_the_other(work: Path, tools: Writing):
    for colour in ("green", "blue", "white"):
        tools.write_file("poem.txt", colour)

    found: list[str] = []
    for _ in range(3):
        undo.undo(undo.writes()[0])
        found.append((work / "poem.txt").read_text())

    assert found == ["blue", "green", "roses are red\nviolets are blue\n"]


@pytest.mark.parametrize("change", ["changed", "removed", "link"])
def test_what_was_changed_since_is_left_as_it_is(work: Path, tools: Writing, change):
    tools.edit_file("poem.txt", "red", "green")
    (written,) = undo.writes()
    (work / "poem.txt").unlink()
    if change == "changed":
        (work / "poem.txt").write_text("by me")
    elif change == "link":
        (work / "other.txt").write_text("roses are green\nviolets are blue\n")
        (work / "poem.txt").symlink_to("other.txt")
    before = left(work)

    with pytest.raises(ToolError):
        undo.undo(written)

    assert left(work) == before
    assert len(undo.writes()) == 1


def test_what_was_in_files_is_private(work: Path, tools: Writing):
    tools.edit_file("poem.txt", "red", "green")

    kept = [paths.written_folder(), *paths.written_folder().rglob("*")]
    assert len(kept) == 4
    assert {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in kept} == {0}


def test_a_damaged_note_is_no_write(work: Path, tools: Writing):
    tools.edit_file("poem.txt", "red", "green")
    tools.edit_file("poem.txt", "blue", "white")
    older = undo.writes()[1]
    note = paths.written_folder() / undo.writes()[0].number / "note.json"

    for damage in (
        b"",
        b"[]",
        b'{"path": 3, "after": 4, "at": 5, "existed": 1}',
        b"\xff",
    ):
        note.write_bytes(damage)
        assert undo.writes() == [older]


def test_the_oldest_are_forgotten(
    work: Path, tools: Writing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(undo, "_MOST", 3)
    for n in range(5):
        tools.write_file("poem.txt", f"{n}\n")

    assert len(undo.writes()) == 3
    assert len(list(paths.written_folder().iterdir())) == 3


def test_nothing_is_written_that_cannot_be_undone(
    tmp_path: Path, work: Path, tools: Writing
):
    (tmp_path / "home").write_text("no folder")

    with pytest.raises(ToolError, match="the old text cannot be kept"):
        tools.write_file("poem.txt", "new")

    assert (work / "poem.txt").read_text().startswith("roses")


def test_a_name_that_is_not_utf8_is_undone(work: Path, monkeypatch):
    odd = Path(os.fsdecode(bytes(work) + b"/\xff"))
    odd.mkdir()
    monkeypatch.chdir(odd)
    Writing(Folders()).write_file("a.txt", "x")

    undo.undo(undo.writes()[0])

    assert list(odd.iterdir()) == []
