"""Makes from a file's weights and chat template what its answers need."""

from collections.abc import Mapping, Sequence
from typing import Any

from tui.errors import ModelError
from tui.i18n import _
from tui.messages import Message, ToolSchema
from tui.models.gate import dialect_of_template
from tui.models.llama.dialogue import dialogue, tool_list
from tui.models.llama.sampling import Sampler, Sampling
from tui.models.llama.template import CHATML, ChatTemplate
from tui.models.llama.tokens import Prompt, Tokenizer
from tui.models.llama.weights import Weights

_MESSAGE_OVERHEAD = 8
"""The approximate number of tokens that a template adds to a message."""


class Loaded:
    """The parts of a model that can be created only once its weights are loaded."""

    def __init__(self, weights: Weights, sampling: Sampling) -> None:
        self.weights = weights
        self.tokenizer = Tokenizer(weights)
        source = weights.template()
        self.fallback = source is None
        special = {
            "bos_token": weights.special("bos"),
            "eos_token": weights.special("eos"),
            "unk_token": "",
            "pad_token": weights.special("pad"),
        }
        self._plain = ChatTemplate(source or CHATML, special)
        with_tools = weights.template("tool_use")
        self._with_tools = ChatTemplate(with_tools, special) if with_tools else None
        self._dialect = dialect_of_template(
            with_tools or source or "", list(weights.control)
        )
        self.silent = {
            token
            for which in ("bos", "pad")
            if (token := weights.control.get(weights.special(which), (-1, 0))[0]) >= 0
        }
        """Control tokens that are never part of an answer's text."""
        self.sampler = Sampler(weights, sampling)

    def prompt(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        variables: Mapping[str, Any] | None = None,
    ) -> Prompt:
        """Return the prompt of `messages`; `variables` are those of the template.

        Raises `ModelError` when the template gives no text.
        """
        template = self.template(bool(tools))
        quote = self.tokenizer.quote
        text = template.render(
            quote(dialogue(messages)), quote(tool_list(tools)), variables
        )
        prompt = self.tokenizer.encode(text)
        if not prompt.tokens:
            raise ModelError(
                _("The model's chat template returns no text for the messages.")
            )
        return prompt

    def dialect(self, tools: bool) -> str:
        """Return the gate's name of the format in which to expect calls.

        If the instructions named another format than the model's own, the model may use
        either, so the gate must look for all.
        """
        describes = self.template(tools).describes_tools
        return self._dialect if describes or not tools else "auto"

    def template(self, tools: bool) -> ChatTemplate:
        """Return the template of prompts with or without tools."""
        return self._with_tools if tools and self._with_tools else self._plain

    def size(self, message: Message) -> int:
        """Return roughly how many tokens `message` takes."""
        [entry] = dialogue([message])
        text = "".join(map(str, entry.values()))
        return len(self.weights.tokenize(text)) + _MESSAGE_OVERHEAD
