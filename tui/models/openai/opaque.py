"""Collects the opaque fields that a server expects back in the next round.

Some models sign or encrypt their reasoning, and their server refuses a call without
it. The fields are streamed in pieces. Oversized ones are dropped; the server then
refuses the next request in its own words.
"""

from typing import Any, cast

import msgspec

from tui import bounds
from tui.models.openai.chunks import Delta
from tui.models.openai.cumulative import Cumulative

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
        self._new: _New = {}

    @property
    def fields(self) -> dict[str, Any]:
        """The fields so far; empty if they were too large."""
        return self._fields if self._room >= 0 else {}

    def finish(self) -> dict[str, Any]:
        """Return the fields at the end of the message."""
        for entry, key in list(self._new):
            cumulative, known = self._new.pop((entry, key))
            known[key] += cumulative.finish()
        return self.fields

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
            self._fields[name] = _joined(self._fields.get(name), value, self._new)


_New = dict[tuple[int, str], tuple[Cumulative, dict[str, Any]]]
"""What is new in the pieces of a text, by its entry (which is kept) and its key."""


def _joined(before: Any, value: Any, new_in: _New) -> Any:
    match before, value:
        case dict(), dict():
            known, new = cast(dict[str, Any], before), cast(dict[str, Any], value)
            more = {key: _joined(known.get(key), new[key], new_in) for key in new}
            return known | more
        case _, list():
            entries: list[Any] = []
            if isinstance(before, list):
                entries += cast(list[Any], before)
            for entry in cast(list[Any], value):
                _add(entries, entry, new_in)
            return entries
        case _, None:
            return before
        case _:
            return value


def _add(entries: list[Any], entry: Any, new_in: _New) -> None:
    """Append an entry, or merge it into the last one that it continues."""
    last = entries[-1] if entries else None
    if not isinstance(entry, dict):
        entries.append(entry)
        return
    if isinstance(last, dict):
        new = cast(dict[str, Any], entry)
        known = cast(dict[str, Any], last)
        if _goes_on(known, new):
            for key, value in new.items():
                text = known.get(key)
                if key in _TEXTS and isinstance(text, str) and isinstance(value, str):
                    found = new_in.get((id(known), key))
                    known[key] = text + (found[0].add(value) if found else value)
                elif value is not None:
                    known[key] = value
            return
    begun = dict(cast(dict[str, Any], entry))
    entries.append(begun)
    for key in _TEXTS:
        if isinstance(text := begun.get(key), str):
            cumulative = Cumulative()
            cumulative.add(text)
            new_in[id(begun), key] = (cumulative, begun)


def _goes_on(known: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether an entry is a further piece of the one before it."""
    if known.get("type") != new.get("type") or known.get("index") != new.get("index"):
        return False
    if new.get("id") and known.get("id") not in (None, new["id"]):
        return False
    # Without a number, what is encrypted or signed is whole.
    whole = "data" in known or bool(known.get("signature"))
    return new.get("index") is not None or not whole
