"""Finds the arguments of a call in the message.

No JSON is written by the model. Numbers and choices are read from the message, text
parameters get pieces of it. Parameters that are objects cannot be filled; a tool that
requires one is never called.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple, cast

from tui.messages import ToolSchema
from tui.models.starter.choices import choice, truth
from tui.models.starter.numbers import Number, numbers, seconds_of
from tui.models.starter.spans import Parameter, Span, pieces, score
from tui.models.starter.words import content, has_han, stem

Property = dict[str, Any]

_MISSING = -6.0
"""For a required parameter that nothing in the message can fill."""
_MOST_PARAMETERS, _MOST_NUMBERS = 8, 4
"""Text and numeric parameters that are filled; what is beyond is left out."""
_SPANS = 6
"""Pieces of the message that are kept for each text parameter."""


class Slot(NamedTuple):
    """A text parameter and the pieces that may fill it, the likeliest first."""

    parameter: Parameter
    required: bool
    is_list: bool
    spans: list[Span]


class Draft(NamedTuple):
    """What a message has to offer to a tool."""

    values: dict[str, Any]
    """Numbers and choices."""
    slots: list[Slot]
    fit: float
    """What speaks for the tool: used numbers and choices, found and missing text."""
    possible: bool
    """Whether every required parameter can be filled."""


def properties(tool: ToolSchema) -> dict[str, Property]:
    """Return the parameters of `tool` with their schemas, in order."""
    return cast(dict[str, Property], tool.parameters.get("properties", {}))


def vocabulary(tool: ToolSchema) -> set[str]:
    """Return the stems of the words in the name and the description of `tool`."""
    return content(tool.name) | content(tool.description.split("\n\n")[0])


def parameter_words(tool: ToolSchema) -> set[str]:
    """Return the stems of the words in the parameters' names and descriptions."""
    found: set[str] = set()
    for name, schema in properties(tool).items():
        found |= content(name) | content(_description(schema).split("e.g.")[0])
    return found


def draft(tool: ToolSchema, text: str) -> Draft:
    """Find what `text` has for each parameter of `tool`, without the model."""
    props = properties(tool)
    required = set(cast(list[str], tool.parameters.get("required", [])))
    own = vocabulary(tool)
    values: dict[str, Any] = {}
    used: list[tuple[int, int]] = []
    fit = 0.0
    possible = True

    counted = _assign(text, numbers(text), props, required, own, tool.keywords)
    for name, (number, value) in counted.items():
        values[name] = value
        used.append(_place(text, number))
        fit += 1.5 if name in required else 1.0
    for name, schema in props.items():
        kind = _type(schema)
        if name in values:
            continue
        if "enum" in schema or "const" in schema:
            chosen = choice(text, name, schema, used)
            if chosen is not None:
                values[name] = chosen
                fit += 2.5
            elif name in required:
                if "default" in schema:
                    values[name] = schema["default"]
                else:
                    possible = False
        elif kind == "boolean":
            said = truth(text, name, schema, own)
            if said is not None:
                values[name] = said
            elif name in required:
                values[name] = bool(schema.get("default", False))
        elif name in required and kind in ("integer", "number", "object"):
            if "default" in schema:
                values[name] = schema["default"]
            else:
                possible = False
                fit += _MISSING
    slots: list[Slot] = []
    words = own | {k.lower() for k in tool.keywords} | {stem(k) for k in tool.keywords}
    for name, schema in props.items():
        kind = _type(schema)
        if name in values or "enum" in schema or kind not in ("string", "array"):
            continue
        parameter = Parameter(name, _description(schema))
        spans = [
            span._replace(score=score(text, span, parameter, words))
            for span in pieces(text, used, words)
        ]
        spans.sort(key=lambda s: -s.score)
        slots.append(Slot(parameter, name in required, kind == "array", spans[:_SPANS]))
    for slot in slots:
        if not slot.required:
            continue
        if not slot.spans:
            possible = False
        best = slot.spans[0].score if slot.spans else -4.0
        weak = 0.3 if has_han(text) else 1.0
        fit += max(-3.0, min(0.0, best - weak)) + (
            2.0 if slot.parameter.is_sum and best > 5 else 0.0
        )
    good = [s.spans[0].score for s in slots if s.required and s.spans]
    if good and not has_han(text):
        fit += max(0.0, min(1.0, (min(good) - 3.0) / 2))
    return Draft(values, slots, fit, possible)


