"""Watches which process runs each turn, and ends turns whose process is gone.

An unfinished request is never sent again automatically, as it may already have been
paid for.
"""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background, commands
from tui.app.backend import Backend, Conversation
from tui.conversation import Transcript
from tui.errors import LogError
from tui.events import TurnStarted
from tui.i18n import _

LOOKS = 4
"""Number of `look` calls between two checks that another process is alive."""


class Owners:
    """Watches the turns that other processes run, while a chat shows them."""

    def __init__(
        self,
        backend: Backend,
        conversation: Conversation,
        fold: Transcript,
        note: Callable[[str], object],
        hint: Callable[[str], object],
    ) -> None:
        """Set how to report to the user.

        `note` reports a turn whose process cannot be checked, `hint` why a turn is not
        taken over.
        """
        self._backend = backend
        self._conversation = conversation
        self._fold = fold
        self._note = note
        self._hint = hint
        self._looks = 0
        self._reported: str | None = None

    def look(self) -> None:
        """End a turn whose process is gone; report one that cannot be checked."""
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner or self._backend.runs(turn):
            return
        self._looks += 1
        if self._looks % LOOKS == 0:
            self._end_if_gone(owner)
        if turn != self._reported and not self._backend.is_here(owner):
            self._reported = turn
            self._note(
                _(
                    "Process {pid} on {host} is writing this answer. If that "
                    "process is gone, end the turn with /takeover."
                ).format(pid=owner.pid, host=owner.host)
            )

    def _end_if_gone(self, owner: TurnStarted) -> None:
        _in_background(lambda: self._conversation.end_if_gone(owner))

    def take_over(self) -> None:
        """End a turn of another machine, whose process cannot be checked from here."""
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner:
            self._hint(_("No answer is running"))
        elif self._backend.runs(turn) or self._backend.is_here(owner):
            key = commands.spelled(commands.named("cancel"), self._backend.keys)
            self._hint(
                _("Process {pid} on this machine is answering: {key} stops it").format(
                    pid=owner.pid, key=key
                )
            )
        else:
            _in_background(lambda: self._conversation.take_over(turn))


def _in_background(work: Callable[[], object]) -> None:
    def guarded() -> None:
        with suppress(LogError):
            work()

    background.run("owners", guarded)
