"""Finds the arguments of a call in the message.

No JSON is written by the model. Numbers and choices are read from the message, text
parameters get pieces of it. Parameters that are objects cannot be filled; a tool that
requires one is never called.
"""

import re
from collections.abc import Collection, Sequence
from itertools import combinations, pairwise, product
from typing import Any, NamedTuple, cast

from tui.messages import ToolSchema
from tui.models.starter.numbers import Number, numbers, seconds_of
from tui.models.starter.parameters import (
    NUMERIC,
    TEXT,
    Parameter,
    parameters,
    tool_words,
)
from tui.models.starter.spans import Place, overlaps, pieces, score
from tui.models.starter.words import LEXICON, POINTS, content, english, has_han, pattern

_MOST_PARAMETERS, _MOST_NUMBERS = 8, 4
"""Text and numeric parameters that are filled; what is beyond is left out."""
_MOST_SPANS = 6
"""Values that are kept for each parameter."""
_BESIDE = {name: pattern(text) for name, text in LEXICON["beside"].items()}
_NEAR_NUMBER = [
    (pattern(row["name"]), pattern(row["beside"]), float(row["points"]))
    for row in LEXICON["near_number"]
]


class Span(NamedTuple):
    """A value for a parameter, where it stands, and how much speaks for it."""

    start: int
    end: int
    score: float
    value: Any


Slot = tuple[Parameter, list[Span]]
"""A parameter and the values that may fill it, the likeliest first."""


class Draft(NamedTuple):
    """What a message has to offer to a tool."""

    values: dict[str, Any]
    """Numbers, choices, and the defaults of required parameters."""
    slots: list[Slot]
    """The text parameters."""
    fit: float
    """What speaks for the tool: used numbers and choices, found and missing text."""
    possible: bool
    """Whether every required parameter gets a value."""


def draft(tool: ToolSchema, text: str) -> Draft:
    """Find what `text` has for each parameter of `tool`."""
    wanted = parameters(tool)
    numeric = [p for p in wanted if p.kind in NUMERIC][:_MOST_NUMBERS]
    found = assign([(p, _counts(text, p)) for p in numeric])
    fit = POINTS["number"] * len(found)
    for p in wanted:
        if p.kind == "choice" and (choice := _choice(text, p)):
            found[p.name] = choice
            fit += POINTS["choice"]
    values = {name: span.value for name, span in found.items()}
    words = tool_words(tool)
    places = pieces(text, [span[:2] for span in found.values()], words)
    slots = [(p, _ranked(text, places, p, words)) for p in wanted if p.kind in TEXT]
    for p in wanted:
        default = p.schema.get("default", False if p.kind == "boolean" else None)
        if p.required and p.kind not in TEXT and default is not None:
            values.setdefault(p.name, default)
    filled = {*values, *(p.name for p, spans in slots if spans)}
    possible = all(p.name in filled for p in wanted if p.required)
    needed = [(p, spans[0].score) for p, spans in slots if p.required and spans]
    fit += sum(max(-3.0, min(0.0, points - 1.0)) for _, points in needed)
    if needed and not has_han(text):
        fit += max(0.0, min(1.0, (min(points for _, points in needed) - 3.0) / 2))
    fit += POINTS["sum"] * any(p.is_sum and points > 5 for p, points in needed)
    return Draft(values, slots, fit, possible)


def assign(slots: Sequence[Slot]) -> dict[str, Span]:
    """Give each slot the value that fits, so that no two overlap."""
    slots = slots[:_MOST_PARAMETERS]
    # All combinations are tried, so many parameters get few values each.
    kept = _MOST_SPANS if len(slots) <= 4 else 2

    def worth(chosen: Sequence[Span | None]) -> float:
        taken = [(p, s) for (p, _), s in zip(slots, chosen, strict=True) if s]
        if any(overlaps(a[:2], [b[:2]]) for (_, a), (_, b) in combinations(taken, 2)):
            return float("-inf")
        order = sum(a.start < b.start for (_, a), (_, b) in pairwise(taken))
        filled = (POINTS["required" if p.required else "optional"] for p, _ in taken)
        return 0.1 * order + sum(filled) + sum(s.score for _, s in taken)

    best = max(product(*([None, *spans[:kept]] for _, spans in slots)), key=worth)
    return {p.name: s for (p, _), s in zip(slots, best, strict=True) if s}


def several(text: str, span: Span) -> list[str]:
    """Return the things that `span` begins a list of: "Tokyo and Paris", 北京和上海."""
    listed = _BESIDE["list"].match(text, span.start)
    if listed is None or listed.end() < span.end:
        return [text[span.start : span.end]]
    return [part for part in _BESIDE["joint"].split(listed[0]) if part]


def _ranked(
    text: str, places: Sequence[Place], p: Parameter, words: Collection[str]
) -> list[Span]:
    spans = [Span(*at, score(text, at, p, words), text[slice(*at)]) for at in places]
    return sorted(spans, key=lambda span: -span.score)[:_MOST_SPANS]


def _choice(text: str, parameter: Parameter) -> Span | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias."""
    schema = parameter.schema
    found: list[Span] = []
    for value in cast(list[Any], schema.get("enum", [schema.get("const")])):
        word = str(value).replace("_", " ").lower()
        names = re.escape(word).replace("\\ ", " ")
        if word in LEXICON["aliases"]:
            names += "|" + LEXICON["aliases"][word]
        for m in pattern(rf"(?<![a-z\d])(?:{names})(?![a-z\d])").finditer(text):
            fits = parameter.role_weight(text[: m.start()])
            found.append(Span(*m.span(), fits, value))
    # What stands where it should ("to celsius"); then the longest, "turn off" before
    # "off"; then the first.
    return max(found, key=lambda s: (s.score, s.end - s.start, -s.start), default=None)


def _counts(text: str, parameter: Parameter) -> list[Span]:
    """Return the numbers of `text` that `parameter` may take, in its unit."""
    spans: list[Span] = []
    for number in numbers(text)[:_MOST_SPANS]:
        before, after = text[: number.start], text[number.end :]
        marked = f"{before}#{text[number.start : number.end]}#{after}"
        value = _value(number, marked, parameter)
        if value is None:
            continue
        follows = content(" ".join(english(after)[:2]))
        points = 3.1 + 2.0 * bool(parameter.about & follows)
        for name, beside, weight in _NEAR_NUMBER:
            if name.search(parameter.name) and beside.search(marked):
                points += weight
        measure = _BESIDE["measure"].match(after)
        end = number.end + (measure.end() if measure else 0)
        spans.append(Span(number.start, end, points, value))
    return spans


def _value(number: Number, marked: str, parameter: Parameter) -> int | float | None:
    """Return what `number` is in the parameter's unit, None where it cannot be one.

    In `marked`, the message, it stands between two #.
    """
    value, unit = number.value, parameter.seconds
    if unit and not number.seconds and _counts_things(marked.rpartition("#")[2]):
        return None  # 250 dollars are not days
    if unit and number.seconds:
        value = value * number.seconds / unit
    elif "hour" in parameter.words and value < 12 and _BESIDE["pm"].search(marked):
        value += 12
    if value == int(value):
        value = int(value)
    elif parameter.kind == "integer":
        return None
    low, high = parameter.schema.get("minimum"), parameter.schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return value


def _counts_things(after: str) -> bool:
    """Whether a number before `after` counts something, but no time: 5 recipes."""
    thing = _BESIDE["thing"].match(after)
    if thing is None or seconds_of(thing[0]):
        return False
    return bool(content(thing[1])) or thing[1].isupper()