def assign(slots: Sequence[Slot]) -> dict[str, Span]:
    """Give each slot the piece that fits, so that no two overlap.

    A parameter that is not required gets one only when much speaks for it.
    """
    best: dict[str, Span] = {}
    best_score = float("-inf")
    # All combinations are tried, so many parameters get few pieces each.
    kept = _SPANS if len(slots) <= 4 else 2
    options = [
        [None, *slot.spans[:kept]]
        if not slot.required or not slot.spans
        else slot.spans[:kept]
        for slot in slots[:_MOST_PARAMETERS]
    ]
    slots = slots[:_MOST_PARAMETERS]
    for chosen in product(*options):
        taken = [s for s in chosen if s is not None]
        total = sum(
            s.score - (0.0 if slot.required else 3.0)
            for s, slot in zip(chosen, slots, strict=True)
            if s is not None
        )
        overlaps = sum(
            a.start < b.end and b.start < a.end
            for i, a in enumerate(taken)
            for b in taken[i + 1 :]
        )
        total -= 8.0 * overlaps
        if total > best_score:
            best_score = total
            best = {
                slot.parameter.name: s
                for slot, s in zip(slots, chosen, strict=True)
                if s is not None
            }
    return best


def _type(schema: Property) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [k for k in cast(list[str], kind) if k != "null"]
        kind = kinds[0] if kinds else "string"
    if kind is None:
        for option in cast(list[Property], schema.get("anyOf", [])):
            if option.get("type") != "null":
                return _type(option)
        return "string" if "$ref" not in schema else "object"
    return str(kind)


def _description(schema: Property) -> str:
    return str(schema.get("description", ""))


def _place(text: str, number: Number) -> tuple[int, int]:
    """Return where `number` stands with the unit or measure that belongs to it."""
    rest = re.match(
        r"\s*(?:个?(?:小时|分钟|星期|月)|[个只张条次天秒分周封首份]|[ap]\.?m\b\.?|点)"
        r"|[\s-]*(?:sided|day|minute|hour|second|week)s?\b",
        text[number.end :],
    )
    return number.start, number.end + (rest.end() if rest else 0)


def _assign(
    text: str,
    found: Sequence[Number],
    props: dict[str, Property],
    required: set[str],
    own: set[str],
    keywords: Sequence[str],
) -> dict[str, tuple[Number, int | float]]:
    wanted = {
        name: schema
        for name, schema in props.items()
        if _type(schema) in ("integer", "number") and "enum" not in schema
    }
    if not wanted or not found:
        return {}
    only_numbers = len(wanted) == len(
        [p for p in props.values() if "enum" not in p and _type(p) != "boolean"]
    )
    options: list[list[tuple[Number | None, int | float, float]]] = []
    wanted = dict(list(wanted.items())[:_MOST_NUMBERS])
    for name, schema in wanted.items():
        choices: list[tuple[Number | None, int | float, float]] = [(None, 0, 0.0)]
        for number in found[:6]:
            value = _value(text, number, name, schema)
            if value is None:
                continue
            tie = _tie(text, number, name, schema, own, keywords)
            if name in required:
                tie += 3
            else:
                tie += 0.1 if only_numbers else -1
            choices.append((number, value, tie))
        options.append(choices)
    best: dict[str, tuple[Number, int | float]] = {}
    best_score = 0.0
    for chosen in product(*options):
        picked = [c[0] for c in chosen if c[0] is not None]
        if len(set(picked)) < len(picked):
            continue
        order = sum(a.start < b.start for a, b in pairwise(picked))
        total = sum(c[2] for c in chosen) + 0.1 * order
        if total > best_score:
            best_score = total
            best = {
                name: (c[0], c[1])
                for name, c in zip(wanted, chosen, strict=True)
                if c[0] is not None
            }
    return best


