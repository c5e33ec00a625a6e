"""Decodes the JSON chunks that servers stream, leniently.

Only the fields that are used are decoded; the fields in which servers differ are
`Any`, because one odd value must not cost the whole answer. Decoding a chunk this way
takes 0.4 µs; into the library's own models it takes 57 µs.

The file is long because each shape in which servers send text is read here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from tui import bounds
from tui.events import UsageReported


class Delta(msgspec.Struct):
    """What a chunk adds to the message; in a plain answer the whole message."""

    content: Any = None
    reasoning_content: Any = None
    """DeepSeek, llama.cpp, vLLM, Qwen, GLM, Kimi."""
    reasoning: Any = None
    """OpenRouter, Ollama, newer vLLM."""
    reasoning_text: Any = None
    """GitHub Copilot."""
    thinking: Any = None
    """Relays of Ollama's and Anthropic's own APIs."""
    thinking_content: Any = None
    reasoning_summary: Any = None
    thought: Any = None
    thoughts: Any = None
    """These four: relays."""
    tool_plan: Any = None
    """Cohere: why it calls tools."""
    reasoningContent: Any = None
    """Relays of Bedrock."""
    reasoning_details: Any = None
    """OpenRouter, MiniMax: thoughts, summaries of them, and what is encrypted."""
    thinking_blocks: Any = None
    """LiteLLM."""
    reasoning_opaque: Any = None
    """GitHub Copilot."""
    extra_content: Any = None
    """Gemini."""
    provider_specific_fields: Any = None
    """LiteLLM."""
    refusal: Any = None
    audio: Any = None
    """OpenAI: what is spoken, with its words as `transcript`."""
    images: Any = None
    """OpenRouter, of models that draw."""
    tool_calls: Any = None
    function_call: Any = None
    """How a single call was written before there were `tool_calls`."""
    toolCalls: Any = None
    toolCall: Any = None
    tool_call: Any = None
    function_calls: Any = None
    functionCalls: Any = None
    functionCall: Any = None
    """These six: relays that name fields as their own code does."""


class Choice(Delta):
    """One of the answers; only one is read, but some servers send more.

    A few put what the message adds into the choice itself.
    """

    index: Any = None
    delta: Delta | str | None = None
    """A text is mostly "", from servers that have nothing to say."""
    message: Delta | str | None = None
    text: Any = None
    """Of servers that stream as the older API for completions did."""
    finish_reason: Any = None
    finishReason: Any = None
    usage: Any = None
    """Where Kimi puts it."""
    error: Any = None
    """Where OpenRouter tells of its providers' errors."""


class Chunk(msgspec.Struct):
    """One event of a stream, or a whole answer."""

    choices: list[Choice | None] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    done: Any = None
    """True in the last event of servers that have a word of their own for it."""
    x_groq: Any = None
    """Where Groq put the usage."""
    base_resp: Any = None
    """MiniMax: `status_code`, which is 0 for success, and `status_msg`."""


THOUGHTS = (
    *("reasoning_content", "reasoning", "reasoning_text", "thinking"),
    *("thinking_content", "reasoning_summary", "thought", "thoughts"),
    *("reasoningContent", "tool_plan"),
)
"""Fields of a delta that hold thoughts, all the same ones where there are several."""


def thoughts(delta: Delta) -> tuple[str, str]:
    """Return a delta's reasoning and the name of the field that contained it.

    The name is "" if it was only in an opaque field, which goes back as it is.
    """
    if not (
        delta.reasoning_content
        or delta.reasoning
        or delta.reasoning_text
        or delta.thinking
        or delta.thinking_content
        or delta.reasoning_summary
        or delta.thought
        or delta.thoughts
        or delta.reasoningContent
        or delta.tool_plan
        or delta.reasoning_details
        or delta.thinking_blocks
        or delta.provider_specific_fields
    ):
        return "", ""  # as most are
    for field in THOUGHTS:
        value = getattr(delta, field)
        if isinstance(value, str):
            if value:
                return value, field
        elif value and (text := "".join(text for _, text in texts(value))):
            return text, field
    opaque: Any = delta.reasoning_details or delta.thinking_blocks
    more: Any = delta.provider_specific_fields
    if not opaque and isinstance(more, dict):
        opaque = cast(dict[str, Any], more).get("reasoning_content")
    return joined(opaque), ""


def calls(delta: Delta) -> tuple[Any, Any]:
    """Return a delta's calls, and its single call in the older form."""
    listed = delta.tool_calls
    function = delta.function_call
    if not (listed or function):
        listed = (
            delta.toolCalls
            or delta.toolCall
            or delta.tool_call
            or delta.function_calls
            or delta.functionCalls
        )
        function = delta.functionCall
    return listed, function


