"""Implements `tui.app.backend.Setup` on this machine."""

from collections.abc import Sequence

from tui.config import OpenAIModelConfig
from tui.errors import ConfigError
from tui.models import discovery, keys, setup
from tui.models.discovery import Found, ListedModel, Service
from tui.models.hub import Pull, Wanted
from tui.models.setup import Chosen, Kept, Place
from tui.models.setup.keeping import free_name
from tui.runtime.host import Host
from tui.turn import Cancellation


class LocalSetup:
    """Sets up the models of a host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def services(self) -> Sequence[Service]:
        """Return the known services, those with a key first."""
        return discovery.services()

    def look(self) -> Found:
        """Look for servers and files."""
        return discovery.look(self._host.config.models.values())

    def with_key(self, place: Place, text: str) -> Place:
        """Return the place with a pasted key."""
        return setup.with_key(place, text)

    def models_at(self, place: Place, cancel: Cancellation) -> Sequence[ListedModel]:
        """Return the models that a server lists."""
        return setup.models_at(place, cancel)

    def model_at(self, place: Place, model: str) -> Chosen:
        """Return the model that a server calls `model`."""
        return setup.model_at(place, model)

    def check_key(self, place: Place, cancel: Cancellation) -> None:
        """Raise `ModelError` if a server refuses the key, or the lack of one."""
        setup.check_key(place, cancel)

    def try_model(self, chosen: Chosen, cancel: Cancellation) -> None:
        """Have a model on a server say a word."""
        if isinstance(chosen.settings, OpenAIModelConfig):
            setup.try_model(chosen.settings, cancel)

    def keep_key(self, place: Place) -> None:
        """Store a held key."""
        if key := keys.held(place.key_env):
            keys.store(place.key_env, key)

    def keep(self, chosen: Chosen, *, default: bool) -> Kept:
        """Add a model to config.toml, or at least to this process."""
        file = self._host.config_file
        try:
            kept = setup.keep(chosen, file, default=default)
        except ConfigError as error:
            name = free_name(chosen.name, self._host.models.names)
            kept = Kept(name, file, False, False, str(error))
        self._host.add_model(kept.name, chosen.settings, default=default)
        return kept

    def pull(self, what: Wanted) -> Pull:
        """Return the download of a model, which its iteration begins."""
        return Pull(what)
