"""Decides whether a message asks for a tool, and for which.

Words and grammar decide:

    points(tool)    = words shared with the tool + what the message has for its
                      parameters
    points(purpose) = phrases typical of what needs no tool: small talk, a remark,
                      a request for an explanation ...

The best tool is called if it is ahead of the best purpose. The model is not asked: its
likelihoods decide no better, for ten times the time, and its own calls are right in at
most 60 of 100 cases (docs/starter.md).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tui.messages import ToolSchema
from tui.models.starter.arguments import Draft, assign, draft, several
from tui.models.starter.intent import against, declines, goes_on, requests
from tui.models.starter.parameters import keywords, tool_words, vocabulary
from tui.models.starter.words import POINTS, in_symbols, is_sum, shared

_MOST_CHARACTERS = 240
"""Of a longer message only its end is looked at: requests stand there, or are short."""
_MOST_DRAFTS = 16
"""Tools for which arguments are sought, chosen by words alone: 1 ms each."""


class Choice(NamedTuple):
    """A tool and the arguments to call it with."""

    tool: str
    arguments: dict[str, Any]


def decide(text: str, tools: Sequence[ToolSchema]) -> list[Choice]:
    """Return the calls that `text`, the user's message, asks for; mostly none or one.

    Takes as long for a hundred tools as for a few: some 10 ms.
    """
    text = text[-_MOST_CHARACTERS:]
    parts = requests(text)
    if len(parts) > 1:
        found = [_decide(part, tools, sure=True) for part in parts]
        asked = [choices for choices in found if choices]
        if len({choices[0].tool for choices in asked}) > 1:
            return [choice for choices in asked for choice in choices]
    return _decide(text, tools)


def _decide(text: str, tools: Sequence[ToolSchema], sure: bool = False) -> list[Choice]:
    """Return the call of the best tool, if any; if `sure`, only with a shared word."""
    if declines(text):
        return []
    arithmetic = is_sum(text)
    worded = [(t, shared(text, vocabulary(t), keywords(t))) for t in tools]
    worded.sort(key=lambda pair: -len(pair[1]))  # stable: earlier tools first
    found: list[tuple[float, ToolSchema, Draft, int]] = []
    for tool, hits in worded[:_MOST_DRAFTS]:
        drafted = draft(tool, text)
        if not drafted.possible:
            continue
        if arithmetic and any(p.is_sum for p, _ in drafted.slots):
            hits.append("arithmetic")
        elif arithmetic and not hits:
            continue  # the numbers of "17% of 2340" are not days of a forecast
        points = POINTS["word"] * min(POINTS["most_words"], len(hits)) + drafted.fit
        if not hits and not tool.parameters.get("required"):
            points += POINTS["nothing_shared"]
        found.append((points, tool, drafted, len(hits)))
    if not found:
        return []
    points, tool, drafted, hits = max(found, key=lambda each: each[0])
    ahead = points - against(text, tool_words(tool)) >= POINTS["margin"]
    return _fill(text, tool, drafted) if ahead and (hits or not sure) else []


def _fill(text: str, tool: ToolSchema, drafted: Draft) -> list[Choice]:
    """Return the call of `tool`, or one for each thing of a list that it needs."""
    values, spans = dict(drafted.values), assign(drafted.slots)
    for p, _ in drafted.slots:
        if span := spans.get(p.name):
            said = in_symbols(span.value) if p.is_sum else span.value
            values[p.name] = several(text, span) if p.kind == "array" else said
    required = [p for p, _ in drafted.slots if p.required]
    if any(p.name not in values for p in required):
        return []
    if len(required) != 1 or required[0].is_sum or required[0].kind == "array":
        return [Choice(tool.name, values)]
    name = required[0].name
    items = several(text, spans[name])
    return [Choice(tool.name, {**values, name: item}) for item in items]


def followed_up(
    text: str, last: Choice | None, tools: Sequence[ToolSchema]
) -> Choice | None:
    """Return `last`, the call before, with what `text` changes in it: "And in Paris?".

    None when `text` is not a short continuation, or the call was of no known tool.
    """
    tool = next((t for t in tools if last and t.name == last.tool), None)
    if last is None or tool is None or not goes_on(text):
        return None
    found = draft(tool, text)
    spans = assign(found.slots[:1])
    changed = found.values | {name: span.value for name, span in spans.items()}
    return Choice(last.tool, {**last.arguments, **changed}) if changed else None
