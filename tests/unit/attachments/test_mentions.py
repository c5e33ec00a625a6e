"""Which files a message mentions, and when a paste is a path."""

from pathlib import Path

import pytest

from tui.attachments import mentions
from tui.runtime.local_files import LocalFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.py", "my notes.txt", "src/b.py", "it's.txt", "README", "报告.md"):
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
        ("请看@a.py，然后回答", ["a.py"]),
        ("总结@src/b.py:1-2的内容。", ["src/b.py:1-2"]),
        ("（@a.py）和@src/b.py、@README。", ["a.py", "src/b.py", "README"]),
        ("比较@报告.md和@a.py", ["报告.md", "a.py"]),
        ("@a.pyを見て", ["a.py"]),
        ("josé@a.py ü@a.py", []),
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
        ("请看@sr", "sr"),
        ("请看（@", ""),
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
    ("name", "spelled"),
    [
        ("a b.png", "file:{folder}/a%20b.png"),
        ("a b.png", "file://localhost{folder}/a%20b.png"),
        ("a b.png", "FILE://{folder}/a%20b.png"),
        ("a#1?.png", "file://{folder}/a#1?.png"),
        ("a#1.png", "file://{folder}/a%231.png"),
        ("ä b.png", "file://{folder}/%C3%A4%20b.png"),
        ("a&b(1).png", r"{folder}/a\&b\(1\).png"),
        ("100%.png", "{folder}/100%.png"),
        ("it's.png", r"'{folder}/it'\''s.png' "),
    ],
)
def test_a_dropped_file_is_recognised_as_terminals_write_it(
    folder: Path, name: str, spelled: str
):
    (folder / name).write_text("x")

    assert mentions.pasted(spelled.format(folder=folder), folder) == [
        f"{folder}/{name}"
    ]


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


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("my notes.txt", "my notes.txt"),
        ("my notes.txt:2-3", "my notes.txt:2-3"),
        ('"my notes.txt"', "my notes.txt"),
        ('"my notes.txt":2-3', "my notes.txt:2-3"),
        ("'my notes.txt:2-3'", "my notes.txt:2-3"),
        (r"my\ notes.txt", "my notes.txt"),
        ("file://{folder}/my%20notes.txt", "my notes.txt"),
        (r"back\slash.txt", r"back\slash.txt"),
        ("it's.txt", "it's.txt"),
    ],
)
def test_a_file_is_found_however_it_is_typed(folder: Path, typed: str, title: str):
    (folder / r"back\slash.txt").write_text("1\n2\n3\n")

    assert LocalFiles(folder).load(typed.format(folder=folder)).title == title
