"""After an answer that was broken off: go on with it, ask again, take it over.

Nothing of it happens unasked: a request that was paid for once is not sent again
because a program found it unfinished.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tui import process_identity
from tui.app import background
from tui.conversation.entry import CONTINUE, GO_ON
from tui.errors import LogError
from tui.runtime import turn_driver

if TYPE_CHECKING:
    from tui.app.chat.screen import ChatScreen

LOOKS = 4
"""Each how many looks it is asked whether the process of another's turn lives."""


def go_on(screen: "ChatScreen") -> None:
    """Ask the model to go on where its text stopped; without text, ask again."""
    if _is_busy(screen):
        return
    entries = list(screen.presenter.fold.entries.values())
    if not entries:
        screen.hint("There is no answer to go on with")
    elif entries[-1].message.role == "user":
        retry(screen)
    elif entries[-1].finish_reason == "stop":
        screen.hint("The answer is whole; ask on")
    else:
        screen.asking.ask(GO_ON, CONTINUE)


def retry(screen: "ChatScreen") -> None:
    """Ask the last question again; what was answered stays as another version."""
    if _is_busy(screen):
        return
    entries = screen.presenter.fold.entries.values()
    questions = [e for e in entries if e.message.role == "user"]
    asked = [e.message_id for e in questions if e.purpose != CONTINUE]
    if asked:
        screen.asking.ask_again(asked[-1])
    else:
        screen.hint("There is no question to ask again")


def take_over(screen: "ChatScreen") -> None:
    """End a turn whose process cannot be asked whether it still lives."""
    turn, owner = screen.presenter.running, screen.presenter.fold.owner
    if not turn or not owner:
        screen.hint("No answer is being written")
    elif screen.host.runner.runs(turn) or process_identity.is_here(owner):
        screen.hint(f"Process {owner.pid} of this machine writes it: Esc stops it")
    else:
        _in_background(
            lambda: turn_driver.end(
                screen.host.log, screen.conversation, turn, "interrupted"
            )
        )


class Owners:
    """Looks after turns that other processes run, while `screen` shows one."""

    def __init__(self, screen: "ChatScreen") -> None:
        self._screen = screen
        self._looks = 0
        self._told: str | None = None

    def look(self) -> None:
        """End what nobody runs any more, and tell of what cannot be known."""
        screen = self._screen
        turn, owner = screen.presenter.running, screen.presenter.fold.owner
        if not turn or not owner or screen.host.runner.runs(turn):
            return
        self._looks += 1
        if self._looks % LOOKS == 0 and process_identity.is_gone(owner):
            log, id = screen.host.log, screen.conversation
            _in_background(lambda: turn_driver.end_if_gone(log, id))
        if turn != self._told and not process_identity.is_here(owner):
            self._told = turn
            screen.transcript.add_note(
                f"This answer is written on {owner.host} (process {owner.pid}). If "
                "that is not so any more, /takeover ends it here."
            )


def _is_busy(screen: "ChatScreen") -> bool:
    busy = bool(screen.presenter.running or screen.presenter.waiting)
    if busy:
        screen.hint("First let the answer end, or stop it")
    return busy


def _in_background(work: Callable[[], None]) -> None:
    def guarded() -> None:
        with suppress(LogError):
            work()

    background.run("resume", guarded)
