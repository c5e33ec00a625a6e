"""Reads events of other services' own APIs as chunks of chat completions.

Relays, and servers whose address is not quite right, answer a request of one API with
the events of another: Anthropic's, Gemini's, Cohere's, Ollama's, or those of llama.cpp,
TGI and Ernie.
"""

import json
from collections.abc import Iterable
from typing import Any, cast


def as_chunk(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return the chunk that says the same as an event; None if it is not known.

    `event` is not a chunk itself: it has no choices.
    """
    match event:
        case {"candidates": [{**candidate}, *_]}:
            return _of_gemini(candidate, event.get("usageMetadata"))
        case {"type": str(kind)}:
            return _of_anthropic(kind, event) or _of_cohere(kind, event)
        case {"token": {"text": str(text), "special": special}}:
            return _chunk({"content": "" if special else text}, _reason(event))
        case {"response": str(text), "done": done}:
            reason = event.get("done_reason") or ("stop" if done is True else None)
            fields = {"content": text, "thinking": event.get("thinking")}
            return _chunk(fields, reason) | {"usage": _counted(event)}
        case {"content": str(text), "stop": bool(stop)}:
            return _chunk({"content": text}, "stop" if stop else None)
        case {"result": str(text), "is_end": bool(ended)}:
            return _chunk({"content": text}, "stop" if ended else None)
        case _:
            return None


def _chunk(delta: dict[str, Any], reason: Any = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _reason(event: dict[str, Any]) -> Any:
    """Return why TGI has ended an answer, None if it has not."""
    match event.get("details"):
        case {"finish_reason": reason}:
            return reason
        case _:
            return None


def _counted(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return the tokens that Ollama has counted."""
    if "eval_count" not in event:
        return None
    return {
        "prompt_tokens": event.get("prompt_eval_count"),
        "completion_tokens": event["eval_count"],
    }


def _call(index: Any, id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": id, "function": function}]}


def _of_anthropic(kind: str, event: dict[str, Any]) -> dict[str, Any] | None:
    index = event.get("index")
    match kind, event:
        case "content_block_start", {"content_block": {"type": "tool_use"} as block}:
            return _chunk(_call(index, block.get("id"), block.get("name"), ""))
        case "content_block_start", {"content_block": {**block}}:
            return _chunk({"content": [block]})
        case "content_block_delta", {"delta": {"partial_json": str(text)}}:
            return _chunk(_call(index, None, None, text))
        case "content_block_delta", {"delta": {"thinking": str(text)}}:
            return _chunk({"thinking": text})
        case "content_block_delta", {"delta": {"text": str(text)}}:
            return _chunk({"content": text})
        case "message_delta", {"delta": {"stop_reason": reason}}:
            return _chunk({}, reason)
        case "message", {"content": [*_]}:
            blocks = cast(list[Any], event["content"])
            usage = {"usage": event.get("usage")}
            return _chunk(_whole(blocks), event.get("stop_reason")) | usage
        case _:
            return None


def _whole(blocks: Iterable[Any]) -> dict[str, Any]:
    """Return the message that Anthropic's blocks make."""
    content: list[Any] = []
    calls: list[Any] = []
    for block in blocks:
        match block:
            case {"type": "tool_use"}:
                call = _call(len(calls), block.get("id"), block.get("name"), None)
                call["tool_calls"][0]["function"]["arguments"] = block.get("input")
                calls += call["tool_calls"]
            case _:
                content.append(block)
    return {"content": content, "tool_calls": calls}


def _of_cohere(kind: str, event: dict[str, Any]) -> dict[str, Any] | None:
    index = event.get("index")
    match kind, event:
        case "content-delta", {"delta": {"message": {"content": {"text": str(text)}}}}:
            return _chunk({"content": text})
        case (
            "content-delta",
            {"delta": {"message": {"content": {"thinking": str(text)}}}},
        ):
            return _chunk({"thinking": text})
        case "tool-plan-delta", {"delta": {"message": {"tool_plan": str(text)}}}:
            return _chunk({"tool_plan": text})
        case (
            "tool-call-start" | "tool-call-delta",
            {"delta": {"message": {"tool_calls": {**call}}}},
        ):
            return _chunk({"tool_calls": [{**call, "index": index}]})
        case "message-end", {"delta": {"finish_reason": reason}}:
            return _chunk({}, reason)
        case _:
            return None


def _of_gemini(candidate: dict[str, Any], counted: Any) -> dict[str, Any]:
    content: Any = candidate.get("content")
    parts: Any = None
    if isinstance(content, dict):
        parts = cast(dict[str, Any], content).get("parts")
    said: list[Any] = []
    calls: list[Any] = []
    for part in cast(list[Any], parts) if isinstance(parts, list) else ():
        match part:
            case {"functionCall": {"name": str(name)} as function}:
                arguments = json.dumps(function.get("args") or {}, ensure_ascii=False)
                calls += _call(None, None, name, arguments)["tool_calls"]
            case {"text": str(text)}:
                kind = "thinking" if part.get("thought") is True else "text"
                said.append({"type": kind, "text": text})
            case _:
                pass
    delta = {"content": said, "tool_calls": calls}
    usage: dict[str, Any] | None = None
    if isinstance(counted, dict):
        told = cast(dict[str, Any], counted)
        usage = {
            "prompt_tokens": told.get("promptTokenCount"),
            "completion_tokens": told.get("candidatesTokenCount"),
        }
    return _chunk(delta, candidate.get("finishReason")) | {"usage": usage}
