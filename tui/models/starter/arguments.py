"""Finds the arguments of a call in the message.

No JSON is written by the model. Numbers and choices are read from the message, text
parameters get pieces of it. Parameters that are objects cannot be filled; a tool that
requires one is never called.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise, product
from typing import Any, NamedTuple

from tui.models.starter.numbers import Number, arithmetic, numbers
from tui.models.starter.parameters import Parameter, Subject
from tui.models.starter.spans import Place, overlaps, pieces, score
from tui.models.starter.words import PATTERNS, POINTS, content, english, has_han

_MOST_PARAMETERS, _MOST_NUMBERS = 8, 4
"""Text and numeric parameters that are filled; what is beyond is left out."""
_MOST_SPANS = 6
"""Values that are kept for each parameter."""


class Span(NamedTuple):
    """A value for a parameter, where it stands, and how much speaks for it."""

    start: int
    end: int
    score: float
    value: Any


Slot = tuple[Parameter, list[Span]]
"""A parameter and the values that may fill it, the likeliest first."""


class Draft:
    """What a message has to offer to a tool."""

    def __init__(self, subject: Subject, text: str) -> None:
        self.subject = subject
        figures, wanted = arithmetic(text), subject.parameters
        self._calculates = any(p.calculates & figures.kinds for p in wanted)
        # The numbers and words of "17% of 2340", "2 days in weeks" are no forecast's.
        foreign = figures.kinds and not (self._calculates or subject.converts)
        self.hits = subject.hits(figures.rest if foreign else text)
        """How many words of the message are the tool's."""
        self._text = text = figures.text if self._calculates else text
        numeric = [(p, _counts(text, p)) for p in wanted if p.is_number]
        self._numbers = assign(numeric[:_MOST_NUMBERS])
        self._choices = {p.name: c for p in wanted if (c := _choice(text, p))}
        found = self._numbers | self._choices
        places = pieces(text, [span[:2] for span in found.values()], subject)
        slots = [(p, _ranked(text, places, p, subject)) for p in wanted if p.is_text]
        self.texts = assign(slots)
        """The text parameters, in order."""
        self._required = [p for p in wanted if p.required]
        defaults = {p.name: p.default for p in self._required if p.default is not None}
        self.values = defaults | {name: span.value for name, span in found.items()}
        """Numbers, choices, and the defaults of required parameters."""
        filled = all(p.name in {*self.values, *self.texts} for p in self._required)
        self.possible = filled and (bool(self.hits) or not foreign)
        """Whether the tool can be called: it gets a value for all that it requires."""

    def points(self) -> float:
        """Return how much speaks for the tool."""
        hits = self.hits + self._calculates
        texts = [s.score for p in self._required if (s := self.texts.get(p.name))]
        clear = 0.0 if has_han(self._text) else min(texts, default=0.0) - 3.0
        # "Is it hot in Rome?" may want what it does not name; "Is Rome in Italy?" not.
        alone = len(self._required) < 2 and not self._numbers
        vague = alone and not PATTERNS["open"].search(self._text)
        features = {
            "word": min(POINTS["most_words"], hits),
            "nothing_shared": not hits and (vague or not self._required),
            "number": len(self._numbers),
            "choice": len(self._choices),
            "calculation": self._calculates,
            "doubtful": sum(min(3.0, max(0.0, 1.0 - score)) for score in texts),
            "clear": min(2.0, max(0.0, clear)),
        }
        return sum(POINTS[name] * value for name, value in features.items())

    def calls(self) -> list[dict[str, Any]]:
        """Return the arguments of a call, or of one for each thing of a list."""
        calls = [self.values]
        alone = sum(p.is_text for p in self._required) == 1 and not self._calculates
        for p in (p for p in self.subject.parameters if p.name in self.texts):
            items: list[Any] = [self.texts[p.name].value]
            if "array" in p.kinds:
                items = [several(self._text, self.texts[p.name])]
            elif alone and p.required:
                items = several(self._text, self.texts[p.name])
            calls = [call | {p.name: item} for call in calls for item in items]
        return calls


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
    listed = PATTERNS["list"].match(text, span.start)
    if listed is None or listed.end() < span.end:
        return [text[span.start : span.end]]
    return [part for part in PATTERNS["joint"].split(listed[0]) if part]


def _ranked(
    text: str, places: Sequence[Place], p: Parameter, subject: Subject
) -> list[Span]:
    spans = [Span(*at, score(text, at, p, subject), text[slice(*at)]) for at in places]
    return sorted(spans, key=lambda span: -span.score)[:_MOST_SPANS]


def _choice(text: str, parameter: Parameter) -> Span | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias."""
    found = [
        Span(*m.span(), parameter.role_weight(text[: m.start()]), value)
        for value, names in parameter.choices
        for m in names.finditer(text)
    ]
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
        points += sum(p for beside, p in parameter.beside if beside.search(marked))
        measure = PATTERNS["measure"].match(after)
        end = number.end + (measure.end() if measure else 0)
        spans.append(Span(number.start, end, points, value))
    return spans


def _value(number: Number, marked: str, parameter: Parameter) -> int | float | None:
    """Return what `number` is in the parameter's unit, None where it cannot be one.

    In `marked`, the message, it stands between two #.
    """
    value, unit = number.value, parameter.seconds
    thing = PATTERNS["thing"].match(marked.rpartition("#")[2])
    counted = thing is not None and (bool(content(thing[1])) or thing[1].isupper())
    if unit and not number.seconds and counted:
        return None  # 250 dollars are not days
    if unit and number.seconds:
        value = value * number.seconds / unit
    elif "hour" in parameter.words and value < 12 and PATTERNS["pm"].search(marked):
        value += 12
    if value == int(value):
        value = int(value)
    elif "number" not in parameter.kinds:
        return None
    low, high = (parameter.schema.get(k, value) for k in ("minimum", "maximum"))
    return value if low <= value <= high else None
