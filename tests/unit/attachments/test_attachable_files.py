"""The list of files behind the completion of `@`."""

import subprocess
from pathlib import Path

import pytest

from tui.attachments import listing
from tui.attachments.listing import FileList, listed, ranked


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def test_a_folder_is_walked_without_what_is_hidden_or_ignored(tmp_path: Path):
    fill(tmp_path, "a.py", "src/b.py", ".hidden", ".git2/x", "node_modules/m.js")
    fill(tmp_path, "out/big.o", "src/c.o", "logs/x.log")
    (tmp_path / ".gitignore").write_text("# built\n*.o\n/logs/\n")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert listed(tmp_path) == ["a.py", "src/b.py"]


def test_a_repository_is_listed_by_git(tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    fill(tmp_path, "known.py", "new file.py", "sub/.env", "skipped.o", "gone.py")
    (tmp_path / ".gitignore").write_text("*.o\n")
    subprocess.run(["git", "add", "known.py", "gone.py"], cwd=tmp_path, check=True)
    (tmp_path / "gone.py").unlink()

    found = sorted(listed(tmp_path))

    assert found == [".gitignore", "known.py", "new file.py", "sub/.env"]


def test_what_is_no_file_to_a_reader_is_not_listed(tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    fill(tmp_path, "folder/a.py")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "broken").symlink_to("nothing")
    (tmp_path / "other.py").symlink_to("folder/a.py")
    subprocess.run(["git", "init", "-q", tmp_path / "inner"], check=True)
    fill(tmp_path / "inner", "x")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["add", "x"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path / "inner", check=True)
    subprocess.run([*git, "add", "inner"], cwd=tmp_path, check=True)

    assert sorted(listed(tmp_path)) == ["folder/a.py", "other.py"]


@pytest.mark.parametrize("word", ["uber", "über", "ÜBER", "u\u0308ber"])
@pytest.mark.parametrize("name", ["Übersicht.md", "U\u0308bersicht.md"])
def test_accents_are_found_in_both_forms_and_without(
    tmp_path: Path, word: str, name: str
):
    fill(tmp_path, name, "strasse.md")

    assert FileList(tmp_path).matching(word) == [name]
    assert FileList(tmp_path).matching(f"./{word}") == [f"./{name}"]
    assert FileList(tmp_path).matching("straße") == ["strasse.md"]


def test_a_repository_cannot_have_a_program_of_its_own_run(tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    fill(tmp_path, "a.py")
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    config = ["git", "config", "core.fsmonitor", str(hook)]
    subprocess.run(config, cwd=tmp_path, check=True)

    assert "a.py" in listed(tmp_path)

    assert not (tmp_path / "ran").exists()


def test_the_list_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "MOST", 5)
    fill(tmp_path, *(f"{n}.txt" for n in range(9)))

    assert len(listed(tmp_path)) == 5


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("comp", "tui/composer.py"),
        ("tc", "tests/test_chat.py"),
        ("COMPOSER.PY", "tui/composer.py"),
        ("zzz", None),
        ("osr", None),
        ("tui/", "tui/a.py"),
    ],
)
def test_the_best_match_comes_first(tmp_path: Path, word: str, first: str | None):
    fill(tmp_path, "tui/composer.py", "tests/test_chat.py", "tui/a.py")
    fill(tmp_path, "docs/my_composition.md")

    found = FileList(tmp_path).matching(word)

    assert (found[0] if found else None) == first


def test_a_path_is_completed_folder_by_folder(tmp_path: Path):
    fill(tmp_path, "area/here/a.py", "area/here/b.md", "area/here/.env")
    (tmp_path / "area/here/deep").mkdir()
    files = FileList(tmp_path / "area")

    assert files.matching("./he") == ["./here/"]
    assert files.matching("./here/") == ["./here/a.py", "./here/b.md", "./here/deep/"]
    assert files.matching(f"{tmp_path}/area/here/.e") == [f"{tmp_path}/area/here/.env"]
    assert files.matching("/no/such/folder/x") == []


def test_a_long_name_of_equal_letters_takes_no_time():
    # To try every place of each letter would take hours, and hold up the screen.
    name = "a" * 250
    assert ranked([(name, name)], "a" * 12 + "b") == []
    assert ranked([(f"{name}.b", f"{name}.b")], "a" * 12 + "b") == [f"{name}.b"]
