"""Finds the message and the status in an error body, whatever its shape.

Every service has its own: `error` may be an object or a text, the code may be beside
the message or be the status, validators send a list.
"""

import re
from typing import Any, cast

from tui import bounds
from tui.models.openai.other_apis import as_chunk


def find_message(value: Any) -> str:
    """Return the message of an error body; "" if there is none."""
    if isinstance(value, str):
        return _within(value) or value
    if isinstance(value, list):  # FastAPI's `detail`
        found = [find_message(item) for item in cast(list[Any], value)]
        return "; ".join(filter(None, found))
    if not isinstance(value, dict):
        return ""
    fields = _lowered(cast(dict[str, Any], value))
    keys = _KEYS
    if isinstance(fields.get("error"), str) and isinstance(fields.get("message"), str):
        keys = ("message", *keys)  # the other one is the name of the status
    for key in keys:
        if words := find_message(fields.get(key)):
            # OpenRouter's own message only says that the provider has failed.
            raw = find_message(fields.get("metadata"))
            if place := _place(fields):
                words = words if place in words else f"{place}: {words}"
            return f"{words}: {raw}" if raw and raw != words else words
    if isinstance(named := fields.get("errors"), dict):
        each = cast(dict[str, Any], named)
        found = [
            f"{name}: {words}" for name in each if (words := find_message(each[name]))
        ]
        return "; ".join(found)
    if len(fields) == 1:
        # Bedrock names the kind of the error: {"throttlingException": {...}}
        [(kind, told)] = fields.items()
        if kind.endswith(_KINDS) and isinstance(told, dict):
            return find_message(told) or kind
    if _has_failed(fields):
        return next(filter(None, (find_message(fields.get(k)) for k in _WITH_CODE)), "")
    return ""


def _within(words: str) -> str:
    """Return the message of an error body that is the message of another; "" if not.

    Relays quote what their own server has said.
    """
    if not (
        words.startswith("{") and words.endswith("}") and len(words) < _MOST_WITHIN
    ):
        return ""
    try:
        return find_message(bounds.decode(words.encode(errors="replace")))
    except (ValueError, RecursionError):
        return ""


def _has_failed(fields: dict[str, Any]) -> bool:
    """Whether a status or code marks a body without an error message as an error."""
    told = [fields.get(key) for key in ("status", "code", "errorcode", "statuscode")]
    return any(
        code in ("error", "failed", "failure")
        or (code is not None and str(code)[:1] in "45" and len(str(code)) == 3)
        for code in told
    ) or bool(fields.get("errorcode"))


def _lowered(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields by their names in lower case, without `_`."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        found.setdefault(key.lower().replace("_", ""), value)
    return found


_MOST_WITHIN = 10_000
"""Characters of an error body in the message of another."""
_KEYS = (
    *("error", "message", "errormsg", "errmsg", "msg", "statusmsg", "errormessage"),
    *("errordescription", "faultstring", "detail", "errors", "baseresp", "fault"),
    *("failure", "raw"),
)
"""Where the words of an error stand, as `_lowered` has them."""
_KINDS = ("exception", "error", "fault")
"""How the name of a field ends that holds all of an error."""
_WITH_CODE = ("title", "reason", "description", "data", "output", "response")
"""Where else, in what is known to be an error."""


def _place(fields: dict[str, Any]) -> str:
    """Return the field that a validator blames, "" for none."""
    param, loc = fields.get("param"), fields.get("loc")
    if isinstance(loc, list):
        steps = [str(step) for step in cast(list[Any], loc)]
        return ".".join(steps[1:] if steps[:1] == ["body"] else steps)
    return param if isinstance(param, str) else ""


def is_error(value: Any) -> bool:
    """Whether an event without choices reports an error, in any shape."""
    if not isinstance(value, dict):
        return False
    fields = cast(dict[str, Any], value)
    if is_live(fields):
        return False
    if is_bad(fields.get("base_resp")):
        return True
    fields = {key: fields[key] for key in fields if key != "base_resp"}
    if fields.get("choices") or str(fields.get("status", "")).lower() in _LIVE:
        return False
    if fields.get("error") or fields.get("errors"):
        return True
    codes = [fields[key] for key in ("code", "status", "success") if key in fields]
    if codes and all(code is not False and code in _GOOD for code in codes):
        return False
    return bool(find_message(fields))


def is_live(value: Any) -> bool:
    """Whether an event's type says that it only keeps the line open."""
    if not isinstance(value, dict):
        return False
    return str(cast(dict[str, Any], value).get("type", "")).lower() in _LIVE


def opened(value: Any) -> Any:
    """Return the answer, or the piece of one, that an envelope holds; None for none.

    Relays wrap it into a field; Ollama's own API has a message without choices. What
    another API says is returned as chat completions would say it.
    """
    if not isinstance(value, dict):
        return None
    fields = cast(dict[str, Any], value)
    for name in ("data", "result", "output", "response", "body"):
        match fields.get(name):
            case {"choices": [_, *_]} as inner:
                return inner
            case _:
                pass
    match fields.get("message"):
        case {"role": "assistant"} as message:
            ended = "stop" if fields.get("done") is True else None
            reason = fields.get("done_reason") or ended
            return {"choices": [{"delta": message, "finish_reason": reason}]}
        case _:
            return as_chunk(fields)


def is_bad(status: Any) -> bool:
    """Whether MiniMax's `base_resp` reports an error."""
    if not isinstance(status, dict):
        return False
    return cast(dict[str, Any], status).get("status_code") not in _GOOD


_LIVE = frozenset(
    {
        "ping", "keepalive", "keep-alive", "heartbeat", "queued", "pending", "loading",
        "processing", "running", "in_progress",
    }
)  # fmt: skip
_GOOD = (None, 0, 200, "0", "200", "success", "ok", "OK", True)
"""What stands for success where others write the code of an error."""


def status_of(error: Any) -> int:
    """Return the HTTP status that an error object names, 0 for none."""
    code: Any = None
    if isinstance(error, dict):
        fields = cast(dict[str, Any], error)
        code = fields.get("code") or fields.get("status_code") or fields.get("status")
    if isinstance(code, str) and re.fullmatch("[1-9][0-9]{2}", code):
        code = int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else 0
