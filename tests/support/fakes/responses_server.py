"""A server of OpenAI's Responses API that holds clients to its rules.

It refuses what OpenAI refuses, in OpenAI's words: chat completions, fields it does not
know, a result without its call, a call without its result, reasoning that it has not
given or that has nothing behind it, and to store anything. What it answers is a script.

    with ResponsesServer() as server:
        server.say(thought("I must look."), wish("c1", "look", '{"city": "Rome"}'))
        server.say(spoken("Sunny."))

Shapes as in the types of openai 3.57, which a test compares.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from support.fakes.sse_server import Answer, Request, SSEServer, Step, event

_FIELDS = {
    *("model", "input", "stream", "store", "include", "tools", "reasoning", "text"),
    *("max_output_tokens", "temperature", "top_p", "instructions", "metadata"),
}
_ITEM_FIELDS = {
    "message": {"role", "content", "type", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "encrypted_content", "content", "status"},
}
_NO_CHAT = (
    "This model is only supported in v1/responses and not in v1/chat/completions."
)
USAGE = {
    "input_tokens": 36,
    "input_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 0},
    "output_tokens": 87,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 123,
}


class ResponsesServer(SSEServer):
    """See the module's docstring; runs while the `with` block is open."""

    def __init__(self, chat: str = _NO_CHAT, chat_status: int = 404) -> None:
        super().__init__()
        self.refuses_summary = False
        """Whether it says that the organization must be verified."""
        self.refuses_include = False
        """Whether the model has nothing to encrypt."""
        self.problems: list[str] = []
        """What was refused of requests to /responses."""
        self._chat = chat, chat_status
        self._script: list[tuple[list[dict[str, Any]], dict[str, Any]]] = []
        self._given: dict[str, str] = {}
        self._count = 0

    @property
    def bodies(self) -> list[Any]:
        """The requests to /responses."""
        return [r.json for r in self.requests if r.path.endswith("/responses")]

    def say(self, *items: dict[str, Any], **end: Any) -> None:
        """Add an answer; `end` are fields of the last response, such as `status`."""
        self._script.append((list(items), end))

    def forget(self) -> None:
        """Know nothing any more of what was encrypted, as with another key."""
        self._given.clear()

    def take(self, request: Request) -> Answer | None:
        """Note a request and return its answer."""
        self.requests.append(request)
        if request.path.endswith("/chat/completions"):
            return _refusal(*self._chat, "model")
        if not request.path.endswith("/responses"):
            return None
        body = request.json
        for problem, parameter in self._look(body):
            self.problems.append(problem)
            return _refusal(problem, 400, parameter)
        items, end = self._script.pop(0)
        events = list(self.events(items, end))
        if body.get("stream"):
            return Answer([_named(e) for e in events])
        document = json.dumps(events[-1]["response"]).encode()
        return Answer([document], content_type="application/json")

    def _look(self, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with a request, and with which parameter."""
        for field in body.keys() - _FIELDS:
            yield f"Unknown parameter: '{field}'.", field
        if body.get("store") is not False:
            yield "This test wants nothing stored.", "store"
        if self.refuses_summary and "summary" in body.get("reasoning", {}):
            yield (
                "Your organization must be verified to generate reasoning summaries.",
                "reasoning.summary",
            )
        if self.refuses_include and body.get("include"):
            yield "Encrypted content is not supported with this model.", "include"
        for name in body.get("include", ()):
            if name != "reasoning.encrypted_content":
                yield f"Invalid value: '{name}'.", "include"
        for tool in body.get("tools", ()):
            if tool.get("type") != "function" or "name" not in tool:
                yield "Missing required parameter: 'tools[0].name'.", "tools[0].name"
            elif not isinstance(tool.get("strict"), bool) or "function" in tool:
                yield "Invalid tool.", "tools[0]"
        if not isinstance(body.get("input"), list) or not body["input"]:
            yield "Missing required parameter: 'input'.", "input"
        yield from self._look_at_items(body["input"])

    def _look_at_items(self, items: list[Any]) -> Iterator[tuple[str, str]]:
        called: set[str] = set()
        waiting: set[str] = set()
        for number, item in enumerate(items):
            kind = item.get("type", "message")
            where = f"input[{number}]"
            for field in item.keys() - _ITEM_FIELDS.get(kind, set()):
                yield f"Unknown parameter: '{where}.{field}'.", where
            match kind:
                case "message":
                    if item["role"] == "user":
                        yield from _unanswered(waiting)
                    yield from _look_at_message(item, where)
                case "function_call":
                    id, name = item["call_id"], item["name"]
                    json.loads(item["arguments"])
                    if not id or len(id) > 64:
                        yield "string too long: maximum length 64", f"{where}.call_id"
                    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
                        yield "string does not match pattern", f"{where}.name"
                    called.add(id)
                    waiting.add(id)
                case "function_call_output":
                    id = item["call_id"]
                    if id not in called:
                        yield (
                            "No tool call found for function call output with call_id "
                            f"{id}.",
                            "input",
                        )
                    waiting.discard(id)
                case "reasoning":
                    yield from self._look_at_reasoning(item, items[number + 1 :])
                case _:
                    yield f"Invalid value: '{kind}'.", where
        yield from _unanswered(waiting)

    def _look_at_reasoning(
        self, item: dict[str, Any], rest: list[Any]
    ) -> Iterator[tuple[str, str]]:
        id = item["id"]
        if not item.get("encrypted_content"):
            yield (
                f"Item with id '{id}' not found. Items are not persisted when `store` "
                "is set to false.",
                "input",
            )
        elif self._given.get(id) != item["encrypted_content"]:
            yield f"The encrypted content for item {id} could not be verified.", ""
        elif not isinstance(item.get("summary"), list):
            yield "Missing required parameter: 'input.summary'.", "input"
        following = rest[0] if rest else {}
        kinds = ("function_call", "reasoning")
        if following.get("type") not in kinds and following.get("role") != "assistant":
            yield (
                f"Item '{id}' of type 'reasoning' was provided without its required "
                "following item.",
                "input",
            )

    def events(
        self, items: list[dict[str, Any]], end: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield the events of an answer."""
        response: dict[str, Any] = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": "fake",
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None,
        }
        number = 0

        def told(kind: str, **fields: Any) -> dict[str, Any]:
            nonlocal number
            number += 1
            return {"type": kind, "sequence_number": number, **fields}

        yield told("response.created", response=response)
        yield told("response.in_progress", response=response)
        done: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            whole = self._whole(item)
            for kind, fields in _pieces(whole):
                if not kind.startswith("response.output_item."):
                    fields = {"item_id": whole["id"], **fields}
                yield told(kind, output_index=index, **fields)
            done.append(whole)
        status = end.get("status", "completed")
        last = response | {"output": done, "usage": USAGE, "status": status} | end
        yield told(f"response.{status}", response=last)

    def _whole(self, item: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        prefix = {"message": "msg", "reasoning": "rs", "function_call": "fc"}
        id = f"{prefix.get(item['type'], 'x')}_{self._count}"
        whole = {"id": id, **item}
        if item["type"] == "reasoning":
            whole["encrypted_content"] = self._given[id] = f"gAAA-{id}"
        return whole


def thought(*summary: str) -> dict[str, Any]:
    """Return an item of reasoning with the parts of its summary."""
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "summary": parts}


