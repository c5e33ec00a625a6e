"""Decides whether a message asks for a tool, and for which.

Words and grammar decide:

    points(tool)    = words shared with the tool + what the message has for its
                      parameters
    points(purpose) = phrases typical of what needs no tool: small talk, a remark,
                      a request for an explanation ...

The best tool is called if it is ahead of the best purpose.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from tui.messages import Message, ToolSchema, since_question
from tui.models.starter.arguments import Draft
from tui.models.starter.intent import against, declines, goes_on, requests
from tui.models.starter.parameters import Subject
from tui.models.starter.words import POINTS

_MOST_CHARACTERS = 240
"""Of a longer message only its end is looked at: requests stand there, or are short."""
_MOST_DRAFTS = 16
"""Tools for which arguments are sought, which takes longest; chosen by words alone."""


class Choice(NamedTuple):
    """A tool and the arguments to call it with."""

    tool: str
    arguments: dict[str, Any]


def decide(text: str, tools: Sequence[ToolSchema]) -> list[Choice]:
    """Return the calls that `text`, the user's message, asks for; often none."""
    text = text[-_MOST_CHARACTERS:]
    parts = requests(text)
    if len(parts) > 1:
        found = [call for part in parts for call in _decide(part, tools, sure=True)]
        if len({call.tool for call in found}) > 1:
            return found
    return _decide(text, tools)


def _decide(text: str, tools: Sequence[ToolSchema], sure: bool = False) -> list[Choice]:
    """Return the call of the best tool, if any; if `sure`, only with a shared word."""
    if declines(text):
        return []
    subjects = sorted(map(Subject, tools), key=lambda subject: -subject.hits(text))
    drafts = [Draft(subject, text) for subject in subjects[:_MOST_DRAFTS]]
    possible = [draft for draft in drafts if draft.possible]
    best = max(possible, key=Draft.points, default=None)
    if best is None or (sure and not best.hits):
        return []
    if best.points() - against(text, best.subject.words) < POINTS["margin"]:
        return []
    return [Choice(best.subject.name, arguments) for arguments in best.calls()]


def followed_up(
    text: str, before: Sequence[Message], tools: Sequence[ToolSchema]
) -> Choice | None:
    """Return the last call with what `text` changes in it: "And in Paris?".

    None when `text` is no short continuation of the turn that `before` ends with, or
    that turn called no known tool.
    """
    calls = [call for m in since_question(before)[1] for call in m.tool_calls]
    tool = next((t for t in tools if calls and t.name == calls[-1].name), None)
    if tool is None or isinstance(calls[-1].arguments, str) or not goes_on(text):
        return None
    found = Draft(Subject(tool), text)
    texts = {name: span.value for name, span in islice(found.texts.items(), 1)}
    changed = found.values | texts
    return Choice(tool.name, {**calls[-1].arguments, **changed}) if changed else None
