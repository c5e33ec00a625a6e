"""Watches which process runs each turn, and ends turns whose process is gone.

Nothing of it happens unasked: a request that was paid for once is not sent again
because a program found it unfinished.
"""

from collections.abc import Callable
from contextlib import suppress

from tui import process_identity
from tui.app import background
from tui.conversation import Transcript
from tui.errors import LogError
from tui.runtime import turn_driver
from tui.runtime.host import Host

LOOKS = 4
"""Each how many looks it is asked whether the process of another's turn lives."""


class Owners:
    """Looks after turns that other processes run, while one is shown."""

    def __init__(
        self,
        host: Host,
        conversation: str,
        fold: Transcript,
        note: Callable[[str], None],
    ) -> None:
        """Take what is shown, and how to `note` in it what cannot be known."""
        self._host = host
        self._conversation = conversation
        self._fold = fold
        self._note = note
        self._looks = 0
        self._told: str | None = None

    def look(self) -> None:
        """End what nobody runs any more, and tell of what cannot be known."""
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner or self._host.runner.runs(turn):
            return
        self._looks += 1
        log, id = self._host.log, self._conversation
        if self._looks % LOOKS == 0 and process_identity.is_gone(owner):
            _in_background(lambda: turn_driver.end_if_gone(log, id))
        if turn != self._told and not process_identity.is_here(owner):
            self._told = turn
            self._note(
                f"This answer is written on {owner.host} (process {owner.pid}). If "
                "that is not so any more, /takeover ends it here."
            )

    def take_over(self) -> str:
        """End a turn whose process cannot be asked whether it still lives.

        Returns why that is not to be done, or "".
        """
        turn, owner = self._fold.current, self._fold.owner
        if not turn or not owner:
            return "No answer is being written"
        if self._host.runner.runs(turn) or process_identity.is_here(owner):
            return f"Process {owner.pid} of this machine writes it: Esc stops it"
        log, id = self._host.log, self._conversation
        _in_background(lambda: turn_driver.end(log, id, turn, "interrupted"))
        return ""


def _in_background(work: Callable[[], None]) -> None:
    def guarded() -> None:
        with suppress(LogError):
            work()

    background.run("owners", guarded)
