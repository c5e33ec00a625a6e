"""The ways out of the app: told to, hung up, or by the user's wish.

What becomes of the answers that are being written is decided here, and done by whoever
has run the app: see `Left`.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.timer import Timer

from tui.app.output.hook import OutputApp

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.app.screens.quit import Choice
    from tui.host import Host

PATIENCE_SECONDS = 0.2
"""How often is looked whether the answer that the user waits for has ended."""

How = Literal["", "hung up", "background"]


class Left(NamedTuple):
    """How the app was left."""

    code: int
    """The exit code."""
    how: How = ""
    """Empty when the turns are to be cancelled, else why they go on."""

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
        """Runs while the user waits for the end of the answer to leave."""

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
                self.chat.presence.lose()
            self.left = Left(code, how)
            self.exit(return_code=code)

    async def action_quit(self) -> None:
        """Leave; while answers are being written ask what is to become of them."""
        self.quit()

    def quit(self) -> None:
        """Leave, or ask first: what others run goes on in any case."""
        if not (count := self.host.runner.wanted):
            self.leave()
            return
        from tui.app.screens.quit import QuitScreen

        if not isinstance(self.screen, QuitScreen):
            self._wait_to_leave(False)
            self.push_screen(QuitScreen(count, self.host.keeps), self._quit_so)

    def _quit_so(self, choice: "Choice | None") -> None:
        match choice:
            case "wait":
                self._wait_to_leave(True)
            case "background" if self.host.runner.wanted:
                self.leave("background")
            case "background" | "cancel":
                self.leave()
            case None:
                pass

    def _wait_to_leave(self, waits: bool) -> None:
        if self._patience:
            self._patience.stop()
        look = self._leave_when_done
        self._patience = self.set_interval(PATIENCE_SECONDS, look) if waits else None
        if waits:
            look()

    def _leave_when_done(self) -> None:
        if not self.host.runner.busy:
            self.leave()
        elif self.chat and not self.chat.status.hint:
            self.chat.hint("Leaves when the answer has ended")
