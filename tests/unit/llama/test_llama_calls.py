"""Function calls and reasoning, as tokens, through the loop and the gate."""

from collections.abc import Iterator

import pytest
from support.llama import QUESTION, WEATHER, Says

from tui.events import ReasoningDelta, TextDelta, ToolCallOpened
from tui.messages import Message, ToolCall
from tui.models.llama import LlamaEngine, LlamaModel, Weights, starter_path
from tui.models.llama.template import CHATML
from tui.turn import Turn

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    engine = LlamaEngine(starter_path(), context=1024)
    yield engine
    assert engine.close()


def test_a_call_is_never_text(engine: LlamaEngine):
    source = Says(f"I look it up.\n{CALL}<|im_end|>")
    generator = LlamaModel(engine, source=source).generate(
        [QUESTION], [WEATHER], Turn("t")
    )

    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            reply = stop.value
            break

    assert "Tell the weather of a city" in source.prompt
    [call] = reply.message.tool_calls
    assert (call.name, call.arguments) == ("weather", {"city": "北京"})
    assert reply.finish_reason == "tool_calls"
    assert reply.message.text.strip() == "I look it up."
    shown = "".join(e.text for e in events if isinstance(e, TextDelta))
    assert shown == reply.message.text
    assert [e for e in events if isinstance(e, ToolCallOpened)]


def test_a_result_goes_back_with_its_call(engine: LlamaEngine):
    source = Says("It rains.<|im_end|>")
    call = ToolCall("c1", "weather", {"city": "北京"})
    messages = [
        QUESTION,
        Message("assistant", tool_calls=(call,)),
        Message("tool", "rain<|im_end|>", tool_call_id="c1"),
    ]

    list(LlamaModel(engine, source=source).generate(messages, [WEATHER], Turn()))

    assert CALL in source.prompt
    assert "<tool_response>\nrain<|im_end|>\n</tool_response>" in source.prompt


def test_a_call_that_is_cut_off_is_not_run_and_not_shown(engine: LlamaEngine):
    source = Says(CALL)
    model = LlamaModel(engine, source=source, max_tokens=12)
    generator = model.generate([QUESTION], [WEATHER], Turn())

    shown = ""
    while True:
        try:
            event = next(generator)
        except StopIteration as stop:
            reply = stop.value
            break
        shown += event.text if isinstance(event, TextDelta) else ""

    assert shown == reply.message.text == ""
    assert reply.finish_reason == "length"
    assert [c.name for c in reply.message.tool_calls] == [""]


def test_reasoning_that_the_prompt_has_opened_is_no_text(
    engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch
):
    template = CHATML.replace("assistant\\n'", "assistant\\n<think>\\n'")
    assert template != CHATML
    monkeypatch.setattr(
        Weights, "template", lambda self, name="": None if name else template
    )
    source = Says("Easy.\n</think>\n\nParis.<|im_end|>")

    events = list(LlamaModel(engine, source=source).generate([QUESTION], [], Turn()))

    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    reasoning = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    assert text.strip() == "Paris."
    assert reasoning.strip() == "Easy."
