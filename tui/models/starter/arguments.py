"""The arguments of a call, found in the message: numbers, choices, pieces of text.

No JSON is written by the model. Numbers and choices are read from the message, text
parameters get pieces of it. Parameters that are objects cannot be filled; a tool that
requires one is never called.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, cast

from tui.messages import ToolSchema
from tui.models.starter.numbers import Number, numbers, seconds_of
from tui.models.starter.spans import Parameter, Span, pieces, score
from tui.models.starter.words import STOP, content, has_han, stem

Property = dict[str, Any]

_ALIASES: dict[str, str] = {
    "on": "打开|开启|开|turn on|switch on|enable", "off": "关掉|关闭|关|turn off|switch off",
    "high": "紧急|高|urgent|important", "low": "低|not urgent", "normal": "普通|一般",
    "small": "小", "medium": "中等|中", "large": "大|big", "yes": "是的|好", "no": "不",
    "celsius": "摄氏|centigrade|°c", "fahrenheit": "华氏|°f", "metric": "公制",
    "imperial": "英制", "walking": "步行|走路|on foot|by foot", "driving": "开车|驾车|by car",
    "transit": "公交|地铁|bus|train|subway|public transport", "cycling": "骑车|bike|bicycle",
    "up": "上|升|增大|louder|higher|increase", "down": "下|降|减小|quieter|lower|decrease",
    "add": "加", "delete": "删除|remove", "list": "列出", "start": "开始", "stop": "停止",
    "english": "英语|英文", "chinese": "中文|汉语|mandarin", "french": "法语|法文",
    "german": "德语|德文", "spanish": "西班牙语|西班牙文", "japanese": "日语|日文",
    "korean": "韩语|韩文", "red": "红", "green": "绿", "blue": "蓝", "yellow": "黄",
    "white": "白", "black": "黑", "daily": "每天|every day", "weekly": "每周|every week",
    "monthly": "每月|every month", "morning": "早上|上午", "evening": "晚上",
}  # fmt: skip
"""Other words for values that choices of many tools have."""

_MISSING = -6.0
"""For a required parameter that nothing in the message can fill."""
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
            choice = _choice(text, name, schema, used)
            if choice is not None:
                values[name] = choice
                fit += 2.5
            elif name in required:
                if "default" in schema:
                    values[name] = schema["default"]
                else:
                    possible = False
        elif kind == "boolean":
            said = _truth(text, name, schema, own)
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
    options = [
        [None, *slot.spans] if not slot.required or not slot.spans else slot.spans
        for slot in slots
    ]
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
        order = sum(a.start < b.start for a, b in zip(picked, picked[1:], strict=False))
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
    elif "hour" in name.lower():
        if (re.match(r"\s*p\.?m\b", after) and value < 12) or (
            re.search(r"(?:下午|晚上)$", text[: number.start]) and value < 12
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
    if number.seconds:
        points += 2 if unit else -1
    return points


def _choice(
    text: str, name: str, schema: Property, used: list[tuple[int, int]]
) -> Any | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias."""
    values = cast(list[Any], schema.get("enum", [schema.get("const")]))
    parameter = Parameter(name, _description(schema))
    hits: list[tuple[float, int, int, Any]] = []
    for value in values:
        word = str(value).replace("_", " ")
        for alias in (word, *_ALIASES.get(word.lower(), "").split("|")):
            place = _find(text, alias) if alias else None
            if place is not None:
                fits = parameter.role_weight(text[: place[0]])
                hits.append((fits, len(alias), -place[0], value))
                used.append(place)
    # What stands where it should ("to celsius"); then the longest, "turn off" before
    # "off"; then the first.
    return max(hits, key=lambda h: h[:3])[3] if hits else None


def _find(text: str, word: str) -> tuple[int, int] | None:
    if has_han(word):
        # One character is often part of another word: 关于, 开始.
        later = r"(?![于系注键心始会发车])" if len(word) == 1 else ""
        found = re.search(re.escape(word) + later, text)
        return found.span() if found else None
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    if found is None and word.lower() not in STOP:
        for m in re.finditer(r"[^\W\d_]+", text):
            if stem(m[0]) == stem(word):
                return m.span()
    return found.span() if found else None


def _truth(text: str, name: str, schema: Property, own: set[str]) -> bool | None:
    """Return what `text` says of a yes-or-no parameter, None when nothing."""
    mine = (content(name) | content(_description(schema))) - own
    for m in re.finditer(r"[^\W\d_]+", text):
        if stem(m[0]) in mine:
            before = text[max(0, m.start() - 12) : m.start()].lower()
            return re.search(r"\b(?:no|not|without|n't|non)\b", before) is None
    return None


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
        + r"([A-Z][\w'’-]*(?:\s[A-Z][\w'’-]*)*|[\u4e00-\u9fff]{2,4}?(?=[的、，和与今明现]|$))",
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
