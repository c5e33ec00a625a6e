"""A server that has the rules of a row of `SERVERS`, and refuses what breaks them.

    with StrictServer("mistral") as server:
        ...                          # POST server.url + "/chat/completions"
    assert server.refused == []

It thinks, calls the first tool that it is offered, and answers when it has the result.
What has to come back to it stands in its calls in the shape in which the service sends
it, with `server.secret` in it, so that a test finds it where it does not belong.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from support.fakes.sse_server import (
    DONE,
    Answer,
    Request,
    SSEServer,
    call,
    calls,
    delta,
    finish,
    text,
)
from tui.models.openai.servers import SERVERS

Body = dict[str, Any]


def _sent(body: Body) -> Iterator[tuple[Body, Body]]:
    """Yield each call of the history, with its message."""
    for message in body["messages"]:
        for each in message.get("tool_calls", ()):
            yield message, each


def _ids(pattern: str) -> Callable[[Body], str]:
    def check(body: Body) -> str:
        ids = [each["id"] for _, each in _sent(body)]
        ids += [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
        bad = [id for id in ids if not re.fullmatch(pattern, id)]
        return f"Tool call id was {bad[0]} but must be {pattern}" if bad else ""

    return check


def _results(body: Body) -> str:
    waiting: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must follow a message with tool_calls"
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            return f"tool_call_ids did not have response messages: {waiting}"
        waiting = [each["id"] for each in message.get("tool_calls", ())]
    return f"tool_call_ids did not have response messages: {waiting}" if waiting else ""


def _roles(body: Body) -> list[str]:
    return [message["role"] for message in body["messages"]]


def _no_user_after_tool(body: Body) -> str:
    wrong = ("tool", "user") in pairwise(_roles(body))
    return "Unexpected role 'user' after role 'tool'" if wrong else ""


def _alternation(body: Body) -> str:
    # A template counts the rounds with tools as one answer.
    roles = [role for role in _roles(body) if role not in ("system", "tool")]
    calling = [bool(message.get("tool_calls")) for message in body["messages"]]
    said = [
        role
        for role, calls in zip(_roles(body), calling, strict=True)
        if role not in ("system", "tool") and not calls
    ]
    wrong = any(a == b for a, b in pairwise(said))
    wrong = wrong or roles[:1] == ["assistant"]
    return "Conversation roles must alternate user/assistant/..." if wrong else ""


def _system_first(body: Body) -> str:
    wrong = "system" in _roles(body)[1:]
    return "System message must be at the beginning." if wrong else ""


def _user_first(body: Body) -> str:
    roles = [role for role in _roles(body) if role != "system"]
    return "" if roles[:1] == ["user"] else "the first message must be the user's"


def _no_empty_answer(body: Body) -> str:
    for message in body["messages"]:
        empty = not (message["content"] or "").strip() if _plain(message) else False
        if message["role"] == "assistant" and empty and not message.get("tool_calls"):
            return "Assistant message must have either content or tool_calls"
    return ""


def _plain(message: Body) -> bool:
    return isinstance(message["content"], str | None)


def _no_empty_message(body: Body) -> str:
    for message in body["messages"]:
        empty = _plain(message) and not (message["content"] or "").strip()
        if empty and not message.get("tool_calls"):
            return "text content blocks must be non-empty"
    return ""


_KNOWN = {"role", "content", "name", "tool_calls", "tool_call_id"}


def _no_reasoning(body: Body) -> str:
    for number, message in enumerate(body["messages"]):
        for field in message.keys() - _KNOWN:
            return f"messages.{number}.{field}: Extra inputs are not permitted"
    for _, each in _sent(body):
        for field in each.keys() - {"id", "type", "function"}:
            return f"tool_calls.{field}: Extra inputs are not permitted"
    return ""


def _reasoning_back(body: Body) -> str:
    for message, _ in _sent(body):
        if not message.get("reasoning_content", "").strip():
            return "thinking is enabled but reasoning_content is missing in a tool call"
    return ""


def _reasoning_everywhere(body: Body) -> str:
    for number, message in enumerate(body["messages"]):
        if message["role"] == "assistant" and not message.get("reasoning_content"):
            return f"Missing `reasoning_content` at message index {number}"
    return ""


def _only_reasoning(body: Body) -> str:
    for number, message in enumerate(body["messages"]):
        for field in message.keys() - {*_KNOWN, "reasoning"}:
            where = f"messages.{number}.{message['role']}.{field}"
            return f"{where}: property '{where}' is unsupported"
    return ""


def _parameters(body: Body) -> str:
    for tool in body.get("tools", ()):
        if not tool["function"].get("parameters"):
            return "invalid params, function parameters is empty (2013)"
    return ""


def _signatures_back(body: Body) -> str:
    for _, each in _sent(body):
        google = each.get("extra_content", {}).get("google", {})
        if not google.get("thought_signature"):
            return "Function call is missing a thought_signature"
    return ""


def _schemas(body: Body) -> Iterator[Body]:
    def within(schema: Any) -> Iterator[Body]:
        if isinstance(schema, dict):
            yield schema
            for key in ("items", "additionalProperties"):
                yield from within(schema.get(key))
            for each in schema.get("properties", {}).values():
                yield from within(each)
            for each in schema.get("anyOf", ()):
                yield from within(each)

    for tool in body.get("tools", ()):
        yield from within(tool["function"]["parameters"])


def _items(body: Body) -> str:
    for schema in _schemas(body):
        if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
            return "Invalid schema for function: array schema missing items"
    return ""


_GOOGLE = {
    "type", "format", "title", "description", "nullable", "enum", "items", "properties",
    "required", "anyOf", "minItems", "maxItems", "minimum", "maximum", "minLength",
    "maxLength", "pattern", "minProperties", "maxProperties", "default", "example",
}  # fmt: skip


def _plain_schemas(body: Body) -> str:
    for schema in _schemas(body):
        for word in schema.keys() - _GOOGLE:
            return f'Unknown name "{word}" at tools[0].function_declarations[0]'
        array = schema.get("type") == "array"
        if array and not schema["items"].keys() & {"type", "anyOf"}:
            return "function_declarations[0].parameters.items: missing field"
    return ""


def _tools_with_calls(body: Body) -> str:
    wrong = any(_sent(body)) and not body.get("tools")
    return "Requests which include tool_use blocks must define tools" if wrong else ""


def _nothing(body: Body) -> str:
    """For what only shows by the answers; see `StrictServer.returned`."""
    return ""


CHECKS: dict[str, Callable[[Body], str]] = {
    "ids of 9": _ids("[a-zA-Z0-9]{9}"),
    "ids of 40": _ids(".{1,40}"),
    "plain ids": _ids("[a-zA-Z0-9_-]{1,64}"),
    "results": _results,
    "no user after tool": _no_user_after_tool,
    "alternation": _alternation,
    "system first": _system_first,
    "user first": _user_first,
    "no empty answer": _no_empty_answer,
    "no empty message": _no_empty_message,
    "no reasoning": _no_reasoning,
    "reasoning back": _reasoning_back,
    "reasoning everywhere": _reasoning_everywhere,
    "only reasoning": _only_reasoning,
    "parameters": _parameters,
    "details back": _nothing,
    "signatures back": _signatures_back,
    "items": _items,
    "plain schemas": _plain_schemas,
    "tools with calls": _tools_with_calls,
}
"""What a rule refuses a request for, "" for nothing; by the name of the rule."""


class StrictServer(SSEServer):
    """One row of `SERVERS`, running."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.row = SERVERS[name]
        self.secret = f"secret-of-{name}"
        self.refused: list[str] = []
        """What requests were refused for."""

    def take(self, request: Request) -> Answer | None:
        """Answer as the service would."""
        super().take(request)
        if request.method != "POST":
            return None
        body = request.json
        for rule in self.row.rules:
            if words := CHECKS[rule](body):
                self.refused.append(f"{rule}: {words}")
                error = json.dumps({"error": {"message": words}}).encode()
                return Answer([error], 400, content_type="application/json")
        if body["messages"][-1]["role"] == "tool" or not body.get("tools"):
            return Answer([text("It is sunny."), finish(), DONE])
        return Answer([*self._calls(body["tools"][0]["function"]["name"])])

    @property
    def returned(self) -> bool:
        """Whether what it wanted back has come back with its calls."""
        return any(self.secret in json.dumps(r.json["messages"]) for r in self.asked)

    def _calls(self, name: str) -> Iterator[bytes]:
        piece = call(0, f"call_{self.name}_{'x' * 40}", name, '{"city": "Rome"}')
        if self.row.has("signatures back"):
            google = {"thought_signature": self.secret}
            piece["extra_content"] = {"google": google}
        if self.row.has("reasoning back"):
            yield delta(role="assistant", content="")
            yield delta(reasoning_content="I need the weather; ")
            yield delta(reasoning_content=f"{self.secret}.")
        if self.row.has("only reasoning"):
            yield delta(reasoning="I need the weather.")
        if self.row.has("details back"):
            for part in ("I need the weather. ", self.secret):
                entry = {"type": "reasoning.text", "index": 0, "text": part}
                yield delta(reasoning=part, reasoning_details=[entry])
        yield calls(piece)
        yield finish("tool_calls")
        yield DONE
