"""The ways out of the app: quit, signal, hang-up, crash.

This module decides what happens to running answers; the caller of `run_app` acts on it:
see `Left`.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.app import App
from textual.timer import Timer

from tui.app import faults
from tui.errors import scarce
from tui.i18n import _
from tui.tools import process_state

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.app.chat.screen import ChatScreen
    from tui.app.dialogs.quit import Choice, QuitScreen

PATIENCE_SECONDS = 0.2
"""Seconds between two checks whether the awaited answer has finished."""

How = Literal["", "hung up", "background"]


class Left(NamedTuple):
    """How the app ended."""

    code: int
    """The exit code."""
    how: How = ""
    """Empty if turns are to be cancelled, otherwise why they continue."""
    fault: str = ""
    """The message about an exception that ended the screen."""

    @property
    def goes_on(self) -> bool:
        """Whether the turns of this process continue without the screen."""
        return bool(self.how)


class Exit:
    """Quits one `app` over a `backend`, also while turns are running."""

    def __init__(
        self,
        app: App[None],
        backend: "Backend",
        chat: "Callable[[], ChatScreen | None]",
    ) -> None:
        """Use `chat` to get the chat screen, even if another screen covers it."""
        self._app = app
        self._backend = backend
        self._chat = chat
        self._begun = False
        self.left = Left(0)
        """How the app ended, once it has."""
        self._patience: Timer | None = None
        """Polls whether the last answer has finished, while the user waits or is
        asked."""

    def obey_signals(self) -> None:
        """Quit on SIGTERM, SIGINT and SIGHUP, after restoring the terminal.

        Those of a tool, as by `_thread.interrupt_main`, do not come here: see
        `process_guard`. A tool's timer does nothing.
        """
        loop = asyncio.get_running_loop()

        def terminate() -> None:
            # Shells report "ended by signal N" as 128 + N.
            self.leave(code=128 + signal.SIGTERM)

        loop.add_signal_handler(signal.SIGTERM, terminate)

        def interrupt(number: int, frame: object) -> None:
            with suppress(RuntimeError):  # as below
                loop.call_soon_threadsafe(self.leave, "", 128 + signal.SIGINT)

        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            signal.signal(signal.SIGINT, interrupt)
        process_state.ignore_timers()
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
            return  # our parent process wants it ignored (nohup)

        def hang_up(number: int, frame: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: the app is ending
                loop.call_soon_threadsafe(self.hang_up)

        # Not through the loop, which removes its handlers when it ends: the kernel and
        # the shell each send one, and the second would kill us during the exit.
        signal.signal(signal.SIGHUP, hang_up)

    def hang_up(self) -> None:
        """Quit because the terminal is gone; running turns continue."""
        self.leave("hung up", 128 + signal.SIGHUP)

    def leave(self, how: "How" = "", code: int = 0) -> None:
        """End the screen. Only the first call counts."""
        if self._begun:
            return
        self._begun = True
        if code:
            self._doubt_seen()
        self.left = Left(code, how)
        self._app.exit(return_code=code)

    def fail(self, error: Exception) -> None:
        """Record that an exception ends the screen; running turns continue."""
        if why := scarce(error):
            message = _("the screen ended. {why}").format(why=why)
        else:
            message = _("the screen ended because of a bug in lazychat ({note})")
            message = message.format(note=faults.note(error))
        if not self._begun:
            self._begun = True
            self._doubt_seen()
            how = "background" if self._backend.wanted else ""
            self.left = Left(1, how, message)

    def _doubt_seen(self) -> None:
        """Do not mark as seen what was shown since the last key."""
        if chat := self._chat():
            chat.read_marker.lose()

    def quit(self) -> None:
        """Quit, or ask first if this program's turns are running."""
        if not (count := self._backend.wanted):
            self.leave()
            return
        from tui.app.dialogs.quit import QuitScreen

        if not self._dialog:
            self._app.push_screen(QuitScreen(count, self._backend.keeps), self._quit_so)
            self._poll(self._update_dialog)

    def answer(self, choice: "Choice") -> bool:
        """Choose in the quit dialog; return False if it is not open."""
        dialog = self._dialog
        if dialog:
            dialog.dismiss(choice)
        return dialog is not None

    def _quit_so(self, choice: "Choice | None") -> None:
        self._poll(None)
        match choice:
            case "wait":
                self._poll(self._leave_when_done)
                self._leave_when_done()
            case "background" if self._backend.wanted:
                self.leave("background")
            case "background" | "cancel":
                self.leave()
            case None:
                pass

    def stay(self) -> bool:
        """Cancel a quit that waits for answers; return False if there is none."""
        waits = self._patience is not None
        if waits and (chat := self._chat()):
            self._poll(None)
            chat.hint(_("Quit cancelled; the answer continues"))
        return waits

    def _poll(self, look: Callable[[], None] | None) -> None:
        """Call `look` repeatedly to check whether to quit; None stops it."""
        if self._patience:
            self._patience.stop()
        self._patience = (
            self._app.set_interval(PATIENCE_SECONDS, look) if look else None
        )

    def _leave_when_done(self) -> None:
        if not self._backend.busy:
            self.leave()
        elif (chat := self._chat()) and not chat.status.hint:
            key = chat.spell_key("cancel")
            stay = _(" ({key}: stay)").format(key=key) if key else ""
            chat.hint(_("Quits when the answer is finished{stay}").format(stay=stay))

    def _update_dialog(self) -> None:
        """Quit if no turn is left to ask about, or update the dialog."""
        if not (count := self._backend.wanted):
            self.leave()
        elif dialog := self._dialog:
            dialog.count = count

    @property
    def _dialog(self) -> "QuitScreen | None":
        from tui.app.dialogs.quit import QuitScreen

        top = self._app.screen
        return top if isinstance(top, QuitScreen) else None
