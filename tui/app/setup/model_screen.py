"""The dialog in which the user chooses a model, or sets one up."""

from tui.app import background
from tui.app.backend import Models, Setup
from tui.app.setup import rows
from tui.app.setup.picker import Picker
from tui.app.setup.rows import Pick, Row, Use
from tui.i18n import _
from tui.models.discovery import Found


class ModelScreen(Picker):
    """Returns the `Pick` of the chosen row, None for Esc.

    With `adding`, it lists only models that are not in the configuration.
    """

    def __init__(
        self, models: Models, setup: Setup, current: str, *, adding: bool = False
    ) -> None:
        keys = _("Enter use · Esc close")
        super().__init__(_("Set up a model") if adding else _("Choose a model"), keys)
        self._models = models
        self._setup = setup
        self._current = current
        self._adding = adding
        self._looking = True

    @property
    def is_busy(self) -> bool:
        """Whether the machine is still being searched for what Enter is to use."""
        return self._looking and self._adding

    def on_mount(self) -> None:
        """Search this machine."""
        self.say(_("Looking for models on this machine…"))
        background.run("discovery", self._look)

    def _look(self) -> None:
        services = self._setup.services()
        start = None if self._adding else Use(self._current)
        for last, found in ((False, Found()), (True, None)):
            found = found or self._setup.look()
            listed = rows.rows(
                self._models, self._current, services, found, adding=self._adding
            )
            self.call_later(self._found, listed, start, found, last)

    def _found(
        self, listed: list[Row], start: Pick | None, found: Found, last: bool
    ) -> None:
        if last:
            self._looking = False
            self.say(self._summary(found))
        self.show(listed, start)

    def _summary(self, found: Found) -> str:
        if found.servers or found.files:
            ways = _(
                "Or type supplier/model, a path, an address, or a Hugging Face name."
            )
            return ways
        return _(
            "No local server or GGUF file was found. Choose a service and "
            "paste its key, or type supplier/model, a path, an address or a "
            "Hugging Face name."
        )

    def typed(self, text: str) -> list[Row]:
        """Return rows for paths, addresses and names that are not filters."""
        return rows.typed(text)

    def choose(self, row: Row) -> None:
        """Return what was chosen."""
        self.dismiss(row.pick)
