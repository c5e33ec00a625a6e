"""Which agent answers is chosen in the app, and shown where its work is."""

from pathlib import Path
from typing import Any

import pytest
from support.pilot import Chat, opened

from tui.events import TurnFinished, TurnRequested
from tui.messages import ToolCall

pytestmark = pytest.mark.usefixtures("home")

ACT = (
    "Thought: I look it up.\n"
    'Action: get_current_weather\nAction Input: {"location": "Tokyo"}\n'
)
SAY = "Thought: Found.\nFinal Answer: It is 10 degrees."
CALL = ToolCall("c", "get_current_weather", {"location": "Tokyo"})


def agents(chat: Chat) -> list[str]:
    """The agents that the requests of this conversation name."""
    records = chat.host.log.read(chat.screen.conversation)
    events = [record.event for record in records]
    return [event.agent for event in events if isinstance(event, TurnRequested)]


async def done(chat: Chat, turns: int = 1) -> None:
    """Wait until so many turns have ended, and the screen has shown it."""

    def ended() -> bool:
        records = chat.host.log.read(chat.screen.conversation)
        ends = [r for r in records if isinstance(r.event, TurnFinished)]
        return len(ends) == turns and chat.screen.presenter.running is None

    await chat.until(ended)
    await chat.ready()


async def test_react_shows_the_answer_alone_and_its_calls_in_the_debug_panel() -> None:
    async with opened([ACT, SAY]) as chat:
        await chat.ask("/agent react")
        await chat.until(lambda: "starter react" in chat.text)
        await chat.pilot.press("f3")

        await chat.ask("Weather in Tokyo?")
        await chat.until("It is 10 degrees.")
        await done(chat)

        assert agents(chat) == ["react"]
        for inside in ("Thought:", "Action", "Final Answer", "I look it up"):
            assert inside not in chat.pane
        assert "agent: react" in chat.text
        assert "√ get_current_weather(location=" in chat.text
        assert chat.pane.count("Reasoning") == 2


@pytest.mark.parametrize(
    ("agent", "script"),
    [
        (
            "plan",
            ["1. Look Tokyo up.\n2. Say it.", [CALL], "Tokyo: 10.", "I say it.", "10."],
        ),
        (
            "rewoo",
            ['Plan: Look.\n#E1 = get_current_weather[{"location": "Tokyo"}]', "10."],
        ),
    ],
)
async def test_plans_are_folded_and_only_the_answer_is_text(
    agent: str, script: list[Any]
) -> None:
    async with opened(script, f'agent = "{agent}"') as chat:
        await chat.pilot.press("f3")
        await chat.ask("Weather in Tokyo?")
        await chat.until(lambda: "10." in chat.pane)
        await done(chat)

        assert agents(chat) == [agent]
        shown = chat.pane
        for inside in ("Look", "#E1", "Tokyo: 10.", "I say it.", "Step"):
            assert inside not in shown
        assert "√ get_current_weather(location=" in chat.text

        above = shown.count("Reasoning:")
        await chat.pilot.press("f3", "shift+tab", *["up"] * above, "enter")
        await chat.until(lambda: "Look" in chat.pane)


async def test_the_agent_is_chosen_from_a_list_or_by_name() -> None:
    async with opened(["One.", "Two."], size=(80, 24)) as chat:
        await chat.ask("/agent")
        await chat.until("Choose how answers are made")
        assert "function_call" in chat.text
        assert "plans all calls at once, makes them, then answers" in chat.text
        await chat.pilot.press("down", "enter")
        await chat.until(lambda: chat.screen.agents.current == "react")

        await chat.ask("/agent plam")
        await chat.until('There is no agent "plam". Did you mean "plan"?')
        assert chat.screen.composer.text == "/agent plam"
        chat.screen.composer.load_text("")

        await chat.ask("Hi")
        await chat.until("One.")
        await done(chat)
        await chat.ask("/agent function_call")
        await chat.until(lambda: "starter react" not in chat.text)
        await chat.ask("Hi")
        await chat.until("Two.")
        await done(chat, 2)
        assert agents(chat) == ["react", "function_call"]


async def test_what_an_agent_does_is_told_in_full_on_a_narrow_screen() -> None:
    async with opened(size=(60, 20)) as chat:
        await chat.ask("/agent")
        await chat.until("Choose how answers")
        await chat.until("without tool calls")
        rows = [row.strip(" │") for row in chat.text.split("\n")]
        at = next(n for n, row in enumerate(rows) if row.startswith("react"))
        assert rows[at + 1].endswith("tool calls")
        assert "then answers" in chat.text
        assert "…" not in chat.text.partition("Choose how")[2].partition("Also")[0]
        await chat.pilot.resize_terminal(100, 30)
        await chat.until("(ReAct), for models without tool calls")


async def test_each_conversation_keeps_its_agent_and_a_new_one_has_the_last() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("Hi")
        await chat.until("One.")
        await done(chat)
        first = chat.screen
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.screen is not first)
        await chat.ask("/agent plan")
        await chat.until(lambda: chat.screen.agents.current == "plan")

        await chat.ask("x")
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.app.tabs.ids[-1] == chat.screen.conversation)

        assert first.agents.current == "function_call"
        assert chat.screen.agents.current == "plan"


async def test_an_agent_of_a_later_version_is_one_clear_error(home: Path) -> None:
    async with opened(["Never."]) as chat:
        chat.host.log.append(
            chat.screen.conversation,
            TurnRequested("starter", "debate", runner=chat.host.runner.id),
            turn="t",
        )

        await chat.until('There is no agent "debate".')
        assert chat.model.requests == []
