"""Recognizes questions that repeat the last call: "And in Paris?", 那上海呢？"""

import re
from collections.abc import Sequence

from tui.messages import Message, ToolSchema
from tui.models.starter.arguments import assign, draft
from tui.models.starter.decide import Choice

_GOES_ON = re.compile(
    r"^\W*(?:and|what\s+about|how\s+about|same\s+(?:for|in)|and\s+what\s+about)\b"
    r"(?!.*\b(?:is|are|do|does|did|can|you|me|why|how\s+(?!about)|who|tell)\b)"
    r"|^\W*(?:那么?|还有)?.{1,12}呢\W*$",
    re.IGNORECASE,
)


def followed_up(
    text: str, before: Sequence[Message], tools: Sequence[ToolSchema]
) -> Choice | None:
    """Return the last turn's call with what `text` changes in it.

    None when `text` is no short continuation, or the last turn called no known tool.
    """
    if len(text) > 60 or not _GOES_ON.search(text):
        return None
    start = max((i for i, m in enumerate(before) if m.role == "user"), default=-1)
    calls = [call for m in before[start + 1 :] for call in m.tool_calls]
    by_name = {tool.name: tool for tool in tools}
    if not calls or calls[-1].name not in by_name:
        return None
    last = calls[-1]
    if isinstance(last.arguments, str):
        return None
    tool = by_name[last.name]
    cleaned = re.sub(r"^\W*(?:那么?|还有)|呢\W*$", "", text)
    found = draft(tool, cleaned)
    spans = assign(found.slots[:1]) if found.slots else {}
    changed = {
        **found.values,
        **{name: cleaned[s.start : s.end] for name, s in spans.items()},
    }
    return Choice(tool.name, {**last.arguments, **changed}) if changed else None
