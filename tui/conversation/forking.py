"""Forks a conversation: copies what it holds up to a message into a new one.

The copy has the versions that had begun by then, with turns and messages under new ids.
The original is only read. An unfinished answer is not copied, only its question, which
can be asked again.
"""

import re
import time
from collections.abc import Collection, Iterator, Sequence

import msgspec

from tui.conversation.export_import import add_copy
from tui.conversation.store import get, new_id
from tui.conversation.transcript import Transcript, fold
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    PROVISIONAL,
    ApprovalGiven,
    ApprovalRequested,
    ConversationConfigured,
    ConversationForked,
    ConversationRenamed,
    MessageAdded,
    Record,
    SummaryAdded,
    Unreadable,
)
from tui.i18n import _
from tui.safe import one_line

LONGEST_TITLE = 200
"""Characters of a fork's title."""
_COUNTED = re.compile(r"(.*) \(fork(?: (\d{1,6}))?\)", re.DOTALL)


def fork(log: EventLog, id: str, message_id: str = "", title: str = "") -> str:
    """Copy the conversation `id` up to a message; return the id of the copy.

    "" means all of it. The turn of an answer is copied as a whole; a question without
    an answer comes last, alone. `title` is that of the copy, by default the original's,
    followed by "(fork)". Blocks; raises `LogError` if there is nothing to copy or the
    store cannot be written.
    """
    records = log.read(id)
    view = fold(records)
    summary = get(log, id)
    if not summary or not view.branches.begun():
        raise LogError(_("This conversation is still empty."))
    now, copy = time.time(), new_id()
    name = one_line(" ".join(title.split()))[:LONGEST_TITLE] or _title(summary.title)
    marks = ConversationForked(id, summary.title), ConversationRenamed(name)
    copied = _copied(records, view, message_id)
    forked = [Record(0, copy, None, now, marks[0]), *copied]
    return add_copy(log, copy, [*forked, Record(0, copy, None, now, marks[1])])


def _title(title: str) -> str:
    title = one_line(title)
    if counted := _COUNTED.fullmatch(title):
        end = _(" (fork {counted})").format(counted=int(counted[2] or 1) + 1)
        title = counted[1]
    else:
        end = _(" (fork)")
    return title[: LONGEST_TITLE - len(end)] + end


def _copied(
    records: Sequence[Record], view: Transcript, message_id: str
) -> Iterator[Record]:
    """Yield the records of the copy, still with their old ids."""
    branches = view.branches
    nodes, last = branches.begun(), ""
    if message_id:
        try:
            last = branches.node(message_id)
        except KeyError:
            raise LogError(_("This message is not stored yet.")) from None
        if last not in nodes:
            raise LogError(_("This message is still queued: fork when it is answered."))
        nodes = nodes[: nodes.index(last) + 1]
    # A turn that goes on, or whose answer is not wanted, leaves only its question.
    asked = [node for node in nodes if node in view.running]
    if last and message_id in branches.questions(last):
        asked = [*(node for node in asked if node != last), last]
    whole = set(nodes).difference(asked)
    questions = [id for node in asked for id in branches.questions(node)]
    end = max((r.seq for r in records if _node(r) == last), default=0) if last else 0
    kept: set[str] = set()
    alone: dict[str, Record] = {}
    for record in records:
        if end and record.seq > end and record.turn is None:
            continue
        event = record.event
        if isinstance(event, MessageAdded) and event.message_id in questions:
            alone[event.message_id] = msgspec.structs.replace(record, turn=None)
        elif _node(record) in whole and _is_kept(record):
            if isinstance(event, MessageAdded):
                kept.add(event.message_id)
            yield _harmless(record)
        elif isinstance(event, ConversationConfigured) or _sums_up(event, kept):
            yield msgspec.structs.replace(record, turn=None)
    yield from (alone[id] for id in questions if id in alone)


def _node(record: Record) -> str | None:
    """Return the node of a record: its turn, or the message without one."""
    event = record.event
    if record.turn is None and isinstance(event, MessageAdded):
        return event.message_id
    return record.turn


def _is_kept(record: Record) -> bool:
    return not isinstance(record.event, (*PROVISIONAL, ApprovalRequested, Unreadable))


def _harmless(record: Record) -> Record:
    """Return a record that allows nothing: who forks is asked again."""
    if not isinstance(record.event, ApprovalGiven):
        return record
    once = msgspec.structs.replace(record.event, scope="once", pattern="")
    return msgspec.structs.replace(record, event=once)


def _sums_up(event: object, messages: Collection[str]) -> bool:
    """Whether it is a summary of copied messages only."""
    if not isinstance(event, SummaryAdded):
        return False
    return {event.first_message_id, event.last_message_id}.issubset(messages)
