"""The model that answers next: what is told of it, and loading it meanwhile."""

from collections.abc import Callable

from tui.app import background, markdown
from tui.app.backend import Models
from tui.app.chat.presenter import Presenter
from tui.app.gc_freeze import settle
from tui.app.widgets.status import Status
from tui.app.widgets.tool_sidebar import ToolSidebar

BEGIN_SECONDS = 0.15
"""After which models, and the tools of packages, are loaded, so that the first frame is
drawn before: the threads of Python share one core."""

TELL_SECONDS = 1.0
"""How long a model may load before that is told to one who waits for nothing."""


class NextModel:
    """Shows the model that one chat asks next. Used in the UI's thread."""

    def __init__(
        self,
        models: Models,
        presenter: Presenter,
        status: Status,
        sidebar: ToolSidebar,
        set_timer: Callable[[float, Callable[[], None]], object],
        call_later: Callable[..., object],
    ) -> None:
        """Take how to wait, and what brings a call from any thread into the UI's."""
        self._models = models
        self._presenter = presenter
        self._status = status
        self._sidebar = sidebar
        self._set_timer = set_timer
        self._call_later = call_later
        self._name = ""

    def show(self, name: str) -> None:
        """Say what is to be known of the model `name`, and load it."""
        self._name = name
        self._status.model = name
        self._presenter.context.model_changed()
        self._sidebar.model = name
        # The rest of it stands in the conversation.
        first, end, _ = self._models.note(name).partition(". ")
        self._sidebar.note = first + end.strip()
        self._preload(name)

    def _preload(self, name: str) -> None:
        """Load it, and what draws its answers, while the user types."""
        self._presenter.loading = True
        self._set_timer(TELL_SECONDS, self._presenter.tell_loading)
        self._set_timer(
            BEGIN_SECONDS, lambda: background.run("preload", lambda: self._load(name))
        )

    def _load(self, name: str) -> None:  # in a thread of its own
        try:
            self._models.preload(name)
            markdown.preload()
            self._models.warm(name)
        finally:
            settle()
        self._call_later(self._loaded, name)
        self._models.learn_window(name)
        self._call_later(self._presenter.context.show)

    def _loaded(self, name: str) -> None:
        if name == self._name:
            self._presenter.loading = False
