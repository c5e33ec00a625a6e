"""The app on a stage, for pictures: scripted models, a fixed clock, fixed ids."""

import asyncio
import itertools
import os
import random
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo
from html import escape, unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from rich.cells import cell_len
from support.pilot import Chat

from tui import config, conversation
from tui.app.app import LazychatApp
from tui.app.chat import costs
from tui.eventlog import writer
from tui.events import TurnFinished
from tui.models.scripted import ScriptedModel, Step
from tui.models.suppliers import SUPPLIERS
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend
from tui.tools import toolbox
from tui.tools.bundled import clock

TOML = """
model = "qwen3-8b"

[models.qwen3-8b]
provider = "openai"
base_url = "http://127.0.0.1:8080/v1"
context = 32768

[models.gpt-4o-mini]
provider = "openai"
model = "gpt-4o-mini"
price = { input = 0.15, output = 0.6 }

[models.coder]
provider = "openai"
model = "qwen2.5-coder-32b"
base_url = "http://gpu:8000/v1"
"""
EVENT_SECONDS = 0.019
"""What an event takes; an answer has one for each of its words."""

TOOL_SECONDS = 0.004
"""What a tool call takes."""

Script = Iterable[str | Iterable[Step]]


class Clock:
    """The time; it passes only as events happen, or as a scene says."""

    now = datetime(2026, 3, 12, 14, 2).timestamp()

    def read(self) -> float:
        """Return seconds since the epoch."""
        return self.now

    def event(self) -> float:
        """Let an event happen; return when it did."""
        self.now += EVENT_SECONDS
        return self.now


CLOCK = Clock()


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(CLOCK.now, tz)


class _Ticks(threading.local):
    """A clock for each thread, as calls run side by side."""

    ticks = 0

    def read(self) -> float:
        self.ticks += 1
        return self.ticks * TOOL_SECONDS


def still() -> None:
    """Fix the clock, the zone, ids and dice of this process, and hide its keys."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    Clock.now = datetime(2026, 3, 12, 14, 2).timestamp()
    time.time = CLOCK.read
    ticking = {**vars(time), "time": CLOCK.event}
    writer.time = SimpleNamespace(**ticking)  # pyright: ignore[reportAttributeAccessIssue]
    clock.datetime = _Datetime
    toolbox.monotonic = _Ticks().read
    costs.STARTED = Clock.now - 5 * 60
    numbers = itertools.count(1)
    uuid.uuid4 = lambda: uuid.UUID(int=next(numbers))
    random.seed(1)
    for name in ("NO_COLOR", "TMUX", "STY", "SSH_TTY", "SSH_CONNECTION"):
        os.environ.pop(name, None)
    for supplier in SUPPLIERS.values():
        os.environ.pop(supplier.key_env or "", None)
    os.environ["LAZYCHAT_PROBE"] = "off"


def furnish(home: Path, work: Path) -> None:
    """Put the files of a user into a folder of work, and prompts into the home."""
    for name, text in {
        "client.py": CLIENT,
        "notes.md": "# Notes\n\nThe server moves on Friday.\n",
        "src/limits.py": "LIMIT = 5\n",
        "tests/test_client.py": "def test_it() -> None: ...\n",
    }.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, "utf-8")
    (home / "prompts").mkdir(parents=True, exist_ok=True)
    (home / "prompts/review.md").write_text("Review $ARGUMENTS\n", "utf-8")


CLIENT = '''import httpx

URL = "http://127.0.0.1:8080/v1"
TIMEOUT = 5
RETRIES = 2
HEADERS = {"User-Agent": "notes"}
FOLLOW = True


def ask(text):
    """Send one question."""
    return httpx.post(URL, json={"text": text}, timeout=TIMEOUT)
'''


@asynccontextmanager
async def hosted(script: Script) -> AsyncIterator[tuple[Host, ScriptedModel]]:
    """Start a host whose model plays `script`."""
    host = Host(config.parse(TOML))
    model = ScriptedModel(script, name="qwen3-8b")
    host.models._models["qwen3-8b"] = model
    host.start()
    try:
        yield host, model
    finally:
        await asyncio.to_thread(host.close)


@asynccontextmanager
async def shown(
    host: Host,
    model: ScriptedModel,
    id: str,
    *,
    size: tuple[int, int],
    is_new: bool = False,
) -> AsyncIterator[Chat]:
    """Open a conversation in the app; running answers continue when it is left."""
    backend = LocalBackend(host)
    try:
        app = LazychatApp(backend, id, is_new=is_new)
        async with app.run_test(size=size) as pilot:
            chat = Chat(host, app, pilot, model)
            app.theme = "lazychat-dark"
            await chat.until(lambda: app.chat and app.chat.composer.has_focus)
            await chat.until(lambda: "current_time" in host.enabled)
            yield chat
    finally:
        await asyncio.to_thread(backend.close)


@asynccontextmanager
async def opened(
    script: Script, *, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Chat]:
    """Open the app in a new conversation; its model plays `script`."""
    id = conversation.new_id()
    async with (
        hosted(script) as (host, model),
        shown(host, model, id, size=size, is_new=True) as chat,
    ):
        yield chat


def wait_end(host: Host, id: str) -> None:
    """Wait until the answer of a conversation has ended."""
    with host.log.follow(id) as follow:
        for records in follow:
            if any(isinstance(record.event, TurnFinished) for record in records):
                return


def picture(app: Any, title: str = "lazychat") -> str:
    """Return what the app shows as SVG, in the fonts of whoever looks at it."""
    svg = app.export_screenshot(title=title)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return _TEXT.sub(_by_width, svg)


_TEXT = re.compile(
    r'<text class="([^"]*)" x="([\d.]+)" ([^>]*?)textLength="([\d.]+)"'
    r"([^>]*)>([^<]*)</text>"
)


def _by_width(match: re.Match[str]) -> str:
    """Divide a text where narrow characters meet wide ones.

    Rich takes each for one cell, and squeezes Chinese into half of its room.
    """
    look, x, before, length, after, escaped = match.groups()
    text = unescape(escaped)
    if cell_len(text) == len(text):
        return match[0]
    cell = float(length) / len(text)
    parts: list[str] = []
    at = float(x)
    for _, group in itertools.groupby(text, key=cell_len):
        run = "".join(group)
        width = cell_len(run) * cell
        shown = escape(run, quote=False).replace(" ", "\xa0")
        parts.append(
            f'<text class="{look}" x="{at:g}" {before}textLength="{width:g}"{after}>'
            f"{shown}</text>"
        )
        at += width
    return "".join(parts)
