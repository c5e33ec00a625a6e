"""The ways out of the app: quit, signal, hang-up, crash.

It decides what happens to running answers; the caller of `run_app` carries that out:
see `Left`.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.app import App
from textual.timer import Timer

from tui.app import faults

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.app.chat.screen import ChatScreen
    from tui.app.dialogs.quit import Choice, QuitScreen

PATIENCE_SECONDS = 0.2
"""How often is looked whether the answer that the user waits for has ended."""

How = Literal["", "hung up", "background"]


class Left(NamedTuple):
    """How the app was left."""

    code: int
    """The exit code."""
    how: How = ""
    """Empty when the turns are to be cancelled, else why they go on."""
    fault: str = ""
    """What is to be said of a fault that has ended the screen."""

    @property
    def goes_on(self) -> bool:
        """Whether the turns of this process go on without the screen."""
        return bool(self.how)


class Exit:
    """The way out of one `app` over a `backend`, also while turns run."""

    def __init__(
        self,
        app: App[None],
        backend: "Backend",
        chat: "Callable[[], ChatScreen | None]",
    ) -> None:
        """Take `chat`, which returns the chat screen, whatever lies over it."""
        self._app = app
        self._backend = backend
        self._chat = chat
        self._begun = False
        self.left = Left(0)
        """How it was left, once it has been."""
        self._patience: Timer | None = None
        """Runs while the end of the answer is to end the program: while the user waits
        for it, or is asked."""

    def obey_signals(self) -> None:
        """Leave when told to, and give the terminal back first."""
        loop = asyncio.get_running_loop()

        def terminate() -> None:
            # 128 + N is how shells spell "ended by signal N".
            self.leave(code=128 + signal.SIGTERM)

        loop.add_signal_handler(signal.SIGTERM, terminate)
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
            return  # asked for by whoever started us

        def hang_up(number: int, frame: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: we are leaving
                loop.call_soon_threadsafe(self.hang_up)

        # Not by the loop, which forgets its handlers when it ends: the kernel and the
        # shell each send one, and the second would end us in the middle.
        signal.signal(signal.SIGHUP, hang_up)

    def hang_up(self) -> None:
        """Leave because the terminal has gone; the turns go on."""
        self.leave("hung up", 128 + signal.SIGHUP)

    def leave(self, how: "How" = "", code: int = 0) -> None:
        """End the screen. The first reason to do so counts."""
        if self._begun:
            return
        self._begun = True
        if code:
            self._doubt()
        self.left = Left(code, how)
        self._app.exit(return_code=code)

    def fail(self, error: Exception) -> None:
        """Note that a fault ends the screen; the turns are not its concern."""
        said = f"the screen has ended by a fault of lazychat's ({faults.note(error)})"
        if not self._begun:
            self._begun = True
            self._doubt()
            how = "background" if self._backend.wanted else ""
            self.left = Left(1, how, said)

    def _doubt(self) -> None:
        """Take nothing for seen that has been shown since the last key."""
        if chat := self._chat():
            chat.read_marker.lose()

    def quit(self) -> None:
        """Leave, or ask first: what others run goes on in any case."""
        if not (count := self._backend.wanted):
            self.leave()
            return
        from tui.app.dialogs.quit import QuitScreen

        if not self._dialog:
            self._app.push_screen(QuitScreen(count, self._backend.keeps), self._quit_so)
            self._look_until_left(self._keep_true)

    def answer(self, choice: "Choice") -> bool:
        """Choose what is to become of the answers; False when that is not asked."""
        dialog = self._dialog
        if dialog:
            dialog.dismiss(choice)
        return dialog is not None

    def _quit_so(self, choice: "Choice | None") -> None:
        self._look_until_left(None)
        match choice:
            case "wait":
                self._look_until_left(self._leave_when_done)
                self._leave_when_done()
            case "background" if self._backend.wanted:
                self.leave("background")
            case "background" | "cancel":
                self.leave()
            case None:
                pass

    def stay(self) -> bool:
        """Stay although it was to be left; False when it was not."""
        waits = self._patience is not None
        if waits and (chat := self._chat()):
            self._look_until_left(None)
            chat.hint("lazychat stays, and the answer goes on")
        return waits

    def _look_until_left(self, look: Callable[[], None] | None) -> None:
        """Have `look` look whether to leave now, until None is given in its place."""
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
            stay = f" ({key}: stay)" if key else ""
            chat.hint(f"Leaves when the answer has ended{stay}")

    def _keep_true(self) -> None:
        """Leave when there is nothing to ask about any more, else ask about what is."""
        if not (count := self._backend.wanted):
            self.leave()
        elif dialog := self._dialog:
            dialog.count = count

    @property
    def _dialog(self) -> "QuitScreen | None":
        from tui.app.dialogs.quit import QuitScreen

        top = self._app.screen
        return top if isinstance(top, QuitScreen) else None
