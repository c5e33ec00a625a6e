"""Asks the user, through the log, whether the tools of a turn may run.

The threads of tool calls wait here. The turn's driver reports what it has written, and
the runner, which follows the log, passes on the answers of any process.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress

from msgspec.structs import replace

from tui import grants
from tui.conversation import approvals
from tui.errors import Cancelled, LogError
from tui.eventlog import EventLog
from tui.events import ApprovalGiven, ApprovalRequested, Event, ToolCallStarted
from tui.grants import Grant
from tui.i18n import _
from tui.turn import Cancellation


class LoggedApprover:
    """Implements `Approver` for one turn. For any thread."""

    def __init__(
        self,
        log: EventLog,
        conversation: str,
        cancel: Cancellation,
        while_asking: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Enter `while_asking()` for as long as a call waits for the user."""
        self._while_asking = while_asking
        self._log = log
        self._conversation = conversation
        self._cancel = cancel
        self._changed = threading.Condition()
        self._written: dict[str, Future[int]] = {}
        self._given: dict[str, ApprovalGiven] = {}
        self._before: dict[str, tuple[ApprovalRequested, ApprovalGiven]] = {}
        self._closed = False

    # -- called by the driver and the runner

    def wrote(self, event: Event, written: "Future[int]") -> None:
        """Take note that the driver has appended `event`."""
        if isinstance(event, ToolCallStarted):
            with self._changed:
                self._written[event.call.id] = written
                self._changed.notify_all()

    def give(self, given: ApprovalGiven) -> None:
        """Pass on an answer from the log, in the log's order: the first counts."""
        with self._changed:
            self._given.setdefault(given.call_id, given)
            self._changed.notify_all()

    def gave_before(
        self, answered: Sequence[tuple[ApprovalRequested, ApprovalGiven]]
    ) -> None:
        """Take the answers that have resumed the turn, with their questions."""
        for asked, given in answered:
            self._before[asked.call_id] = asked, given
            self._keep(asked, given)

    def close(self) -> None:
        """Let nobody wait any longer: the driver has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- called by tool calls

    def recorded(self, call_id: str) -> None:
        """Wait until the start of a call survives a kill."""
        with self._cancel.on(self._wake):
            with self._changed:
                self._changed.wait_for(lambda: self._over or call_id in self._written)
                self._raise_if_over()
                written = self._written[call_id]
            written.add_done_callback(lambda _: self._wake())
            with self._changed:
                self._changed.wait_for(lambda: self._over or written.done())
                self._raise_if_over()
        if error := written.exception():
            raise LogError(_("the call could not be stored.")) from error

    def granted(self, tool: str, origin: str, subject: str, folder: str) -> str:
        """Return who has allowed such calls."""
        call = tool, origin, subject
        state = approvals.of(self._log, self._conversation)
        if any(each.covers(*call) for each in state.grants):  # in any folder
            return "conversation"
        stored = grants.stored()
        if any(each.covers(*call, folder) for each in stored):
            return "always"
        old = (each for each in stored if not each.folder)
        return "elsewhere" if any(each.covers(*call) for each in old) else ""

    def answered(self, request: ApprovalRequested) -> ApprovalGiven | None:
        """Return the answer that has resumed the turn, if the question is the same."""
        asked, given = self._before.pop(request.call_id, (None, None))
        if asked is None or replace(asked, asks_again=request.asks_again) != request:
            return None
        return given

    def wait(self, request: ApprovalRequested) -> ApprovalGiven:
        """Wait for the answer."""
        id = request.call_id
        with self._while_asking(), self._cancel.on(self._wake), self._changed:
            self._changed.wait_for(lambda: self._over or id in self._given)
            self._raise_if_over()
            given = self._given.pop(id)
        self._keep(request, given)
        return given

    # -- inside

    @property
    def _over(self) -> bool:
        return self._closed or self._cancel.requested

    def _raise_if_over(self) -> None:
        if self._over:
            raise Cancelled

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self, asked: ApprovalRequested, given: ApprovalGiven) -> None:
        """Store what is allowed for ever: here, where the first answer is known."""
        if not (given.allow and given.scope == "always" and asked.may_keep):
            return
        if given.pattern not in ("", asked.pattern):
            return  # not what the user was shown
        with suppress(OSError):  # the call is allowed; later ones ask again
            grants.keep(Grant(asked.tool, asked.origin, given.pattern, asked.folder))
