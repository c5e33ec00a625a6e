"""A page that another process serves asks whether that process's tools may run."""

import asyncio
from pathlib import Path

from support import asking_tool
from support.pilot import Chat

from tui import config
from tui.app.app import LazychatApp
from tui.cli.serve import _describe
from tui.events import TurnFinished
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel
from tui.runtime.follower_backend import FollowerBackend
from tui.runtime.host import Host


async def test_a_served_page_asks_and_answers(home: Path) -> None:
    asking_tool.add(home)
    serving, page = Host(config.parse("")), Host(config.parse(""))
    call = ToolCall("a", "run_it", {"command": "git status"})
    model = ScriptedModel([[call], "Done."])
    serving.models._models["starter"] = model
    serving.load_tools()
    serving.start()
    backend = FollowerBackend(page, _describe(serving, ""))
    app = LazychatApp(backend, "c", is_new=True)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            chat = Chat(serving, app, pilot, model)
            await chat.until(lambda: app.chat and app.chat.composer.has_focus)
            await pilot.press("f2")
            await chat.until("asks")
            await pilot.press("escape")
            await chat.ask("What has changed?")
            await chat.until("Allow run_it?")
            await chat.until(lambda: chat.screen.dialog.armed)
            await pilot.press("y")
            await chat.until("Done.")

        assert asking_tool.runs(home) == ["git status"]
        events = [record.event for record in serving.log.read("c")]
        assert TurnFinished("stop") in events
    finally:
        await asyncio.to_thread(backend.close)
        await asyncio.to_thread(page.close)
        await asyncio.to_thread(serving.close)
