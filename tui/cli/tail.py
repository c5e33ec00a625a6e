"""`lazychat tail`: prints the records of a conversation, for people or programs."""

import select
import sys
from contextlib import suppress

import msgspec

from tui import bounds, conversation, events, paths
from tui.cli import streams
from tui.cli.codes import DONE
from tui.errors import LogError
from tui.eventlog import open_to_read
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ApprovalRevoked,
    ConversationConfigured,
    ConversationForked,
    ConversationRenamed,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    Queued,
    ReasoningDelta,
    Record,
    Relabelled,
    RetryScheduled,
    SummaryAdded,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    ToolProgressed,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    Unknown,
    Unreadable,
    UsageReported,
)
from tui.i18n import _
from tui.safe import one_line, safe, safe_json

LOOK_SECONDS = 1.0
"""Seconds between two checks whether the reader of a pipe is gone."""
WIDTH = 100
"""Characters of text in a line for people."""


def tail(cid: str | None, after: int, as_json: bool, follow: bool) -> int:
    """Print the records with `seq > after`; with `follow` also new ones.

    `cid` is the start of a conversation's id, None means the last one. Ends at Ctrl+C
    or when the reader closes the pipe. It does not follow a read-only store, which
    would not show new records.
    """
    with open_to_read(paths.log_file(), streams.talk) as log:
        follow = follow and log.keeps
        newest = None if cid else conversation.newest(log)
        if not (cid or newest):
            raise LogError(_("There is no conversation yet."))
        id = newest.id if newest else conversation.find(log, cid or "")
        line = json_line if as_json else _human
        try:
            with streams.unreadable_reported(log), log.follow(id, after) as records:
                while True:
                    for record in records.poll(LOOK_SECONDS if follow else 0):
                        sys.stdout.write(line(record) + "\n")
                    sys.stdout.flush()
                    if not follow or records.closed or _nobody_reads():
                        return DONE
        except BrokenPipeError:
            # Python flushes stdout when it exits, and would complain again.
            sys.stdout = None
            return DONE


def _nobody_reads() -> bool:
    """Return whether the other end of the pipe is closed; writes nothing."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(what & select.POLLERR for __, what in poll.poll(0))


def json_line(record: Record) -> str:
    """Return a record as one line of JSON."""
    event = record.event
    data = msgspec.Raw(b"null" if isinstance(event, Unknown) else events.encode(event))
    if isinstance(event, Unknown) and not isinstance(event, Unreadable):
        with suppress(ValueError):
            data = msgspec.Raw(msgspec.json.encode(bounds.decode(event.data)))
    line = msgspec.json.encode(
        {
            "seq": record.seq,
            "conversation": record.conversation,
            "turn": record.turn,
            "time": record.time,
            "kind": events.kind(event),
            "data": data,
        }
    ).decode()
    return safe_json(line)


def _human(record: Record) -> str:
    at = bounds.spell_time(record.time, "%Y-%m-%d %H:%M:%S")
    text = " ".join(safe(_text(record), newlines=False).split())
    if len(text) > WIDTH:
        text = f"{text[: WIDTH - 3]}..."
    kind = one_line(safe(events.kind(record.event)))
    return f"{at}  {record.seq:>7}  {kind:<18}  {text}".rstrip()


def _text(record: Record) -> str:
    """Return an event's text in a line for people."""
    match record.event:
        case MessageAdded(_, message):
            calls = ", ".join(call.name or "?" for call in message.tool_calls)
            said = message.text or (
                _("calls {calls}").format(calls=calls) if calls else message.reasoning
            )
            return f"{message.role}: {said}"
        case TextDelta(_, text) | ReasoningDelta(_, text):
            return text
        case Relabelled(_, as_text):
            if as_text:
                return _("the text so far is the answer")
            return _("the text so far is reasoning")
        case ErrorRaised(_, text) | NoticeGiven(text) | Queued(_, text):
            return text
        case RetryScheduled():
            return record.event.line
        case SummaryAdded(text=text) | ToolProgressed(_, text):
            return text
        case TurnRequested(model, agent):
            return _("model {model}, agent {agent}").format(model=model, agent=agent)
        case TurnStarted(host, _, pid):
            return _("by process {pid} on {host}").format(pid=pid, host=host)
        case TurnFinished(reason):
            return reason
        case ToolCallStarted(call, decision):
            return " ".join(filter(None, (call.name or "?", decision)))
        case ApprovalRequested(_, tool):
            return f"{tool}: {record.event.subject or record.event.text}"
        case ApprovalRevoked(tool):
            return tool
        case ToolCallFinished(_, seconds, error):
            return error or _("in {seconds:.2f} s").format(seconds=seconds)
        case UsageReported(given, said):
            why = (
                _(", for a {purpose}").format(purpose=record.event.purpose)
                if record.event.purpose
                else ""
            )
            return _("{given} tokens in, {said} out{why}").format(
                given=given, said=said, why=why
            )
        case ApprovalGiven(_, allow, scope, reason):
            said = _("allowed, {scope}").format(scope=scope) if allow else _("denied")
            return f"{said}: {reason}" if reason else said
        case ConversationRenamed(title):
            return title
        case ConversationForked(origin, title):
            return _("from {origin} {title}").format(origin=origin, title=title)
        case ConversationConfigured(system, options):
            return _("system {system!r}, options {options}").format(
                system=system, options=options
            )
        case Unreadable(why=why):
            return _("could not be read: {why}").format(why=why)
        case _:
            return ""
