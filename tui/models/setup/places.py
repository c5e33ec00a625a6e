"""Where a model can be, and what config.toml says of it."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tui.config import LlamaModelConfig, ModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.i18n import _
from tui.models import keys
from tui.models.discovery import LocalServer
from tui.models.openai.address import is_local, is_same, login, normalize_base_url
from tui.models.suppliers import SUPPLIERS, address


class Place(msgspec.Struct, frozen=True):
    """A server or service whose models can be set up."""

    title: str
    base_url: str
    supplier: str = ""
    """Its name in `suppliers.SUPPLIERS` if that alone says how to reach it, else ""."""
    key_env: str = ""
    """The name of its key, which need not exist."""
    key_cmd: str = ""
    """A command that prints its key, in place of `key_env`."""
    ca_file: str = ""
    """As in `OpenAIModelConfig`."""
    proxy: str = ""
    """The address of its proxy; "" for those of the environment."""

    @property
    def key(self) -> str:
        """The key, "" for none; reads a file, or runs the command and may raise."""
        if self.key_cmd:
            return keys.printed_by(self.key_cmd, self.title)
        return keys.find(self.key_env) if self.key_env else ""

    @property
    def has_key(self) -> bool:
        """Whether there is a key; reads a file, but does not run the command."""
        return bool(self.key_cmd or (self.key_env and keys.find(self.key_env)))

    @property
    def lacks_key(self) -> bool:
        """Whether it is a service that needs a key, and there is none; as `has_key`."""
        known = SUPPLIERS.get(self.supplier)
        return bool(known and known.key_env) and not self.has_key

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, where a try would load a model."""
        return is_local(self.base_url)


class Chosen(msgspec.Struct, frozen=True):
    """A model that the user has chosen."""

    name: str
    """A proposal for its name in config.toml."""
    settings: ModelConfig
    about: str
    """A line about it, for the comment in config.toml."""
    key_env: str = ""
    """The name of its key, "" if it wants none."""


def place_of_service(supplier: str) -> Place:
    """Return the place of a known service; raises KeyError."""
    known = SUPPLIERS[supplier]
    base_url = address(supplier)
    if base_url != known.base_url:
        base_url = normalize_base_url(base_url)
    return Place(known.title, base_url, supplier, known.key_env)


def place_of_server(server: LocalServer) -> Place:
    """Return the place of a server that was found."""
    supplier = server.supplier if server.at_usual_address else ""
    if supplier and not is_same(server.base_url, SUPPLIERS[supplier].base_url):
        supplier = ""  # the next start may be without the variable that names it
    way = server.route
    return Place(
        server.title,
        server.base_url,
        supplier,
        _key_name(server.base_url),
        ca_file=way.ca_file,
        proxy=way.proxy,
    )


def place_of_address(text: str) -> Place:
    """Return the place at an address that the user has typed.

    Raises `ConfigError` if it is invalid, or has a password in it, which config.toml
    would keep.
    """
    url = normalize_base_url(text)
    if login(url):
        raise ConfigError(
            _(
                "Leave the user and the password out of the address: config.toml "
                "would keep them. Give the key in the next step."
            )
        )
    for supplier, known in SUPPLIERS.items():
        if known.base_url == url and is_same(url, address(supplier)):
            key_env = known.key_env or _key_name(url)
            return Place(known.title, url, supplier, key_env)
    return Place(urlsplit(url).netloc, url, "", _key_name(url))


def _key_name(url: str) -> str:
    """Return the name of the key of a server that has none by itself.

    With the port, as each server of a machine may have a key of its own.
    """
    parts = urlsplit(url)
    host = "localhost" if is_local(url) else parts.hostname
    place = f"{host}_{parts.port or ''}".upper()
    name = re.sub(r"[^A-Z0-9]+", "_", place).strip("_")
    return f"{'_' if name[:1].isdigit() else ''}{name}_KEY"


def with_key(place: Place, text: str) -> Place:
    """Return the place with a key that the user has pasted, held for this process.

    After a `!` the text is a command that prints the key instead. A variable that is
    set already comes before a stored key, so a key that differs gets a name of its own.
    Raises `ConfigError` if the text is not a key.
    """
    if text.strip().startswith("!"):
        command = text.strip()[1:].strip()
        if not command:
            raise ConfigError(_("Type the command after the !, as in !pass show groq."))
        return msgspec.structs.replace(place, key_cmd=command)
    key = keys.checked(text)
    name = place.key_env
    if os.environ.get(name) not in (None, "", key):
        name = f"LAZYCHAT_{name}"
        place = msgspec.structs.replace(place, key_env=name)
    keys.hold(name, key)
    return place


def model_at(place: Place, model: str) -> Chosen:
    """Return the model that the server at `place` calls `model`; reads a file."""
    key_env = place.key_env if place.has_key and not place.key_cmd else ""
    usual = SUPPLIERS[place.supplier].key_env if place.supplier else ""
    settings = OpenAIModelConfig(
        model,
        base_url="" if place.supplier else place.base_url,
        supplier=place.supplier,
        api_key_env="" if key_env == usual else key_env,
        api_key_cmd=place.key_cmd,
        ca_file=place.ca_file,
        proxy=place.proxy,
    )
    return Chosen(
        _slug(model),
        settings,
        _("{model} at {title}").format(model=model, title=place.title),
        key_env,
    )


def model_in(file: str) -> Chosen:
    """Return the model in a GGUF file."""
    path = Path(file)
    name = re.sub(r"-0*1-of-\d+$", "", path.name.removesuffix(".gguf"))
    settings = LlamaModelConfig(_from_home(file))
    return Chosen(
        _slug(name), settings, _("{name}, run on this machine").format(name=path.name)
    )


def _from_home(file: str) -> str:
    """Return a path with ~ for the home folder, which is shorter and moves along."""
    home = os.environ.get("HOME", "")
    inside = home not in ("", "/") and file.startswith(f"{home.rstrip('/')}/")
    return f"~{file[len(home.rstrip('/')) :]}" if inside else file


def _slug(model: str) -> str:
    """Return a name that needs no quotes in TOML: `qwen3-8b` for `Qwen/Qwen3:8b`."""
    last = model.rstrip("/").rpartition("/")[2].lower()
    last = last.removesuffix(":latest").removesuffix(".gguf")
    slug = re.sub(r"[^a-z0-9_-]+", "-", last).strip("-")[:60]
    return slug or "model"
