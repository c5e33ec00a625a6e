"""What stands beside messages: footers, times, marks. None of it is ever copied."""

import time

import pytest
from support.pilot import opened

from tui.app.chat.footers import stamp
from tui.app.transcript.footer import footer
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.selection import selected_text, whole
from tui.conversation import read_state
from tui.events import (
    MessageAdded,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    UsageReported,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel

pytestmark = pytest.mark.usefixtures("home")

PARTS = ("qwen3-8b", "6.1 s", "312 tok", "2 tools (F3)", "14:03")
TIME = ToolCall("c1", "get_current_weather", {"location": "Tokyo"})


def rows(width: int, *parts: str, away: str = "", marks: bool = False) -> list[str]:
    mark = [("■ Cancelled", ("note",))] if marks else []
    return [line.text.strip() for line in footer(mark, away, parts, width)]


def test_a_footer_leaves_out_tokens_then_time_before_model_and_seconds() -> None:
    assert rows(80, *PARTS) == ["qwen3-8b · 6.1 s · 312 tok · 2 tools (F3) · 14:03"]
    assert rows(45, *PARTS) == ["qwen3-8b · 6.1 s · 2 tools (F3) · 14:03"]
    assert rows(38, *PARTS) == ["qwen3-8b · 6.1 s · 2 tools (F3)"]
    assert rows(24, *PARTS) == ["qwen3-8b · 6.1 s"]
    assert rows(9, *PARTS) == ["qwen3…"]
    assert rows(80, "", "", "", "", "") == []


def test_a_mark_shares_the_line_of_the_footer_where_there_is_room() -> None:
    assert rows(80, *PARTS, marks=True)[0].startswith("■ Cancelled · qwen3-8b · 6.1")
    assert rows(50, *PARTS, marks=True)[0] == "■ Cancelled"
    away = rows(80, *PARTS, away="12:36")
    assert away[0] == "» went on while you were away (12:36)"
    assert away[1].startswith("qwen3-8b")


def test_a_narrow_pane_keeps_the_time_at_which_an_answer_went_on() -> None:
    assert rows(34, *PARTS, away="12:36")[0] == "» went on without you (12:36)"
    assert rows(20, *PARTS, away="12:36")[0] == "» 12:36"


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("One.\n\n```\nx = 1\n```", 1),
        ("One.\n\n| a | b |\n|---|---|\n| 1 | 2 |", 1),
        ("```\nx = 1\n```\n\nDone.", 0),
        ("- one\n- two", 0),
    ],
    ids=["code", "table", "prose", "list"],
)
def test_a_blank_row_keeps_code_and_tables_from_the_footer(text: str, gap: int):
    view = MessageView("m", "assistant", text)
    view.footer = PARTS
    view.resize(60)
    view.lay_out()

    shown = [line.text.strip() for line in view.lines()]

    footer = next(row for row, text in enumerate(shown) if text.startswith("qwen3"))
    assert footer == view.text_rows.stop + gap
    assert shown[view.text_rows.stop - 1] != ""


@pytest.mark.parametrize("text", ["# Answer", "Answer"])
def test_a_blank_row_parts_folded_reasoning_from_the_answer(text: str):
    view = MessageView("m", "assistant", "", "Let me think.", done=False)
    view.resize(60)
    view.lay_out()
    assert [line.text.strip() for line in view.lines()] == ["► Thinking: 3 words", ""]

    view.append_text(text)
    view.update()

    shown = [line.text.strip() for line in view.lines()]
    assert shown == ["► Reasoning: 3 words", "", "Answer", ""]
    assert view.fold_line == 0


def test_times_have_a_date_on_another_day() -> None:
    now = time.mktime((2026, 11, 27, 14, 3, 0, 0, 0, -1))

    assert stamp(now - 60, now) == "14:02"
    assert stamp(now - 86_400, now) == "26 Nov 14:03"
    assert stamp(now - 400 * 86_400, now).endswith("2025")
    assert stamp(0.0, now) == ""
    assert stamp(float("inf"), now) == ""


