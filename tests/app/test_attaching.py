"""Files in the composer: chosen with @, pasted, removed, kept, sent and shown."""

import threading
from pathlib import Path

import pytest
from support.pilot import LIMIT, Chat, opened
from textual import events

from tui import conversation
from tui.conversation import read_state
from tui.events import MessageAdded
from tui.messages import Attachment, Message, ToolCall
from tui.models.context_window import IMAGE_TOKENS, estimate_message
from tui.tools import File, tool

pytestmark = pytest.mark.usefixtures("home")

BLIND = """
[models.blind]
provider = "openai"
model = "deepseek-chat"
base_url = "http://127.0.0.1:9/v1"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    for name in ("src/main.py", "src/other.py", "notes.txt", "my file.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"of {name}\nline 2\nline 3\n")
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x05"
    (folder / "cat.png").write_bytes(png)
    monkeypatch.chdir(folder)
    return folder


def named(chat: Chat) -> list[str]:
    return [file.title for file in chat.screen.composer.files]


def sent(chat: Chat, number: int = -1) -> Message:
    """Return a question as the model got it."""
    return [m for m in chat.model.requests[number].messages if m.role == "user"][-1]


async def keys(chat: Chat, text: str) -> None:
    await chat.pilot.press(*("space" if c == " " else c for c in text))


async def attach(chat: Chat, spec: str) -> None:
    before = len(named(chat))
    await chat.ask(f"/attach {spec}")
    await chat.until(lambda: len(named(chat)) == before + 1)


async def paste(chat: Chat, text: str) -> None:
    chat.screen.composer.post_message(events.Paste(text))
    await chat.pilot.pause()


async def test_a_file_is_chosen_with_at_and_sent_with_the_message():
    async with opened(["Fine."]) as chat:
        menu = chat.screen.composer.file_menu
        await keys(chat, "see @ma")
        await chat.until("src/main.py")
        assert menu.is_open

        await chat.pilot.press("enter")
        await chat.until("≡ src/main.py · 3 lines · 29 B")
        assert chat.screen.composer.text == "see @src/main.py "
        assert not menu.is_open
        await chat.pilot.press("enter")

        await chat.until("Fine.")
        (file,) = sent(chat).attachments
        assert file.data == b"of src/main.py\nline 2\nline 3\n"
        assert "≡ src/main.py · 3 lines" in chat.pane
        assert named(chat) == []


async def test_arrows_choose_a_file_and_escape_closes_the_menu():
    async with opened() as chat:
        menu = chat.screen.composer.file_menu
        await keys(chat, "@src")
        await chat.until(lambda: len(menu.found) == 2)

        await chat.pilot.press("down", "tab")
        await chat.until(lambda: named(chat) == ["src/other.py"])

        await keys(chat, "@no")
        await chat.until(lambda: menu.is_open)
        await chat.pilot.press("escape")
        assert not menu.is_open
        await keys(chat, "t")
        await chat.pilot.pause()
        assert not menu.is_open


async def test_a_path_with_spaces_is_written_in_quotation_marks():
    async with opened(["Fine."]) as chat:
        await keys(chat, "@my")
        await chat.until(lambda: chat.screen.composer.file_menu.is_open)
        await chat.pilot.press("tab")

        await chat.until(lambda: named(chat) == ["my file.txt"])
        assert chat.screen.composer.text == '@"my file.txt" '


async def test_a_file_leaves_with_its_name_in_the_text():
    async with opened() as chat:
        await keys(chat, "@notes")
        await chat.until(lambda: chat.screen.composer.file_menu.is_open)
        await chat.pilot.press("tab")
        await chat.until(lambda: named(chat) == ["notes.txt"])

        await chat.pilot.press("ctrl+u")

        await chat.until(lambda: named(chat) == [])


async def test_names_typed_by_hand_are_attached_when_they_are_sent():
    async with opened(["Fine."]) as chat:
        await chat.ask("@notes.txt:2-3 and @src/main.py, but not @anna")

        await chat.until("Fine.")
        files = sent(chat).attachments
        assert [file.title for file in files] == ["notes.txt:2-3", "src/main.py"]
        assert files[0].data == b"line 2\nline 3\n"


async def test_a_link_to_another_folder_is_shown_before_it_is_sent(folder: Path):
    (folder.parent / "secret.txt").write_text("secret\n")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    async with opened(["Fine."]) as chat:
        await chat.ask("read @link.txt and @notes.txt")

        await chat.until("Attached link.txt: Enter sends it, too")
        assert chat.model.requests == []


async def test_a_name_that_could_control_the_terminal_is_not_written(folder: Path):
    name = "zz\x1b[31m\u202e.txt"
    (folder / name).write_text("x\n")
    async with opened(["Fine."]) as chat:
        await keys(chat, "see @zz")
        await chat.until("zz␛[31m.txt")
        await chat.pilot.press("tab")
        await chat.until(lambda: named(chat) == [name])

        assert chat.screen.composer.text == "see "
        await keys(chat, "it")
        await chat.pilot.press("enter")
        await chat.until("Fine.")
        assert [file.name for file in sent(chat).attachments] == [name]


async def test_a_pasted_text_cannot_send_a_file_that_nobody_has_seen(folder: Path):
    (folder / ".env").write_text("KEY=1\n")
    async with opened(["Fine."]) as chat:
        await paste(chat, "read @.env and @notes.txt")
        await chat.until(lambda: "@.env" in chat.screen.composer.text)
        await chat.pilot.press("enter")

        await chat.until("Attached .env: Enter sends it, too")
        assert named(chat) == [".env", "notes.txt"]
        assert chat.model.requests == []
        await chat.pilot.press("enter")

        await chat.until("Fine.")
        assert len(sent(chat).attachments) == 2


async def test_a_file_that_cannot_be_read_keeps_the_message(folder: Path):
    (folder / "program").write_bytes(b"\0\1")
    async with opened() as chat:
        await chat.ask("run @program")

        await chat.until("is not text, a picture")
        assert chat.screen.composer.text == "run @program"
        assert chat.model.requests == []


async def test_a_pasted_path_becomes_an_attachment(folder: Path):
    async with opened() as chat:
        await paste(chat, f"'{folder}/my file.txt'")
        await chat.until(lambda: named(chat) == ["my file.txt"])
        await paste(chat, str(folder / "cat.png").replace(" ", "\\ "))
        await chat.until("◙ cat.png · 8×5")
        assert chat.screen.composer.text == ""


async def test_other_pastes_and_arguments_of_commands_stay_text(folder: Path):
    async with opened() as chat:
        await paste(chat, "/no/such/file")
        await chat.until(lambda: chat.screen.composer.text == "/no/such/file")
        chat.screen.composer.load_text("/export ")
        await paste(chat, str(folder / "notes.txt"))
        await chat.until(lambda: "notes.txt" in chat.screen.composer.text)
        assert named(chat) == []


async def test_attach_says_what_is_wrong():
    async with opened() as chat:
        await chat.ask("/attach nothing.txt")
        await chat.until("There is no file nothing.txt")
        await chat.until(lambda: chat.screen.composer.text == "/attach nothing.txt")
        chat.screen.composer.load_text("/attach src")
        await chat.pilot.press("enter")
        await chat.until("src is a folder")
        await chat.until(lambda: chat.screen.composer.text == "/attach src")
        chat.screen.composer.load_text("/attach")
        await chat.pilot.press("enter")
        await chat.until("/attach takes a file")


async def test_backspace_at_the_start_removes_the_last_file():
    async with opened() as chat:
        await attach(chat, "notes.txt")
        await attach(chat, "src/main.py")
        await keys(chat, "x")

        await chat.pilot.press("backspace", "backspace")

        await chat.until(lambda: named(chat) == ["notes.txt"])
        assert chat.screen.composer.text == ""


async def test_files_alone_can_be_sent():
    async with opened(["Fine."]) as chat:
        await attach(chat, "notes.txt:1")
        await chat.pilot.press("enter")

        await chat.until("Fine.")
        assert sent(chat).text == ""
        assert [file.title for file in sent(chat).attachments] == ["notes.txt:1"]
        assert "≡ notes.txt:1 · 1 line" in chat.pane


async def test_a_command_keeps_the_attached_files():
    async with opened() as chat:
        await attach(chat, "notes.txt")
        await chat.ask("/tools")
        await chat.pilot.pause()

        assert named(chat) == ["notes.txt"]


async def test_an_edited_message_keeps_its_files_and_so_does_another_answer():
    async with opened(["One.", "Two.", "Three."]) as chat:
        await attach(chat, "notes.txt")
        await chat.ask("look @src/main.py")
        await chat.until("One.")

        await chat.ask("/revise")
        await chat.until(lambda: named(chat) == ["notes.txt", "src/main.py"])
        await chat.pilot.press("ctrl+u")
        await chat.until(lambda: named(chat) == ["notes.txt"])
        await chat.type("look @src/main.py")
        await chat.pilot.press("enter")
        await chat.until("Two.")
        await chat.ask("/retry")
        await chat.until("Three.")

        for request in (0, 1, 2):
            files = sent(chat, request).attachments
            assert [file.title for file in files] == ["notes.txt", "src/main.py"]
            assert all(file.data for file in files)


async def test_leaving_an_edit_brings_the_files_before_it_back():
    async with opened(["One."]) as chat:
        await attach(chat, "notes.txt")
        await chat.ask("look")
        await chat.until("One.")
        await attach(chat, "src/main.py")

        await chat.ask("/revise")
        await chat.until(lambda: named(chat) == ["notes.txt"])
        chat.screen.cancel()

        await chat.until(lambda: named(chat) == ["src/main.py"])


async def test_a_draft_keeps_its_files():
    id = conversation.new_id()
    async with opened(id=id) as chat:
        said = MessageAdded("m", Message("user", "before"))
        chat.host.log.append(id, said).result(LIMIT)
    async with opened(id=id) as chat:
        await chat.until("before")
        await attach(chat, "notes.txt")
        await chat.type("half")
        await chat.until(lambda: read_state.draft(chat.host.log, id) == "half")

    async with opened(["Fine."], id=id) as chat:
        await chat.until(lambda: named(chat) == ["notes.txt"])
        assert chat.screen.composer.text == "half"
        await chat.pilot.press("enter")

        await chat.until("Fine.")
        assert sent(chat).attachments[0].data.startswith(b"of notes.txt")
        assert read_state.draft_files(chat.host.log, id) == ()


async def test_a_queued_message_comes_back_with_its_files():
    go_on = threading.Event()
    async with opened([["Slow", go_on], "Two."]) as chat:
        await chat.ask("first")
        await chat.until("Slow")
        await attach(chat, "notes.txt")
        await chat.pilot.press("enter")
        await chat.until("Queued: notes.txt")

        await chat.pilot.press("alt+up")

        await chat.until(lambda: named(chat) == ["notes.txt"])
        go_on.set()


async def test_a_blind_model_is_said_to_be_so_before_a_picture_is_sent():
    async with opened(toml=BLIND) as chat:
        chat.screen.model = "blind"
        await attach(chat, "cat.png")
        await chat.until("blind cannot see pictures")

        await chat.ask("what is it?")
        await chat.until("blind cannot see cat.png. Enter again sends only its name")
        assert chat.screen.composer.text == "what is it?"
        assert named(chat) == ["cat.png"]
        await chat.pilot.press("enter")

        await chat.until(lambda: named(chat) == [])
        await chat.until("◙ cat.png")


async def test_files_of_a_tool_are_shown_in_the_debug_panel_and_reach_the_model():
    @tool
    def draw() -> object:
        """Draw."""
        return File(data=b"a drawing", name="drawing.txt")

    call = ToolCall("1", "draw", {})
    async with opened([[call], "Fine."]) as chat:
        chat.host._known.tools["draw"] = draw
        chat.host._known.enabled.add("draw")
        chat.screen.tools.show()
        await chat.ask("draw")
        await chat.until("Fine.")

        result = chat.model.requests[1].messages[-1]
        assert result.role == "tool"
        assert result.attachments[0].data == b"a drawing"


def test_the_meter_counts_attached_text():
    picture = Attachment("c.png", "image/png", digest="0" * 64, size=9)
    text = Attachment("a.txt", "text/plain", digest="0" * 64, size=4000)

    bare = estimate_message(Message("user", "x"))
    whole = estimate_message(Message("user", "x", attachments=(picture, text)))

    assert whole == bare + IMAGE_TOKENS + 1000
