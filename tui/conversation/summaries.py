"""Applies summaries: which messages are replaced in requests.

Rules for the list of a path's messages, whatever tree it comes from: a summary counts
where both ends of its range are on the path. Nothing is taken away from the
conversation itself.
"""

from collections.abc import Sequence

import msgspec

from tui.conversation.entry import Entry
from tui.events import SummaryAdded
from tui.messages import Message

HEADING = "Summary of the conversation so far, in place of its first messages:"
"""Stands above a summary that is sent."""


def apply_summaries(
    entries: Sequence[Entry], summaries: Sequence[SummaryAdded]
) -> list[Entry]:
    """Return `entries` with each summary in the place of its range.

    `summaries` are in the order in which they were made. A later one takes the place
    of all earlier ones that its range touches; one whose range is not on this path
    does nothing. A summary is a pinned message of the user's, since many servers want
    no system message but the first; its id is that of the first message of its range.
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
    """Return the summaries that count: first and last place in `entries`, and text.

    In the order of the path; no two touch.
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
    """Return the entries that can be sent, with a result for each call.

    Servers refuse a call without a result. A turn that was broken off may have left
    some: they are told as not run, by entries without an id.
    """
    result: list[Entry] = []
    open_calls: dict[str, None] = {}
    for entry in entries:
        message = entry.message
        if message.role == "tool":
            if message.tool_call_id in open_calls:
                del open_calls[message.tool_call_id]
                result.append(entry)
            continue
        result += _not_run(open_calls)
        if message.role == "assistant":
            if not (message.text or message.tool_calls):
                continue
            open_calls = dict.fromkeys(call.id for call in message.tool_calls)
        result.append(entry)
    return result + _not_run(open_calls)


def _not_run(open_calls: dict[str, None]) -> list[Entry]:
    results = [
        Entry("", Message("tool", "not run", tool_call_id=id)) for id in open_calls
    ]
    open_calls.clear()
    return results
