"""Converts a conversation to the JSON of the chat completions API.

Servers refuse the whole request for one odd message: a tool result without its
call, a call without its result, an invalid name, arguments that are not JSON, an
empty answer, two turns of the user in a row, a question directly after a result.
Histories have all of these (a turn was cancelled, old messages were left out, a model
wrote nonsense, another model was asked before), so they are mended here, at the border:
what comes out fits the strictest server there is; see `servers`.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tui.messages import Attachment, Message, ToolCall, ToolSchema
from tui.models.attached import note, written
from tui.models.openai.schemas import portable
from tui.nearly_json import read_object

BROKEN_OFF = "(The answer was broken off.)"
"""Stands between a result and the next question, where nothing was said."""
IMAGE_FOLLOWS = "(The image follows.)"
"""Stands between the result of a tool and the image that it has returned: as a part of
the result few servers take one, so that the next message of the user brings it."""
BEGUN_BEFORE = "(The beginning of the conversation is left out.)"
"""Stands before an answer whose question is not sent."""
NO_THOUGHTS = "(No thoughts are known.)"
"""Stands where a server wants thoughts back that it, or its model, has not had."""
_ANY_SIGNATURE = "skip_thought_signature_validator"
"""What Gemini takes for calls that it has not made itself:
https://ai.google.dev/gemini-api/docs/thought-signatures"""


class Form(msgspec.Struct, frozen=True):
    """How a conversation is written for one model of one server."""

    origin: str = ""
    """Of this model on this server; see `Message.origin`."""
    returns: bool = True
    """Whether what came beside a call goes back to its origin."""
    demanded: str = ""
    """The field of the thoughts without which no call is taken; "" for none."""
    everywhere: bool = False
    """Whether no answer is taken without it either."""
    signed: bool = False
    """Whether no call is taken without the signature of a thought."""
    system: bool = True
    """Whether there is a role `system`."""
    calls: bool = True
    """Whether calls and results are taken; otherwise they are written as text."""
    images: bool = True
    alone: bool = False
    """Whether a call is taken only without a text beside it."""
    null: bool = False
    """Whether no text beside a call is null and not ""."""


ANY = Form()
"""For a server of which nothing is known."""


def wire_messages(
    messages: Sequence[Message], form: Form = ANY
) -> list[dict[str, Any]]:
    """Return `messages` as the request's `messages`."""
    history = _History(form)
    system = [_flat(m) for m in messages if m.role == "system"]
    for message in messages:
        match message.role:
            case "system":
                pass
            case "tool":
                history.result(message)
            case "user":
                history.user(_content(message, form.images))
            case "assistant":
                history.assistant(message)
    return history.finish("\n\n".join(filter(str.strip, system)))


