"""Finds the arguments of a call in the message.

No JSON is written by the model. Numbers and choices are read from the message, text
parameters get pieces of it. Parameters that are objects cannot be filled; a tool that
requires one is never called.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise, product
from typing import Any, NamedTuple, cast

from tui.messages import ToolSchema
from tui.models.starter.numbers import Number, numbers, seconds_of
from tui.models.starter.spans import Parameter, Place, Span, overlaps, pieces, score
from tui.models.starter.words import (
    LEXICON,
    STOP,
    content,
    has_han,
    pattern,
    stem,
    translated,
)

Property = dict[str, Any]

_MISSING = -6.0
"""For a required parameter that nothing in the message can fill."""
_MOST_PARAMETERS, _MOST_NUMBERS = 8, 4
"""Text and numeric parameters that are filled; what is beyond is left out."""
_SPANS = 6
"""Pieces of the message that are kept for each text parameter."""
_PATTERNS = {name: pattern(text) for name, text in LEXICON["beside"].items()}
_COUNTS, _MEASURE, _DIE, _THING, _JOINT, _NEXT, _WORDS = (
    _PATTERNS[name]
    for name in ("counts", "measure", "die", "thing", "joint", "next", "words")
)


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


def vocabulary(tool: ToolSchema) -> frozenset[str]:
    """Return the stems of the words in the name and the description of `tool`."""
    return content(tool.name) | content(tool.description.split("\n\n")[0])


def keywords(tool: ToolSchema) -> tuple[str, ...]:
    """Return the keywords of `tool`, and its vocabulary in Chinese."""
    return *tool.keywords, *translated(vocabulary(tool))


def parameter_words(tool: ToolSchema) -> frozenset[str]:
    """Return the stems of the words in the parameters' names and descriptions."""
    return frozenset[str]().union(
        *(
            content(name) | content(_description(schema).split("e.g.")[0])
            for name, schema in properties(tool).items()
        )
    )


def draft(tool: ToolSchema, text: str) -> Draft:
    """Find what `text` has for each parameter of `tool`, without the model."""
    props = properties(tool)
    required = set(cast(list[str], tool.parameters.get("required", [])))
    own = vocabulary(tool)
    known = keywords(tool)
    counted = _assign(text, props, required, {*own, *filter(has_han, known)})
    values: dict[str, Any] = {name: value for name, (_, value) in counted.items()}
    used = [_place(text, number) for number, _ in counted.values()]
    fit = sum(1.5 if name in required else 1.0 for name in values)
    possible = True
    for name, schema in props.items():
        kind = _type(schema)
        if name in values or (kind in ("string", "array") and not _is_choice(schema)):
            continue
        value = None
        if _is_choice(schema):
            value = _choice(text, name, schema, used)
            fit += 2.5 * (value is not None)
        if value is None and name in required:
            value = schema.get("default", False if kind == "boolean" else None)
            if value is None:
                possible = False
                fit += 0 if _is_choice(schema) else _MISSING
        if value is not None:
            values[name] = value
    words = {*own, *map(str.lower, known), *map(stem, known)}
    places = pieces(text, used, words)
    slots: list[Slot] = []
    for name, schema in props.items():
        kind = _type(schema)
        if name in values or _is_choice(schema) or kind not in ("string", "array"):
            continue
        parameter = Parameter(name, _description(schema))
        spans = [Span(*p, score(text, p, parameter, words)) for p in places]
        spans.sort(key=lambda s: -s.score)
        slots.append(Slot(parameter, name in required, kind == "array", spans[:_SPANS]))
    wanted = [slot for slot in slots if slot.required]
    best = [slot.spans[0].score if slot.spans else -4.0 for slot in wanted]
    weak = 0.3 if has_han(text) else 1.0
    fit += sum(max(-3.0, min(0.0, points - weak)) for points in best)
    fit += 2.0 * any(
        s.parameter.is_sum and b > 5 for s, b in zip(wanted, best, strict=True)
    )
    if best and not has_han(text):
        fit += max(0.0, min(1.0, (min(best) - 3.0) / 2))
    return Draft(values, slots, fit, possible and all(s.spans for s in wanted))


def assign(slots: Sequence[Slot]) -> dict[str, Span]:
    """Give each slot the piece that fits, so that no two overlap.

    A parameter that is not required gets one only when much speaks for it.
    """
    slots = slots[:_MOST_PARAMETERS]
    # All combinations are tried, so many parameters get few pieces each.
    kept = _SPANS if len(slots) <= 4 else 2
    options = [
        slot.spans[:kept]
        if slot.required and slot.spans
        else [None, *slot.spans[:kept]]
        for slot in slots
    ]

    def worth(chosen: Sequence[Span | None]) -> float:
        taken = [s for s in chosen if s is not None]
        clashes = sum(overlaps(a[:2], [b[:2]]) for a, b in combinations(taken, 2))
        return -8.0 * clashes + sum(
            s.score - (0.0 if slot.required else 3.0)
            for s, slot in zip(chosen, slots, strict=True)
            if s is not None
        )

    best = max(product(*options), key=worth)
    pairs = zip(slots, best, strict=True)
    return {slot.parameter.name: s for slot, s in pairs if s is not None}