def joined(content: Any) -> str:
    """Return the text of a field, in whatever shape; "" for none."""
    return (
        content if isinstance(content, str) else "".join(t for _, t in texts(content))
    )


def marked_thought(delta: Delta) -> str:
    """Take a content that is marked as a thought out of a delta; "" for none.

    Gemini marks it in `extra_content`, and writes a tag into it as well; relays of its
    own API have a flag beside it. The mark is not an opaque field.
    """
    if delta.thought is not True and not delta.extra_content:
        return ""  # as most are
    marked = delta.thought is True
    match delta.extra_content:
        case {"google": {"thought": True, **rest}}:
            delta.extra_content = {"google": rest} if rest else None
            marked = True
        case _:
            pass
    if not marked:
        return ""
    thought, delta.content = joined(delta.content), None
    return thought.removeprefix("<thought>").removesuffix("</thought>")


def is_unseen(content: Any) -> bool:
    """Whether a content has parts that are not text: images, sound."""
    return isinstance(content, list) and any(
        isinstance(part, dict)
        and _MEDIA.search(str(cast(dict[str, Any], part).get("type", "")))
        for part in cast(list[Any], content)
    )


_MEDIA = re.compile("image|audio|video")


_MENDED_BYTES = 1 << 20
"""Up to this size a chunk that is not quite JSON is mended, which takes several times
its memory."""
MOST_TOKENS = 10**12
"""No number of tokens is larger, whatever a server says."""

_decode = msgspec.json.Decoder(Chunk).decode


