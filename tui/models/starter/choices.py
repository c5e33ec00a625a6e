"""Matches a message with the allowed values of a parameter."""

import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from tui.models.starter.spans import Parameter, Place, overlaps
from tui.models.starter.words import LEXICON, STOP, content, has_han, stem

_WORD = re.compile(r"[^\W\d_]+")


def choice(
    text: str, name: str, schema: Mapping[str, Any], used: list[Place]
) -> Any | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias.

    Adds its place to `used`, and looks for none there.
    """
    parameter = Parameter(name, str(schema.get("description", "")))
    hits: list[tuple[float, int, int, Any]] = []
    for value in cast(list[Any], schema.get("enum", [schema.get("const")])):
        word = str(value).replace("_", " ")
        aliases = LEXICON["aliases"].get(word.lower(), "")
        for alias in filter(None, (word, *aliases.split("|"))):
            place = _find(text, alias)
            if place and not overlaps(place, used):
                fits = parameter.role_weight(text[: place[0]])
                hits.append((fits, len(alias), -place[0], value))
    if not hits:
        return None
    # What stands where it should ("to celsius"); then the longest, "turn off" before
    # "off"; then the first.
    _, length, place, value = max(hits, key=lambda h: h[:3])
    used.append((-place, -place + length))
    return value


def _find(text: str, word: str) -> Place | None:
    if has_han(word):
        # One character is often part of another word: 关于, 开始.
        later = r"(?![于系注键心始会发车])" if len(word) == 1 else ""
        found = re.search(re.escape(word) + later, text)
    else:
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        if found is None and word.lower() not in STOP:
            words = _WORD.finditer(text)
            found = next((m for m in words if stem(m[0]) == stem(word)), None)
    return found.span() if found else None


def truth(
    text: str, name: str, schema: Mapping[str, Any], own: Collection[str]
) -> bool | None:
    """Return what `text` says of a yes-or-no parameter, None when nothing."""
    mine = (content(name) | content(str(schema.get("description", "")))) - set(own)
    for m in _WORD.finditer(text):
        if stem(m[0]) in mine:
            before = text[max(0, m.start() - 12) : m.start()].lower()
            return re.search(r"\b(?:no|not|without|n't|non)\b", before) is None
    return None
