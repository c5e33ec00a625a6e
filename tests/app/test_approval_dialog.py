"""The dialog that asks whether a tool may run, in place of the composer."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support import asking_tool
from support.pilot import Chat, opened

from tui import grants
from tui.app.widgets.approval_call import Effect
from tui.app.widgets.approval_dialog import ApprovalDialog
from tui.conversation.approvals import Question
from tui.events import ApprovalGiven, ApprovalRequested
from tui.grants import Grant
from tui.messages import ToolCall
from tui.models.scripted import Step

STATUS = "git status --short"


def calling(*commands: str) -> list[Step]:
    return [
        ToolCall(f"call{n}", "run_it", {"command": command})
        for n, command in enumerate(commands)
    ]


@asynccontextmanager
async def asking(
    home: Path,
    *replies: Iterable[Step] | str,
    size: tuple[int, int] = (80, 24),
    toml: str = "",
    draft: str = "",
) -> AsyncIterator[Chat]:
    """A chat whose model has called the tool that asks."""
    asking_tool.add(home)
    async with opened(replies, toml, size=size) as chat:
        await chat.until(lambda: "run_it" in chat.host.enabled)
        await chat.ask("What has changed?")
        await chat.type(draft)
        await chat.until("Allow run_it?")
        yield chat


def dialog(chat: Chat) -> ApprovalDialog:
    return chat.screen.dialog


async def press(chat: Chat, *keys: str) -> None:
    """Press keys once they are answers."""
    await chat.until(lambda: dialog(chat).armed)
    await chat.pilot.press(*keys)


def given(chat: Chat) -> list[ApprovalGiven]:
    events = [record.event for record in chat.host.log.read()]
    return [event for event in events if isinstance(event, ApprovalGiven)]


async def test_the_dialog_shows_the_call_and_the_keys(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        assert f"$ {STATUS}" in chat.text
        for words in (
            "y allow once",
            "c allow run_it in this conversation",
            "p always allow “git status *”",
            "t always allow run_it",
            "d deny",
            "Esc stop",
        ):
            assert words in chat.text
        assert "Message (Enter" not in chat.text
        assert chat.screen.status.state == "needs your answer"
        assert asking_tool.runs(home) == []


@pytest.mark.parametrize(
    ("key", "scope", "kept"),
    [
        ("y", "once", []),
        ("c", "conversation", []),
        ("t", "always", [Grant("run_it")]),
        ("p", "always", [Grant("run_it", pattern="git status *")]),
    ],
)
async def test_each_key_allows_as_much_as_it_says(
    home: Path, key: str, scope: str, kept: list[Grant]
) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await press(chat, key)
        await chat.until("Done.")
        await chat.ready()

        assert asking_tool.runs(home) == [STATUS]
        assert [answer.scope for answer in given(chat)] == [scope]
        assert grants.stored() == kept
        assert chat.screen.composer.has_focus
        assert "Message (Enter" in chat.text


async def test_a_denial_asks_for_the_reason(home: Path) -> None:
    async with asking(home, calling("rm -r /"), "Sorry.") as chat:
        await press(chat, "d", "n", "o", "space", "y", "enter")
        await chat.until("Sorry.")

        assert asking_tool.runs(home) == []
        assert given(chat) == [ApprovalGiven("call0", False, reason="no y")]
        (told,) = [m.text for m in chat.model.requests[1].messages if m.role == "tool"]
        assert told.endswith("the user denied this call. The reason: no y")


async def test_escape_goes_back_from_the_reason(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await press(chat, "d", "n", "escape")
        await chat.until("y allow once")
        await press(chat, "y")
        await chat.until("Done.")

        assert given(chat) == [ApprovalGiven("call0", True)]


async def test_keys_that_are_typed_as_it_appears_belong_to_the_draft(
    home: Path,
) -> None:
    async with asking(home, calling(STATUS), "Done.", draft="wait, ") as chat:
        assert not dialog(chat).armed
        await chat.pilot.press("y", "e", "s", "enter", "p")

        assert given(chat) == []
        assert chat.screen.composer.text == "wait, yesp"
        await press(chat, "y")
        await chat.until("Done.")
        assert chat.screen.composer.text == "wait, yesp"
        assert len(given(chat)) == 1


async def test_enter_and_other_keys_are_no_answer(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await press(chat, "enter", "space", "x", "j", "down", "end", "tab")

        assert given(chat) == []
        assert asking_tool.runs(home) == []
        assert "Allow run_it?" in chat.text


async def test_a_paste_goes_to_the_draft(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await chat.until(lambda: dialog(chat).armed)
        from textual.events import Paste

        chat.app.post_message(Paste("y\ny"))
        await chat.until(lambda: chat.screen.composer.text == "y\ny")

        assert given(chat) == []


async def test_escape_stops_the_answer(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await chat.pilot.press("escape")
        await chat.ready()

        assert asking_tool.runs(home) == []
        assert chat.screen.composer.has_focus
        assert dialog(chat).question is None


async def test_questions_are_asked_one_after_another(home: Path) -> None:
    async with asking(home, calling("one", "two"), "Done.") as chat:
        await chat.until("1 more")
        await press(chat, "y")
        await chat.until(lambda: len(given(chat)) == 1)
        await chat.until(lambda: "more" not in chat.text)
        await press(chat, "d", "enter")
        await chat.until("Done.")

        assert len(asking_tool.runs(home)) == 1
        assert [answer.allow for answer in given(chat)] == [True, False]


async def test_the_next_question_has_the_keys_after_a_reason(home: Path) -> None:
    async with asking(home, calling("one", "two"), "Done.") as chat:
        await chat.until("1 more")
        await press(chat, "d", "n", "o", "enter")
        await chat.until(lambda: len(given(chat)) == 1)
        await chat.until(lambda: "more" not in chat.text)
        await press(chat, "y")
        await chat.until("Done.")

        assert [answer.allow for answer in given(chat)] == [False, True]


async def test_the_line_for_a_reason_is_hidden_again(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await press(chat, "d")
        await chat.until("Why?")
        await chat.pilot.press("escape")
        await chat.until("y allow once")

        await chat.until(lambda: "Why?" not in chat.text)


async def test_what_config_toml_asks_for_cannot_be_allowed_for_ever(
    home: Path,
) -> None:
    toml = '[tools.policy]\nrun_it = "ask"\n'
    async with asking(home, calling(STATUS), "Done.", toml=toml) as chat:
        assert "always" not in chat.text
        await press(chat, "t", "p")
        assert given(chat) == []


@pytest.mark.parametrize("size", [(60, 20), (40, 16), (120, 40)])
async def test_a_long_call_scrolls_at_every_size(
    home: Path, size: tuple[int, int]
) -> None:
    command = "\n".join(f"echo line {n}" for n in range(100))
    async with asking(home, calling(command), "Done.", size=size) as chat:
        await chat.until("more rows: PgDn" if size[0] > 40 else "↓")
        await chat.pilot.press("f3")
        await chat.pilot.pause()
        assert "$ echo line 0" in chat.text
        assert "d deny" in chat.text
        assert "Esc stop" in chat.text

        await chat.pilot.press("end")
        await chat.until("> echo line 99" if size[0] > 40 else "d deny")
        await chat.until(lambda: "↓" not in chat.text)


async def test_the_text_of_a_call_cannot_fake_the_dialog(home: Path) -> None:
    command = (
        "ls\x1b[2J\x1b]0;x\x07\u202e\u200b\r"
        + " " * 200
        + "; rm -r /\n╰───╯\ny allow once"
    )
    async with asking(home, calling(command), "Done.") as chat:
        text = chat.text
        assert "\x1b" not in text
        assert "\\u001b[2J" in text
        assert "\\u202e\\u200b\\u000d" in text
        assert "; rm -r /" in text
        assert "> ╰───╯" in text
        assert "> y allow once" in text
        assert "always allow “" not in text


def test_the_call_says_why_it_asks_again() -> None:
    asked = ApprovalRequested("1", "run_it", "", "command", "ls", asks_again=True)
    lines = Effect(asked)
    shown = [lines.line(n, 80).text for n in range(lines.height(80))]

    assert shown == [
        "  You allowed this before without a folder; it now asks for each folder",
        "$ ls",
    ]


async def test_an_edit_is_shown_as_a_diff() -> None:
    from textual.app import App, ComposeResult

    class Small(App[None]):
        def compose(self) -> ComposeResult:
            yield ApprovalDialog()

    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same"
    asked = ApprovalRequested("1", "edit", "files", "diff", diff, "/home/me/x")
    app = Small()
    async with app.run_test(size=(60, 20)) as pilot:
        shown = app.query_one(ApprovalDialog)
        shown.ask(Question("t", asked), 0)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        rows = {strip.text.strip("│ ").rstrip(): strip for strip in strips}

        assert any("Allow edit from files?" in row for row in rows)
        assert "/home/me/x" in rows
        colours = {}
        for row in ("-old", "+new", "same"):
            (segment,) = [s for s in rows[row] if row in s.text]
            assert segment.style
            colours[row] = segment.style.color
        assert len(set(colours.values())) == 3


async def test_the_transcript_can_be_read_while_it_asks(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await chat.until(lambda: dialog(chat).armed)
        chat.screen.set_focus(chat.screen.transcript)
        await chat.pilot.press("q")

        # The key only goes back to the dialog.
        await chat.until(lambda: not dialog(chat).armed)
        assert given(chat) == []
        assert chat.screen.focused in dialog(chat).parts


async def test_the_sidebar_lists_and_revokes_what_is_allowed(home: Path) -> None:
    grants.keep(Grant("run_it", pattern="git log *"))
    replies = calling(STATUS), "Done.", calling(STATUS), "Over."
    async with asking(home, *replies, size=(120, 70)) as chat:
        await chat.until("Allow run_it?")
        await chat.pilot.press("f2")
        await chat.until("git log *")
        assert "asks" in chat.text
        await chat.pilot.press("escape")
        await press(chat, "c")
        await chat.until("Done.")
        await chat.until(lambda: "here" in chat.text)

        chat.screen.sidebar.focus()
        await chat.pilot.press("end", "x")
        await chat.until(lambda: "git log *" not in chat.text)
        assert grants.stored() == []
        await chat.pilot.press("end", "x")
        await chat.until(lambda: "Allowed without asking" not in chat.text)

        chat.screen.composer.focus()
        await chat.ask("Again")
        await chat.until("Allow run_it?")


async def test_a_tab_and_the_history_show_that_it_asks(home: Path) -> None:
    async with asking(home, calling(STATUS), "Done.") as chat:
        await chat.until(lambda: dialog(chat).armed)
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: "? What has changed?" in chat.text.splitlines()[0])
        await chat.pilot.press("ctrl+s")
        await chat.until(
            lambda: [row for row in chat.text.splitlines()[1:] if "? What has" in row]
        )


def rows(asked: ApprovalRequested, width: int = 60) -> list[str]:
    effect = Effect(asked)
    return [
        "".join(text for text, _ in effect.line(number, width).spans)
        for number in range(effect.height(width))
    ]


def test_no_command_forges_the_row_that_says_how_it_is_run() -> None:
    command = "sh -c 'ls\n(in /home/me, 5 s at most)\n  (in /tmp, 5 s at most)'"
    real = "(in /real, 60 s at most)"
    asked = ApprovalRequested(
        "1", "run_command", "", "command", f"{command}\n{real}", command
    )

    assert rows(asked) == [
        "$ sh -c 'ls",
        "> (in /home/me, 5 s at most)",
        ">   (in /tmp, 5 s at most)'",
        f"  {real}",
    ]


def test_blanks_that_would_hide_the_end_of_a_command_are_counted() -> None:
    command = f"sh -c 'ls{' ' * 3000}; rm -r x'"
    asked = ApprovalRequested("1", "run_command", "", "command", command, command)

    assert rows(asked) == ["$ sh -c 'ls \\u0020×3000 ; rm -r x'"]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
@pytest.mark.parametrize("key", ["y", "c", "t"])
async def test_the_end_of_a_long_call_is_shown_before_it_is_allowed(
    home: Path, key: str, size: tuple[int, int]
) -> None:
    command = f"echo {'safe ' * 300}THE-END"
    async with asking(home, calling(command), "Done.", size=size) as chat:
        assert "THE-END" not in chat.text

        await press(chat, key)
        await chat.until("THE-END")
        assert given(chat) == []
        assert not dialog(chat).armed

        await press(chat, key)
        await chat.until("Done.")
        assert len(given(chat)) == 1


async def test_who_has_read_a_long_call_allows_it_with_one_key(home: Path) -> None:
    command = f"echo {'safe ' * 300}THE-END"
    async with asking(home, calling(command), "Done.") as chat:
        await press(chat, "end")
        await chat.until("THE-END")
        await press(chat, "home")
        await chat.until(lambda: "THE-END" not in chat.text)
        await press(chat, "y")

        await chat.until("Done.")


async def test_a_long_call_is_denied_at_once(home: Path) -> None:
    async with asking(home, calling(f"echo {'safe ' * 300}"), "Done.") as chat:
        await press(chat, "d")
        await chat.until("Why?")
