"""Watches which process runs each turn, and ends turns whose process is gone.

Nothing of it happens unasked: a request that was paid for once is not sent again
because a program found it unfinished.
"""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background
from tui.app.backend import Backend, Conversation
from tui.conversation import Transcript
from tui.errors import LogError
from tui.events import TurnStarted

LOOKS = 4
"""Each how many looks it is asked whether the process of another's turn lives."""


class Owners:
    """Looks after turns that other processes run, while one is shown."""

    def __init__(
        self,
        backend: Backend,
        conversation: Conversation,
        fold: Transcript,
        note: Callable[[str], None],
        hint: Callable[[str], None],
    ) -> None:
        """Take what is shown, and how to tell the user.

        `note` is for what cannot be known, `hint` for why nothing is taken over.
        """
        self._backend = backend
        self._conversation = conversation
        self._fold = fold
        self._note = note
        self._hint = hint
        self._looks = 0
        self._told: str | None = None

    def look(self) -> None:
        """End what nobody runs any more, and tell of what cannot be known."""
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner or self._backend.runs(turn):
            return
        self._looks += 1
        if self._looks % LOOKS == 0:
            self._end_if_gone(owner)
        if turn != self._told and not self._backend.is_here(owner):
            self._told = turn
            self._note(
                f"This answer is written on {owner.host} (process {owner.pid}). If "
                "that is not so any more, /takeover ends it here."
            )

    def _end_if_gone(self, owner: TurnStarted) -> None:
        _in_background(lambda: self._conversation.end_if_gone(owner))

    def take_over(self) -> None:
        """End a turn whose process cannot be asked whether it still lives."""
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner:
            self._hint("No answer is being written")
        elif self._backend.runs(turn) or self._backend.is_here(owner):
            self._hint(f"Process {owner.pid} of this machine writes it: Esc stops it")
        else:
            _in_background(lambda: self._conversation.take_over(turn))


def _in_background(work: Callable[[], object]) -> None:
    def guarded() -> None:
        with suppress(LogError):
            work()

    background.run("owners", guarded)
