"""The download of a model, which continues when its dialog is closed.

There is one at a time. The status line of the chat shows how far it is, and the dialog
shows it again. Quitting stops it; the part so far is kept, and the next one continues.
"""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from tui.app import background
from tui.app.backend import Setup
from tui.errors import Cancelled, LazychatError
from tui.i18n import _

if TYPE_CHECKING:  # imported when first used: the app starts with this module
    from tui.models.hub import Downloading, Pull, Wanted
    from tui.models.setup import Kept

_PAUSE = 0.5
"""Seconds between two lines of progress, as each costs bytes on a slow link."""


class Watcher(Protocol):
    """The dialog of a download."""

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show how far it is."""
        ...

    def over(self, why: str, failed: bool) -> None:
        """Show that it has ended before its end, and why."""
        ...

    def kept(self, kept: "Kept") -> None:
        """Go on with the model, which is there."""
        ...


class Downloads:
    """Runs the download of one app. Call it in the UI thread."""

    def __init__(
        self,
        setup: Callable[[], Setup],
        call_later: Callable[..., object],
        show: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        """Use `show` for a word on the status line, "" for none, `tell` for the end.

        `call_later` passes a call from any thread to the UI thread.
        """
        self._setup = setup
        self._call_later = call_later
        self._show = show
        self._tell = tell
        self._pull: Pull | None = None
        self._meter = Meter()
        self._watcher: Watcher | None = None
        self.name = ""
        """What is being downloaded, as the user has typed it; "" for nothing."""
        self.line = ""
        """How far it is."""

    def begin(self, what: "Wanted", name: str, *, default: bool) -> None:
        """Begin, if nothing is being downloaded.

        `default`: make the model that of new conversations.
        """
        if self._pull:
            return
        self._pull = pull = self._setup().pull(what)
        self._meter = Meter()
        self.name, self.line = name, _("Contacting the hub…")
        background.run("pull", lambda: self._run(pull, default))

    def watch(self, watcher: Watcher | None) -> None:
        """Tell a dialog what happens, or nobody from now on."""
        self._watcher = watcher
        if watcher and self.line:
            watcher.say(self.line)

    def stop(self) -> None:
        """Stop the download; keep the received part."""
        if self._pull:
            self._pull.stop()

    def _run(self, pull: "Pull", default: bool) -> None:  # in a thread of its own
        from tui.models.hub import Checking, Downloading, Pulled
        from tui.models.setup import model_in

        try:
            path = ""
            for step in pull:
                match step:
                    case Downloading():
                        if line := self._meter.line(step):
                            share = step.done / step.total if step.total else 0.0
                            self._call_later(self._went_on, line, f"↓ {share:.0%}")
                    case Checking():
                        line = _("Verifying the checksum…")
                        self._call_later(self._went_on, line, _("↓ checking"))
                    case Pulled():
                        path = step.path
            kept = self._setup().keep(model_in(path), default=default)
        except Cancelled:
            said = _("Stopped; the part so far is kept · Enter continues")
            self._call_later(self._over, said, False)
        except LazychatError as error:
            self._call_later(self._over, str(error), True)
        else:
            self._call_later(self._done, kept)

    def _went_on(self, line: str, short: str) -> None:
        self.line = line
        self._show(short)
        if self._watcher:
            self._watcher.say(line)

    def _over(self, why: str, failed: bool) -> None:
        name, watcher = self._end()
        if watcher:
            watcher.over(why, failed)
        elif failed:
            self._tell(_("Download of {name} failed. {why}").format(name=name, why=why))

    def _done(self, kept: "Kept") -> None:
        name, watcher = self._end()
        if watcher:
            watcher.kept(kept)
        else:
            self._tell(
                kept.problem
                or _("Downloaded {name}: /model {name2}").format(
                    name=name, name2=kept.name
                )
            )

    def _end(self) -> tuple[str, Watcher | None]:
        name, self.name, self.line, self._pull = self.name, "", "", None
        self._show("")
        return name, self._watcher


class Meter:
    """Turns the steps of a download into lines, at most every half second."""

    def __init__(self) -> None:
        self._began = self._last = 0.0

    def line(self, step: "Downloading") -> str:
        """Return the line for a step, or "" if it is too soon for one."""
        from tui.models.hub.progress import progress

        now = monotonic()
        self._began = self._began or now
        if now - self._last < _PAUSE and step.done < step.total:
            return ""
        self._last = now
        return progress(step, now - self._began)
