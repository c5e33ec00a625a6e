"""Converts messages to the form that chat templates expect.

Templates refuse different things: a system message, two successive messages of one
role, several calls at once, long call ids, or tools altogether. `variants` rewrites
refused messages in forms that templates accept, from the mildest change to the
strongest.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tui.messages import Attachment, Message, ToolSchema
from tui.models.attached import text_of, written
from tui.nearly_json import read_object

Dialogue = list[dict[str, Any]]
"""Messages as dicts: `role`, `content`, and what tool calls need."""

HOW_TO_CALL = """\
You can call these functions, described in JSON:
<tools>
{tools}
</tools>
To call one, write nothing but this, with its name and its arguments in JSON:
<tool_call>
{{"name": "...", "arguments": {{...}}}}
</tool_call>
Its result comes back between <tool_response> and </tool_response>. Call a function \
only when you need it to answer."""
"""Instructions for a model whose template does not mention tools."""


class Arguments(dict[str, Any]):
    """Arguments that a template can use as a mapping, and that print as JSON."""

    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)


def dialogue(messages: Sequence[Message]) -> Dialogue:
    """Return `messages` in the form that templates expect."""
    names = {call.id: call.name for m in messages for call in m.tool_calls}
    result: Dialogue = []
    for message in messages:
        entry: dict[str, Any] = {"role": message.role, "content": _content(message)}
        if message.tool_calls:
            entry["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": call.name,
                        # For a string, which is invalid JSON, the tool's result
                        # explains the error.
                        "arguments": Arguments(
                            (read_object(call.arguments) or {})
                            if isinstance(call.arguments, str)
                            else call.arguments
                        ),
                    },
                }
                for call in message.tool_calls
            ]
        if message.tool_call_id is not None:
            entry["tool_call_id"] = message.tool_call_id
            entry["name"] = names.get(message.tool_call_id, "")
        result.append(entry)
    return result


def tool_list(tools: Sequence[ToolSchema]) -> list[dict[str, Any]]:
    """Return `tools` in the form of the OpenAI API, which templates expect."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def unreadable(messages: Sequence[Message]) -> list[Attachment]:
    """Return the attachments that are not text, which the model cannot read."""
    return [a for m in messages for a in m.attachments if text_of(a) is None]


def variants(dialogue: Dialogue) -> Iterator[Dialogue]:
    """Yield `dialogue` unchanged, then with ever stronger changes.

    Each variant comes first with arguments as mappings, then with arguments as JSON,
    because some templates concatenate them with strings.
    """
    steps: list[Callable[[Dialogue], Dialogue]] = [
        lambda entries: entries,
        _short_ids,
        one_call_each,
        _system_into_user,
        _alternating,
        lambda entries: _alternating(flat(entries)),
    ]
    for n, step in enumerate(steps):
        changed = step(dialogue)
        if n and changed == dialogue:
            continue
        dialogue = changed
        yield dialogue
        if any("tool_calls" in entry for entry in dialogue):
            yield _json_arguments(dialogue)


def flat(entries: Dialogue, calls: bool = True, results: bool = True) -> Dialogue:
    """Write calls and results as text, for a template without tools."""
    changed: Dialogue = []
    for entry in entries:
        text = entry["content"]
        if results and entry["role"] == "tool":
            text = f"<tool_response>\n{text}\n</tool_response>"
            entry = {"role": "user", "content": text}
        elif calls and "tool_calls" in entry:
            lines = [text] if text else []
            for call in entry["tool_calls"]:
                name, arguments = (
                    call["function"]["name"],
                    call["function"]["arguments"],
                )
                data = {"name": name, "arguments": arguments}
                lines.append(f"<tool_call>\n{Arguments(data)}\n</tool_call>")
            entry = {"role": entry["role"], "content": "\n".join(lines)}
        changed.append(entry)
    if changed == entries:
        return entries
    return _alternating(changed)


def one_call_each(entries: Dialogue) -> Dialogue:
    """Give each call a message of its own, directly followed by its result."""
    changed: Dialogue = []
    results = {e["tool_call_id"]: e for e in entries if "tool_call_id" in e}
    moved: set[str] = set()
    for entry in entries:
        calls = entry.get("tool_calls", [])
        if len(calls) > 1:
            for n, call in enumerate(calls):
                content = entry["content"] if n == 0 else ""
                changed.append({**entry, "content": content, "tool_calls": [call]})
                if call["id"] in results:
                    changed.append(results[call["id"]])
                    moved.add(call["id"])
        elif entry.get("tool_call_id") not in moved:
            changed.append(entry)
    return changed


def _content(message: Message) -> str:
    parts = [message.text] if message.text or not message.attachments else []
    parts += [written(file) for file in message.attachments]
    return "\n\n".join(parts)


def _map_calls(
    entries: Dialogue, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Dialogue:
    return [
        {**entry, "tool_calls": [change(call) for call in entry["tool_calls"]]}
        if "tool_calls" in entry
        else entry
        for entry in entries
    ]


def _json_arguments(entries: Dialogue) -> Dialogue:
    def change(call: dict[str, Any]) -> dict[str, Any]:
        function = call["function"]
        arguments = str(function["arguments"])
        return {**call, "function": {**function, "arguments": arguments}}

    return _map_calls(entries, change)


def _short_ids(entries: Dialogue) -> Dialogue:
    """Shorten ids to nine letters and digits, which Mistral's templates require."""

    def short(id: str) -> str:
        if len(id) == 9 and id.isalnum():
            return id
        return hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()[:9]

    entries = _map_calls(entries, lambda call: {**call, "id": short(call["id"])})
    return [
        {**entry, "tool_call_id": short(entry["tool_call_id"])}
        if "tool_call_id" in entry
        else entry
        for entry in entries
    ]


def _system_into_user(entries: Dialogue) -> Dialogue:
    """Move system messages into the first user message: Gemma has no system role."""
    system = "\n\n".join(e["content"] for e in entries if e["role"] == "system")
    rest = [e for e in entries if e["role"] != "system"]
    if not system:
        return entries
    for n, entry in enumerate(rest):
        if entry["role"] == "user":
            text = f"{system}\n\n{entry['content']}"
            return [*rest[:n], {**entry, "content": text}, *rest[n + 1 :]]
    return [{"role": "user", "content": system}, *rest]


def _alternating(entries: Dialogue) -> Dialogue:
    """Join successive messages of one role, and start with a user message."""
    result: Dialogue = []
    for entry in entries:
        last = result[-1] if result else None
        if (
            last is not None
            and last["role"] == entry["role"]
            and last.keys() == entry.keys() == {"role", "content"}
        ):
            text = "\n\n".join(t for t in (last["content"], entry["content"]) if t)
            result[-1] = {**last, "content": text}
        else:
            result.append(entry)
    roles = [e["role"] for e in result if e["role"] != "system"]
    if roles and roles[0] == "assistant":
        at = [e["role"] for e in result].index("assistant")
        result.insert(at, {"role": "user", "content": "Hello."})
    return result
