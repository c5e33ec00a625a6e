"""Attached files in a real terminal and in `lazychat ask`: what the server gets."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes.lazychat import Home
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.start import Start

REPLY = [{"text": "got it"}]
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x05rest"


@pytest.fixture
def remote(tmp_path: Path, server: SSEServer) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.server(server.url)
        (tmp_path / "notes.txt").write_text("one\ntwo ```\nthree\n")
        (tmp_path / "cat.png").write_bytes(PNG)
        yield home


def test_a_file_given_at_the_start_waits_above_the_composer(
    start: Start, home: Path
) -> None:
    (home / "notes.txt").write_text("one\ntwo\nthree\n")

    terminal = start(REPLY, "-a", "notes.txt:1-2", "-a", "notes.txt")
    terminal.wait_for("≡ notes.txt:1-2 · 2 lines · 8 B")
    terminal.wait_for("≡ notes.txt · 3 lines · 14 B")
    terminal.type("read")
    terminal.press("enter")

    terminal.wait_for("got it")
    assert terminal.text.count("≡ notes.txt") == 2


def test_a_dropped_file_is_attached_and_removed_with_backspace(
    start: Start, home: Path
) -> None:
    path = home / "my cat.png"
    path.write_bytes(PNG)
    terminal = start(REPLY)

    terminal.paste(str(path).replace(" ", "\\ "))
    terminal.wait_for("◙ my cat.png · 8×5")
    assert str(path) not in terminal.text
    terminal.press("backspace")

    terminal.wait_for(lambda t: "my cat.png" not in t.text)


def test_a_name_cannot_control_the_terminal(start: Start, home: Path) -> None:
    (home / "a\x1b[31mred\nline").write_text("x")
    terminal = start(REPLY)

    terminal.type("@red")
    terminal.wait_for("a␛[31mred line")
    terminal.press("tab")

    terminal.wait_for("≡ a␛[31mred line")


def test_a_file_that_cannot_be_attached_is_said_before_the_screen(
    remote: Home,
) -> None:
    done = remote.run("-a", "nothing.txt")

    assert (done.code, done.out) == (1, "")
    assert done.err == "lazychat: There is no file nothing.txt.\n"


def test_ask_sends_text_in_a_fence_that_it_cannot_close(
    remote: Home, server: SSEServer
) -> None:
    server.answer(text("Yes."), finish(), DONE)

    done = remote.ask("-T", "none", "-a", "notes.txt:2-3", "what is it?")

    assert (done.out, done.err) == ("Yes.\n", "")
    (message,) = server.requests[-1].json["messages"]
    assert message["content"] == (
        "what is it?\n\nnotes.txt, lines 2-3:\n````\ntwo ```\nthree\n````"
    )


def test_ask_sends_pictures_and_standard_input(remote: Home, server: SSEServer) -> None:
    server.answer(text("Yes."), finish(), DONE)

    done = remote.ask("-T", "none", "-a", "-", "-a", "cat.png", "see", input="piped\n")

    assert done.out == "Yes.\n"
    words, picture = server.requests[-1].json["messages"][0]["content"]
    assert words["text"] == "see\n\nstandard input:\n```\npiped\n```"
    data = base64.b64encode(PNG).decode()
    assert picture["image_url"]["url"] == f"data:image/png;base64,{data}"


def test_the_next_question_sends_the_files_again(
    remote: Home, server: SSEServer
) -> None:
    for _ in range(2):
        server.answer(text("Yes."), finish(), DONE)
    remote.ask("-T", "none", "-a", "cat.png", "see")

    remote.ask("-T", "none", "-c", "and now?")

    assert "data:image/png" in json.dumps(server.requests[-1].json["messages"][0])


def test_ask_says_what_a_blind_model_is_not_shown(
    remote: Home, server: SSEServer
) -> None:
    remote.server(server.url, "images = false")
    server.answer(text("No."), finish(), DONE)

    done = remote.ask("-T", "none", "-a", "cat.png", "see")

    assert done.out == "No.\n"
    assert "remote cannot see pictures" in done.err
    assert "image_url" not in json.dumps(server.requests[-1].json)


def test_an_export_saves_pictures_beside_the_page_and_an_import_has_them(
    remote: Home, server: SSEServer, tmp_path: Path
) -> None:
    server.answer(text("Yes."), finish(), DONE)
    remote.ask("-T", "none", "-a", "cat.png", "-a", "notes.txt", "see")

    assert remote.run("export", "--all", "-o", "page.md").code == 0
    assert remote.run("export", "--all", "-o", "all.json").code == 0

    page = (tmp_path / "page.md").read_text()
    (picture,) = (tmp_path / "page-files").iterdir()
    assert picture.read_bytes() == PNG
    assert f"![cat.png](page-files/{picture.name})" in page
    assert "<summary>Attached: notes.txt · 3 lines" in page
    assert "````\none\ntwo ```\nthree\n````" in page
    (tmp_path / "two").mkdir()
    with Home(tmp_path / "two") as other:
        id = other.run("import", str(tmp_path / "all.json")).out.strip()
        out = other.run("export", id, "-o", "again.md")
        assert out.code == 0
        (again,) = (tmp_path / "two" / "again-files").iterdir()
    assert again.read_bytes() == PNG
