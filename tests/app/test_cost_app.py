"""/cost and the sidebar: what this conversation and all of them have spent."""

import pytest
from support.pilot import opened

from tui.events import UsageReported
from tui.models.scripted import ScriptedModel

pytestmark = pytest.mark.usefixtures("home")


async def test_cost_shows_this_conversation_and_all_of_them() -> None:
    script = [["One.", UsageReported(20_000, 50)], ["Two.", UsageReported(30, 5)]]
    async with opened(script) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()
        await chat.pilot.press("f2")
        await chat.until("20.1k tokens · free")
        await chat.pilot.press("f2")
        await chat.ask("/new")
        await chat.until(lambda: not chat.screen.presenter.answers)
        await chat.ask("Second")
        await chat.until("Two.")
        await chat.ready()

        await chat.ask("/cost")

        await chat.until("All conversations since")
        rows = [
            line.split("│")[1].split()
            for line in chat.text.splitlines()
            if "starter " in line and "free" in line
        ]
        assert rows == [
            ["starter", "30", "0", "5", "0", "free"],
            ["starter", "20.0k", "0", "55", "0", "free"],
        ]
        await chat.pilot.press("escape")
        await chat.until(lambda: "All conversations since" not in chat.text)


@pytest.mark.parametrize("size", [(60, 20), (40, 12)])
async def test_cost_fits_a_small_screen(size: tuple[int, int]) -> None:
    async with opened([["One.", UsageReported(2_000_000, 5)]], size=size) as chat:
        await chat.ask("/cost")
        await chat.until("nothing yet")
        await chat.pilot.press("escape")
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()

        await chat.ask("/cost")

        await chat.until("2.0M")
        await chat.until("free")


async def test_the_sidebar_names_no_cost_of_a_model_without_a_price() -> None:
    toml = 'model = "mine"\n[models.mine]\nprovider = "openai"\n'
    toml += 'base_url = "http://127.0.0.1:9/v1"\n'
    model = ScriptedModel([["One.", UsageReported(20, 5)]])
    async with opened(toml=toml) as chat:
        chat.host.models._models["mine"] = model
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()

        await chat.pilot.press("f2")

        await chat.until("25 tokens")
        assert "unknown" not in chat.text
