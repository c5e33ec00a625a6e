"""Reads from a tool's schema what the tool and its parameters are about."""

import re
from typing import Any, NamedTuple, cast

from tui.messages import ToolSchema
from tui.models.starter.numbers import seconds_of
from tui.models.starter.words import (
    LEXICON,
    content,
    english,
    pattern,
    stem,
    translated,
)

Property = dict[str, Any]

TEXT, NUMERIC = ("string", "array"), ("integer", "number")
"""Kinds of parameters that pieces of the message fill, and numbers."""


class _Role(NamedTuple):
    """What a parameter is in the sentence, and the words that come before it."""

    names: frozenset[str]
    before: re.Pattern[str]
    weight: float


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


def _role(row: dict[str, str]) -> _Role:
    before = rf"\b(?:{row['before']}) +(?:(?:the|an?|my) +)?"
    cue = rf"(?:{before}|(?:{row['before_chinese']}) *)[\"'“‘「《]?$"
    return _Role(_stems(row["names"]), pattern(cue), float(row.get("weight", 3.0)))


_ROLES = {kind: _role(row) for kind, row in LEXICON["roles"].items()}
_NAMES = {kind: role.names for kind, role in _ROLES.items()} | {
    kind: _stems(words) for kind, words in LEXICON["parameter_names"].items()
}


class Parameter:
    """A parameter of a tool."""

    def __init__(self, name: str, schema: Property, required: bool) -> None:
        self.name = name
        self.schema = schema
        self.required = required
        self.kind = _kind(schema)
        """`choice`, or the type in the schema."""
        description = str(schema.get("description", ""))
        self.about = content(name) | content(description.split("e.g.")[0])
        """The stems of the words in its name and description."""
        self.seconds = seconds_of(name) or seconds_of(description)
        """The unit of time in which it wants a number; 0 for none."""
        self.words = frozenset(map(stem, english(name)))
        """The stems of its name."""
        self.is_sum = bool((self.words | content(description)) & _NAMES["sum"])
        """Whether it wants arithmetic."""
        described = map(stem, english(description.split("e.g.")[0]))
        said = self.words.union(described)
        self._roles = [
            (role, 1.0 if self.words & role.names else 0.5)
            for role in _ROLES.values()
            if said & role.names
        ]

    def wants(self, kind: str) -> bool:
        """Whether its name is one of those in the lexicon of what is a `kind`."""
        return bool(self.words & _NAMES[kind])

    def role_weight(self, before: str) -> float:
        """Return how well the text before a piece fits what this parameter is."""
        # The unit of an amount, "6 feet": what is converted from.
        amount = re.search(r"\d\s*$", before) and self.wants("source")
        fits = [
            s * role.weight for role, s in self._roles if role.before.search(before)
        ]
        return max([2.5 if amount else 0.0, *fits])


def parameters(tool: ToolSchema) -> list[Parameter]:
    """Return the parameters of `tool` in order."""
    properties = cast(dict[str, Property], tool.parameters.get("properties", {}))
    required = cast(list[str], tool.parameters.get("required", []))
    return [Parameter(n, schema, n in required) for n, schema in properties.items()]


def vocabulary(tool: ToolSchema) -> frozenset[str]:
    """Return the stems of the words in the name and the description of `tool`."""
    return content(tool.name) | content(tool.description.split("\n\n")[0])


def keywords(tool: ToolSchema) -> tuple[str, ...]:
    """Return the keywords of `tool`, and its vocabulary in Chinese."""
    return *tool.keywords, *translated(vocabulary(tool))


def tool_words(tool: ToolSchema) -> frozenset[str]:
    """Return the words of `tool`: its vocabulary, its keywords and their stems."""
    known = [word.lower() for word in keywords(tool)]
    return vocabulary(tool).union(known, map(stem, known))


def _kind(schema: Property) -> str:
    if "enum" in schema or "const" in schema:
        return "choice"
    options = [schema, *cast(list[Property], schema.get("anyOf", []))]
    for option in options:
        named = option.get("type")
        kinds = cast(list[str], named if isinstance(named, list) else [named])
        if kind := next((k for k in kinds if k not in (None, "null")), None):
            return kind
    return "object" if any("$ref" in option for option in options) else "string"
