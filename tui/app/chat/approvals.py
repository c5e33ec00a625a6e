"""Asks the user, in one chat, whether tools may run, and passes the answers on.

What is asked is in the log, so every screen of the conversation asks the same; the
first answer counts, and closes the dialogs of all others.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec
from textual.screen import Screen

from tui.app import background
from tui.app.backend import Backend, Conversation
from tui.app.transcript.note import NoteKind
from tui.app.widgets.approval_dialog import ApprovalDialog
from tui.app.widgets.composer import Composer
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.conversation import Transcript
from tui.conversation.approvals import Question
from tui.errors import ConflictError, LazychatError
from tui.events import ApprovalGiven, Record, ToolCallFinished, TurnRequested
from tui.grants import Grant
from tui.i18n import _

ROOMY = 30
"""Rows from which the debug panel has room beside the dialog."""


_ROOM_FOR_TEXT = 12
"""Rows from which some of the conversation is shown above the dialog."""
_AROUND = 5
"""Rows of the header, of some of the conversation and of the status line."""


class ApprovalChoice:
    """Shows the dialog and the list of what is allowed. Call it in the UI thread."""

    def __init__(
        self,
        screen: Screen[Any],
        backend: Backend,
        conversation: Conversation,
        fold: Transcript,
        dialog: ApprovalDialog,
        composer: Composer,
        sidebar: ToolSidebar,
        *,
        hint: Callable[[str], None],
        note: Callable[[str, NoteKind], object],
    ) -> None:
        """Use `hint` and `note` to report what became of an answer."""
        self._screen = screen
        self._backend = backend
        self._conversation = conversation
        self._fold = fold
        self._dialog = dialog
        self._composer = composer
        self._sidebar = sidebar
        self._hint = hint
        self._note = note
        self._kept: list[Grant] = []
        """What is always allowed, as of the last look."""
        self._here: list[Grant] = []

    @property
    def asks(self) -> bool:
        """Whether the dialog is in place of the composer."""
        return self._dialog.question is not None

    # -- the dialog

    def show(self) -> None:
        """Ask the oldest question, or give the composer back."""
        open_now = self._fold.approvals
        if oldest := open_now.oldest:
            first = not self.asks
            self._dialog.ask(oldest, open_now.count - 1)
            if first:
                self._begin()
        elif self.asks:
            self._end()
        here = list(self._fold.approvals.grants)
        if here != self._here:
            self._here = here
            self._show_grants()

    def _begin(self) -> None:
        self._screen.add_class("-asking")
        self.fit(self._screen.size.height)
        if self._screen.focused in (None, self._composer):
            self._dialog.take_focus()
        self._composer.display = False

    def _end(self) -> None:
        had_focus = self._screen.focused in (None, *self._dialog.parts)
        self._screen.remove_class("-asking")
        self._composer.display = True
        if had_focus:
            self._screen.set_focus(self._composer)
        self._dialog.close()

    def answer(self, question: Question, given: ApprovalGiven) -> None:
        """Pass on the answer to a question."""
        resumed = None
        if self._fold.approvals.outlives(question.turn):
            resumed = self._resumed(question.turn)
        written = self._conversation.answer(question, given, resumed)
        written.add_done_callback(self._report)

    def _resumed(self, turn: str) -> TurnRequested:
        """Return the request that lets a turn go on whose process is gone."""
        request = self._fold.requests.get(turn) or TurnRequested(self._backend.model)
        last = self._fold.branches.path(turn)[-1:]
        return msgspec.structs.replace(request, parent=last[0] if last else None)

    def _report(self, done: "Future[int]") -> None:
        """Report an answer that was not stored. Runs in the log thread."""
        error = done.exception()
        if isinstance(error, ConflictError):
            self._screen.call_later(self._hint, _("Already answered"))
        elif error is not None:
            self._screen.call_later(self._note, str(error), "error")

    def drop(self) -> bool:
        """Take back the question of a turn whose process is gone; False without one."""
        question = self._dialog.question
        if question is None or not self._fold.approvals.outlives(question.turn):
            return False
        self._conversation.cancel(question.turn)
        return True

    def add_to_draft(self, text: str) -> None:
        """Add to the draft what is typed while the dialog is there."""
        self._composer.add(text)

    def begin(self, height: int) -> None:
        """Set the class of a screen of `height` rows before its parts exist."""
        self._screen.set_class(height < ROOMY, "-low")

    def fit(self, height: int) -> None:
        """Fit the dialog to a screen of `height` rows; on few it hides the calls."""
        self._screen.set_class(height < ROOMY, "-low")
        around = _AROUND if height >= _ROOM_FOR_TEXT else 2
        self._dialog.fit(height - around, height // 2 - 3)

    def take_focus(self) -> None:
        """Direct the keys to the dialog."""
        self._dialog.take_focus()

    # -- what is allowed

    def look(self, records: list[Record] | None = None) -> None:
        """Read again what is always allowed; after `records`, only if it may change."""
        ended = (isinstance(r.event, ToolCallFinished) for r in records or ())
        if records is None or any(ended):
            background.run("grants", self._read)

    def _read(self) -> None:
        kept = list(self._backend.grants())
        self._screen.call_later(self._take, kept)

    def _take(self, kept: list[Grant]) -> None:
        if kept != self._kept:
            self._kept = kept
            self._show_grants()

    def _show_grants(self) -> None:
        self._sidebar.set_grants(self._kept, self._here)

    def revoke(self, grant: Grant, *, always: bool) -> None:
        """Revoke what was allowed."""
        if always:
            background.run("grants", lambda: self._revoke(grant))
        else:
            self._conversation.revoke(grant.tool, grant.origin)

    def _revoke(self, grant: Grant) -> None:
        try:
            self._backend.revoke(grant)
        except LazychatError as error:
            self._screen.call_later(self._note, str(error), "error")
        self._read()
