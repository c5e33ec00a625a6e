"""Prompt files: what they fill in, and which are refused."""

from pathlib import Path

import pytest

from tui.prompt_files import PromptFile, load


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("text", "typed", "filled"),
    [
        ("Review $1.", "a.py", "Review a.py."),
        ("Review $1 for $2.", '"my file.py" speed', "Review my file.py for speed."),
        ("Review $1 for $2.", "a.py", "Review a.py for ."),
        ("Explain: $ARGUMENTS", "why is  it so?", "Explain: why is  it so?"),
        ("Explain $1", "don't panic", "Explain don't"),
        ("Be brief.", "What is a fork?", "Be brief.\n\nWhat is a fork?"),
        ("Be brief.", "  ", "Be brief."),
        ("It costs $10 or $0.", "x", "It costs $10 or $0.\n\nx"),
        ("Say $1", "$ARGUMENTS", "Say $ARGUMENTS"),
    ],
)
def test_what_is_typed_fills_the_holes(text: str, typed: str, filled: str) -> None:
    assert PromptFile("x", text).filled(typed) == filled


def test_a_folder_is_read_by_name_with_descriptions(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "# Tidy up\n\nSort $1.")
    write(
        tmp_path, "a.md", "---\ndescription: 'Review \x1b[31mcode'\n---\nReview $1.\n"
    )
    write(tmp_path, "notes.txt", "no prompt")

    found, problems = load(tmp_path)

    assert [(p.name, p.text) for p in found] == [
        ("a", "Review $1."),
        ("b", "# Tidy up\n\nSort $1."),
    ]
    assert "\x1b" not in found[0].description
    assert found[1].description == "Tidy up"
    assert problems == []


def test_bad_files_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    write(tmp_path, "good.md", "Yes.")
    write(tmp_path, "Bad Name.md", "No.")
    write(tmp_path, "empty.md", "---\ndescription: x\n---\n")
    write(tmp_path, "long.md", "x" * 100_001)
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    (tmp_path / "folder.md").mkdir()

    found, problems = load(tmp_path)

    assert [prompt.name for prompt in found] == ["good"]
    assert len(problems) == 5
    for name, why in [
        ("Bad Name", "lower-case"),
        ("empty", "it is empty"),
        ("long", "more than 100,000"),
        ("latin", "not UTF-8"),
        ("folder", "not a regular file"),
    ]:
        assert [p for p in problems if f"{name}.md" in p and why in p], problems


def test_no_folder_has_no_prompts(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == ([], [])
