"""Finds the size of a server model's context window.

The API does not define it. Many servers add it to their list of models, each under a
different name; some serve it at another path; and all name it when they refuse a
conversation as too long. Until it is known, every message is sent.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from tui.errors import ContextOverflow
from tui.messages import Message, ToolSchema
from tui.models.context_window import (
    MESSAGE_TOKENS,
    Fitted,
    estimate,
    estimate_message,
    fit,
    reserved,
)
from tui.models.openai.chunks import count

_LARGEST = 10**9
"""Tokens; a window that is larger is a mistake, and taken for not known."""

_TRUSTED_FROM = 400
"""Tokens from which an estimate is compared with the server's count: what the template
adds weighs too much in a short request."""

_OWN = re.compile(
    r"(?P<k1048>gpt-4\.1)|(?P<k400>gpt-5(-mini|-nano)?(-20\d\d.*)?$)"
    r"|(?P<k200>o1$|o1-20|o3|o4-mini)|(?P<k128>gpt-4o|gpt-4-turbo|chatgpt-4o)"
    r"|(?P<k16>gpt-3\.5-turbo)|(?P<k8>gpt-4(-\d{4})?$)"
)
"""OpenAI tells it only in the pages of its models' documentation."""
_OWN_SIZES = {
    "k1048": 1_047_576,
    "k400": 400_000,
    "k200": 200_000,
    "k128": 128_000,
    "k16": 16_385,
    "k8": 8_192,
}

_WINDOW = re.compile(
    r"(?:maximum|max) model length of (\d+)"  # vLLM
    r"|length exceeded: \d+ > (\d+)"  # Perplexity
    # OpenAI, vLLM, llama.cpp ...
    r"|context (?:length|window|size)(?:[\s:=(`'\"]|is|of|only|to|limit|limited)*"
    r"(\d{3,})"
    r"|\"n_ctx\":\s*(\d+)"  # llama.cpp, beside its message
    r"|token limit:?\s*(\d+)"  # Kimi
    r"|length should be \[\d+, (\d+)\]"  # DashScope
    r"|> (\d+) maximum|limit: \d+ \+ \d+ > (\d+)|tokens allowed \((\d+)\)"
    # Anthropic, twice; Gemini
    r"|must be <= (\d+)|must have less than (\d+)"  # TGI
    r"|max size: (\d+) tokens"  # GitHub Models
    r"|(?:maximum|max) (?:prompt|input) length\D{0,20}(\d{3,})",  # xAI; TensorRT-LLM
    re.I,
)
_MESSAGES = re.compile(r"\((\d+) in the messages")
"""A part of what was requested; the rest was room for the answer."""
_TOKENS = re.compile(
    r"messages resulted in (\d+)|request has (\d+) input tokens"  # OpenAI; vLLM
    r"|\"n_prompt_tokens\":\s*(\d+)|request \((\d+) tokens"  # llama.cpp
    r"|(?:requested tokens|input|prompt length) \((\d+)"  # llama_cpp.server
    r"|prompt \(length (\d+)|keep the first (\d+)"  # vLLM; LM Studio
    r"|too long: (\d+)|limit: (\d+) \+|token count \((\d+)|given: (\d+)"
    # Anthropic, twice; Gemini; TGI
    r"|requested (?:about )?(\d+)|exceeded: (\d+) >|(?:input|prompt) length (\d+)",
    re.I,
)
_FIGURE = re.compile(r"(?<![\w.:/-])\d{4,9}(?![\w:/-]|\.\d)")
"""A number of tokens; those of dates, names and addresses have signs beside them."""
_NAMED = re.compile(
    r"\b(request|req|id|code|errno|error|port|shard|trace|status|ref\w*|ticket|version|"
    r"line|at|on)\b[\s:#=(]*\Z",
    re.I,
)
"""What stands before a number that is none of tokens."""
_FIELDS = re.compile(r"\"n_(ctx|prompt_tokens)\":\s*\d+")
"""Of llama.cpp, beside its message."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def figures(message: str, body: str = "") -> tuple[int, int]:
    """Return window and size of the messages in tokens from a refusal, 0 if unsaid.

    `body` is all that the server said. Only numbers in known fields are taken from it,
    or what follows a `message` that is cut: it may have ids and codes, and quote the
    conversation.
    """
    told = _THOUSANDS.sub("", message)
    fields = " ".join(found[0] for found in _FIELDS.finditer(body))
    found = _found(f"{told} {fields}")
    if found == (0, 0) and message.endswith("…"):
        return _found(_THOUSANDS.sub("", body))
    return found


def _found(text: str) -> tuple[int, int]:
    tokens = _number(_MESSAGES.search(text) or _TOKENS.search(text))
    window = _number(_WINDOW.search(text))
    if not window:
        # Of two figures, the one that exceeds the other is the conversation's.
        two = {
            int(found[0])
            for found in _FIGURE.finditer(text)
            if not _NAMED.search(text[max(0, found.start() - 30) : found.start()])
        }
        if len(two) == 2 and tokens in (0, max(two)):
            window, tokens = min(two), max(two)
    return window, tokens


def own_size(model: str) -> int:
    """Return the window of a model of OpenAI's own service; 0 when not known."""
    found = _OWN.match(model)
    return _OWN_SIZES[found.lastgroup or ""] if found and found.lastgroup else 0


