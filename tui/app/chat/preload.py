"""Loads beside the screen what the first answer would wait for."""

from collections.abc import Callable

from tui.app import background, markdown
from tui.app.backend import Models
from tui.app.gc_freeze import settle

BEGIN_SECONDS = 0.15
"""After which models, and the tools of packages, are loaded, so that the first frame is
drawn before: the threads of Python share one core."""


def preload(
    models: Models,
    name: str,
    loaded: Callable[[], object],
    learned: Callable[[], object],
) -> None:
    """Load the model `name`, and what draws its answers, while the user types.

    Returns at once. `loaded` is called in another thread when an answer would wait for
    nothing any more, `learned` when the model's window is known, if it ever is.
    """
    background.run("preload", lambda: _load(models, name, loaded, learned))


def _load(
    models: Models,
    name: str,
    loaded: Callable[[], object],
    learned: Callable[[], object],
) -> None:
    try:
        models.preload(name)
        markdown.preload()
        models.warm(name)
    finally:
        settle()
    loaded()
    models.learn_window(name)
    learned()