@pytest.mark.parametrize("text", ["Hello", "word " * 40, "x" * 37 + "\n" + "y" * 37])
def test_the_time_of_a_question_is_at_the_right_and_never_copied(text: str) -> None:
    view = MessageView("m", "user", text.strip())
    view.time = "14:02"
    view.resize(40)
    view.lay_out()

    stamped = [line.text for line in view.lines() if "14:02" in line.text]
    assert [line[-5:] for line in stamped] == ["14:02"]
    assert len(stamped[0]) == 39
    assert selected_text([view], whole(view, 0)) == text.strip()


def test_a_selection_leaves_footers_out() -> None:
    view = MessageView("m", "assistant", "One.\n\nTwo.")
    view.footer, view.away, view.finish_reason = PARTS, "12:36", "cancelled"
    view.resize(60)
    view.lay_out()
    after = MessageView("n", "user", "Next")
    after.resize(60)
    after.lay_out()

    assert "while you were away" in "\n".join(line.text for line in view.lines())
    assert selected_text([view], whole(view, 0)) == "One.\n\nTwo."
    everything = whole(after, 1)._replace(start=None)
    assert selected_text([view, after], everything) == "One.\n\nTwo.\n\nNext"


async def test_an_answer_ends_in_a_line_with_its_figures_and_a_question_has_a_time():
    script = [
        ["Let me look.", TIME, UsageReported(412, 63, 0.9)],
        ["Ten degrees.", UsageReported(480, 105, 1.4)],
    ]
    async with opened(script, size=(80, 24)) as chat:
        await chat.ask("Weather?")
        await chat.until("Ten degrees.")
        await chat.ready()
        await chat.until("168 tok")

        clock = time.strftime("%H:%M")
        [line] = [row for row in chat.pane.split("\n") if "168 tok" in row]
        assert line.startswith("  starter · ")
        assert "168 tok · 1 tool (F3) · " in line
        [asked] = [row for row in chat.pane.split("\n") if "Weather?" in row]
        assert asked[-5:-2] == clock[:3]
        assert chat.screen.presenter.answers[-1] == "Ten degrees."
        watched, id = chat.pane, chat.screen.conversation

    async with opened(id=id, size=(80, 24)) as chat:
        await chat.until("168 tok")
        kept = [row for row in watched.split("\n") if "·" in row and "tok" in row]
        assert all(row in chat.pane for row in kept)


async def test_an_answer_cancelled_before_its_first_word_leaves_a_mark() -> None:
    async with opened(model=ScriptedModel(["never"], rate=0.01)) as chat:
        await chat.ask("Hello?")
        await chat.until(lambda: chat.screen.presenter.running)
        await chat.pilot.press("escape")

        await chat.until("■ Cancelled before the first word · /retry asks again")


async def returns(seen: int, reason: str = "stop") -> str:
    """Return the pane of a conversation whose turn has ended behind the reader."""
    call = ToolCallStarted(TIME), ToolCallFinished("c1", 0.1, "broke")
    events = (
        MessageAdded("t.0", Message("user", "Hello?")),
        TurnRequested("qwen3-8b"),
        TurnStarted("host", "boot", 1, 2),
        *call,
        MessageAdded("t.1", Message("assistant", "Hello."), finish_reason=reason),
        TurnFinished(reason),
    )
    async with opened(["x"]) as chat:
        id = "away"
        log = chat.host.log
        log.append(id, *events, turn="t").result()
        if seen:
            read_state.mark_seen(log, id, seen).result()
        chat.app.tabs.open(id)
        await chat.until(lambda: chat.screen.conversation == id)
        await chat.until(lambda: "Hello." in chat.pane)
        return chat.pane


async def test_an_answer_that_outlived_its_screen_says_so() -> None:
    pane = await returns(seen=1)

    assert f"» went on while you were away ({time.strftime('%H')}" in pane
    assert "qwen3-8b" in pane
    assert "1 tool, 1 failed (F3)" in pane


@pytest.mark.parametrize(
    ("seen", "reason"), [(0, "stop"), (99, "stop"), (1, "cancelled")]
)
async def test_an_answer_that_was_seen_or_stopped_does_not(seen, reason) -> None:
    assert "while you were away" not in await returns(seen, reason)
