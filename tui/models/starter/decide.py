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


class Candidate(NamedTuple):
    """A tool that may be meant, and what speaks for it."""

    tool: ToolSchema
    draft: Draft
    points: float
    hits: int
    """Words that it shares with the message."""


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
    best = None if declines(text) else best_tool(text, tools)
    if best is None or (sure and not best.hits):
        return []
    if best.points - against(text, tool_words(best.tool)) < POINTS["margin"]:
        return []
    return _fill(text, best.tool, best.draft)


def best_tool(text: str, tools: Sequence[ToolSchema]) -> Candidate | None:
    """Return the tool for which most speaks; None if none can be called."""
    arithmetic = is_sum(text)
    worded = [(t, shared(text, vocabulary(t), keywords(t))) for t in tools]
    worded.sort(key=lambda pair: -len(pair[1]))  # stable: earlier tools first
    found: list[Candidate] = []
    for tool, hits in worded[:_MOST_DRAFTS]:
        drafted = draft(tool, text)
        if not drafted.possible:
            continue
        if arithmetic and any(slot.parameter.is_sum for slot in drafted.slots):
            hits.append("arithmetic")
        elif arithmetic and not hits:
            continue  # the numbers of "17% of 2340" are no days of a forecast
        points = POINTS["word"] * min(POINTS["most_words"], len(hits)) + drafted.fit
        if not hits and not tool.parameters.get("required"):
            points += POINTS["nothing_shared"]
        found.append(Candidate(tool, drafted, points, len(hits)))
    return max(found, key=lambda c: c.points, default=None)


def _fill(text: str, tool: ToolSchema, drafted: Draft) -> list[Choice]:
    """Return the call of `tool`, or one for each thing of a list that it needs."""
    values: dict[str, Any] = dict(drafted.values)
    required = [s.parameter.name for s in drafted.slots if s.parameter.required]
    lists: list[str] = []
    spans = assign(drafted.slots)
    for slot in drafted.slots:
        name = slot.parameter.name
        if name not in spans:
            continue
        items = several(text, spans[name])
        if slot.parameter.kind == "array":
            values[name] = items
        elif slot.parameter.is_sum:
            values[name] = in_symbols(spans[name].value)
        else:
            values[name] = spans[name].value
            lists = items if required == [name] else lists
    if any(name not in values for name in required):
        return []
    if len(lists) > 1:
        return [Choice(tool.name, {**values, required[0]: item}) for item in lists]
    return [Choice(tool.name, values)]


def followed_up(
    text: str, last: Choice | None, tools: Sequence[ToolSchema]
) -> Choice | None:
    """Return `last`, the call before, with what `text` changes in it: "And in Paris?".

    None when `text` is no short continuation, or the call was of no known tool.
    """
    tool = next((t for t in tools if last and t.name == last.tool), None)
    if last is None or tool is None or not goes_on(text):
        return None
    found = draft(tool, text)
    spans = assign(found.slots[:1])
    changed = found.values | {name: span.value for name, span in spans.items()}
    return Choice(last.tool, {**last.arguments, **changed}) if changed else None
