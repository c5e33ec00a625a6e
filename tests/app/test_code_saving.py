"""Saving a code block of an answer to a file."""

import os
from pathlib import Path

import pytest
from support.pilot import Chat, opened

from tui import i18n
from tui.app.chat.code_saving import Block, blocks, suggested

pytestmark = pytest.mark.usefixtures("home")

TWO = "First:\n\n```python\nprint('a')\n```\n\nthen\n\n```sh\necho b\n```\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def answered(chat: Chat) -> None:
    await chat.ask("Code")
    await chat.until(lambda: len(chat.screen.presenter.answers) == 1)
    await chat.ready()


async def save(chat: Chat, typed: str) -> None:
    chat.screen.code.save(typed)
    await chat.pilot.pause()


async def test_a_name_saves_the_last_block_as_it_was_written(here: Path) -> None:
    old = os.umask(0o027)
    try:
        async with opened([TWO], size=(160, 24)) as chat:
            await answered(chat)
            await chat.ask("/save-code run.sh")
            await chat.until(f"Saved {here / 'run.sh'} (7 bytes)")
    finally:
        os.umask(old)
    assert (here / "run.sh").read_bytes() == b"echo b\n"
    assert (here / "run.sh").stat().st_mode & 0o777 == 0o640


async def test_a_number_counts_from_the_end_and_home_is_expanded(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    async with opened([TWO], size=(160, 24)) as chat:
        await answered(chat)
        await save(chat, "2 ~/first.py")
        await chat.until("Saved")
        await save(chat, "3 x.py")
        await chat.until("No such code block (code blocks here: 2)")
    assert (here / "first.py").read_text() == "print('a')\n"
    assert not (here / "x.py").exists()


async def test_the_key_in_the_pane_asks_for_a_name_and_suggests_one(here: Path):
    async with opened([TWO], size=(120, 24)) as chat:
        await answered(chat)
        await chat.pilot.press("shift+tab", "S")
        await chat.until("Save code 1 of 2, 1 line, to code.sh")
        await chat.pilot.press("up")
        await chat.until("Save code 2 of 2, 1 line, to code.py")

        await chat.pilot.press("enter")

        await chat.until("Saved")
        assert chat.screen.transcript.has_focus
    assert (here / "code.py").read_text() == "print('a')\n"


async def test_what_is_there_is_overwritten_only_after_a_second_enter(here: Path):
    file = here / "run.sh"
    file.write_text("mine")
    file.chmod(0o754)
    async with opened([TWO], size=(120, 24)) as chat:
        await answered(chat)
        await save(chat, "run.sh")
        await chat.until("exists · Enter overwrites")
        assert file.read_text() == "mine"
        await chat.pilot.press("escape")
        await chat.until(lambda: not chat.screen.prompt_bar.is_open)
        assert file.read_text() == "mine"

        await save(chat, "run.sh")
        await chat.until("exists · Enter overwrites")
        await chat.pilot.press("enter")
        await chat.until("Saved")
    assert file.read_text() == "echo b\n"
    assert file.stat().st_mode & 0o777 == 0o754


async def test_the_question_is_in_chinese_in_chinese(
    here: Path, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")
    (here / "a").write_text("a")
    async with opened([TWO], size=(120, 24)) as chat:
        await answered(chat)
        await save(chat, "a")
        await chat.until("已存在 · Enter 覆盖")


async def test_a_changed_name_takes_the_question_back(here: Path) -> None:
    (here / "a").write_text("a")
    (here / "ab").write_text("ab")
    async with opened([TWO], size=(120, 24)) as chat:
        await answered(chat)
        await save(chat, "a")
        await chat.until("exists · Enter overwrites")
        await chat.pilot.press("end", "b")
        await chat.until("Enter saves")
        await chat.pilot.press("enter")
        await chat.until("exists · Enter overwrites")
    assert (here / "a").read_text() == "a"
    assert (here / "ab").read_text() == "ab"


@pytest.mark.parametrize("dangles", [False, True])
async def test_a_link_is_not_followed_unseen(here: Path, dangles: bool) -> None:
    target = here / "target"
    if not dangles:
        target.write_text("precious")
    (here / "link").symlink_to(target)
    async with opened([TWO], size=(160, 24)) as chat:
        await answered(chat)
        await save(chat, "link")
        await chat.until("is a link to")
        assert not dangles or not target.exists()
        assert dangles or target.read_text() == "precious"
        await chat.pilot.press("enter")
        await chat.until("Saved")
    assert target.read_text() == "echo b\n"
    assert (here / "link").is_symlink()


async def test_what_cannot_be_written_is_said(here: Path) -> None:
    os.mkfifo(here / "pipe")
    (here / "sub").mkdir()
    async with opened([TWO], size=(160, 24)) as chat:
        await answered(chat)
        await save(chat, "none/x.py")
        await chat.until("Cannot write none/x.py: No such file or directory")
        await save(chat, "pipe")
        await chat.until("not a regular file")
        await save(chat, "sub")
        await chat.until("Saved")
    assert (here / "sub" / "code.sh").exists()


async def test_without_code_there_is_nothing_to_save() -> None:
    async with opened(["Words."]) as chat:
        await answered(chat)
        await chat.ask("/save-code x.py")
        await chat.until("No code block here")


def test_blocks_are_found_in_lists_and_indented_too() -> None:
    text = "- a\n\n  ```js\n  x\n  ```\n\n~~~\ny\n~~~\n\n    z\n"
    assert blocks(text) == [Block("js", "x\n"), Block("", "y\n"), Block("", "z\n")]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("python", "code.py"),
        ("Go", "code.go"),
        ("dockerfile", "Dockerfile"),
        ("", "code.txt"),
        ("../../etc/x", "code.txt"),
        ("{.rust}", "code.rs"),
    ],
)
def test_the_language_suggests_a_name(here: Path, language: str, name: str) -> None:
    assert suggested(language) == name


def test_a_taken_name_is_not_suggested(here: Path) -> None:
    (here / "code.py").touch()
    assert suggested("python") == "code-2.py"


@pytest.mark.parametrize("width", [60, 80])
async def test_the_name_stays_readable_beside_keys_and_errors(
    here: Path, width: int
) -> None:
    async with opened([TWO], size=(width, 20)) as chat:
        await answered(chat)
        await save(chat, "")
        await chat.until("code.sh")
        chat.screen.prompt_bar.field.value = "no/x.sh"
        await chat.pilot.press("enter")
        await chat.until("directory")
        assert "to no/x.sh" in chat.text
