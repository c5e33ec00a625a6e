"""Tokenizes a rendered template; only the template may produce control tokens.

Control tokens such as `<|im_end|>` are recognised only where the template wrote them.
In the text of messages they are tokenised as plain letters, so a web page that a tool
reads cannot end its own message and begin another. All other text gets the same tokens
as with llama.cpp.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from tui.models.llama.weights import Weights

_BREAK = "\ufdd0"
"""A mark inserted into a control token's text to break it. Unicode guarantees that this
code point is not a character."""
_REMEMBERED = 256
"""How many runs of answer tokens are kept. An answer has one, or a few if it contains
control tokens."""


class Prompt:
    """A rendered and tokenised conversation."""

    def __init__(self, text: str, tokens: list[int], tail: str, tail_tokens: int):
        self.text = text
        self.tokens = tokens
        self.tail = tail
        """The text after the last control token."""
        self.tail_tokens = tail_tokens
        """How many of `tokens` are those of `tail`."""


class Tokenizer:
    """Tokenises prompts of one model. Use it in one thread at a time."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        lib = weights.lib
        control = weights.control
        longest_first = sorted(control, key=len, reverse=True)
        self._control = re.compile(
            "(" + "|".join(map(re.escape, longest_first)) + ")" if control else "(?!)"
        )
        self._ids = {token for token, _ in control.values()}
        self._left = lib.LLAMA_TOKEN_ATTR_LSTRIP
        self._right = lib.LLAMA_TOKEN_ATTR_RSTRIP
        first = weights.tokenize("a")[:1]
        self._adds_space = bool(first) and weights.piece(first[0]).startswith(b" ")
        self._spoken: dict[str, list[int]] = {}

    def quote(self, value: Any) -> Any:
        """Return `value`, text or JSON, with all control tokens in it broken up."""
        match value:
            case str():
                value = value.replace(_BREAK, "")
                return self._control.sub(
                    lambda found: found[0][0] + _BREAK + found[0][1:], value
                )
            case dict():
                items = cast(dict[Any, Any], value)
                quoted = {self.quote(k): self.quote(v) for k, v in items.items()}
                return type(items)(quoted)  # keeps the type `Arguments`
            case list() | tuple():
                return [self.quote(v) for v in cast(Sequence[Any], value)]
            case _:
                return value

    def encode(self, text: str) -> Prompt:
        """Tokenise rendered `text`, whose outside parts went through `quote`."""
        weights = self._weights
        parts = self._control.split(text)
        tokens: list[int] = []
        tail, n = "", 0
        for i in range(0, len(parts), 2):
            raw = parts[i]
            if i:
                token, attributes = weights.control[parts[i - 1]]
                tokens.append(token)
                if attributes & self._right:
                    raw = raw.lstrip()
            if i + 1 < len(parts):
                _, attributes = weights.control[parts[i + 1]]
                if attributes & self._left:
                    raw = raw.rstrip()
            tail = raw.replace(_BREAK, "")
            run = self._run(tail)
            tokens += run
            n = len(run)
        bos = weights.bos
        if weights.adds_bos and bos is not None and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        return Prompt(text.replace(_BREAK, ""), tokens, tail, n)

    def remember(self, prompt: Prompt, answer: Sequence[int]) -> None:
        """Remember the tokens of `answer`, so that its text gets the same tokens again.

        A model may write a text with other tokens than the tokenizer would. Without
        this, the context would have to read the last answer again in each turn.
        """
        at = len(prompt.tokens) - prompt.tail_tokens
        run = prompt.tokens[at:]
        data = bytearray(prompt.tail.encode("utf-8", "replace"))
        for token in answer:
            if token in self._ids:
                self._keep(data, run)
                data, run = bytearray(), []
            else:
                data += self._weights.piece(token)
                run.append(token)
        self._keep(data, run)

    def _keep(self, data: bytearray, run: list[int]) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        texts = [text]
        if self._adds_space and text.startswith(" "):
            texts.append(text[1:])  # the tokenizer adds this space itself
        for text in texts:
            self._spoken.pop(text, None)
            if text and self._weights.tokenize(text) != run:
                self._spoken[text] = run
        while len(self._spoken) > _REMEMBERED:
            del self._spoken[next(iter(self._spoken))]

    def _run(self, text: str) -> list[int]:
        if not text:
            return []
        spoken = self._spoken.get(text)
        return self._weights.tokenize(text) if spoken is None else spoken
