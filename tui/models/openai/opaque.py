"""Collects the opaque fields that a server expects back in the next round.

Some models sign or encrypt their reasoning, and their server refuses a call without
it. The fields are streamed in pieces. Oversized ones are dropped; the server then
refuses the next request in its own words.
"""

from typing import Any, cast

import msgspec

from tui import bounds
from tui.models.openai.chunks import Delta

FIELDS = (
    "reasoning_details",
    "thinking_blocks",
    "reasoning_opaque",
    "extra_content",
    "provider_specific_fields",
)
"""Fields of a message that are opaque; those of a call are all that are not known."""

MOST_BYTES = 512 << 10
"""Of the opaque fields of one message, as JSON. A signature has some thousand."""

_TEXTS = ("text", "summary", "thinking", "data", "signature")
"""What is said in pieces within an entry of a list."""


class OpaqueFields:
    """Collects the opaque fields of one message, or of one call of it."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._room = MOST_BYTES

    @property
    def fields(self) -> dict[str, Any]:
        """The fields so far; empty if they were too large."""
        return self._fields if self._room >= 0 else {}

    def take_delta(self, delta: Delta) -> None:
        """Add the opaque fields of a delta."""
        if not (
            delta.reasoning_details
            or delta.thinking_blocks
            or delta.reasoning_opaque
            or delta.extra_content
            or delta.provider_specific_fields
        ):
            return  # as most are
        for name in FIELDS:
            if value := getattr(delta, name):
                self.take(name, value)

    def take(self, name: str, value: Any) -> None:
        """Add a field, or the next piece of one."""
        if bounds.is_deep(value, bounds.DEEPEST // 2):
            return
        self._room -= len(msgspec.json.encode(value))
        if self._room >= 0:
            self._fields[name] = _joined(self._fields.get(name), value)


def _joined(before: Any, value: Any) -> Any:
    match before, value:
        case dict(), dict():
            known, new = cast(dict[str, Any], before), cast(dict[str, Any], value)
            return known | {key: _joined(known.get(key), new[key]) for key in new}
        case _, list():
            entries: list[Any] = []
            if isinstance(before, list):
                entries += cast(list[Any], before)
            for entry in cast(list[Any], value):
                _add(entries, entry)
            return entries
        case _, None:
            return before
        case _:
            return value


def _add(entries: list[Any], entry: Any) -> None:
    """Append an entry, or merge it into the last one that it continues."""
    last = entries[-1] if entries else None
    if isinstance(entry, dict) and isinstance(last, dict):
        new = cast(dict[str, Any], entry)
        known = cast(dict[str, Any], last)
        if _goes_on(known, new):
            for key, value in new.items():
                text = known.get(key)
                if key in _TEXTS and isinstance(text, str) and isinstance(value, str):
                    known[key] = text + value
                elif value is not None:
                    known[key] = value
            return
    entries.append(
        dict(cast(dict[str, Any], entry)) if isinstance(entry, dict) else entry
    )


def _goes_on(known: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether an entry is a further piece of the one before it."""
    if known.get("type") != new.get("type") or known.get("index") != new.get("index"):
        return False
    if new.get("id") and known.get("id") not in (None, new["id"]):
        return False
    # Without a number, what is encrypted or signed is whole.
    whole = "data" in known or bool(known.get("signature"))
    return new.get("index") is not None or not whole
