"""The app under Textual's pilot, with a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from time import monotonic

from textual.pilot import Pilot

from tui import config, conversation
from tui.app.app import LazychatApp
from tui.app.chat.screen import ChatScreen
from tui.app.transcript.pane import Transcript
from tui.models.scripted import ScriptedModel, Step
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend

LIMIT = 60.0
"""Seconds after which a wait fails the test."""


class Chat:
    """A running app, and the model that it asks."""

    def __init__(
        self, host: Host, app: LazychatApp, pilot: Pilot[None], model: ScriptedModel
    ) -> None:
        self.host = host
        self.app = app
        self.pilot = pilot
        self.model = model

    @property
    def screen(self) -> ChatScreen:
        assert self.app.chat
        return self.app.chat

    @property
    def text(self) -> str:
        """The text on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def pane(self) -> str:
        """The whole text of the conversation pane, including hidden rows."""
        return text_of(self.screen.transcript)

    async def type(self, text: str) -> None:
        self.screen.composer.insert(text)

    async def ask(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")

    async def until(self, what: str | Callable[[], object]) -> None:
        """Wait until a text is on the screen, or a condition holds."""
        limit = monotonic() + LIMIT
        while not (what in self.text if isinstance(what, str) else what()):
            assert monotonic() < limit, f"{what!r} did not appear:\n{self.text}"
            await self.pilot.pause(0.01)

    async def ready(self) -> None:
        await self.until(lambda: self.screen.status.state == "ready")

    async def talk(self, turns: int, words: int = 20) -> None:
        """Ask questions of some 25 tokens, and wait for each answer."""
        for n in range(turns):
            await self.ask(f"Question {n}: " + "abc " * words)
            await self.until(lambda n=n: len(self.screen.presenter.answers) > n)
            await self.until(lambda: self.screen.presenter.running is None)

    def offered(self) -> list[list[str]]:
        """Return the names of the tools that each request offered."""
        return [[tool.name for tool in r.tools] for r in self.model.requests]


def text_of(transcript: Transcript) -> str:
    """Return all rows of a pane, including those that are not on the screen."""
    lines: list[str] = []
    for item in transcript._items:
        if not item.exact:
            item.lay_out()
        lines += [line.text.rstrip() for line in item.lines()]
    return "\n".join(lines)


@asynccontextmanager
async def opened(
    script: Iterable[str | Iterable[Step]] = (),
    toml: str = "",
    *,
    size: tuple[int, int] = (120, 40),
    model: ScriptedModel | None = None,
    id: str = "",
) -> AsyncIterator[Chat]:
    """Open a conversation; `model` or one that plays `script` is the starter."""
    host = Host(config.parse(toml))
    model = model or ScriptedModel(script)
    host.models._models["starter"] = model
    host.start()
    try:
        backend = LocalBackend(host)
        app = LazychatApp(backend, id or conversation.new_id(), is_new=not id)
        async with app.run_test(size=size) as pilot:
            chat = Chat(host, app, pilot, model)
            await chat.until(lambda: app.chat and app.chat.composer.has_focus)
            yield chat
        await asyncio.to_thread(backend.close)
    finally:
        await asyncio.to_thread(host.close)
