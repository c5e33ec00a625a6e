"""Loads beside the screen what the first answer would wait for."""

# Textual does not say of what its Screen is generic.
# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from tui.app import background, markdown
from tui.app.gc_freeze import settle
from tui.runtime import worker_registry

if TYPE_CHECKING:
    from tui.app.chat.screen import ChatScreen

BEGIN_SECONDS = 0.15
"""After which models, and the tools of packages, are loaded, so that the first frame is
drawn before: the threads of Python share one core."""

TELL_SECONDS = 1.0
"""How long it may load before that is told to one who waits for nothing."""


def preload(screen: "ChatScreen", name: str) -> None:
    """Load the model `name`, and what draws its answers, while the user types."""
    presenter = screen.presenter
    presenter.loading = True
    screen.set_timer(TELL_SECONDS, presenter.tell_loading)
    screen.set_timer(
        BEGIN_SECONDS, lambda: background.run("preload", lambda: _load(screen, name))
    )


def _load(screen: "ChatScreen", name: str) -> None:
    host = screen.host
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
    screen.call_later(_loaded, screen, name)
    host.models.learn_window(name)
    screen.call_later(screen.presenter.context.show)


def _loaded(screen: "ChatScreen", name: str) -> None:
    if name == screen.model:
        screen.presenter.loading = False
