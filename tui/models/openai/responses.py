"""Makes the requests of OpenAI's Responses API, which some of its models need.

A newer API than chat completions, served at `/responses`: text, reasoning and calls are
items of one list. Nothing is stored on the server (`store` is false), so its reasoning
comes encrypted and is sent back with the next request. None of the server's own tools
is offered. Shapes as in the types of openai 3.57.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from tui.messages import Message, Sealed, ToolSchema
from tui.models.openai.refusals import Change
from tui.models.openai.requests import answer_format
from tui.models.openai.wire import ANY, Form, wire_messages, wire_tools

STREAM = "stream"
"""What a server lacks that only answers as a whole, in the words of `named`."""
_SEALED = "reasoning.encrypted_content"
_WANTED = re.compile(
    r"/responses\b|responses (api|endpoint)"
    r"|not a chat model"  # OpenAI, which then names an API that it has not either
    r"|chatCompletion operation does not work"  # Azure
    r"|not accessible via the /chat/completions|unsupported_api_for_model",  # Copilot
    re.I,
)
"""In a refusal of chat completions. OpenAI says "This model is only supported in
v1/responses and not in v1/chat/completions", or "To use function tools, use
/v1/responses"."""

_WANTS_PARTS = re.compile(r"output_text|type of 'item'", re.I)
"""In a refusal of an answer that is sent back as OpenAI's short form has it: llama.cpp
says "Cannot determine type of 'item'", others name the part that they expect. The long
form is not sent to all, since vLLM and OpenRouter take it only with fields that the
short one does not need, and OpenAI looks for its ids."""
_OF_INPUT = re.compile(r"input\b.*(?:union|discriminator|invalid input)", re.I | re.S)

_NAMES = {
    "max_tokens": ("max_output_tokens",),
    "max_completion_tokens": ("max_output_tokens",),
    "reasoning_effort": ("reasoning", "effort"),
    "verbosity": ("text", "verbosity"),
}
"""Options of chat completions, and where they stand here."""


def are_wanted(status: int, message: str) -> bool:
    """Whether a server refuses chat completions because the model wants this API."""
    return status in (400, 404, 422) and bool(_WANTED.search(message))


def lacks(status: int, message: str, parameter: str, body: Mapping[str, Any]) -> str:
    """Return what a server refuses the request for and can do without.

    `summary`, which OpenAI gives to verified organizations only; `sealed`, reasoning
    that it cannot read (any more); `include`, by which that is asked for; `short`, the
    short form of answers; "" for something else. `parameter` is what the refusal names
    as `param`, `body` the request.
    """
    if status not in (400, 404, 422):
        return ""
    said = f"{parameter} {message}"
    if _WANTS_PARTS.search(said) or _OF_INPUT.search(said):
        short = any("id" not in item for item in _answers(body))
        if short:
            return "short"
    if "summar" in parameter + message and "summary" in body.get("reasoning", {}):
        return "summary"
    if re.search(r"encrypted|\binclude\b|\brs_\w|item\['content'\]", said, re.I):
        sealed = any(item.get("type") == "reasoning" for item in body["input"])
        return "sealed" if sealed else "include" if "include" in body else ""
    if parameter == "reasoning" and "summary" in body.get("reasoning", {}):
        return "summary"
    return ""


