"""Reads what tools were called for, who allowed it, and how it ended."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tui import bounds, process_identity
from tui.conversation import store
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text
from tui.events import (
    ApprovalGiven,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    Unreadable,
    read,
)


class AuditedCall(msgspec.Struct):
    """A tool call, as the log has it."""

    time: float
    """When it was recorded, before it ran; seconds since the epoch."""
    conversation: str
    turn: str
    call_id: str
    tool: str
    """Empty if the model's call could not be read."""
    arguments: dict[str, Any] | str
    decision: str
    """That of `ToolCallStarted`; for `asked`, the user's answer: `allowed once`,
    `allowed conversation`, `allowed always` or `denied by user`."""
    pattern: str = ""
    """What the user has allowed for ever with it; "" for the whole tool, if that."""
    reason: str = ""
    """Why the user has denied it."""
    outcome: str = "running"
    """`done`, `failed`, `denied`, `waiting` for the user, `running`, or how its turn
    ended before: `cancelled`, `interrupted` and so on."""
    seconds: float | None = None
    """How long it ran, without the wait for the user; None if it has not ended."""
    error: str | None = None


DENIED = ("denied", "flag denied", "unattended")
"""Decisions of `ToolCallStarted` after which a call is not run."""

_STARTS = (
    "SELECT conversation FROM (SELECT conversation, seq FROM event "
    "WHERE kind = 'tool_call_started' {of} ORDER BY seq DESC LIMIT ?) "
    "GROUP BY conversation"
)
_EVENTS = (
    "SELECT time, turn, kind, CAST(data AS BLOB), seq FROM event "
    "WHERE conversation = ? AND kind IN ('tool_call_started', 'tool_call_finished', "
    "'approval_given', 'turn_finished') ORDER BY seq"
)


def calls(
    log: EventLog, conversation: str | None = None, limit: int = -1
) -> list[AuditedCall]:
    """Return the last `limit` calls (-1: all), newest last. Raises `LogError`.

    Calls of a process that is gone are interrupted, even if nobody has ended its turn.
    """
    of = "" if conversation is None else "AND conversation = ?"
    wanted = (limit,) if conversation is None else (conversation, limit)
    found: list[tuple[int, AuditedCall]] = []
    for (id,) in log.query(_STARTS.format(of=of), wanted):
        found += _of_conversation(log, text(id))
        _end_lost(log, text(id), [call for _, call in found])
    found.sort(key=lambda each: each[0])
    return [
        call for _, call in (found if limit < 0 else found[-limit:] if limit else [])
    ]


def _of_conversation(log: EventLog, id: str) -> Iterable[tuple[int, AuditedCall]]:
    found: dict[tuple[str, str], tuple[int, AuditedCall]] = {}
    given: dict[tuple[str, str], ApprovalGiven] = {}
    for time, turn, kind, data, seq in log.query(_EVENTS, (id,)):
        event, turn = read(text(kind), data or b""), text(turn or "")
        match event:
            case ToolCallStarted(call, decision):
                at = bounds.moment(time)
                made = AuditedCall(
                    at, id, turn, call.id, call.name, call.arguments, decision
                )
                found[turn, call.id] = seq, made
            case ApprovalGiven(call_id):
                # An answer that resumes a turn is there before the call.
                given.setdefault((turn, call_id), event)
            case ToolCallFinished(call_id, seconds, error):
                if entry := found.get((turn, call_id)):
                    call = entry[1]
                    call.seconds, call.error = seconds, error
                    call.outcome = "failed" if error else "done"
            case TurnFinished(reason):
                for (of, _), (_, call) in found.items():
                    if of == turn and call.outcome == "running":
                        call.outcome = reason
            case Unreadable():
                log.note_unreadable(seq)
            case _:
                pass
    for key, (_, call) in found.items():
        if call.decision == "asked" and key in given:
            _decide(call, given[key])
        if call.decision in (*DENIED, "denied by user") and call.outcome == "failed":
            call.outcome = "denied"
        elif call.decision == "asked" and call.outcome == "running":
            call.outcome = "waiting"
    return found.values()


def _end_lost(log: EventLog, id: str, found: Iterable[AuditedCall]) -> None:
    """Mark the calls that seem to run, but whose process is gone."""
    open_calls = [call for call in found if call.outcome in ("running", "waiting")]
    if not open_calls:
        return
    alive = {
        turn
        for turn, owner in store.running(log, id)
        if not process_identity.is_gone(owner)
    }
    for call in open_calls:
        if call.conversation == id and call.turn not in alive:
            call.outcome = "interrupted"


def _decide(call: AuditedCall, given: ApprovalGiven) -> None:
    call.decision = f"allowed {given.scope}" if given.allow else "denied by user"
    call.reason, call.pattern = given.reason, given.pattern
