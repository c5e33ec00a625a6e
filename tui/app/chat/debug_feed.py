"""Shows the records of a conversation in the debug panel: rounds, calls, notes.

A round begins when the model is asked and ends with its message. Its times are those of
the log, so an old conversation shows the same figures as one that was watched.
"""

from collections.abc import Callable

from tui import agent_names
from tui.app.background import run
from tui.app.widgets.debug_entries import Body, Round
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import SHORTEST_SECONDS
from tui.conversation import Transcript
from tui.conversation.attached import described
from tui.conversation.audit import DENIED
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ErrorRaised,
    MessageAdded,
    NoticeGiven,
    Record,
    RetryScheduled,
    ToolCallFinished,
    ToolCallOpened,
    ToolCallStarted,
    ToolProgressed,
    TurnStarted,
    UsageReported,
)
from tui.i18n import N_, _
from tui.messages import Message, ToolCall
from tui.models.exchanges import Exchange, Exchanges

_SCOPES = {
    "once": N_("allowed by you"),
    "conversation": N_("allowed by you for this conversation"),
    "always": N_("always allowed by you"),
}
_DECIDED = {
    "flag": N_("allowed by --allow"),
    "conversation": N_("allowed before in this conversation"),
    "always": N_("allowed before by you"),
    "denied": N_("denied by its policy"),
    "flag denied": N_("denied by --deny"),
    "unattended": N_("denied: nobody to ask"),
}
"""See `ToolCallStarted.decision`; what runs by its policy needs no words."""


class DebugFeed:
    """Feeds one panel. Call it in the UI thread."""

    def __init__(self, panel: DebugPanel, fold: Transcript) -> None:
        """Take records after they were applied to `fold`."""
        self._panel = panel
        self._fold = fold
        self._turn: str | None = None
        self._round: Round | None = None
        """The round that runs."""
        self._rounds = 0
        self._asked = 0.0
        """When the model was asked last, in seconds since the epoch."""
        self._wanted: dict[str, ToolCall] = {}
        """The calls of the last message, by id."""

    def take(self, record: Record) -> None:
        """Take the next record."""
        event = record.event
        if isinstance(event, TurnStarted):
            self._begin_turn(record)
            return
        if record.turn is None or record.turn != self._turn:
            return
        match event:
            case MessageAdded(_, message):
                self._message(record, event.message_id, message)
            case UsageReported():
                self._usage(event)
            case RetryScheduled():
                self.spoke()
                self._panel.note(event.line)
            case NoticeGiven(text):
                self._panel.note(text)
            case ErrorRaised(_, text):
                self._panel.note(text, failed=True)
            case ToolCallOpened():
                self.spoke()
            case ToolCallStarted(call, decided):
                self._panel.call_started(call)
                if words := _DECIDED.get(decided):
                    denied = decided in DENIED
                    self._panel.call_decided(call, _(words), denied=denied)
            case ToolProgressed(call_id, text):
                self._panel.call_progressed(call_id, text)
            case ToolCallFinished(call_id, seconds, error):
                self._panel.call_finished(call_id, seconds, error)
            case ApprovalRequested(call_id):
                self._panel.approval_requested(self._call(call_id))
            case ApprovalGiven(call_id, allow):
                self._panel.call_decided(
                    self._call(call_id), decision(event), denied=not allow
                )
            case _:
                pass

    def spoke(self) -> None:
        """Assume that the model works: begin a round, unless one is running."""
        if self._round is None and self._turn is not None:
            self._begin_round()

    def ended(self, reason: str) -> None:
        """Note that the turn has ended."""
        if self._round is not None:
            self._round.ended = reason
            self._panel.round_changed(self._round)
        self._round = self._turn = None
        self._panel.turn_finished(reason)

    def _begin_turn(self, record: Record) -> None:
        self._turn, self._rounds, self._asked = record.turn, 0, record.time
        request = self._fold.requests.get(record.turn or "")
        if request and request.agent not in (agent_names.DEFAULT, "summary"):
            self._panel.note(_("agent: {agent}").format(agent=request.agent))
        self._begin_round()

    def _begin_round(self) -> Round:
        request = self._fold.requests.get(self._turn or "")
        model = request.model if request else ""
        self._rounds += 1
        self._round = self._panel.round_started(
            self._turn or "", self._rounds, model, self._asked
        )
        return self._round

    def _message(self, record: Record, id: str, message: Message) -> None:
        if message.role == "tool":
            self._asked = record.time  # the model is asked with it
            chips = map(described, message.attachments)
            shown = "\n".join(filter(None, [message.text, *chips]))
            self._panel.call_output(message.tool_call_id or "", shown)
        elif message.role == "assistant":
            current = self._round or self._begin_round()
            current.seconds = max(0.0, record.time - self._asked)
            current.message_id = id
            self._panel.round_changed(current)
            self._round, self._asked = None, record.time
            self._wanted = {call.id: call for call in message.tool_calls}

    def _usage(self, event: UsageReported) -> None:
        current = self._round or self._begin_round()
        current.tokens = tokens = event.input_tokens, event.output_tokens
        current.cached = event.cached_tokens
        if event.seconds >= SHORTEST_SECONDS:
            current.speed = event.output_tokens / event.seconds
        self._panel.round_changed(current, tokens=tokens)

    def _call(self, call_id: str) -> ToolCall:
        return self._wanted.get(call_id) or ToolCall(call_id, "", {})


def decision(given: ApprovalGiven) -> str:
    """Return in a few words who has decided about a call, and how."""
    if not given.allow:
        return (
            _("denied: {reason}").format(reason=given.reason)
            if given.reason
            else _("denied by you")
        )
    return _(_SCOPES.get(given.scope, "")) or _("allowed by {scope}").format(
        scope=given.scope
    )


def fetch_bodies(
    panel: DebugPanel,
    exchanges: Exchanges,
    round: Round,
    call_later: Callable[..., object],
) -> None:
    """Show in `panel` what is kept of a round's requests; masks keys in a thread."""

    def work() -> None:
        kept = exchanges.of(round.turn)
        ids = list(dict.fromkeys(it.message_id for it in kept))
        wanted = round.message_id
        if not wanted and ids and round.place >= len(ids):
            wanted = ids[-1]  # it has no message: the last that was asked for
        bodies = [_body(it) for it in kept if wanted and it.message_id == wanted]
        call_later(panel.show_bodies, round, bodies)

    run("bodies", work)


def _body(it: Exchange) -> Body:
    return Body(it.time, it.address, it.outcome, it.request, it.response)
