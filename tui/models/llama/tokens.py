"""Tokenizes a rendered template; only the template may produce control tokens.

Control tokens such as `<|im_end|>` are recognised where the template wrote them. Where
they stand in what somebody said, they are tokenised as the letters they are, so a web
page that a tool reads cannot end its own message and begin another. All other text
gets the tokens that llama.cpp would give it.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from tui.models.llama.weights import Weights

_BREAK = "\ufdd0"
"""Set within a control token's text to break it; no character, by Unicode's promise."""
_REMEMBERED = 256
"""Spoken runs that are kept; an answer has one, or a few with control tokens."""


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
    """Tokenises prompts of one model; used by one thread at a time."""

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
        """Return `value`, text or JSON, so that no control token is read in it."""
        match value:
            case str():
                value = value.replace(_BREAK, "")
                return self._control.sub(
                    lambda found: found[0][0] + _BREAK + found[0][1:], value
                )
            case dict():
                items = cast(dict[Any, Any], value)
                quoted = {self.quote(k): self.quote(v) for k, v in items.items()}
                return type(items)(quoted)  # `Arguments` stay what they are
            case list() | tuple():
                return [self.quote(v) for v in cast(Sequence[Any], value)]
            case _:
                return value

    def encode(self, text: str) -> Prompt:
        """Tokenise rendered `text` whose quoted parts went through `quote`."""
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
        """Keep how `answer` was spoken, so that it is tokenised the same way again.

        A model may spell a text with other tokens than the tokenizer would; without
        this its last answer would be read again at each turn.
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

    def is_control(self, token: int) -> bool:
        """Whether `token` is a control token."""
        return token in self._ids

    def _keep(self, data: bytearray, run: list[int]) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        texts = [text]
        if self._adds_space and text.startswith(" "):
            texts.append(text[1:])  # the space is the tokenizer's, not the answer's
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