def _choice(text: str, name: str, schema: Property, used: list[Place]) -> Any | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias.

    Adds its place to `used`, and looks for none there.
    """
    parameter = Parameter(name, _description(schema))
    hits: list[tuple[float, int, int, Any]] = []
    for value in cast(list[Any], schema.get("enum", [schema.get("const")])):
        word = str(value).replace("_", " ")
        aliases = LEXICON["aliases"].get(word.lower(), "")
        for alias in filter(None, (word, *aliases.split("|"))):
            place = _find_word(text, alias)
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


def _find_word(text: str, word: str) -> Place | None:
    if has_han(word):
        # One character is often part of another word: 关于, 开始.
        later = r"(?![于系注键心始会发车])" if len(word) == 1 else ""
        found = re.search(re.escape(word) + later, text)
    else:
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        if found is None and word.lower() not in STOP:
            words = _WORDS.finditer(text)
            found = next((m for m in words if stem(m[0]) == stem(word)), None)
    return found.span() if found else None


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


def _is_choice(schema: Property) -> bool:
    return "enum" in schema or "const" in schema


def _description(schema: Property) -> str:
    return str(schema.get("description", ""))


def _place(text: str, number: Number) -> Place:
    """Return where `number` stands with the unit or measure that belongs to it."""
    measure = _MEASURE.match(text, number.end)
    return number.start, measure.end() if measure else number.end


class _Counted(NamedTuple):
    """A number of the message for a parameter, and what speaks for that."""

    number: Number
    value: int | float
    tie: float


def _assign(
    text: str, props: Mapping[str, Property], required: set[str], own: set[str]
) -> dict[str, tuple[Number, int | float]]:
    """Give each numeric parameter the number of `text` that its words speak for."""
    wanted = [
        name
        for name, schema in props.items()
        if _type(schema) in ("integer", "number") and "enum" not in schema
    ]
    others = any(
        "enum" not in p and _type(p) in ("string", "array") for p in props.values()
    )
    options: list[list[_Counted | None]] = []
    for name in wanted[:_MOST_NUMBERS]:
        choices: list[_Counted | None] = [None]
        for number in numbers(text)[:6]:
            value = _value(text, number, name, props[name])
            if value is not None:
                tie = _tie(text, number, name, props[name], own)
                tie += 3 if name in required else -1 if others else 0.1
                choices.append(_Counted(number, value, tie))
        options.append(choices)

    def worth(chosen: Sequence[_Counted | None]) -> float:
        picked = [c.number for c in chosen if c]
        if len(set(picked)) < len(picked):
            return float("-inf")
        order = sum(a.start < b.start for a, b in pairwise(picked))
        return sum(c.tie for c in chosen if c) + 0.1 * order

    best = max(product(*options), key=worth)
    return {n: c[:2] for n, c in zip(wanted, best, strict=False) if c}


def _value(
    text: str, number: Number, name: str, schema: Property
) -> int | float | None:
    """Return what `number` is in the parameter's unit, None where it cannot be one."""
    value = number.value
    unit = seconds_of(name) or seconds_of(_description(schema))
    if unit and not number.seconds and _counts_things(text[number.end :]):
        return None  # 250 dollars are no days
    if unit and number.seconds and number.seconds != unit:
        value = value * number.seconds / unit
    elif "hour" in name.lower() and value < 12:
        after, before = text[number.end :], text[: number.start]
        if re.match(r"\s*p\.?m\b", after, re.I) or before.endswith(("下午", "晚上")):
            value += 12
    if value == int(value):
        value = int(value)
    elif _type(schema) == "integer":
        return None
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return value


def _counts_things(after: str) -> bool:
    """Whether a number before `after` counts something, but no time: 5 recipes."""
    thing = _THING.match(after)
    if thing is None or seconds_of(thing[0]):
        return False
    return bool(content(thing[1])) or thing[1].isupper()


def _tie(
    text: str, number: Number, name: str, schema: Property, own: set[str]
) -> float:
    """Return how much the words beside `number` speak for the parameter."""
    about = _description(schema)
    mine = content(name) | content(about)
    after_words = re.findall(r"[^\W\d]+", text[number.end :])[:2]
    after = content(" ".join(after_words))
    before = content(" ".join(re.findall(r"[^\W\d]+", text[: number.start])[-2:]))
    tail = text[number.end : number.end + 8]
    near = after & own or any(k in tail for k in own if has_han(k))
    counts = bool(_COUNTS.search(name))
    noun = re.match(r"\s*[^\W\d]", tail) and not number.seconds
    unit = seconds_of(name) or seconds_of(about)
    at = re.search(r"(?:\bat|@|[上下]午|晚上)\s*$", text[: number.start])
    return sum(
        (
            2.0 * bool(mine & after),
            1.5 * bool(mine & before),
            bool(near) * (counts + 0.5 * bool(_COUNTS.search(about))),
            1.2 * bool(noun and counts),
            2.0 * bool("hour" in name.lower() and at),
            2.0 * bool("side" in name.lower() and _DIE.search(text[: number.start])),
            2.5 * ("year" in name.lower() and 1000 <= number.value <= 2100),
            (2.0 if unit else -1.0) * bool(number.seconds),
        )
    )


def several(text: str, span: Span) -> Iterator[str]:
    """Yield the things that `span` begins a list of: "Tokyo and Paris", 北京和上海."""
    whole = text[span.start : span.end]
    parts = [p for p in _JOINT.split(whole) if p]
    joined = re.search(r"\band\b|[&、和与跟及]", text[span.start :])
    if not (len(parts) > 1 and joined and _alike(parts)):
        parts = [whole]
    yield from parts
    tail = text[span.end :]
    while m := _NEXT.match(tail):
        if not _alike([parts[-1], m[1]]) or (not joined and m[0].startswith(", ")):
            break
        yield m[1]
        tail = tail[m.end() :]


def _alike(parts: Sequence[str]) -> bool:
    """Whether all `parts` are names: capitalised, or Chinese."""
    return all(p[0].isupper() for p in parts) or all(
        has_han(p) and len(p) > 1 for p in parts
    )
