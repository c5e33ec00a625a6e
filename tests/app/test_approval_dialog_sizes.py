"""The keys of the approval dialog are visible on a screen of any size."""

import re
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from support import asking_tool
from support.pilot import Chat, opened

from tui.app.widgets.approval_call import Effect
from tui.events import ApprovalRequested
from tui.messages import ToolCall
from tui.safe import spelled_out

LONG = "git status " + "/".join(["a-folder"] * 40)
KEYS = ["y", "c", "p", "t", "d", "Esc"]


async def asked(chat: Chat) -> None:
    await chat.until(lambda: "run_it" in chat.host.enabled)
    await chat.ask("What has changed?")
    await chat.until(lambda: chat.screen.dialog.armed)
    await chat.pilot.pause()


def visible_keys(chat: Chat) -> list[str]:
    """Return the keys that are on the screen, in their order."""
    _, _, below = chat.text.partition("Allow")
    rows = [row.strip(" │") for row in below.split("\n")[:-1]]
    found: list[str] = []
    for row in rows:
        words = re.split(r" +", row)
        if row.startswith(("$", "└", ">")):
            continue
        found += [word for word in words if word in KEYS and word not in found]
    return found


@pytest.mark.parametrize(
    "size", [(30, 8), (20, 6), (24, 5), (40, 10), (60, 12), (40, 16), (80, 24)]
)
async def test_all_keys_are_visible(home: Path, size: tuple[int, int]) -> None:
    asking_tool.add(home)
    call = ToolCall("call0", "run_it", {"command": LONG})
    async with opened([[call], "Sorry."], size=size) as chat:
        await asked(chat)

        assert visible_keys(chat) == KEYS
        await chat.pilot.press("d", "n", "o")
        await chat.pilot.pause()
        assert "no" in "".join(chat.text.split("\n")[-3:-1])
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.dialog.question is None)


async def test_what_the_keys_mean_is_below_the_call_on_a_tiny_screen(
    home: Path,
) -> None:
    asking_tool.add(home)
    call = ToolCall("call0", "run_it", {"command": "git status -s"})
    async with opened([[call], "Done."], size=(30, 8)) as chat:
        await asked(chat)

        await chat.pilot.press("end")
        await chat.until("always allow run_it")
        assert "y c p t d Esc" in chat.text


async def test_the_keys_stay_visible_when_the_terminal_shrinks_and_grows(
    home: Path,
) -> None:
    asking_tool.add(home)
    call = ToolCall("call0", "run_it", {"command": LONG})
    async with opened([[call], "Done."], size=(80, 24)) as chat:
        await asked(chat)
        for size in [(30, 8), (100, 30), (24, 6)]:
            await chat.pilot.resize_terminal(*size)
            await chat.until(lambda: visible_keys(chat) == KEYS)


def rows_of(text: str, width: int) -> list[str]:
    asked = ApprovalRequested("1", "run_it", kind="command", text=text, subject=text)
    effect = Effect(asked)
    lines = [effect.line(n, width) for n in range(effect.height(width))]
    return [line.text for line in lines]


def test_a_call_is_broken_between_words_and_each_character_is_shown() -> None:
    assert rows_of("git status --short --branch", 20) == [
        "$ git status --short",
        "└  --branch",
    ]
    assert rows_of("echo " + "x" * 30, 20) == [
        "$ echo xxxxxxxxxxxxx",
        "└ " + "x" * 17,
    ]


@given(st.text(st.sampled_from("ab /中\u0301"), max_size=200), st.integers(4, 30))
def test_rows_of_a_call_are_its_text_side_by_side(text: str, width: int) -> None:
    rows = rows_of(text, width)

    assert "".join(row[2:] for row in rows) == spelled_out(text)
    assert all(cell_len(row) <= width for row in rows)


def test_a_line_of_a_megabyte_is_broken_at_once() -> None:
    begun = monotonic()
    assert len(rows_of("ab " * 350_000, 80)) > 10_000
    assert monotonic() - begun < 20
