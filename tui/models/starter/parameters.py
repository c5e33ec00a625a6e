"""Reads from a tool's schema what the tool and its parameters are about."""

import re
from typing import Any

from tui.messages import ToolSchema
from tui.models.gate.payloads.typed_values import types_of
from tui.models.starter.numbers import CALCULATION, seconds_of
from tui.models.starter.words import LEXICON, content, english, has_han, pattern, stem

Property = dict[str, Any]


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


class _Role:
    """What a parameter is in the sentence, and the words beside it."""

    def __init__(self, row: dict[str, Any]) -> None:
        before = rf"\b(?:{row['before']}) +(?:(?:the|an?|my) +)?"
        cue = rf"(?:{before}|(?:{row['before_chinese']}) *)[\"'“‘「《]?$"
        self.names, self.before = _stems(row["names"]), pattern(cue)
        self.after = pattern(row.get("after", "(?!)"))
        self.weight: float = row.get("weight", 3.0)


_ROLES = {kind: _Role(row) for kind, row in LEXICON["roles"].items()}
_NAMES = {kind: role.names for kind, role in _ROLES.items()} | {
    kind: _stems(words) for kind, words in LEXICON["parameter_names"].items()
}
_NEAR_NUMBER = [
    (pattern(row["name"]), pattern(row["beside"]), float(row["points"]))
    for row in LEXICON["near_number"]
]
_TRANSLATIONS = [
    (_stems(words), chinese.split())
    for words, chinese in LEXICON["translations"].items()
]


def _named(value: Any) -> re.Pattern[str]:
    word = str(value).replace("_", " ").lower()
    names = [re.escape(word).replace("\\ ", " "), LEXICON["aliases"].get(word)]
    return pattern(rf"(?<![a-z\d])(?:{'|'.join(filter(None, names))})(?![a-z\d])")


class Parameter:
    """A parameter of a tool."""

    def __init__(self, name: str, schema: Property, required: bool) -> None:
        self.name = name
        self.schema = schema
        self.required = required
        values: list[Any] = schema.get("enum", [schema.get("const")])
        self.choices = [(v, _named(v)) for v in values if v is not None]
        """Its only values, and what they are called."""
        self.kinds = types_of(schema) or {"string"}
        """The types of its values in JSON."""
        self.is_number = not self.choices and bool(self.kinds & {"integer", "number"})
        self.is_text = bool(self.kinds & {"string", "array"}) and not (
            self.is_number or self.choices
        )
        """Whether pieces of the message fill it."""
        self.default = schema.get("default", False if "boolean" in self.kinds else None)
        """The value that it has where the message has none; None for no value."""
        description = str(schema.get("description", ""))
        self.about = content(name) | content(description.split("e.g.")[0])
        """The stems of the words in its name and description."""
        self.seconds = seconds_of(name) or seconds_of(description)
        """The unit of time in which it wants a number; 0 for none."""
        self.words = frozenset(map(stem, english(name)))
        """The stems of its name."""
        self.calculates: set[str] = set()
        """Which kinds of `Arithmetic` it takes: sums, and conversions if it has one
        in its examples."""
        if self.is_text and (self.words | content(description)) & _NAMES["sum"]:
            examples = CALCULATION.finditer(description)
            self.calculates = {"sum", *(m.lastgroup or "" for m in examples)}
        described = map(stem, english(description.split("e.g.")[0]))
        said = self.words.union(described)
        self.beside = [(b, points) for n, b, points in _NEAR_NUMBER if n.search(name)]
        """What stands beside its numbers, and how much that speaks for them."""
        self._roles = [
            (role, 1.0 if self.words & role.names else 0.5)
            for role in _ROLES.values()
            if said & role.names
        ]

    def wants(self, kind: str) -> bool:
        """Whether its name is one of those in the lexicon of what is a `kind`."""
        return bool(self.words & _NAMES[kind])

    def role_weight(self, before: str, after: str = "") -> float:
        """Return how well the text beside a piece fits what this parameter is."""
        # The unit of an amount, all of "6 US dollars": what is converted from.
        following = re.match(r" \w+", after)
        whole = following is None or not content(following[0])
        amount = whole and re.search(r"\d\s*$", before) and self.wants("source")
        fits = [
            share * role.weight
            for role, share in self._roles
            if role.before.search(before) or role.after.match(after)
        ]
        return max([2.5 if amount else 0.0, *fits])


class Subject:
    """What a tool is about."""

    def __init__(self, tool: ToolSchema) -> None:
        self.name = tool.name
        stems = content(tool.name) | content(tool.description.split("\n\n")[0])
        chinese = [w for words, row in _TRANSLATIONS if words & stems for w in row]
        self._stems, self._keywords = stems, [*map(str.lower, tool.keywords), *chinese]
        self.words = stems.union(self._keywords, map(stem, self._keywords))
        """The stems of its name and description, and its keywords, with the Chinese
        for them."""
        self.chinese = tuple(filter(has_han, self.words))
        self.converts = bool(stems & _NAMES["conversion"])
        required = tool.parameters.get("required", ())
        properties = tool.parameters.get("properties", {}).items()
        self.parameters = [Parameter(n, each, n in required) for n, each in properties]
        """Its parameters in order."""

    def hits(self, text: str) -> int:
        """Return how many of its words stand in `text`.

        A Chinese keyword is found inside a sentence; one that is part of another found
        one does not count again.
        """
        here, lower = content(text), text.lower()
        spaced = re.sub(r"\W+", " ", f" {lower} ")
        found = set(here & self._stems)
        for keyword in sorted(self._keywords, key=len, reverse=True):
            if has_han(keyword):
                if keyword in lower and not any(keyword in hit for hit in found):
                    found.add(keyword)
            elif stem(keyword) in here or f" {keyword} " in spaced:
                found |= content(keyword) or {stem(keyword)}
        return len(found)
