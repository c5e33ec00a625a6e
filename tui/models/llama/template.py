"""Renders a model's own chat template.

Templates are Jinja programs in model files from untrusted sources, so they run in
Jinja's sandbox. They are written for the environment of the transformers library, whose
settings and helpers are reproduced here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from tui.errors import ModelError
from tui.messages import Message, ToolCall, ToolSchema
from tui.models.llama.dialogue import (
    HOW_TO_CALL,
    Dialogue,
    dialogue,
    flat,
    one_call_each,
    tool_list,
    variants,
)

CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
"""The most common format, for models without a template."""
CHATML_STOPS = ("<|im_end|>", "<|im_start|>")

THINKING = ("reasoning_effort", "enable_thinking")
"""Options that a chat template may take."""
_NO_THINKING = ("none", "minimal", "low")
_THINKING = re.compile(
    r"(<think(?:ing)?>|<seed:think>|\[THINK\]|<\|START_THINKING\|>)\s*$"
)


class ChatTemplate:
    """Renders conversations to the text that a model continues.

    `special` holds the texts for the template variables `bos_token`, `eos_token` ...
    Raises `ModelError` when `source` is not a valid template.
    """

    def __init__(self, source: str, special: Mapping[str, str] | None = None) -> None:
        import jinja2
        from jinja2 import meta

        self.source = source
        environment = _environment()
        try:
            self._template = environment.from_string(source)
            names = meta.find_undeclared_variables(environment.parse(source))
        except jinja2.TemplateError as error:
            raise ModelError(
                f"The model's chat template cannot be read: {error}.", "bad_file"
            ) from error
        self._special = dict(special or {})
        self._names = names
        self.describes_tools = "tools" in names
        """Whether the template describes tools to the model. If not, instructions and
        earlier calls are written in Hermes' format."""
        known = self.describes_tools
        self._flat_calls = not (known and "tool_calls" in source)
        self._flat_results = not (known and re.search("""['"]tool['"]""", source))

    def variables(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables for how hard to think, from a turn's `options`.

        Templates have `reasoning_effort`, or `enable_thinking`, which the lowest
        efforts switch off. Empty if the template has neither.
        """
        given = {name: options[name] for name in THINKING if name in options}
        effort = options.get("reasoning_effort")
        if isinstance(effort, str) and "enable_thinking" not in given:
            given["enable_thinking"] = effort not in _NO_THINKING
        return {name: value for name, value in given.items() if name in self._names}

    def render(
        self,
        messages: Dialogue,
        tools: Sequence[Mapping[str, Any]],
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the text up to the place where the model's answer starts.

        `variables` are those of the template's own, see `variables`.
        `tools` are in the form of the OpenAI API. If the template refuses `messages`,
        it gets them in other forms: see `dialogue.variants`. Raises `ModelError` when
        it refuses all of them.
        """
        if tools and not self.describes_tools:
            messages = _with_instructions(messages, tools)
            tools = ()
        messages = flat(messages, self._flat_calls, self._flat_results)
        if self._drops_calls and any(
            len(m.get("tool_calls", ())) > 1 for m in messages
        ):
            messages = one_call_each(messages)
        return self._first(messages, tools, variables or {})

    def _first(
        self,
        dialogue: Dialogue,
        tools: Sequence[Mapping[str, Any]],
        variables: Mapping[str, Any],
    ) -> str:
        """Render the first variant of `dialogue` that the template accepts."""
        first: Exception | None = None
        # Without tools, try None and []: most templates check `if tools`, some check
        # `tools is not none`, and templates for tools only just iterate over the list.
        for value in [list(tools)] if tools else [None, []]:
            for messages in variants(dialogue):
                try:
                    return self._template.render(
                        messages=messages,
                        tools=value,
                        add_generation_prompt=True,
                        **self._special,
                        **variables,
                    )
                # Not only `raise_exception`: a template may misuse any operation.
                except Exception as error:
                    first = first or error
        raise ModelError(
            f"The model's chat template refuses this conversation: {first}"
        ) from first

    @cached_property
    def _drops_calls(self) -> bool:
        """Whether the template writes only the first of several calls in a message."""
        calls = [ToolCall(name, name, {}) for name in ("probe_first", "probe_second")]
        messages = [
            Message("user", "probe"),
            Message("assistant", tool_calls=tuple(calls)),
            *(Message("tool", "probe", tool_call_id=call.id) for call in calls),
        ]
        tools = [ToolSchema("probe_tool", "probe", {"type": "object"})]
        try:
            text = self._first(dialogue(messages), tool_list(tools), {})
        except ModelError:
            return False
        return "probe_first" in text and "probe_second" not in text


def reasoning_open(prompt: str) -> bool:
    """Return whether the prompt ends with an opened reasoning block."""
    return _THINKING.search(prompt) is not None


def _with_instructions(
    messages: Dialogue, tools: Sequence[Mapping[str, Any]]
) -> Dialogue:
    lines = "\n".join(to_json(tool) for tool in tools)
    text = HOW_TO_CALL.format(tools=lines)
    if messages and messages[0]["role"] == "system":
        system = messages[0]
        text = f"{system['content']}\n\n{text}"
        return [{**system, "content": text}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def to_json(value: Any, **options: Any) -> str:
    """Return JSON as templates expect it: no escapes for Chinese or HTML."""
    # Templates also pass generators, which come from their filters.
    return json.dumps(value, ensure_ascii=False, default=list, **options)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter writes < as \u003c, which models were not trained on.
    # `ensure_ascii` is ignored: it would escape the marks of `Tokenizer.quote`.
    return to_json(value, indent=indent, separators=separators, sort_keys=sort_keys)


def _environment() -> Any:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """Ignores `{% generation %}`, which only marks text for training."""

        tags = {"generation"}  # noqa: RUF012 - the base class declares it so

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def strftime_now(format: str) -> str:
        return datetime.now().strftime(format)

    environment: Any = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Generation, loopcontrols],
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = strftime_now
    return environment