def _answers(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the answers that a request sends back."""
    for item in body["input"]:
        if item.get("role") == "assistant":
            yield item


def as_of_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request in the shape in which `refusals.changes` looks at one."""
    said = [item for item in body["input"] if "content" in item and "role" in item]
    tools = [{"function": tool} for tool in body.get("tools", ())]
    view = {key: body[key] for key in body if key not in ("input", "tools")}
    view["messages"] = said
    return {**view, "tools": tools} if tools else view


def named(change: Change, body: Mapping[str, Any]) -> str:
    """Return what `request_body` is to do without after a change; "" for nothing."""
    match change.what:
        case "field" | "rename":
            return f"field {change.name}" if change.name in body else ""
        case "tool":
            return f"tool {change.name}"
        case "tools" | "stream" | "system" | "images" | "schemas":
            return change.what
        case _:
            return ""


def request_body(
    messages: Sequence[Message],
    tools: Sequence[ToolSchema],
    options: Mapping[str, Any],
    origin: str,
    without: Collection[str] = (),
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a request but for its model and whether it streams.

    `origin` is as of `Sealed`; `without` is what this server has been found not to
    take, in the words of `lacks` and of `named`. `options` may be those of chat
    completions. `schema` is what the answer should fit.
    """
    kept = "" if "sealed" in without else origin
    form = Form(system="system" not in without, images="images" not in without)
    sent = list(items(messages, kept, form))
    body: dict[str, Any] = {
        "input": [*map(_in_parts, range(len(sent)), sent)]
        if "short" in without
        else sent,
        "store": False,
    }
    if "include" not in without:
        body["include"] = [_SEALED]
    if "summary" not in without:
        body["reasoning"] = {"summary": "auto"}
    tools = [tool for tool in tools if f"tool {tool.name}" not in without]
    if tools and "tools" not in without:
        body["tools"] = [
            # Strict schemas have rules of their own, which not all of ours keep.
            {"type": "function", "strict": False, **tool["function"]}
            for tool in wire_tools(tools, "schemas" in without)
        ]
    if schema is not None:
        body["text"] = {"format": {"type": "json_schema", **answer_format(schema)}}
    for name, value in options.items():
        _set(body, _NAMES.get(name, (name,)), value)
    if "tools" not in body:
        # Without any they are refused.
        body.pop("tool_choice", None)
        body.pop("parallel_tool_calls", None)
    return {key: body[key] for key in body if f"field {key}" not in without}


def _set(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put an option where it belongs, beside what is there if both are tables."""
    for name in path[:-1]:
        inner: Any = body.get(name)
        body[name] = body = dict(cast(Any, inner) if isinstance(inner, dict) else {})
    before: Any = body.get(path[-1])
    if isinstance(before, dict) and isinstance(value, dict):
        value = {**cast(dict[str, Any], before), **cast(dict[str, Any], value)}
    elif isinstance(before, list) and isinstance(value, list):
        value = [*cast(list[Any], before), *cast(list[Any], value)]
    body[path[-1]] = value


def items(
    messages: Sequence[Message], origin: str, form: Form = ANY
) -> Iterator[dict[str, Any]]:
    """Yield a conversation as the request's `input`.

    What servers refuse in it is mended as for chat completions. What is sealed by
    `origin` goes before what it was given with; no other ids are sent, as a server
    that stores nothing would look for them in vain.
    """
    answers = [message for message in messages if message.role == "assistant"]
    for wire in wire_messages(messages, form):
        match wire:
            case {"role": "tool", "tool_call_id": id, "content": content}:
                yield {"type": "function_call_output", "call_id": id, "output": content}
            case {"role": "assistant"}:
                yield from _answer(wire, _sealed_of(wire, answers), origin)
            case {"role": role, "content": content}:
                yield {"role": role, "content": _content(content)}
            case _:
                pass


def _in_parts(number: int, item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with an answer in its long form; `number` tells it from others."""
    if item.get("role") != "assistant":
        return item
    part = {"type": "output_text", "text": item["content"], "annotations": list[Any]()}
    return {
        "type": "message",
        "id": f"msg_{number}",
        "status": "completed",
        **item,
        "content": [part],
    }


def _sealed_of(wire: Mapping[str, Any], answers: list[Message]) -> Sealed | None:
    """Return what is sealed of the message that became `wire`; it leaves `answers`.

    Some messages have become none, and some that stand there have been no message.
    """
    said = (wire.get("content") or "", len(wire.get("tool_calls") or ()))
    for number, message in enumerate(answers):
        if (message.text, len(message.tool_calls)) == said:
            del answers[: number + 1]
            return message.sealed
    return None


def _answer(
    wire: Mapping[str, Any], sealed: Sealed | None, origin: str
) -> Iterator[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    ours = sealed if sealed is not None and origin and sealed.origin == origin else None
    if wire.get("content"):
        parts.append({"role": "assistant", "content": wire["content"]})
        if ours is not None and ours.phase:
            parts[0]["phase"] = ours.phase
    for call in wire.get("tool_calls") or ():
        parts.append(
            {
                "type": "function_call",
                "call_id": call["id"],
                "name": call["function"]["name"],
                "arguments": call["function"]["arguments"],
            }
        )
    for place, part in enumerate(parts):
        for piece in ours.reasoning if ours is not None else ():
            if min(piece.place, len(parts) - 1) == place:
                yield {
                    "type": "reasoning",
                    "id": piece.id,
                    "summary": [
                        {"type": "summary_text", "text": text} for text in piece.summary
                    ],
                    "encrypted_content": piece.content,
                }
        yield part


def _content(content: Any) -> Any:
    """Return the content of a user's message: text, or parts with other names."""
    if isinstance(content, str):
        return content
    parts: list[dict[str, Any]] = []
    for part in cast(list[dict[str, Any]], content):
        match part:
            case {"type": "text", "text": text}:
                parts.append({"type": "input_text", "text": text})
            case {"type": "image_url", "image_url": {"url": url}}:
                parts.append(
                    {"type": "input_image", "image_url": url, "detail": "auto"}
                )
            case _:
                pass
    return parts
