"""The keys of the approval dialog are visible on a screen of any size."""

import re
from pathlib import Path

import pytest
from support import asking_tool
from support.pilot import Chat, opened

from tui.messages import ToolCall

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
