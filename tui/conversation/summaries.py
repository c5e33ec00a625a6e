"""Applies summaries: replaces messages by their summary in requests to a model.

The functions work on the messages of one path through the tree of versions. A summary
applies if both ends of its range are on the path. The conversation itself stays
complete.
"""

from collections.abc import Sequence

import msgspec

from tui.conversation.entry import Entry
from tui.events import SummaryAdded
from tui.messages import Message

HEADING = "Summary of the conversation so far, in place of its first messages:"
"""The first line of a summary message."""


def apply_summaries(
    entries: Sequence[Entry], summaries: Sequence[SummaryAdded]
) -> list[Entry]:
    """Return `entries` with each summary in place of its range.

    `summaries` are in the order in which they were made. A later summary replaces all
    earlier ones that overlap its range; a summary whose range is not on this path has
    no effect. A summary becomes a pinned user message, because many servers accept a
    system message only at the start; it has the id of the first message of its range.
    """
    result = list(entries)
    for first, last, text in reversed(standing(entries, summaries)):
        message = Message("user", f"{HEADING}\n\n{text}", pinned=True)
        result[first : last + 1] = [
            msgspec.structs.replace(entries[first], message=message)
        ]
    return result


def standing(
    entries: Sequence[Entry], summaries: Sequence[SummaryAdded]
) -> list[tuple[int, int, str]]:
    """Return the summaries that apply: first and last index in `entries`, and text.

    They are in the order of the path and do not overlap.
    """
    places = {entry.message_id: place for place, entry in enumerate(entries)}
    found: list[tuple[int, int, str]] = []
    for summary in reversed(summaries):
        first = places.get(summary.first_message_id)
        last = places.get(summary.last_message_id)
        if first is None or last is None or last < first:
            continue
        if all(last < start or first > end for start, end, _ in found):
            found.append((first, last, summary.text))
    return sorted(found)


def settled(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that can be sent, with exactly one result for each tool call.

    Servers refuse a call without a result. An interrupted turn may have left such
    calls: they get the result "not run", in an entry without an id. Empty answers, and
    results without a call, are left out.
    """
    result: list[Entry] = []
    calls: dict[str, Entry | None] = {}
    for entry in entries:
        message = entry.message
        if message.role == "tool":
            if message.tool_call_id in calls:
                calls[message.tool_call_id] = calls[message.tool_call_id] or entry
            continue
        result += _results(calls)
        if message.role == "assistant":
            if not (message.text or message.tool_calls):
                continue
            calls = dict.fromkeys(call.id for call in message.tool_calls)
        result.append(entry)
    return result + _results(calls)


def _results(calls: dict[str, Entry | None]) -> list[Entry]:
    """Return the results in the order of the calls, whenever each has arrived."""
    results = [
        entry or Entry("", Message("tool", "not run", tool_call_id=id))
        for id, entry in calls.items()
    ]
    calls.clear()
    return results
