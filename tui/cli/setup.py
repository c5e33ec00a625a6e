"""`lazychat setup`: finds or adds a model, by questions on a plain terminal."""

import getpass
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tui import config
from tui.cli import streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.config import Config, OpenAIModelConfig
from tui.errors import ConfigError, LazychatError, ModelError
from tui.i18n import _
from tui.models.discovery import ListedModel, Service, look
from tui.models.setup import (
    Chosen,
    NoList,
    Place,
    keep,
    model_at,
    model_in,
    models_at,
    place_of_address,
    place_of_server,
    place_of_service,
    try_model,
    with_key,
)
from tui.models.suppliers import SUPPLIERS
from tui.safe import safe

_LISTED = 20
"""Most models that are listed at once; the user narrows them down by a word."""


def setup(config_file: Path | None) -> int:
    """Ask until a model is added; return the exit code."""
    if not sys.stdin.isatty():
        raise ConfigError(
            _(
                "setup asks questions, so it needs a terminal. In a script, write "
                "config.toml, or use `lazychat pull`."
            )
        )
    try:
        chosen = _choose(config_file)
        if chosen is None:
            return FAILED
        kept = keep(chosen, config_file, default=True)
    except (EOFError, KeyboardInterrupt):
        print()
        return CANCELLED
    if kept.added:
        how = _("added to {file}").format(file=kept.file)
    else:
        how = _("already in {file}").format(file=kept.file)
    streams.talk(
        _("{name} is now the model of new conversations ({how}). Run: lazychat").format(
            name=kept.name, how=how
        )
    )
    return DONE


def _choose(config_file: Path | None) -> Chosen | None:
    _say(_("Looking for models on this machine ..."))
    settings = Config()
    with suppress(ConfigError):  # `keep` tells it
        settings = config.load(config_file)
    found = look(settings.models.values())
    ways: list[tuple[str, Callable[[], Chosen | None]]] = []
    for server in found.servers:
        place = place_of_server(server)
        for model in server.models:
            ways.append((f"{model.id}  ({server.title})", _at(place, model.id)))
    for file in found.files[:_LISTED]:
        ways.append((f"{file.name}  ({file.place})", _in(file.path)))
    for service in found.services:
        if service.has_key:
            title = _("{title}  (its key is set)").format(title=service.title)
            ways.append((title, _of(place_of_service(service.supplier))))
    ways.append((_("A service, with a key"), lambda: _service(found.services)))
    ways.append((_("Another server, by its address"), _address))
    return _pick([text for text, __ in ways], [way for __, way in ways])


def _at(place: Place, model: str) -> Callable[[], Chosen | None]:
    return lambda: model_at(place, model)


def _in(path: str) -> Callable[[], Chosen | None]:
    return lambda: model_in(path)


def _of(place: Place) -> Callable[[], Chosen | None]:
    return lambda: _from_server(place)


def _pick(
    texts: Sequence[str], ways: Sequence[Callable[[], Chosen | None]]
) -> Chosen | None:
    for number, text in enumerate(texts, 1):
        _say(f"{number:3}  {text}")
    while True:
        answer = _ask(_("Number [1]: ")) or "1"
        if answer.isdecimal() and 1 <= int(answer) <= len(ways):
            return ways[int(answer) - 1]()
        _say(_("Type a number from 1 to {count}.").format(count=len(ways)))


def _service(services: Sequence[Service]) -> Chosen | None:
    _say("  ".join(service.supplier for service in services))
    while True:
        name = _ask(_("Service: ")).lower()
        known = [it.supplier for it in services if it.supplier.startswith(name)]
        if name in known or len(known) == 1:
            place = place_of_service(name if name in known else known[0])
            return _from_server(place)
        if known:
            _say(
                _("{count} of these begins with “{name}”.").format(
                    count=len(known), name=name
                )
            )
        else:
            _say(_("None of these begins with “{name}”.").format(name=name))


def _address() -> Chosen | None:
    while True:
        try:
            return _from_server(place_of_address(_ask(_("Address: "))))
        except ConfigError as error:
            _say(str(error))


def _from_server(place: Place) -> Chosen | None:
    """Ask for the key if the server wants one, and for a model; try it."""
    asks = place.supplier in SUPPLIERS and bool(place.key_env) and not place.has_key
    while True:
        try:
            if asks:
                place = _ask_key(place)
            models = models_at(place)
        except NoList as error:
            _say(str(error))
            models = []
        except LazychatError as error:
            _say(str(error))
            kind = error.kind if isinstance(error, ModelError) else "unauthorized"
            if kind not in ("unauthorized", "missing_key") or not place.key_env:
                return None
            asks = True
            continue
        chosen = model_at(place, _ask_model(models))
        try:
            if not place.is_local and isinstance(chosen.settings, OpenAIModelConfig):
                _say(_("Trying it ..."))
                try_model(chosen.settings)
        except ModelError as error:
            _say(str(error))
            asks = error.kind in ("unauthorized", "missing_key")
            continue
        return chosen


def _ask_key(place: Place) -> Place:
    _say(_("Or type ! and a command that prints it: !pass show api-key"))
    return with_key(
        place,
        getpass.getpass(_("Key for {title} (not shown): ").format(title=place.title)),
    )


def _ask_model(models: Sequence[ListedModel]) -> str:
    """Return the model that the user chooses by a number, or names."""
    shown = list(models)
    while True:
        for number, model in enumerate(shown[:_LISTED], 1):
            _say(f"{number:3}  {model.id}")
        if len(shown) > _LISTED:
            _say(
                _("     and {count} more: type a part of the name").format(
                    count=len(shown) - _LISTED
                )
            )
        answer = _ask(_("Model [1]: ") if shown else _("Model: ")) or (
            "1" if shown else ""
        )
        if answer.isdecimal() and 1 <= int(answer) <= min(len(shown), _LISTED):
            return shown[int(answer) - 1].id
        fitting = [model for model in models if answer.lower() in model.id.lower()]
        if answer in [model.id for model in models] or (answer and not fitting):
            return answer
        shown = fitting or list(models)


def _ask(prompt: str) -> str:
    return input(prompt).strip()


def _say(text: str) -> None:
    print(safe(text))
