"""Draws pictures of the README: the app itself, on scripted answers.

Usage: PYTHONPATH=tests python docs/screenshot.py FOLDER

`lazychat.svg` is a conversation in which one answer has ended while nobody looked, and
another one has called tools, which the debug panel shows. `approval.svg` is the
question before a file is edited.
"""

import asyncio
import sys
import threading
from pathlib import Path

import staged
from pictures import fresh
from screens import EDIT, approval, ask, usage, words
from staged import CLOCK

from tui import conversation
from tui.messages import ToolCall
from tui.models.scripted import Step

MOVE = "A checklist for the server move on Friday?"
BEGINNING = """\
Three steps, **in this order**:

1. Lower the TTL of the DNS records to 300 seconds."""
END = """
2. Stop the services, the database last, and `rsync -aHAX` once more.
3. Count the rows on both sides before you point the DNS at the new machine.
"""
TIME = "It starts at midnight in Tokyo. How long from now?"
ANSWER = """\
It is 23:29 there: the move starts in **31 minutes**.

| When | What | Who |
|---|---|---|
| 23:55 | put up *back soon* | you |
| 0:00 | `systemctl stop app db` | you |
| 0:20 | change the DNS | Aiko |
"""


def script(away: threading.Event) -> list[list[Step]]:
    """Return the answers; the first one waits for `away` in its middle."""
    return [
        [*words(BEGINNING), away, *words(END), usage(96, 88, 4.1)],
        [
            *words("Let me look."),
            ToolCall("a", "current_time", {"place": "Tokyo"}),
            ToolCall("b", "calculate", {"expression": "(24 - 23) * 60 - 29"}),
            usage(412, 63, 0.9),
        ],
        [*words(ANSWER), usage(612, 118, 2.3)],
    ]


async def returned(size: tuple[int, int]) -> str:
    """Ask, leave in the middle of the answer, come back, ask again; return the SVG."""
    away = threading.Event()
    async with staged.hosted(script(away)) as (host, model):
        id = conversation.new_id()
        async with staged.shown(host, model, id, size=size, is_new=True) as chat:
            await chat.ask(MOVE)
            await chat.until("300 seconds")
            await chat.pilot.pause(0.5)  # until it is noted what was seen
        CLOCK.now += 60
        away.set()
        await asyncio.to_thread(staged.wait_end, host, id)
        CLOCK.now += 26 * 60
        async with staged.shown(host, model, id, size=size) as chat:
            await chat.until("while you were away")
            await ask(chat, TIME, 3)
            await chat.pilot.press("f3")
            await chat.until("round 2")
            return staged.picture(chat.app)


async def asking(size: tuple[int, int]) -> str:
    """Return the SVG of the question before a file is edited."""
    async with staged.opened(EDIT, size=size) as chat:
        await approval(chat)
        return staged.picture(chat.app)


def main(folder: Path) -> None:
    """Draw into a store of its own, so that the user's is left alone."""
    folder = folder.absolute()
    with fresh(None, "en"):
        svg = asyncio.run(returned((100, 36)))
        (folder / "lazychat.svg").write_text(svg, "utf-8")
    with fresh(None, "en"):
        svg = asyncio.run(asking((100, 25)))
        (folder / "approval.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    staged.still()
    main(Path(sys.argv[1]))
