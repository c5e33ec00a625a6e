"""The dialog that downloads a GGUF file and shows how far it is."""

from time import monotonic

from tui.app import background
from tui.app.backend import Setup
from tui.app.setup.key_screen import OneField
from tui.errors import Cancelled, LazychatError
from tui.models.hub import Checking, Downloading, Pull, Pulled, wanted
from tui.models.hub.progress import progress
from tui.models.setup import Kept, model_in

_PAUSE = 0.5
"""Seconds between two lines of progress, as each costs bytes on a slow link."""


class PullScreen(OneField):
    """Downloads, and returns `Kept` for the model, None for Esc.

    Esc stops the download; what has come is kept, and the next one continues there.
    """

    def __init__(self, setup: Setup, repo: str = "", *, default: bool) -> None:
        """Begin with `repo` at once, or ask for it if it is empty."""
        about = (
            "The name of a repository at Hugging Face with GGUF files, with or without "
            "the quantization: Qwen/Qwen3-4B-GGUF:Q4_K_M"
        )
        super().__init__("Download a model", about, "OWNER/NAME or OWNER/NAME:QUANT")
        self._setup = setup
        self._default = default
        self.field.value = repo
        self._pull: Pull | None = None
        self._meter = Meter()

    def on_mount(self) -> None:
        """Begin if the repository is known."""
        if self.field.value:
            self.submit(self.field.value)

    def submit(self, text: str) -> None:
        """Begin the download."""
        if self._pull:
            return
        try:
            self._pull = self._setup.pull(wanted(text))
        except LazychatError as error:
            self.say(str(error), failed=True)
            return
        self.say("Asking the hub…")
        pull = self._pull
        background.run("pull", lambda: self._run(pull))

    def action_leave(self) -> None:
        """Stop the download, or go back."""
        if self._pull:
            self._pull.stop()
        else:
            super().action_leave()

    def on_unmount(self) -> None:
        """Stop the download."""
        if self._pull:
            self._pull.stop()

    def _run(self, pull: Pull) -> None:
        try:
            path = ""
            for step in pull:
                match step:
                    case Downloading():
                        if line := self._meter.line(step):
                            self.call_later(self.say, line)
                    case Checking():
                        self.call_later(self.say, "Comparing the checksum…")
                    case Pulled():
                        path = step.path
            kept = self._setup.keep(model_in(path), default=self._default)
        except Cancelled:
            said = "Stopped. What has come is kept; Enter continues."
            self.call_later(self._failed, said, False)
        except LazychatError as error:
            self.call_later(self._failed, str(error), True)
        else:
            self.call_later(self._done, kept)

    def _failed(self, why: str, failed: bool) -> None:
        self._pull = None
        self.say(why, failed=failed)

    def _done(self, kept: Kept) -> None:
        self._pull = None
        if self.is_attached:
            self.dismiss(kept)


class Meter:
    """Turns the steps of a download into lines, at most every half second."""

    def __init__(self) -> None:
        self._began = self._last = 0.0

    def line(self, step: Downloading) -> str:
        """Return the line for a step, or "" if it is too soon for one."""
        now = monotonic()
        self._began = self._began or now
        if now - self._last < _PAUSE and step.done < step.total:
            return ""
        self._last = now
        return progress(step, now - self._began)
