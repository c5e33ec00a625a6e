"""Finds out with what a turn begins: with a question, or with calls left open.

A turn whose process died while a call waited for the user is resumed by the answer: a
new turn runs the open calls and goes on. A call that may have been running is not
repeated, as it may have had its effect.
"""

from collections.abc import Iterable, Sequence

from tui import conversation
from tui.conversation import Entry, approvals
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ConversationConfigured,
    MessageAdded,
    Record,
    ToolCallStarted,
)
from tui.messages import Message, ToolCall, Value

RESUMES = "resumes"
"""The option of a `TurnRequested` that names the turn to resume."""

_NOT_RUN = ("asked", "denied", "flag denied", "unattended")
"""Decisions after which a call has not run yet, or never."""

LOST = (
    "Error: the program ended while this call was running. Whether it had its effect "
    "is unknown."
)


class Beginning(Value, frozen=True):
    """What a turn begins with."""

    sent: Sequence[Entry]
    """The messages for the model."""
    configured: ConversationConfigured = ConversationConfigured()
    """The conversation's own settings."""
    open_calls: Sequence[ToolCall] = ()
    """The calls to run before the model is asked; they have no result in `sent`."""
    answered: Sequence[tuple[ApprovalRequested, ApprovalGiven]] = ()
    """The answers of the user that came with the request."""
    plan: str = ""
    """What the agent had planned before."""
    lost: Sequence[MessageAdded] = ()
    """Results to store for calls that may have run."""


def resume(records: Iterable[Record], turn: str) -> Beginning:
    """Return what a turn begins with, from the records of its conversation."""
    records = list(records)
    transcript = conversation.fold(records)
    sent = transcript.sent(turn)
    request = transcript.requests.get(turn)
    if request is None or RESUMES not in request.options:
        return Beginning(sent, transcript.configured)
    calls = transcript.open_calls(turn)
    path = {step.node for step in transcript.branches.steps(turn)} - {turn}
    begun = _begun(record for record in records if record.turn in path)
    lost = [call for call in calls if call.id in begun]
    calls = [call for call in calls if call.id not in begun]
    ids = {call.id for call in calls}
    results = {call.id: Message("tool", LOST, tool_call_id=call.id) for call in lost}
    return Beginning(
        [
            _with_result(entry, results)
            for entry in sent
            if entry.message_id or entry.message.tool_call_id not in ids
        ],
        transcript.configured,
        calls,
        approvals.answered(records, turn),
        _plan(records, transcript, turn),
        [
            MessageAdded(f"{turn}.0.{number}", message)
            for number, message in enumerate(results.values(), 1)
        ],
    )


def _plan(
    records: Iterable[Record], transcript: conversation.Transcript, turn: str
) -> str:
    """Return the plan of the turn that `turn` resumes, maybe after others."""
    chain: set[str] = set()
    while turn not in chain:
        chain.add(turn)
        request = transcript.requests.get(turn)
        turn = str(request.options.get(RESUMES, turn)) if request else turn
    plans = [
        record.event.plan
        for record in records
        if record.turn in chain and isinstance(record.event, MessageAdded)
    ]
    return next(filter(None, reversed(plans)), "")


def _begun(records: Iterable[Record]) -> set[str]:
    """Return the ids of the calls that may have run."""
    begun: set[str] = set()
    for record in records:
        match record.event:
            case ToolCallStarted(call, decision) if decision not in _NOT_RUN:
                begun.add(call.id)
            case ApprovalGiven(call_id, allow=True):
                begun.add(call_id)
            case _:
                pass
    return begun


def _with_result(entry: Entry, results: dict[str, Message]) -> Entry:
    """Return the entry, with the known result of a call that has none in the log."""
    result = results.get(entry.message.tool_call_id or "")
    if result is None or entry.message_id:
        return entry
    return Entry("", result)
