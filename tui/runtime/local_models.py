"""The models of a host, as a screen in the same process uses them."""

from importlib import import_module
from typing import TYPE_CHECKING

from tui.runtime import worker_registry
from tui.runtime.host import Host

if TYPE_CHECKING:
    pass


class LocalModels:
    """The models of a host. Does not load a model that a worker has loaded."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._catalog = host.models
        self.find = self._catalog.find
        self.about = self._catalog.about
        self.note = self._catalog.note
        self.is_starter = self._catalog.is_starter
        self.window = self._catalog.window
        self.learn_window = self._catalog.learn_window
        self.sees = self._catalog.sees
        self.no_effort = self._catalog.no_effort

    @property
    def names(self) -> list[str]:
        """The listed names."""
        return self._catalog.names

    def preload(self, name: str) -> None:
        """Load a model and the agents, unless a worker answers with it."""
        if not self._is_with_worker(name):
            import_module("tui.agents")
            self._catalog.preload(name)

    def warm(self, name: str) -> None:
        """Let a local model read in advance what every prompt begins with."""
        if not self._is_with_worker(name):
            on = self._host.enabled_for(name)
            schemas = [tool.schema for tool in self._host.tools if tool.name in on]
            self._catalog.warm(name, schemas)

    def _is_with_worker(self, name: str) -> bool:
        host = self._host
        worker = worker_registry.find(host.log.path)
        return worker is not None and worker_registry.has_model(worker, host, name)
