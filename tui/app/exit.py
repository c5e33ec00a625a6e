"""The ways out of the app: told to, hung up, or by the user's wish.

What becomes of the answers that are being written is decided here, and done by whoever
has run the app: see `Left`.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.timer import Timer

from tui.app import commands, faults
from tui.app.terminal.textual_hook import OutputApp

if TYPE_CHECKING:
    from tui.app.chat.screen import ChatScreen
    from tui.app.dialogs.quit import Choice, QuitScreen
    from tui.runtime.host import Host

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


class Leaving(OutputApp):
    """An app over a `host` that can be left while turns run."""

    host: "Host"

    def __init__(self) -> None:
        super().__init__()
        self.left = Left(0)
        """How it was left, once it has been."""
        self._patience: Timer | None = None
        """Runs while the end of the answer is to end the program: while the user waits
        for it, or is asked."""

    @property
    def chat(self) -> "ChatScreen | None":
        """The chat screen, whatever lies over it."""
        raise NotImplementedError

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
        if not self._exit:
            if code and self.chat:
                self.chat.read_marker.lose()
            self.left = Left(code, how)
            self.exit(return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """End the screen because of a fault in it; the turns are not its concern.

        Textual calls it for whatever is raised in the app, a screen, a widget, a timer
        or a worker, and would print the values of all variables: words of the user's.
        """
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._end_by_fault(error)

    def panic(self, *renderables: object) -> None:
        """End the screen as by a fault; nothing is rendered any more."""
        self._handle_exception(RuntimeError("Textual has given up"))

    def end_by_fault(self, error: Exception) -> None:
        """Give the terminal back after a fault that was raised out of `run`."""
        self._handle_exception(error)
        if self._driver:
            self._driver.close()

    def _end_by_fault(self, error: Exception) -> None:
        said = f"the screen has ended by a fault of lazychat's ({faults.note(error)})"
        if not self._exit:
            if self.chat:
                self.chat.read_marker.lose()
            how = "background" if self.host.runner.wanted else ""
            self.left = Left(1, how, said)
        self._exit = True
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Leave; while answers are being written ask what is to become of them."""
        self.quit()

    def quit(self) -> None:
        """Leave, or ask first: what others run goes on in any case."""
        if not (count := self.host.runner.wanted):
            self.leave()
            return
        from tui.app.dialogs.quit import QuitScreen

        if not self._dialog:
            self.push_screen(QuitScreen(count, self.host.keeps), self._quit_so)
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
            case "background" if self.host.runner.wanted:
                self.leave("background")
            case "background" | "cancel":
                self.leave()
            case None:
                pass

    async def action_cancel(self) -> None:
        """Stay if it was to be left, else do what the chat does."""
        if self.chat and not self.stay():
            self.chat.action_escape()

    def stay(self) -> bool:
        """Stay although it was to be left; False when it was not."""
        waits = self._patience is not None
        if waits and self.chat:
            self._look_until_left(None)
            self.chat.hint("lazychat stays, and the answer goes on")
        return waits

    def _key(self, name: str) -> str:
        return commands.spelled(commands.named(name), self.host.config.keys)

    def _look_until_left(self, look: Callable[[], None] | None) -> None:
        """Have `look` look whether to leave now, until None is given in its place."""
        if self._patience:
            self._patience.stop()
        self._patience = self.set_interval(PATIENCE_SECONDS, look) if look else None

    def _leave_when_done(self) -> None:
        if not self.host.runner.busy:
            self.leave()
        elif self.chat and not self.chat.status.hint:
            key = self._key("cancel")
            stay = f" ({key}: stay)" if key else ""
            self.chat.hint(f"Leaves when the answer has ended{stay}")

    def _keep_true(self) -> None:
        """Leave when there is nothing to ask about any more, else ask about what is."""
        if not (count := self.host.runner.wanted):
            self.leave()
        elif dialog := self._dialog:
            dialog.count = count

    @property
    def _dialog(self) -> "QuitScreen | None":
        from tui.app.dialogs.quit import QuitScreen

        return self.screen if isinstance(self.screen, QuitScreen) else None
