"""What a conversation says of a question whose process died, once it is settled."""

import pytest
from support.pilot import opened

from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    CancelRequested,
    Event,
    MessageAdded,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Message, ToolCall

pytestmark = pytest.mark.usefixtures("home")

CALL = ToolCall("c1", "run_it", {})
ASKS = "the answer resumes once you allow it"
DIED: tuple[Event, ...] = (
    MessageAdded("t.0", Message("user", "Hello?")),
    TurnRequested("starter"),
    TurnStarted("host", "boot", 1, 2),
    MessageAdded("t.1", Message("assistant", tool_calls=(CALL,))),
    ToolCallStarted(CALL, "asked"),
    ApprovalRequested("c1", "run_it"),
    TurnFinished("interrupted"),
)
ASKED_ANEW: tuple[Event, ...] = (
    MessageAdded("u.0", Message("user", "And now?")),
    TurnRequested("starter"),
    TurnStarted("host", "boot", 1, 2),
    MessageAdded("u.1", Message("assistant", "Hi."), finish_reason="stop"),
    TurnFinished("stop"),
)
RESUMED: tuple[Event, ...] = (
    ApprovalGiven("c1", False),
    TurnRequested("starter", options={"resumes": "t"}, parent="t.1"),
    TurnStarted("host", "boot", 1, 2),
    ToolCallStarted(CALL, "asked"),
    ToolCallFinished("c1", 0, "not run"),
    MessageAdded("u.1", Message("assistant", "Hi."), finish_reason="stop"),
    TurnFinished("stop"),
)


async def shown(*later: Event, turn: str = "u") -> str:
    async with opened(["x"]) as chat:
        log = chat.host.log
        log.append("away", *DIED, turn="t").result()
        if later:
            log.append("away", *later, turn=turn).result()
        chat.app.tabs.open("away")
        await chat.until(lambda: chat.screen.conversation == "away")
        await chat.until("answering program")
        await chat.until(lambda: "Hi." in chat.pane or turn == "t" or not later)
        return " ".join(chat.pane.split())


async def test_an_open_question_says_that_the_answer_goes_on() -> None:
    assert ASKS in await shown()


@pytest.mark.parametrize("later", [ASKED_ANEW, (CancelRequested(),)])
async def test_a_dropped_question_promises_nothing(later: tuple[Event, ...]) -> None:
    pane = await shown(*later, turn="u" if len(later) > 1 else "t")

    assert ASKS not in pane
    assert "its question was not answered" in pane


async def test_a_resumed_answer_says_so() -> None:
    pane = await shown(*RESUMED)

    assert ASKS not in pane
    assert "another one resumes the answer" in pane
    assert "1 denied" in pane
