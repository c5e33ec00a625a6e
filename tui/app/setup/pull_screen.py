"""The dialog that begins a download, or shows how far the running one is."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.app.setup.downloads import Downloads
from tui.app.setup.key_screen import OneField
from tui.errors import LazychatError
from tui.i18n import _
from tui.models.hub import wanted
from tui.models.setup import Kept


class PullScreen(OneField):
    """Returns `Kept` for the model, None for Esc, which lets the download go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x", "stop", "Stop", show=False, priority=True)
    ]

    def __init__(self, downloads: Downloads, repo: str = "", *, default: bool) -> None:
        """Begin with `repo` at once, or ask for it if it is empty.

        If a download is running, that one is shown.
        """
        about = _(
            "A Hugging Face repository with GGUF files, with or without the "
            "quantization: Qwen/Qwen3-4B-GGUF:Q4_K_M"
        )
        if downloads.name and repo not in ("", downloads.name):
            about = _(
                "One model is downloaded at a time. When this one is finished, "
                "enter {repo} again."
            ).format(repo=repo)
        super().__init__(_("Download a model"), about, "OWNER/NAME or OWNER/NAME:QUANT")
        self._downloads = downloads
        self._default = default
        self.field.value = downloads.name or repo

    def on_mount(self) -> None:
        """Begin if the repository is known."""
        self._downloads.watch(self)
        self._show_keys()
        if self.field.value:
            self.submit(self.field.value)

    def on_unmount(self) -> None:
        """Leave the download to itself."""
        self._downloads.watch(None)

    def submit(self, text: str) -> None:
        """Begin the download."""
        if self._downloads.name:
            return
        try:
            self._downloads.begin(wanted(text), text, default=self._default)
        except LazychatError as error:
            self.say(str(error), failed=True)
            return
        self.say(self._downloads.line)
        self._show_keys()

    def action_stop(self) -> None:
        """Stop the download."""
        self._downloads.stop()

    def over(self, why: str, failed: bool) -> None:
        """Show why the download has ended."""
        self.say(why, failed=failed)
        self._show_keys()

    def kept(self, kept: Kept) -> None:
        """Return the model."""
        if self.is_attached:
            self.dismiss(kept)

    def _show_keys(self) -> None:
        running = _("Esc download in the background · Ctrl+X stop")
        self.query_one(".dialog").border_subtitle = (
            running if self._downloads.name else _("Enter continue · Esc back")
        )