def wire_tools(
    tools: Sequence[ToolSchema], plain: bool = False
) -> list[dict[str, Any]]:
    """Return `tools` as the request's `tools`; `plain` as in `portable`."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": portable(tool.parameters, plain),
            },
        }
        for tool in tools
    ]


class _History:
    """The messages as they are written, one after the other."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._wire: list[dict[str, Any]] = []
        self._calls = 0
        self._waiting: dict[str, tuple[str, str]] = {}
        """Calls without result: our id -> id on the wire, name."""
        self._shown: list[dict[str, Any]] = []
        """Images of results, to be shown when all results are there."""

    def user(self, content: str | list[dict[str, Any]]) -> None:
        """Add a question; it joins one that went unanswered.

        Some models' templates (Gemma, Mistral) refuse two messages of one role.
        """
        self._answer()
        last = self._last("user")
        if last is not None:
            last["content"] = _joined(last["content"], content)
            return
        if self._last("tool") is not None:
            self._wire.append({"role": "assistant", "content": BROKEN_OFF})
        self._wire.append({"role": "user", "content": content})

    def result(self, message: Message) -> None:
        call = self._waiting.pop(message.tool_call_id or "", None)
        content = _flat(message)
        pictures = _pictures(message) if self._form.images else []
        if pictures:
            shown = [written(a) for a in message.attachments if not a.is_image]
            shown += [f"[The image {a.name} follows.]" for a in pictures]
            content = "\n\n".join(filter(None, [message.text, *shown]))
            name = call[1] if call else "a tool"
            told = f"Returned by {name}: {', '.join(a.name for a in pictures)}"
            self._shown += [*_parts(told), *map(_image, pictures)]
        if call is None:
            # Its call was left out; as a tool message it would be refused.
            self.user(f"Result of a tool: {content}")
            return
        self._result(*call, content)

    def _result(self, id: str, name: str, content: str) -> None:
        content = content if content.strip() else "(no output)"
        if self._form.calls:
            wire = {"role": "tool", "tool_call_id": id, "content": content}
            self._wire.append(wire)
            return
        told = f"Result of the tool {name}: {content}"
        last = self._last("user")
        if last is not None:
            last["content"] = _joined(last["content"], told)
        else:
            self._wire.append({"role": "user", "content": told})

    def assistant(self, message: Message) -> None:
        self._answer()
        text = message.text if message.text.strip() else ""
        calls = [self._call(call, message) for call in message.tool_calls]
        if calls and not self._form.calls:
            named = [c["function"] for c in calls]
            told = [f"(Called {f['name']} with {f['arguments']}.)" for f in named]
            text = "\n\n".join(filter(None, [text, *told]))
        elif calls and self._form.alone:
            text = ""
        if not (text or calls):
            return
        last = self._last("assistant")
        if last is None:
            if self._last("user", "tool") is None:
                self._wire.append({"role": "user", "content": BEGUN_BEFORE})
            last = dict[str, Any](role="assistant", content="")
            self._wire.append(last)
        # Content "" and not null, which templates of local servers write out.
        last["content"] = "\n\n".join(filter(None, [last["content"], text]))
        if calls and self._form.calls:
            last["tool_calls"] = calls
        if self._own(message):
            last |= _fresh(message.opaque)
            if message.reasoning_field and message.reasoning:
                last[message.reasoning_field] = message.reasoning
        self._waiting = {
            call.id: (sent["id"], sent["function"]["name"])
            for call, sent in zip(message.tool_calls, calls, strict=True)
        }

    def finish(self, system: str) -> list[dict[str, Any]]:
        """Return all, with a result for each call, and `system` at the beginning."""
        self._answer()
        if self._form.demanded:
            self._fill(self._form.demanded)
        if self._form.null:
            for message in self._wire:
                message["content"] = message["content"] or None
        if not system:
            return self._wire
        if self._form.system:
            # One, and the first: some templates know no other place for it.
            return [{"role": "system", "content": system}, *self._wire]
        if not self._wire:
            return [{"role": "user", "content": system}]
        first = self._wire[0]
        self._wire[0] = {**first, "content": _joined(system, first["content"])}
        return self._wire

    def _last(self, *roles: str) -> dict[str, Any] | None:
        last = self._wire[-1] if self._wire else None
        return last if last and last["role"] in roles else None

    def _answer(self) -> None:
        """Give each call that was interrupted a result."""
        waiting, self._waiting = self._waiting, {}
        for id, name in waiting.values():
            self._result(id, name, "Not run: the turn was broken off.")
        shown, self._shown = self._shown, []
        if shown:
            if self._last("tool") is not None:
                self._wire.append({"role": "assistant", "content": IMAGE_FOLLOWS})
            self.user(shown)

    def _own(self, message: Message) -> bool:
        form = self._form
        return form.returns and bool(form.origin) and message.origin == form.origin

    def _fill(self, field: str) -> None:
        """Give thoughts to the messages that need them and have none."""
        before = ""
        for message in self._wire:
            round = "tool_calls" in message or before == "tool"
            needs = round or self._form.everywhere
            if message["role"] == "assistant" and needs:
                message[field] = message.get(field) or NO_THOUGHTS
            before = message["role"]

    def _call(self, call: ToolCall, message: Message) -> dict[str, Any]:
        arguments = call.arguments
        if isinstance(arguments, str):
            arguments = read_object(arguments) or {}
        self._calls += 1
        function: dict[str, Any] = {
            # The tool message that follows says what was wrong with it.
            "name": re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unreadable",
            "arguments": json.dumps(arguments, ensure_ascii=False),
        }
        # New ones, since each service has its own rule for ids, and those of another
        # one are refused. Nine letters and digits are what the strictest one wants.
        wire: dict[str, Any] = {
            "id": f"call{self._calls:05}",
            "type": "function",
            "function": function,
        }
        if self._own(message):
            within = call.opaque.get("function")
            wire |= _fresh({**call.opaque, "function": None})
            if isinstance(within, dict):
                wire["function"] = {**within, **function}
        signed = any("extra_content" in each.opaque for each in message.tool_calls)
        if self._form.signed and not (signed and self._own(message)):
            signature = {"thought_signature": _ANY_SIGNATURE}
            wire["extra_content"] = {"google": signature}
        return wire


def _fresh(opaque: dict[str, Any]) -> dict[str, Any]:
    """Return opaque fields, without those that would take the place of ours."""
    ours = ("role", "content", "tool_calls", "tool_call_id", "id", "type", "function")
    return {key: value for key, value in opaque.items() if key not in ours}


def _joined(
    first: str | list[dict[str, Any]], then: str | list[dict[str, Any]]
) -> str | list[dict[str, Any]]:
    if isinstance(first, str) and isinstance(then, str):
        return "\n\n".join(filter(None, [first, then]))
    return _parts(first) + _parts(then)


def _content(message: Message, images: bool) -> str | list[dict[str, Any]]:
    """Return text and attachments: parts only with images, which need them."""
    pictures = _pictures(message) if images else []
    if not pictures:
        return _flat(message)
    files = [written(a) for a in message.attachments if not a.is_image]
    gone = [note(a) for a in message.attachments if a.is_image and not a.data]
    text = "\n\n".join(filter(None, [message.text, *files, *gone]))
    return [*_parts(text), *map(_image, pictures)]


def _pictures(message: Message) -> list[Attachment]:
    return [a for a in message.attachments if a.is_image and a.data]


def _flat(message: Message) -> str:
    """Return a message that can only be text, its images by name."""
    files = [written(a) for a in message.attachments]
    return "\n\n".join(filter(None, [message.text, *files]))


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _image(attachment: Attachment) -> dict[str, Any]:
    data = base64.b64encode(attachment.data).decode()
    url = f"data:{attachment.media_type};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}}
