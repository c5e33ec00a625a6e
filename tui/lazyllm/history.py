"""Reads `llm_chat_history` and queries, in all forms that programs write."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from tui.lazyllm.arguments import ArgumentError
from tui.messages import Attachment, Message, Role, ToolCall
from tui.nearly_json import read_object

History = Sequence[Sequence[Any] | Mapping[str, Any] | Message]
"""`[user, assistant]` pairs, or dicts with `role` and `content`."""

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}


def messages_of(history: History | None) -> list[Message]:
    """Return the messages of a history; None is an empty one.

    A pair may lack one side: it is None, or the pair is shorter. Dicts are messages of
    OpenAI's API: content as text, parts or null, with `tool_calls` and `tool_call_id`.
    Raises `ArgumentError` that names the entry.
    """
    if history is None:
        return []
    if not isinstance(history, list | tuple):
        raise ArgumentError(
            f"llm_chat_history must be a list of [user, assistant] pairs or of dicts "
            f"with role and content, not {type(history).__name__}."
        )
    messages: list[Message] = []
    for number, said in enumerate(history):
        where = f"llm_chat_history[{number}]"
        if isinstance(said, Message):
            messages.append(said)
        elif isinstance(said, Mapping):
            messages.append(message_of(said, where))
        elif isinstance(said, list | tuple) and len(said) <= 2:
            for role, text in zip(("user", "assistant"), said, strict=False):
                if text is not None:
                    messages.append(_message(role, text, where))
        else:
            raise ArgumentError(
                f"{where} must be [user, assistant] or a dict with role and content, "
                f"not {said!r:.60}."
            )
    return messages


def message_of(said: Mapping[str, Any], where: str) -> Message:
    """Return a message in the form of OpenAI's API; raises `ArgumentError`."""
    role = _ROLES.get(said.get("role", ""))
    if role is None:
        raise ArgumentError(
            f"{where} has the role {said.get('role')!r:.60}; there are user, "
            f"assistant, system and tool."
        )
    content = said.get("content")
    if role == "tool" and not isinstance(content, str | list | tuple):
        content = _plain(content)
    message = _message(role, content, where)
    if role == "tool":
        answers = said.get("tool_call_id") or said.get("name") or ""
        return Message("tool", message.text, tool_call_id=str(answers))
    if role == "assistant":
        reasoning = said.get("reasoning_content") or ""
        calls = calls_of(said.get("tool_calls"), f"{where}.tool_calls")
        return Message("assistant", message.text, str(reasoning), calls)
    return message


def calls_of(given: Any, where: str) -> tuple[ToolCall, ...]:
    """Return tool calls in OpenAI's form: a call, or a list of them, or None.

    The part under `function` is enough. Raises `ArgumentError` for anything else.
    """
    if given is None:
        return ()
    listed: list[Any] = [given] if isinstance(given, Mapping) else given
    calls: list[ToolCall] = []
    for number, call in enumerate(listed):
        match call:
            case {"function": {"name": str(name), **function}} | {
                "name": str(name),
                **function,
            }:
                arguments: Any = function.get("arguments") or {}
                if isinstance(arguments, str):
                    arguments = read_object(arguments) or arguments
                id = str(call.get("id") or f"call_{number + 1}")
                calls.append(ToolCall(id, name, arguments))
            case _:
                raise ArgumentError(
                    f"{where}[{number}] must be {{'id': ..., 'function': {{'name': "
                    f"..., 'arguments': ...}}}}, not {call!r:.60}."
                )
    return tuple(calls)


def wire_call(call: ToolCall) -> dict[str, Any]:
    """Return `call` as OpenAI's API writes it."""
    arguments = call.arguments
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _plain(result: Any) -> str:
    """Return what a tool has returned as a model is told it."""
    if result is None:
        return ""
    return msgspec.json.encode(result, enc_hook=str).decode()


def _message(role: Role, content: Any, where: str) -> Message:
    if content is None:
        return Message(role)
    if isinstance(content, str):
        return Message(role, content)
    if not isinstance(content, list | tuple):
        raise ArgumentError(
            f"{where}: content must be text or a list of parts, not "
            f"{type(content).__name__}."
        )
    texts: list[str] = []
    images: list[Attachment] = []
    for part in cast(Sequence[Any], content):
        match part:
            case str():
                texts.append(part)
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                images.append(_image(url, where))
            case _:
                raise ArgumentError(
                    f"{where}: a part must be text or image_url, not {part!r:.60}."
                )
    return Message(role, "\n".join(texts), attachments=tuple(images))


def _image(url: str, where: str) -> Attachment:
    head, comma, data = url.partition(",")
    kind, _, coding = head.removeprefix("data:").partition(";")
    if not (comma and head.startswith("data:") and coding == "base64"):
        raise ArgumentError(
            f"{where}: an image must be a data: URL in base64, not {url!r:.60}."
        )
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ArgumentError(f"{where}: the image is not base64: {error}.") from error
    return Attachment("image", kind, decoded)
