"""GGUF models of many families: what their template says decides all the rest.

The templates are made here from what is known of each format; the weights are the
starter's, and the tokens of an answer are played through the real loop.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from support.gate_rows import ROWS
from support.llama import QUESTION, WEATHER, Says

from tui.events import TextDelta
from tui.messages import Message, Reply, ToolCall
from tui.models.llama import LlamaEngine, LlamaModel, Weights, starter_path
from tui.turn import Turn

_NAME = "{{ c.function.name }}"
_ARGS = "{{ c.function.arguments | tojson }}"
_OBJECT = f'{{"name": "{_NAME}", "arguments": {_ARGS}}}'


def _items(each: str) -> str:
    loop = "{% for k, v in c.function.arguments | items %}"
    return f"{loop}{each}{{% endfor %}}"


class Family(NamedTuple):
    call: str
    """How its template writes a call `c`."""
    result: tuple[str, str]
    """What stands around a result."""


FAMILIES = {
    "hermes": Family(
        f"<tool_call>\n{_OBJECT}\n</tool_call>",
        ("<tool_response>\n", "\n</tool_response>"),
    ),
    "qwen3_coder": Family(
        f"<tool_call>\n<function={_NAME}>\n"
        + _items("<parameter={{ k }}>\n{{ v }}\n</parameter>\n")
        + "</function>\n</tool_call>",
        ("<tool_response>\n", "\n</tool_response>"),
    ),
    "seed_oss": Family(
        f"<seed:tool_call>\n<function={_NAME}>\n"
        + _items("<parameter={{ k }}>\n{{ v }}\n</parameter>\n")
        + "</function>\n</seed:tool_call>",
        ("<seed:tool_response>", "</seed:tool_response>"),
    ),
    "glm45": Family(
        f"<tool_call>{_NAME}\n"
        + _items("<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v }}</arg_value>\n")
        + "</tool_call>",
        ("<|observation|>\n<tool_response>\n", "\n</tool_response>"),
    ),
    "minimax_m2": Family(
        f'<minimax:tool_call>\n<invoke name="{_NAME}">\n'
        + _items('<parameter name="{{ k }}">{{ v }}</parameter>\n')
        + "</invoke>\n</minimax:tool_call>",
        ("<response>", "</response>"),
    ),
    "internlm2": Family(
        f'<|action_start|><|plugin|>\n{{"name": "{_NAME}", "parameters": {_ARGS}}}'
        "<|action_end|>",
        ("<|im_start|>environment name=<|plugin|>\n", "<|im_end|>"),
    ),
    "mistral_list": Family(
        f"[TOOL_CALLS][{_OBJECT}]</s>", ('[TOOL_RESULTS]{"content": "', '"}')
    ),
    "mistral_args": Family(
        f"[TOOL_CALLS]{_NAME}[ARGS]{_ARGS}</s>", ("[TOOL_RESULTS]", "[/TOOL_RESULTS]")
    ),
    "deepseek_v3": Family(
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>"
        f"{_NAME}\n```json\n{_ARGS}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        ("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>"),
    ),
    "deepseek_v31": Family(
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{_NAME}<｜tool▁sep｜>{_ARGS}"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        ("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
    ),
    "kimi_k2": Family(
        "<|tool_calls_section_begin|><|tool_call_begin|>{{ c.id }}"
        f"<|tool_call_argument_begin|>{_ARGS}<|tool_call_end|>"
        "<|tool_calls_section_end|>",
        ("## Return of {{ m.tool_call_id }}\n", "\n"),
    ),
    "granite3": Family(
        f"<|tool_call|>[{_OBJECT}]", ("<|start_of_role|>tool_response|>", "\n")
    ),
    "command": Family(
        '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "'
        f'{_NAME}", "parameters": {_ARGS}}}]<|END_ACTION|>',
        ("<|START_TOOL_RESULT|>", "<|END_TOOL_RESULT|>"),
    ),
    "llama3_json": Family(
        f'<|python_tag|>{{"name": "{_NAME}", "parameters": {_ARGS}}}<|eom_id|>',
        ("<|start_header_id|>ipython<|end_header_id|>\n", "<|eot_id|>"),
    ),
    "gemma4": Family(
        f"<|tool_call>call:{_NAME}{{{{ '{{' }}}}"
        + _items('{{ k }}:<|"|>{{ v }}<|"|>')
        + "}<tool_call|>",
        ("<|tool_response>", "<tool_response|>"),
    ),
}


def template(family: Family) -> str:
    """Return a chat template in the way such models bring one."""
    before, behind = family.result
    return (
        "{% if tools %}tools: {{ tools | tojson }}\n{% endif %}"
        "{% for m in messages %}{% if m.role == 'tool' %}"
        f"{before}{{{{ m.content }}}}{behind}"
        "{% else %}{{ m.role }}: {{ m.content }}"
        f"{{% for c in m.tool_calls or [] %}}{family.call}{{% endfor %}}\n"
        "{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    engine = LlamaEngine(starter_path(), context=1024)
    yield engine
    assert engine.close()


@pytest.fixture(params=sorted(FAMILIES))
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    source = template(FAMILIES[request.param])
    monkeypatch.setattr(
        Weights, "template", lambda self, name="": None if name else source
    )
    return request.param


def answer(model: LlamaModel, messages: list[Message]) -> tuple[str, Reply]:
    run, shown = model.generate(messages, [WEATHER], Turn()), ""
    while True:
        try:
            event = next(run)
        except StopIteration as stop:
            return shown, stop.value
        shown += event.text if isinstance(event, TextDelta) else ""


def test_the_call_that_a_template_speaks_of_is_understood(
    engine: LlamaEngine, name: str
):
    written = ROWS[name].write([("weather", {"city": "北京"})])
    source = Says(f"I look it up.\n{written}<|im_end|>")

    shown, reply = answer(LlamaModel(engine, source=source), [QUESTION])

    assert '"description": "Tell the weather of a city"' in source.prompt
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [
        ("weather", {"city": "北京"})
    ]
    assert shown == reply.message.text
    assert shown.strip() == "I look it up."


def test_calls_and_results_go_back_in_the_form_that_the_template_expects(
    engine: LlamaEngine, name: str
):
    source = Says("It rains.<|im_end|>")
    call = ToolCall("functions.weather:0", "weather", {"city": "Paris"})
    messages = [
        QUESTION,
        Message("assistant", tool_calls=(call,)),
        Message("tool", "rain", tool_call_id=call.id),
    ]

    shown, _ = answer(LlamaModel(engine, source=source), messages)

    before, behind = FAMILIES[name].result
    before = before.replace("{{ m.tool_call_id }}", call.id)
    # The template's own call is what the gate of the family reads.
    [said] = [line for line in [source.prompt.partition(before)[0]] if line]
    gate_sees = Says(said.rpartition("assistant: ")[2] + "<|im_end|>")
    _, again = answer(LlamaModel(engine, source=gate_sees), [QUESTION])
    assert [(c.name, c.arguments) for c in again.message.tool_calls] == [
        ("weather", {"city": "Paris"})
    ]
    assert f"{before}rain{behind}".strip() in source.prompt
    assert shown.strip() == "It rains."