def spoken(text: str, **fields: Any) -> dict[str, Any]:
    """Return a message; `fields` such as `phase`."""
    return {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
        **fields,
    }


def wish(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """Return a call of a function."""
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def searched() -> dict[str, Any]:
    """Return a call of one of the server's own tools."""
    action = {"type": "search", "query": "x", "queries": ["x"]}
    return {"type": "web_search_call", "status": "completed", "action": action}


def _pieces(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of an item, its text in two pieces."""
    match item:
        case {"type": "reasoning", "summary": summary}:
            added = {**item, "summary": [], "encrypted_content": "not whole"}
            yield "response.output_item.added", {"item": added}
            for part, each in enumerate(summary):
                empty = {"type": "summary_text", "text": ""}
                at = {"summary_index": part}
                kind = "response.reasoning_summary"
                yield f"{kind}_part.added", {"part": empty, **at}
                for piece in _halves(each["text"]):
                    yield f"{kind}_text.delta", {"delta": piece, **at}
                yield f"{kind}_text.done", {"text": each["text"], **at}
                yield f"{kind}_part.done", {"part": each, **at}
        case {"type": "message", "content": [part]}:
            yield "response.output_item.added", {"item": {**item, "content": []}}
            empty = {"type": "output_text", "text": "", "annotations": []}
            at = {"content_index": 0}
            yield "response.content_part.added", {"part": empty, **at}
            for piece in _halves(part["text"]):
                fields = {"delta": piece, "logprobs": [], **at}
                yield "response.output_text.delta", fields
            fields = {"text": part["text"], "logprobs": [], **at}
            yield "response.output_text.done", fields
            yield "response.content_part.done", {"part": part, **at}
        case {"type": "function_call", "arguments": arguments}:
            yield "response.output_item.added", {"item": {**item, "arguments": ""}}
            kind = "response.function_call_arguments"
            for piece in _halves(arguments):
                yield f"{kind}.delta", {"delta": piece}
            yield f"{kind}.done", {"arguments": arguments, "name": item["name"]}
        case _:
            yield "response.output_item.added", {"item": item}
    yield "response.output_item.done", {"item": item}


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def _look_at_message(item: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if item["role"] not in ("user", "system", "developer", "assistant"):
        yield f"Invalid value: '{item['role']}'.", f"{where}.role"
    content = item["content"]
    if isinstance(content, str):
        return
    for part in content:
        if part.get("type") not in ("input_text", "input_image"):
            yield f"Invalid value: '{part.get('type')}'.", f"{where}.content"


def _unanswered(waiting: set[str]) -> Iterator[tuple[str, str]]:
    for id in sorted(waiting):
        yield f"No tool output found for function call {id}.", "input"


def _refusal(message: str, status: int, parameter: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": parameter}
    body = json.dumps({"error": error}).encode()
    return Answer([body], status, content_type="application/json")


def _named(value: dict[str, Any]) -> Step:
    return f"event: {value['type']}\n".encode() + event(value)
