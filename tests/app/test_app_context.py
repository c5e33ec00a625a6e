"""How full the context is, what is not sent any more, and /compact, on the screen."""

from collections.abc import Generator, Sequence
from threading import Event as Flag

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text, usage
from support.pilot import opened

from tui.events import Event, SummaryAdded, UsageReported
from tui.messages import Message, Reply, ToolSchema
from tui.models.context_window import estimate_message, fit, notice
from tui.models.scripted import ScriptedModel
from tui.turn import Turn

pytestmark = pytest.mark.usefixtures("home")


class Small(ScriptedModel):
    """Answers with what the script says, and sends what fits its window."""

    window = 1000

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        def count(messages: Sequence[Message]) -> int:
            return sum(map(estimate_message, messages))

        fitted = fit(messages, count, estimate_message, self.window * 3 // 4)
        if fitted.left_out:
            yield notice(fitted, "small", self.window, turn)
        reply = yield from super().generate(fitted.messages, tools, turn)
        yield UsageReported(fitted.tokens, 10, window=self.window)
        return reply


def answers(count: int) -> list[str]:
    return [f"Answer {n}." for n in range(count)]


# -- the meter


async def test_the_meter_shows_what_the_last_answer_counted() -> None:
    async with opened(model=Small(answers(1))) as chat:
        assert "■" not in chat.text

        await chat.ask("Hi " * 100)

        await chat.until("■□□□□ 89/1k")


async def test_a_conversation_without_counts_is_estimated() -> None:
    model = ScriptedModel(["abcd" * 100])
    model.window = 1000  # type: ignore[attr-defined]  # models may have one
    async with opened(model=model) as chat:
        await chat.ask("abcd" * 90)

        await chat.until("~198/1k")  # 190 and what is put around two messages


async def test_nothing_is_said_of_a_window_that_is_not_known() -> None:
    async with opened(model=ScriptedModel([["Fine.", UsageReported(90, 10)]])) as chat:
        await chat.ask("Hi")

        await chat.until("90 in")
        assert "■" not in chat.text


async def test_the_meter_is_the_same_when_the_conversation_is_opened_again() -> None:
    async with opened(model=Small(answers(1))) as chat:
        await chat.ask("Hi " * 100)
        await chat.until("89/1k")
        id = chat.screen.conversation

    async with opened(model=ScriptedModel([]), id=id) as chat:
        await chat.until("89/1k")


async def test_a_server_is_asked_for_its_window_beside_the_screen() -> None:
    with SSEServer() as server:
        server.json({"data": [{"id": "m", "max_model_len": 4096}]}, path="/models")
        server.answer(text("Fine."), finish(), usage(1990, 10), DONE)
        toml = (
            f'model = "m"\n[models.m]\nprovider = "openai"\nbase_url = "{server.url}"'
        )
        async with opened(toml=toml) as chat:
            await chat.until(lambda: chat.host.models.window("m"))
            assert "■" not in chat.text

            await chat.ask("Hi")

            await chat.until("■■□□□ 2k/4.1k")


async def test_another_model_has_another_window() -> None:
    async with opened(model=Small(answers(1))) as chat:
        chat.host.models._models["openai"] = ScriptedModel([])
        await chat.ask("Hi " * 100)
        await chat.until("89/1k")

        await chat.ask("/model openai")

        await chat.until(lambda: "■" not in chat.text)
        await chat.ask("/model starter")
        await chat.until("89/1k")


async def test_pieces_of_text_do_not_work_anything_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = Flag()
    model = Small([["one ", "two ", go_on, "three ", "four"]])
    async with opened(model=model) as chat:
        await chat.ask("Hi")
        await chat.until("one two")
        looked: list[object] = []
        context = chat.screen.presenter.context
        monkeypatch.setattr(context, "window", lambda: looked.append(None) or 0)

        go_on.set()
        await chat.until("four")
        await chat.until(lambda: chat.screen.presenter.running is None)

        # For the whole message and for its count, which may come in two batches.
        assert 1 <= len(looked) <= 2


# -- what is left out


async def test_a_rule_stands_above_the_first_message_that_is_sent() -> None:
    model = Small(answers(30))
    async with opened(model=model) as chat:
        await chat.talk(26)

        notes = chat.pane.count("The conversation is longer than")
        assert notes == 1
        sent = model.requests[-1].messages
        left_out = 51 - len(sent)
        rule = f"── above here is no longer sent to the model ({left_out} messages) ─"
        assert chat.pane.count("above here") == 1
        below = chat.pane.partition(rule)[2].partition("\n")[2]
        assert below.strip().startswith("▌ " + sent[0].text[:12])
        # Nothing is gone.
        assert "Question 0: abc" in chat.pane
        id = chat.screen.conversation

    async with opened(model=Small([]), id=id) as chat:
        await chat.until(lambda: rule in chat.pane)
        below = chat.pane.partition(rule)[2].partition("\n")[2]
        assert below.strip().startswith("▌ " + sent[0].text[:12])


async def test_the_rule_moves_with_what_is_left_out_and_goes_with_more_room() -> None:
    model = Small(answers(60))
    async with opened(model=model) as chat:
        await chat.talk(26)
        before = chat.pane.partition("above here")[0]

        await chat.ask("abc " * 250)
        await chat.until("Answer 26.")
        await chat.until(lambda: chat.screen.presenter.running is None)

        after = chat.pane.partition("above here")[0]
        assert len(after) > len(before)
        assert chat.pane.count("above here") == 1
        assert chat.pane.count("The conversation is longer than") == 2
        model.window = 100_000

        await chat.ask("And now?")
        await chat.until("Answer 27.")
        await chat.until(lambda: chat.screen.presenter.running is None)

        assert "above here" not in chat.pane
        assert len(model.requests[-1].messages) == 55


# -- /compact


async def test_compact_has_a_summary_sent_in_place_of_the_messages() -> None:
    model = Small([*answers(5), "They counted.", "Six."])
    async with opened(model=model) as chat:
        await chat.talk(5)

        await chat.ask("/compact the numbers")
        await chat.until("► Summary of 6 messages, sent in their place: 2 words")
        await chat.until(lambda: chat.screen.presenter.running is None)

        assert model.requests[5].messages[-1].text.endswith("keep this: the numbers")
        assert "They counted." not in chat.pane
        assert chat.screen.presenter.answers == answers(5)
        rule = "── above here the model gets a summary (6 messages) ─"
        below = chat.pane.partition(rule)[2].partition("\n")[2]
        assert below.strip().startswith("▌ Question 3")
        await chat.until("~")  # the meter, from 148 tokens down

        await chat.ask("Next?")
        await chat.until("Six.")

        first, *rest = [m.text for m in model.requests[6].messages]
        assert first.endswith("\n\nThey counted.")
        assert [t.partition(" abc")[0] for t in rest] == [
            "Question 3:", "Answer 3.", "Question 4:", "Answer 4.", "Next?"
        ]  # fmt: skip
        id = chat.screen.conversation

    async with opened(model=Small([]), id=id) as chat:
        await chat.until(lambda: rule in chat.pane)
        assert "Summary of 6 messages" in chat.pane
        assert "Question 0: abc" in chat.pane


async def test_the_row_of_a_summary_unfolds() -> None:
    async with opened(model=Small([*answers(3), "They counted."])) as chat:
        await chat.talk(3)
        await chat.ask("/compact")
        await chat.until("Summary of 2 messages")

        await chat.pilot.press("shift+tab")
        chat.screen.transcript.focus()
        await chat.pilot.press("up", "enter")

        await chat.until("│ They counted.")


async def test_compacting_twice_sums_up_the_summary() -> None:
    model = Small([*answers(3), "First.", "More.", "Second.", "Done."])
    async with opened(model=model) as chat:
        await chat.talk(3)
        await chat.ask("/compact")
        await chat.until("Summary of 2 messages")
        await chat.ask("More?")
        await chat.until("More.")
        await chat.until(lambda: chat.screen.presenter.running is None)

        await chat.ask("/compact")
        await chat.until("Summary of 4 messages")
        await chat.ask("Last?")
        await chat.until("Done.")

        assert "First." in model.requests[5].messages[0].text
        texts = [m.text for m in model.requests[6].messages]
        assert texts[0].endswith("Second.")
        assert not any("First." in text for text in texts)


async def test_escape_stops_a_summary_and_changes_nothing() -> None:
    go_on = Flag()
    model = Small([*answers(3), ["They ", go_on, "counted."], "Fine."])
    async with opened(model=model) as chat:
        await chat.talk(3)
        await chat.ask("/compact")
        await chat.until("summarising")

        await chat.pilot.press("escape")

        await chat.until("Summary stopped; the model still gets all messages")
        await chat.ask("Next?")
        await chat.until("Fine.")
        assert len(model.requests[-1].messages) == 7
        log = chat.host.log
        events = [r.event for r in log.read(chat.screen.conversation)]
        assert not [e for e in events if isinstance(e, SummaryAdded)]


async def test_what_went_wrong_is_one_line() -> None:
    async with opened(model=Small([*answers(3), "  "])) as chat:
        await chat.talk(3)
        await chat.ask("/compact")

        await chat.until(
            "× scripted gave an empty summary; it still gets all messages."
        )
        assert "Summary of" not in chat.pane
        await chat.until(lambda: chat.screen.status.state == "ready")


async def test_there_is_nothing_to_sum_up_at_first() -> None:
    model = Small([])
    async with opened(model=model) as chat:
        await chat.ask("/compact")

        await chat.until("Nothing to summarise yet")
        assert model.requests == []
