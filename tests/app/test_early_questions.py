"""A question that is sent at once is offered the user's own tools all the same."""

import threading

import pytest
from support.pilot import opened

from tui import paths
from tui.tools import Tool

pytestmark = pytest.mark.usefixtures("home")


async def test_a_question_waits_for_the_users_tools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work() -> object:
        """Do what only I need."""

    mine = Tool(work, name="mine")

    folder = paths.tools_folder()
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text("")
    async with opened(["Fine."]) as chat:
        loads = threading.Event()

        def slowly(only: object = ()) -> None:
            loads.wait(30)
            chat.host._add([mine])
            chat.host._known.enabled.add("mine")

        monkeypatch.setattr(chat.host, "_load_all", slowly)
        chat.host._loaded.clear()
        threading.Thread(target=chat.host.load_tools, daemon=True).start()
        await chat.ask("Now")
        await chat.pilot.pause(0.2)
        assert chat.model.requests == []

        loads.set()
        await chat.until("Fine.")

        assert "mine" in chat.offered()[0]
