"""Loads the model and its library in the background, before the first question."""

from collections.abc import Callable

from tui.app import background, markdown
from tui.app.gc_freeze import settle
from tui.runtime import worker_registry
from tui.runtime.host import Host

BEGIN_SECONDS = 0.15
"""After which models, and the tools of packages, are loaded, so that the first frame is
drawn before: the threads of Python share one core."""


def preload(
    host: Host, name: str, loaded: Callable[[], object], learned: Callable[[], object]
) -> None:
    """Load the model `name`, and what draws its answers, while the user types.

    Returns at once. `loaded` is called in another thread when an answer would wait for
    nothing any more, `learned` when the model's window is known, if it ever is.
    """
    background.run("preload", lambda: _load(host, name, loaded, learned))


def _load(
    host: Host, name: str, loaded: Callable[[], object], learned: Callable[[], object]
) -> None:
    try:
        # What a worker answers with is not needed here.
        there = worker_registry.find(host.log.path)
        there_too = there is not None and worker_registry.has_model(there, host, name)
        if not there_too:
            host.models.preload(name)
        markdown.preload()
        schemas = [tool.schema for tool in host.tools]
        if not there_too:
            host.models.warm(name, schemas)
    finally:
        settle()
    loaded()
    host.models.learn_window(name)
    learned()
