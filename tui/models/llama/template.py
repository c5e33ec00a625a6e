"""A model's own chat template, run as its authors run it.

Templates are programs in Jinja that come with a model from anywhere, so they run in
Jinja's sandbox. They are written for the environment of the transformers library,
whose settings and helpers are given here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tui.errors import ModelError
from tui.models.llama.dialogue import HOW_TO_CALL, Dialogue, variants

CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
"""For models that bring no template: the most common format."""
CHATML_STOPS = ("<|im_end|>", "<|im_start|>")

_THINKING = re.compile(
    r"(<think(?:ing)?>|<seed:think>|\[THINK\]|<\|START_THINKING\|>)\s*$"
)


class ChatTemplate:
    """Renders conversations to the text that a model continues.

    `special` are the texts that templates know as `bos_token`, `eos_token` ...
    Raises `ModelError` when `source` is no template.
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
        self.describes_tools = "tools" in names
        """Whether it tells the model of its tools."""
        self.writes_calls = "tool_calls" in source
        """Whether it shows the model its earlier calls."""

    def render(self, dialogue: Dialogue, tools: Sequence[Mapping[str, Any]]) -> str:
        """Return the text up to where the model is to speak.

        `tools` are in the form of the OpenAI API. A template that refuses what is
        in the dialogue gets it in other words: see `dialogue.variants`. Raises
        `ModelError` when it refuses all of them.
        """
        if tools and not self.describes_tools:
            dialogue = _with_instructions(dialogue, tools)
            tools = ()
        first: Exception | None = None
        for messages in variants(dialogue, flatten=not self.writes_calls):
            try:
                return self._template.render(
                    messages=messages,
                    # Templates ask `if tools` and `tools is not none`.
                    tools=list(tools) or None,
                    add_generation_prompt=True,
                    **self._special,
                )
            # Besides `raise_exception`, any operation that a template misuses.
            except Exception as error:
                first = first or error
        raise ModelError(
            f"The model's chat template refuses this conversation: {first}"
        ) from first


def reasoning_open(prompt: str) -> bool:
    """Whether the model is to speak within its reasoning, as the template wants."""
    return _THINKING.search(prompt) is not None


def _with_instructions(
    dialogue: Dialogue, tools: Sequence[Mapping[str, Any]]
) -> Dialogue:
    lines = "\n".join(to_json(tool) for tool in tools)
    text = HOW_TO_CALL.format(tools=lines)
    if dialogue and dialogue[0]["role"] == "system":
        system = dialogue[0]
        text = f"{system['content']}\n\n{text}"
        return [{**system, "content": text}, *dialogue[1:]]
    return [{"role": "system", "content": text}, *dialogue]


def to_json(value: Any, **options: Any) -> str:
    """Return JSON as templates expect it: Chinese as it is, nothing escaped."""
    return json.dumps(value, ensure_ascii=False, **options)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter writes < as \u003c, which models have not learnt. ASCII is
    # never enforced: it would spell out the marks of `Tokenizer.quote`.
    return to_json(value, indent=indent, separators=separators, sort_keys=sort_keys)


def _environment() -> Any:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """Reads `{% generation %}`, which marks what training learns, as nothing."""

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
