"""Which files a message mentions, and when a paste is a path."""

from pathlib import Path

import pytest

from tui.attachments import mentions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.py", "my notes.txt", "src/b.py", "it's.txt", "README"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1\n2\n3\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("what does @a.py do?", ["a.py"]),
        ("@a.py, @src/b.py.", ["a.py", "src/b.py"]),
        ("compare (@a.py) with @a.py", ["a.py"]),
        ("see @a.py:1-2!", ["a.py:1-2"]),
        (
            '@"my notes.txt" and @"my notes.txt":2-3',
            ["my notes.txt", "my notes.txt:2-3"],
        ),
        (r"@my\ notes.txt", ["my notes.txt"]),
        ("mail a@a.py or @@a.py", []),
        ("@anna @src @nothing.py", []),
        ("a line\n@a.py\n", ["a.py"]),
    ],
)
def test_only_existing_files_are_mentioned(folder: Path, text: str, files: list[str]):
    assert mentions.files_in(text, folder) == files


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("see @", ""),
        ("see @sr", "sr"),
        ('see @"my no', "my no"),
        (r"@my\ no", "my no"),
        ("a@b", None),
        ("@a.py then", None),
        ('@"a.py" ', None),
    ],
)
def test_the_word_at_the_cursor_is_completed(text: str, word: str | None):
    assert mentions.begun(text) == word


@pytest.mark.parametrize(
    ("spec", "far"),
    [
        ("a.py", False),
        ("./src/a.py", False),
        ("src/b.c.py:1-2", False),
        ("../a.py", True),
        ("src/../../a.py", True),
        ("/etc/passwd", True),
        ("~/.ssh/id_rsa", True),
        (".env", True),
        ("src/.env", True),
    ],
)
def test_hidden_files_and_those_of_other_folders_are_far(spec: str, far: bool):
    assert mentions.is_far(spec) is far


def test_a_path_with_spaces_is_spelled_in_quotation_marks(folder: Path):
    for path in ("a.py", "my notes.txt"):
        assert mentions.files_in(mentions.spelled(path), folder) == [path]


def test_a_paste_of_a_path_is_recognised_however_it_is_quoted(folder: Path):
    path = f"{folder}/my notes.txt"
    escaped = path.replace(" ", "\\ ")

    for text in (
        path,
        f"{path}\n",
        f"'{path}'",
        f'"{path}" ',
        escaped,
        "file://" + path.replace(" ", "%20"),
    ):
        assert mentions.pasted(text, folder) == [path], text


def test_several_dropped_files_are_recognised(folder: Path):
    one, two = f"{folder}/a.py", f"{folder}/it's.txt"

    assert mentions.pasted(f"'{one}' \"{two}\"", folder) == [one, two]
    assert mentions.pasted(f"{one}\n{two}\n", folder) == [one, two]
    assert mentions.pasted(f"file://{one}\r\nfile://{two}", folder) == [one, two]


@pytest.mark.parametrize(
    "text",
    [
        "README",
        "a.py",
        "/nothing/there",
        "src/b.py is broken",
        "https://example.org/a.py",
        "'",
        "/" * 9000,
        "",
    ],
)
def test_other_pastes_stay_text(folder: Path, text: str):
    assert mentions.pasted(text, folder) == []
