"""The debug panel in the app: rounds, what servers wrote, bodies on demand."""

import json

import pytest
from support.fakes.sse_server import DONE, SSEServer, call, calls, finish, text, usage
from support.pilot import Chat, opened

from tui import i18n
from tui.app.chat.debug_feed import decision
from tui.events import ApprovalGiven, UsageReported
from tui.messages import ToolCall

pytestmark = pytest.mark.usefixtures("home")

TIME = ToolCall("c1", "get_current_weather", {"location": "Tokyo"})
TWO_ROUNDS = [
    ["Let me look.", TIME, UsageReported(412, 63, 0.9)],
    ["It is 10 degrees.", UsageReported(480, 105, 1.4)],
]


def panel(chat: Chat) -> list[str]:
    entries = chat.screen.debug_panel.entries
    return [entry.line(0, 80).text.rstrip() for entry in entries]


async def test_each_request_of_a_turn_is_a_round_above_its_calls() -> None:
    async with opened(TWO_ROUNDS) as chat:
        await chat.pilot.press("f3")
        await chat.ask("Weather?")
        await chat.until("It is 10 degrees.")
        await chat.ready()

        first, call, second = panel(chat)
        assert first.startswith("── round 1 · 412→63 tok · ")
        assert "70 tok/s" in first
        assert "starter · " in first
        assert call.startswith("√ get_current_weather(")
        assert second.startswith("── round 2 · 480→105 tok · ")
        assert "1 call · 892→168 tok" in chat.text


async def test_the_panel_is_as_high_as_what_it_shows() -> None:
    async with opened(TWO_ROUNDS, size=(80, 24)) as chat:
        await chat.pilot.press("f3")
        await chat.ask("Weather?")
        await chat.until("It is 10 degrees.")
        await chat.ready()

        rows = [row.strip() for row in chat.text.split("\n")]
        top = next(n for n, row in enumerate(rows) if "Debug · 1 call" in row)
        bottom = next(n for n, row in enumerate(rows) if row.startswith("╭"))
        assert len(rows[top:bottom]) == 5  # its title, two rounds, a call of two rows
        assert all(rows[top:bottom])


async def test_reading_it_again_shows_the_same_as_watching_it() -> None:
    async with opened(TWO_ROUNDS) as chat:
        await chat.ask("Weather?")
        await chat.until("It is 10 degrees.")
        await chat.ready()
        watched, id = panel(chat), chat.screen.conversation

    async with opened(id=id) as chat:
        await chat.until(lambda: len(panel(chat)) == len(watched))
        await chat.until("It is 10 degrees.")
        await chat.ready()
        assert panel(chat) == watched


async def test_a_round_that_is_cancelled_or_refused_says_so() -> None:
    async with opened(["", ""]) as chat:
        await chat.ask("Say nothing")
        await chat.until(lambda: chat.screen.status.state == "error")

        assert " · error" in panel(chat)[0]
        assert panel(chat)[1].startswith("× ")
        await chat.pilot.press("f3", "shift+tab", "f")
        await chat.until("failed only")
        assert len(panel(chat)) == 2


async def test_b_shows_what_was_sent_and_what_came_back() -> None:
    with SSEServer() as server:
        arguments = json.dumps({"location": "Tokyo"})
        server.answer(
            calls(call(0, "c", "get_current_weather", arguments)),
            finish("tool_calls"),
            usage(5, 2),
            DONE,
            path="/chat/completions",
        )
        server.answer(text("Ten."), finish(), DONE, path="/chat/completions")
        toml = (
            f'model = "m"\n[models.m]\nprovider = "openai"\nbase_url = "{server.url}"'
        )
        async with opened(toml=toml, size=(120, 60)) as chat:
            chat.screen.debug_panel.styles.max_height = 40
            await chat.ask("Weather?")
            await chat.until("Ten.")
            await chat.ready()
            await chat.pilot.press("f3", "shift+tab", "home", "b")
            await chat.until('"content": "Weather?"')
            await chat.pilot.press("c")

            assert f"{server.url}/chat/completions" in chat.text
            shown = chat.screen.debug_panel.selected
            assert shown
            assert "< 200\ndata: " in shown.copied()
            await chat.pilot.press("b")
            assert '"content": "Weather?"' not in chat.text


async def test_rounds_of_another_program_say_that_nothing_is_kept() -> None:
    async with opened(["Hello."]) as chat:
        await chat.ask("Hi")
        await chat.until("Hello.")
        await chat.ready()
        await chat.pilot.press("f3", "shift+tab", "home", "enter")

        await chat.until("No bodies for this round")


async def test_a_denied_call_is_marked_as_such_in_each_language(
    request: pytest.FixtureRequest,
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")
    toml = '[tools.policy]\nget_current_weather = "deny"'
    async with opened(TWO_ROUNDS, toml=toml) as chat:
        await chat.pilot.press("f3")
        await chat.ask("Weather?")
        await chat.until("It is 10 degrees.")
        await chat.ready()

        assert panel(chat)[1].startswith("Ø get_current_weather(")
        assert "被该工具的策略拒绝" in panel(chat)[1]


async def test_a_round_says_in_chinese_how_it_ended(
    request: pytest.FixtureRequest,
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")
    async with opened(["", ""]) as chat:
        await chat.ask("Say nothing")
        await chat.until(lambda: chat.screen.status.state == "error")

        assert " · 错误" in panel(chat)[0]


def test_decisions_in_words() -> None:
    assert decision(ApprovalGiven("c", True)) == "allowed by you"
    assert decision(ApprovalGiven("c", True, "rule")) == "allowed by rule"
    assert decision(ApprovalGiven("c", False)) == "denied by you"
    assert decision(ApprovalGiven("c", False, reason="no")) == "denied: no"