def _value(
    text: str, number: Number, name: str, schema: Property
) -> int | float | None:
    value = number.value
    unit = seconds_of(name) or seconds_of(_description(schema))
    after = text[number.end : number.end + 6].lower()
    if unit and number.seconds and number.seconds != unit:
        value = value * number.seconds / unit
    elif (
        "hour" in name.lower()
        and value < 12
        and (
            re.match(r"\s*p\.?m\b", after)
            or re.search(r"(?:下午|晚上)$", text[: number.start])
        )
    ):
        value += 12
    if _type(schema) == "integer":
        if value != int(value):
            return None
        value = int(value)
    elif value == int(value):
        value = int(value)
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return value


def _tie(
    text: str,
    number: Number,
    name: str,
    schema: Property,
    own: set[str],
    keywords: Sequence[str],
) -> float:
    """Return how much the words beside `number` speak for the parameter."""
    mine = content(name) | content(_description(schema))
    after = content(" ".join(re.findall(r"[^\W\d]+", text[number.end :])[:2]))
    before = content(" ".join(re.findall(r"[^\W\d]+", text[: number.start])[-2:]))
    points = 0.0
    if mine & after:
        points += 2
    if mine & before:
        points += 1.5
    pattern = r"count|num|many|limit|max|amount|quantity|times|top|size"
    counts = (
        1.0 * bool(re.search(pattern, name, re.IGNORECASE))
        + 0.5 * bool(re.search(pattern, _description(schema), re.IGNORECASE))
    )  # fmt: skip
    tail = text[number.end : number.end + 8]
    near = after & own or any(k in tail for k in keywords if has_han(k))
    if near:
        points += counts
    if "hour" in name.lower() and re.search(
        r"(?:\bat|@|[上下]午|晚上)\s*$", text[: number.start]
    ):
        points += 2
    unit = seconds_of(name) or seconds_of(_description(schema))
    noun = re.match(r"\s*[^\W\d]", text[number.end :]) and not number.seconds
    if noun and re.search(r"count|quantity|amount|number|num\b", name, re.IGNORECASE):
        points += 1.2
    if "year" in name.lower() and 1000 <= number.value <= 2100:
        points += 2.5
    if number.seconds:
        points += 2 if unit else -1
    return points


def several(text: str, span: Span) -> Iterator[str]:
    """Yield the things that `span` begins a list of: "Tokyo and Paris", 北京和上海."""
    joint = r"\s*(?:,\s*and\s|,|、|，|\band\b|&|和|与|跟|及|以及)\s*"
    parts = [p for p in re.split(joint, text[span.start : span.end]) if p]
    joined = re.search(r"\band\b|[&、和与跟及]", text[span.start :])
    if len(parts) > 1 and joined and _alike(parts):
        yield from parts
        parts = parts[-1:]
    else:
        yield text[span.start : span.end]
        parts = [text[span.start : span.end]]
    tail = text[span.end :]
    while m := re.match(
        joint
        + r"([A-Z][\w'’-]*(?:\s[A-Z][\w'’-]*)*"
        + r"|[\u4e00-\u9fff]{2,4}?(?=[的、，和与今明现]|$))",
        tail,
    ):
        if not _alike([parts[0], m[1]]) or (not joined and m[0].startswith(", ")):
            break
        yield m[1]
        tail = tail[m.end() :]


def _alike(parts: Sequence[str]) -> bool:
    """Whether all `parts` are names: capitalised, or Chinese."""
    return all(p[0].isupper() for p in parts) or all(
        has_han(p) and len(p) > 1 for p in parts
    )
