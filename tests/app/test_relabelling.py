"""What was shown as an answer, and turns out to be reasoning, on the screen."""

import threading

import pytest
from support.pilot import opened

pytestmark = pytest.mark.usefixtures("home")


async def test_the_thoughts_are_folded_away_when_their_end_comes() -> None:
    more, rest = threading.Event(), threading.Event()
    script = ["They ask about 2+2.\n", more, "</think>\n\nIt is", rest, " 4."]
    async with opened([script]) as chat:
        await chat.ask("What is 2+2?")
        await chat.until("They ask about 2+2.")
        assert "Thinking:" not in chat.pane

        more.set()
        await chat.until("It is")
        await chat.until(lambda: "They ask about" not in chat.pane)
        assert "Thought for 5 words" in chat.pane or "►" in chat.pane

        rest.set()
        await chat.until("It is 4.")
        await chat.ready()
        assert "They ask about" not in chat.pane
        assert "</think>" not in chat.pane
        (answer,) = [e for e in chat.screen.presenter.fold.entries.values() if e.turn][
            -1:
        ]
        assert answer.message.text == "It is 4."
        assert answer.message.reasoning == "They ask about 2+2.\n"
