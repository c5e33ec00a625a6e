"""Shows the model that answers next, and preloads it."""

from collections.abc import Callable

from tui.app import background, markdown
from tui.app.backend import Models
from tui.app.chat.presenter import Presenter
from tui.app.gc_freeze import settle
from tui.app.widgets.status import Status
from tui.app.widgets.tool_sidebar import ToolSidebar

BEGIN_SECONDS = 0.15
"""Seconds before models and the tools of packages are loaded.

The first frame is drawn before: the threads of Python share one core.
"""

TELL_SECONDS = 1.0
"""Seconds that a model may take to load before an idle user sees "loading"."""


class NextModel:
    """Shows the next model of one chat. Call it in the UI thread."""

    def __init__(
        self,
        models: Models,
        presenter: Presenter,
        status: Status,
        sidebar: ToolSidebar,
        set_timer: Callable[[float, Callable[[], None]], object],
        call_later: Callable[..., object],
    ) -> None:
        """Use `call_later` to pass a call from any thread to the UI thread."""
        self._models = models
        self._presenter = presenter
        self._status = status
        self._sidebar = sidebar
        self._set_timer = set_timer
        self._call_later = call_later
        self._name = ""
        self._warmed = ""
        """The model that has been told to read the start of prompts."""
        self._expected = False
        """Whether a question has been typed that the model will be asked."""

    def show(self, name: str) -> None:
        """Show the name and the note of the model `name`, and load it."""
        self._name = name
        self._status.model = name
        self._presenter.context.model_changed()
        self._sidebar.model = name
        # The conversation shows the full note.
        first, end, _ = self._models.note(name).partition(". ")
        self._sidebar.note = first + end.strip()
        self._preload(name)

    def typed(self) -> None:
        """Let a local model read the start of prompts: a question is being typed.

        Not earlier, as a large model computes for a minute.
        """
        self._expected = True
        if self._warmed != self._name and not self._presenter.loading:
            name = self._warmed = self._name

            def warm() -> None:
                self._models.warm(name)

            background.run("warm", warm)

    def _preload(self, name: str) -> None:
        """Load the model, and the code that draws answers, while the user types."""
        self._presenter.loading = True
        self._set_timer(TELL_SECONDS, self._presenter.show_loading)
        self._set_timer(
            BEGIN_SECONDS, lambda: background.run("preload", lambda: self._load(name))
        )

    def _load(self, name: str) -> None:  # in a thread of its own
        try:
            self._models.preload(name)
            markdown.preload()
            if self._models.is_starter(name):  # about a second, then from disk
                self._models.warm(name)
        finally:
            settle()
        self._call_later(self._loaded, name)
        self._models.learn_window(name)
        self._call_later(self._presenter.context.show)

    def _loaded(self, name: str) -> None:
        if name == self._name:
            self._presenter.loading = False
            if self._expected:
                self.typed()
