"""`lazychat setup`: finds or adds a model, by questions on a plain terminal."""

import getpass
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tui import config
from tui.cli import streams, wide
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.cli.pull import fetch
from tui.config import OpenAIModelConfig
from tui.errors import ConfigError, LazychatError, ModelError
from tui.i18n import _
from tui.models.discovery import ListedModel, Service, look
from tui.models.hub import wanted
from tui.models.setup import (
    Chosen,
    NoList,
    Place,
    check_key,
    keep,
    model_at,
    model_in,
    models_at,
    place_of_address,
    place_of_server,
    place_of_service,
    require_model,
    try_model,
    with_key,
)
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
    # A mistake in the file is told now, not when there is something to add.
    settings = config.load(config_file)
    _say(_("Looking for models on this machine ..."))
    found = look(settings.models.values())
    models: list[_Way] = []
    ways: list[_Way] = []
    for server in found.servers:
        place = place_of_server(server)
        if server.wants_key:
            title = _("{title} (needs a key)").format(title=server.title)
            ways.append(_Way(title, _of(place)))
        for model in server.models:
            name = f"{model.id}  ({server.title})"
            models.append(_Way(name, _at(place, model.id)))
    for file in found.files:
        models.append(_Way(f"{file.name}  ({file.place})", _in(file.path)))
    for service in found.services:
        if service.has_key:
            title = _("{title}  (its key is set)").format(title=service.title)
            ways.append(_Way(title, _of(place_of_service(service.supplier))))
    ways += [
        _Way(_("A service, with a key"), lambda: _service(found.services)),
        _Way(_("Another server, by its address"), _address),
        _Way(_("Download a GGUF file from Hugging Face"), _repository),
    ]
    return _pick(models, ways)


class _Way(NamedTuple):
    """A line of the list, and what it does."""

    text: str
    go: Callable[[], Chosen | None]


def _at(place: Place, model: str) -> Callable[[], Chosen | None]:
    def way() -> Chosen | None:
        try:
            check_key(place)
        except ModelError as error:
            _say(str(error))
            return _from_server(place, model, asks=True)
        return model_at(place, model)

    return way


def _in(path: str) -> Callable[[], Chosen | None]:
    return lambda: model_in(require_model(path))


def _of(place: Place, model: str = "") -> Callable[[], Chosen | None]:
    return lambda: _from_server(place, model, asks=place.lacks_key)


def _pick(models: Sequence[_Way], ways: Sequence[_Way]) -> Chosen | None:
    """Return what the user chooses by number, or narrows down by a part of a name."""
    ways = _list(models, ways)
    while True:
        answer = _ask(_("Number [1]: ")) or "1"
        try:
            if answer.isdecimal() and 1 <= int(answer) <= len(ways):
                return ways[int(answer) - 1].go()
            if fitting := [it for it in models if answer.lower() in it.text.lower()]:
                ways = _list(fitting, ())
            elif way := _typed(answer):
                return way()
            else:
                last = len(ways)
                _say(_("Type a number from 1 to {count}.").format(count=last))
        except LazychatError as error:
            _say(str(error))


def _list(models: Sequence[_Way], ways: Sequence[_Way]) -> list[_Way]:
    """Print a list, and return what it has."""
    shown = [*models[:_LISTED], *ways]
    for number, way in enumerate(shown, 1):
        _say(f"{number:3}  {way.text}")
    if len(models) > _LISTED:
        _say(
            _("     and {count} more: type a part of the name").format(
                count=len(models) - _LISTED
            )
        )
    _say(_("Or type supplier/model, a path, an address, or a Hugging Face name."))
    return shown


def _typed(text: str) -> Callable[[], Chosen | None] | None:
    """Return what the picker of the app makes of a text, None for nothing."""
    from tui.app.setup import rows  # only here: it imports Textual

    for row in rows.typed(text):
        match row.pick:
            case rows.At(place, model):
                return _at(place, model) if place.is_local else _of(place, model)
            case rows.InFile(path):
                return _in(path)
            case rows.Address(url):
                return _of(place_of_address(url))
            case rows.Download(repo):
                return lambda: _download(repo)
            case _:
                pass
    return None


def _repository() -> Chosen | None:
    while True:
        try:
            return _download(_ask("OWNER/NAME[:QUANT]: "))
        except LazychatError as error:
            _say(str(error))


def _download(repo: str) -> Chosen:
    pulled = fetch(wanted(repo))
    if pulled is None:
        _say(_("Stopped; the part so far is kept, and the next download continues it."))
        raise KeyboardInterrupt
    return model_in(pulled.path)


def _service(services: Sequence[Service]) -> Chosen | None:
    _say("  ".join(service.supplier for service in services))
    while True:
        name = _ask(_("Service: ")).lower()
        known = [it.supplier for it in services if it.supplier.startswith(name)]
        if name in known or len(known) == 1:
            place = place_of_service(name if name in known else known[0])
            return _from_server(place, asks=place.lacks_key)
        if known:
            _say(
                _("{count} of these begin with “{name}”.").format(
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


def _from_server(place: Place, model: str = "", *, asks: bool = False) -> Chosen | None:
    """Ask for the key if the server wants one, and for a `model`; try it."""
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
        chosen = model_at(place, model or _ask_model(models))
        try:
            if place.is_local:  # a try would have to load it
                check_key(place)
            elif isinstance(chosen.settings, OpenAIModelConfig):
                _say(_("Trying it ..."))
                try_model(chosen.settings)
        except ModelError as error:
            _say(str(error))
            asks = error.kind in ("unauthorized", "missing_key")
            model = model if asks else ""
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
    columns = shutil.get_terminal_size().columns
    for line in wide.wrapped(safe(text), columns, " " * (5 if text[:1] == " " else 0)):
        print(line)