def decode(data: bytes) -> Chunk:
    """Return the chunk; raises ValueError for invalid JSON.

    Values nested too deeply are replaced; the rest of the chunk is kept.
    """
    try:
        return _decode(data)
    except RecursionError:
        if len(data) > _MENDED_BYTES:
            raise ValueError(bounds.TOO_DEEP) from None
        # What is left is not deep: this does not come here again.
        return decode(bounds.without_deep(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Half a surrogate pair, a byte that is not UTF-8, NaN or 1e999: spoils one
        # character or figure, not the answer. So does a line break within a string, a
        # comma behind the end, and a field of another shape.
        if len(data) > _MENDED_BYTES:
            raise ValueError(str(error)) from error
    try:
        text = data.decode(errors="replace").rstrip(" \r\n,;")
        value = json.loads(text, strict=False)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = json.loads(value, strict=False)  # some relays encode it twice
        return msgspec.convert(_shaped(_without_surrogates(value)), Chunk)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _shaped(chunk: Any) -> Any:
    """Return a chunk with its choices in a list, and in each a delta that is one.

    Servers in PHP write an empty object as `[]` and a list as an object.
    """
    if not isinstance(chunk, dict):
        return chunk
    fields = cast(dict[str, Any], chunk)
    choices: Any = fields.get("choices")
    if isinstance(choices, dict) and choices:
        single = not choices.keys().isdisjoint(("delta", "message", "text"))
        choices = [choices] if single else list(cast(dict[str, Any], choices).values())
    if not isinstance(choices, list):
        return fields
    shaped: list[dict[str, Any]] = []
    for choice in cast(list[Any], choices):
        if isinstance(choice, dict):
            known = dict(cast(dict[str, Any], choice))
            for name in ("delta", "message"):
                if not isinstance(known.get(name), dict | str):
                    known[name] = None
            shaped.append(known)
    return {**fields, "choices": shaped}


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            items = cast(list[Any], value)
            return [_without_surrogates(item) for item in items]
        case dict():
            fields = cast(dict[str, Any], value)
            return {key: _without_surrogates(item) for key, item in fields.items()}
        case _:
            return value


class Halves:
    """Joins characters that a server cuts in two: half a surrogate pair in each event.

    Servers do so that count text in units of UTF-16.
    """

    def __init__(self) -> None:
        self._half = b""

    def __bool__(self) -> bool:
        """Whether a half has not been completed yet."""
        return bool(self._half)

    def join(self, item: bytes) -> bytes:
        """Return an event without the half that ends its text, which the next one gets.

        A half that the next text does not complete goes where it was, and is spoilt.
        """
        if not self._half and b"\\u" not in item:
            return item  # as most are
        if self._half:
            item, found = _LOW_HALF.subn(b'"' + self._half + rb"\1", item, count=1)
            if not found:
                item, found = _CONTENT.subn(rb"\g<0>" + b"\xff", item, count=1)
            self._half = b"" if found else self._half
        high = _HIGH_HALF.search(item)
        if high and not self._half:
            self._half = high[1].replace(b"\\", b"\\\\")
            item = item[: high.start(1)] + item[high.end(1) :]
        return item


_HIGH_HALF = re.compile(rb'(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"')
_LOW_HALF = re.compile(rb'"(\\u[dD][c-fC-F][0-9a-fA-F]{2})')
_CONTENT = re.compile(rb'"(content|delta)":\s*"(?!")')


def is_json(data: bytes) -> bool:
    """Whether `data` is whole JSON, and not the beginning of some."""
    try:
        decode(data)
    except ValueError:
        return False
    return True


_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def run_together(item: bytes) -> list[bytes]:
    """Return the objects of an event that has several: a list, or one behind another.

    [] for any other event.
    """
    text = item.decode(errors="replace").strip()
    at, found = 0, list[Any]()
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        found += cast(list[Any], value) if isinstance(value, list) else [value]
        at = space.end() if (space := _SPACE.match(text, at)) else at
    whole = text[:1] == "[" or len(found) > 1
    if not whole or not all(isinstance(value, dict) for value in found):
        return []
    return [msgspec.json.encode(value) for value in found]


def texts(content: Any) -> Iterator[tuple[bool, str]]:
    """Yield the pieces of a `content` as (is reasoning, text).

    Most servers send a string; Mistral sends a list of parts, whose `thinking`
    parts hold parts themselves; some send one part, or a number. What is too deep says
    "…".
    """
    if isinstance(content, int | float) and not isinstance(content, bool):
        yield False, json.dumps(content)
    yield from _texts(bounds.shallow(content))


_TEXTS = (
    "text",
    "content",
    "thinking",
    "reasoning",
    "summary",
    "refusal",
    "value",
    "parts",
)
"""Where a part holds its text."""


def _texts(content: Any) -> Iterator[tuple[bool, str]]:
    match content:
        case str():
            yield False, content
        case list():
            for part in cast(list[Any], content):
                yield from _texts(part)
        case dict():
            part = cast(dict[str, Any], content)
            kind = str(part.get("type", ""))
            thinks = kind.startswith(("thinking", "reasoning", "thought", "summary"))
            held = next((part[key] for key in _TEXTS if part.get(key)), None)
            if isinstance(held, str | list | dict):
                for within, text in _texts(held):
                    yield thinks or within, text
        case _:
            pass


def usage_event(
    usage: Mapping[str, Any], seconds: float, window: int = 0
) -> UsageReported | None:
    """Return the event for a server's `usage`; None if it has no token counts.

    In the event, cached tokens are a part of the input, and those of reasoning a part
    of the output, whatever the server's convention is.
    """
    input = _first_count(usage, "prompt_tokens", "input_tokens", "promptTokens")
    output = _first_count(
        usage, "completion_tokens", "output_tokens", "completionTokens"
    )
    if input is None and output is None:
        return None
    input, output = input or 0, output or 0
    read = count(usage.get("cache_read_input_tokens")) or 0
    if "input_tokens" in usage and "prompt_tokens" not in usage:
        # Anthropic's names: none of it is in the input.
        input += read + (count(usage.get("cache_creation_input_tokens")) or 0)
    cached = (
        _detail(usage, "prompt_tokens_details", "cached_tokens")
        or _detail(usage, "input_tokens_details", "cached_tokens")
        or count(usage.get("prompt_cache_hit_tokens"))  # DeepSeek
        or count(usage.get("cached_tokens"))
        or read
    )
    reasoning = (
        _detail(usage, "completion_tokens_details", "reasoning_tokens")
        or _detail(usage, "output_tokens_details", "reasoning_tokens")
        or count(usage.get("reasoning_tokens"))
        or 0
    )
    # xAI and Gemini count reasoning beside the answer: their total tells it.
    beside = (count(usage.get("total_tokens")) or 0) - input - output
    if beside > 0 and reasoning in (0, beside):
        reasoning = beside
        output += beside
    return UsageReported(
        input,
        output,
        seconds,
        min(cached, input),
        window,
        reasoning_tokens=reasoning,
        cost=bounds.money(usage.get("cost")),  # OpenRouter, in US dollars
    )


def _first_count(usage: Mapping[str, Any], *names: str) -> int | None:
    """Return the count under the first of these names that is there."""
    return count(next((usage[name] for name in names if name in usage), None))


def _detail(usage: Mapping[str, Any], group: str, name: str) -> int | None:
    details: Any = usage.get(group)
    if not isinstance(details, Mapping):
        return None
    return count(cast(Mapping[str, Any], details).get(name))


def count(value: Any) -> int | None:
    """Return a token count that a server reported; None if it is not a valid one.

    Servers send negative numbers, 400 digits, strings and floats.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value) if abs(value) <= MOST_TOKENS else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_TOKENS else None