def told(models: Any, model: str) -> tuple[int, str]:
    """Return what a server's list of models says: tokens, or the path to ask next.

    The path is from the server's root. (0, "") when there is nothing to be known.
    """
    entry = entry_of(models, "data", model)
    meta, provider = _fields(entry.get("meta")), _fields(entry.get("top_provider"))
    size = (
        _size(entry.get("max_model_len"))  # vLLM, SGLang
        or _size(entry.get("loaded_context_length"))  # LM Studio
        or _size(provider.get("context_length"))  # OpenRouter: of who serves it
        or _size(entry.get("context_length"))  # OpenRouter, Together
        or _size(entry.get("context_window"))  # Groq
        or _size(entry.get("max_context_length"))  # Mistral
        or _size(meta.get("n_ctx"))
    )
    if size:
        return size, ""
    if "n_ctx_train" in meta or entry.get("owned_by") == "llamacpp":
        return 0, "/props"  # what it was trained for says not what it was started with
    paths = {"library": "/api/ps", "organization_owner": "/api/v0/models"}
    return 0, paths.get(str(entry.get("owned_by")), "")


def told_elsewhere(path: str, body: Any, model: str) -> int:
    """Return what the answer from a path that `told` has named says; 0 for nothing."""
    match path:
        case "/props":  # llama.cpp: of one slot, which is what a request can have
            settings = _fields(_fields(body).get("default_generation_settings"))
            return _size(settings.get("n_ctx"))
        case "/api/ps":  # Ollama: only once the model is loaded
            return _size(entry_of(body, "models", model).get("context_length"))
        case _:  # LM Studio
            return _size(entry_of(body, "data", model).get("loaded_context_length"))


class Window:
    """The window of one model, and how its tokens compare with our estimate.

    For any thread: what is known only gets better.
    """

    def __init__(self, size: int = 0, max_tokens: int | None = None) -> None:
        self._size = size
        self._max_tokens = max_tokens
        self._refused = 0
        self._guess = 0
        self._scale = 1.0

    @property
    def size(self) -> int:
        """Tokens, 0 if unknown. A size named in a refusal takes precedence."""
        return self._refused or self._size

    def set(self, size: int) -> None:
        """Set the size that the server has reported, unless one is known."""
        self._size = self._size or size

    def fit(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema] = (),
        below: int = 0,
    ) -> Fitted:
        """Return what of `messages` is sent; see `tui.models.context_window`.

        `below` is a limit for this time, as of `once`; 0 for none.
        """
        described = sum(_tool_tokens(tool) for tool in tools)

        def size(message: Message) -> int:
            return round(estimate_message(message) * self._scale)

        def count(messages: Sequence[Message]) -> int:
            return round(
                (described + sum(map(estimate_message, messages))) * self._scale
            )

        limit = min(self._limit(), below) if below else self._limit()
        return fit(messages, count, size, limit)

    def once(self, fitted: Fitted, overflow: ContextOverflow) -> int:
        """Return the limit for the next try of a request that exceeds a rate limit."""
        share = overflow.window / overflow.tokens if overflow.tokens else 1.0
        return max(1, int(fitted.tokens * min(share, 1.0) * 0.9))

    def measured(self, fitted: Fitted, tokens: int) -> None:
        """Take the server's own count of what was sent.

        Only upwards, and in eighths: the place from which on messages are sent must
        not move to and fro with each answer.
        """
        if fitted.tokens >= _TRUSTED_FROM and tokens > fitted.tokens:
            self._raise(tokens / fitted.tokens)

    def refused(self, fitted: Fitted, overflow: ContextOverflow) -> None:
        """Record that `fitted` was too long; the next `fit` allows less."""
        if overflow.window:
            self._refused = min(overflow.window, self._size or overflow.window)
        if overflow.tokens > fitted.tokens:
            self._raise(overflow.tokens / max(1, fitted.tokens))
        elif fitted.tokens <= self._limit():
            if self.size:
                self._raise(1.25 * self._limit() / max(1, fitted.tokens))
            else:
                self._guess = fitted.tokens * 3 // 4

    def _limit(self) -> int:
        if not self.size:
            return self._guess or 1 << 60
        if self._max_tokens:
            # Most servers refuse what could not be answered at that length.
            return max(self.size - self._max_tokens, self.size // 4)
        return self.size - reserved(self.size, None)

    def _raise(self, factor: float) -> None:
        self._scale = min(8.0, -(-self._scale * factor * 8 // 1) / 8)


def _tool_tokens(tool: ToolSchema) -> int:
    text = f"{tool.name} {tool.description} {tool.parameters}"
    return 2 * MESSAGE_TOKENS + estimate(text)


def entry_of(body: Any, key: str, model: str) -> dict[str, Any]:
    """Return the entry of a model in a server's list under `key`; {} without one."""
    rows: Any = _fields(body).get(key)
    if not isinstance(rows, list):
        return {}
    entries = [_fields(row) for row in cast(list[Any], rows)]
    named = [e for e in entries if model in (e.get("id"), e.get("name"))]
    return (named or (entries if len(entries) == 1 else []) or [{}])[0]


def _fields(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _size(value: Any) -> int:
    size = count(value) or 0
    return size if size <= _LARGEST else 0


def _number(found: "re.Match[str] | None") -> int:
    digits = next((n for n in found.groups() if n), "") if found else ""
    # A `\d` matches digits of all scripts, and Python refuses to read 5,000 of them.
    return _size(int(digits)) if len(digits) <= 12 and digits else 0
