"""What the model picker lists: configured and found models, services, ways to add."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from tui.app.backend import Models
from tui.config import BUILT_IN_MODELS, LlamaModelConfig, ModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.i18n import N_, _
from tui.models import suppliers
from tui.models.discovery import Found, GGUFFile, ListedModel, Service
from tui.models.hub import is_page, wanted
from tui.models.openai.address import is_local, normalize_base_url, proxy_address
from tui.models.setup import (
    Place,
    can_run_files,
    place_of_server,
    place_of_service,
    same,
)
from tui.models.suppliers import SUPPLIERS

HERE = N_("This machine")
SERVICES = N_("Services")
KEYLESS = N_("Needs a key")
UNRUNNABLE = N_("Needs llama-cpp-python")
ADD = N_("Add a model")


class Use(msgspec.Struct, frozen=True):
    """Use a model by a name that the catalog knows."""

    name: str


class Unlock(msgspec.Struct, frozen=True):
    """Ask for the key of a configured model, and use it."""

    name: str
    place: Place


class At(msgspec.Struct, frozen=True):
    """Use the model that a server calls `model`; "" to choose one."""

    place: Place
    model: str = ""


class InFile(msgspec.Struct, frozen=True):
    """Use the model in a GGUF file."""

    path: str


class Address(msgspec.Struct, frozen=True):
    """Add a server by its address; "" to ask for it."""

    url: str = ""


class Download(msgspec.Struct, frozen=True):
    """Download a model from Hugging Face; "" to ask which."""

    repo: str = ""


Pick = Use | Unlock | At | InFile | Address | Download


class Row(msgspec.Struct, frozen=True):
    """A line of the picker."""

    pick: Pick
    name: str
    about: str = ""
    info: str = ""
    """Short facts for the right edge."""
    group: str = ""

    def fits(self, words: Iterable[str]) -> bool:
        """Return whether all words, in lower case, are in its text."""
        text = f"{self.name} {self.about} {_(self.group)}".lower()
        return all(word in text for word in words)


def adding_rows() -> tuple[Row, ...]:
    """Return the rows that add a model."""
    return (
        Row(Address(), _("Another server"), _("by its address"), group=ADD),
        Row(Download(), _("Download a GGUF file"), _("from Hugging Face"), group=ADD),
    )


def rows(
    models: Models,
    current: str,
    services: Sequence[Service],
    found: Found,
    *,
    adding: bool = False,
) -> list[Row]:
    """Return all rows, in groups; with `adding`, without those of the configuration.

    Reads a small file.
    """
    configured = {name: _find(models, name) for name in [*models.names, current]}
    known = [settings for settings in configured.values() if settings]
    listed: list[Row] = []
    if not adding:
        for name, settings in configured.items():
            group = _group(name, settings)
            pick: Pick = Use(name)
            if group == KEYLESS and isinstance(settings, OpenAIModelConfig):
                if settings == BUILT_IN_MODELS.get(name):
                    continue  # the service of that name is listed
                pick = Unlock(name, _place(name, settings))
            listed.append(Row(pick, name, _about(models, name), group=group))
    for server in found.servers:
        place = place_of_server(server)
        listed += [
            Row(At(place, it.id), called(it.id), server.title, info, HERE)
            for it, info in zip(server.models, facts(server.models), strict=True)
            if not _has(known, place, it.id)
        ]
        if server.wants_key:
            how = _("choose a model") if place.has_key else _("needs a key")
            listed.append(Row(At(place), server.title, how, group=HERE))
        elif not server.models:
            what = _("{title} is running, but has no model").format(title=server.title)
            listed.append(Row(At(place), server.title, what, group=HERE))
    listed += [_file(file) for file in found.files if not _has_file(known, file.path)]
    for service in services:
        place = place_of_service(service.supplier)
        group = SERVICES if service.has_key else KEYLESS
        how = _("choose a model") if service.has_key else _("paste a key")
        listed.append(Row(At(place), service.title, how, service.supplier, group))
    order = (HERE, SERVICES, KEYLESS, UNRUNNABLE)
    listed.sort(key=lambda row: order.index(row.group))
    return [*listed, *adding_rows()]


def unknown(models: Models, found: Found) -> Found:
    """Return what was found and can be used, but is not in the configuration."""
    known = [it for name in models.names if (it := _find(models, name))]
    servers = [
        msgspec.structs.replace(
            server,
            models=tuple(
                it
                for it in server.models
                if not _has(known, place_of_server(server), it.id)
            ),
        )
        for server in found.servers
    ]
    files = [file for file in found.files if not _has_file(known, file.path)]
    files = files if can_run_files() else []
    return msgspec.structs.replace(found, servers=tuple(servers), files=tuple(files))


def typed(text: str) -> list[Row]:
    """Return the rows for what the user has typed in place of a filter. Pure."""
    text = text.strip()
    rows: list[Row] = []
    if is_page(text):
        rows += _download(text)
    elif re.match(r"https?://\S", text) or re.fullmatch(
        r"[\w.-]+:\d{2,5}(/\S*)?", text
    ):
        rows.append(Row(Address(text), text, _("use this server"), group=ADD))
    elif _is_path(text):
        rows.append(Row(InFile(text), text, _("use this file"), group=ADD))
    elif "/" in text:
        supplier, __, model = text.partition("/")
        if supplier in SUPPLIERS and model:
            place = place_of_service(supplier)
            about = _("use it at {title}").format(title=place.title)
            rows.append(Row(At(place, model), model, about, group=ADD))
        else:
            if "." in supplier:  # as no owner at Hugging Face has it
                rows.append(Row(Address(text), text, _("use this server"), group=ADD))
            rows += _download(text)
    return rows


def _is_path(text: str) -> bool:
    # Behind a colon it is a file of the hub: OWNER/NAME:FILE.
    is_file = text.lower().endswith(".gguf") and ":" not in text
    return is_file or text.startswith(("~", "/", "./", "../"))


def _download(text: str) -> Iterator[Row]:
    with suppress(ConfigError):
        what = wanted(text)
        name = f"{what.repo}:{what.quant}" if what.quant else what.repo
        yield Row(Download(name), name, _("download it from Hugging Face"), group=ADD)


def called(id: str) -> str:
    """Return what to call a model: the file's name if a server calls it by its path."""
    return id.rpartition("/")[2] or id if id.startswith(("/", ".", "~")) else id


def facts(models: Sequence[ListedModel]) -> list[str]:
    """Return what a server says of each model: window, price, whether it is loaded.

    Prices line up where the rows end in the same column.
    """
    prices = [_prices(model) for model in models]
    widths = [
        max((len(pair[side]) for pair in prices if pair), default=0) for side in (0, 1)
    ]
    return [
        "  ".join(_facts(model, pair, widths))
        for model, pair in zip(models, prices, strict=True)
    ]


def _facts(
    model: ListedModel, prices: tuple[str, str] | None, widths: Sequence[int]
) -> Iterator[str]:
    if model.loaded:
        yield _("loaded")
    if model.size:
        yield size(model.size)
    if model.context:
        yield tokens(model.context)
    if prices:
        yield " / ".join(map(str.rjust, prices, widths))
    elif model.price_in == 0 and model.price_out == 0:
        yield _("free")


def _prices(model: ListedModel) -> tuple[str, str] | None:
    """Return the prices of a model that has some and is not free."""
    if model.price_in is None or model.price_out is None:
        return None
    if not model.price_in and not model.price_out:
        return None
    return dollars(model.price_in), dollars(model.price_out)


def tokens(count: int) -> str:
    """Return a window as people write it: 131072 is 131k, 1047576 is 1M."""
    if count >= 1_000_000:
        return f"{count / 1e6:.1f}".removesuffix(".0") + "M"
    return f"{count // 1000}k" if count >= 1000 else str(count)


def dollars(price: float) -> str:
    """Return US dollars for a million tokens, with two digits that count."""
    return f"${price:.2f}" if price >= 0.01 or not price else f"${price:.3f}"


def size(count: int) -> str:
    """Return a number of bytes as disks are labelled."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _find(models: Models, name: str) -> ModelConfig | None:
    with suppress(ConfigError):
        found = models.find(name)
        if isinstance(found, OpenAIModelConfig | LlamaModelConfig):
            return found
    return None


def _about(models: Models, name: str) -> str:
    about = models.about(name)
    return "" if about == name else about


def _group(name: str, settings: ModelConfig | None) -> str:
    if not isinstance(settings, OpenAIModelConfig):
        return HERE
    supplier = SUPPLIERS.get(settings.supplier)
    address = settings.base_url
    if supplier and not supplier.key_env:
        address = address or suppliers.address(settings.supplier)
    if address and _is_here(address):
        return HERE
    place = _place(name, settings)
    has_key = settings.api_key_cmd or not place.key_env or place.has_key
    return SERVICES if has_key else KEYLESS


def _place(name: str, settings: OpenAIModelConfig) -> Place:
    """Return where a configured model is; its key keeps its name."""
    supplier = SUPPLIERS.get(settings.supplier)
    base_url = settings.base_url or suppliers.address(settings.supplier)
    key_env = settings.api_key_env or (supplier.key_env if supplier else "")
    with suppress(ConfigError):
        base_url = normalize_base_url(base_url)
    proxy = ""
    with suppress(ConfigError):  # which the model's first question tells
        proxy = proxy_address(settings.proxy, "proxy")
    return Place(name, base_url, "", key_env, ca_file=settings.ca_file, proxy=proxy)


def _is_here(address: str) -> bool:
    return is_local(address if "://" in address else f"http://{address}")


def _has(known: Sequence[ModelConfig], place: Place, model: str) -> bool:
    settings = OpenAIModelConfig(
        model,
        base_url="" if place.supplier else place.base_url,
        supplier=place.supplier,
    )
    return any(same(each, settings) for each in known)


def _has_file(known: Sequence[ModelConfig], path: str) -> bool:
    names = [it.path for it in known if isinstance(it, LlamaModelConfig)]
    return any(path == name or path.endswith(name.lstrip("~")) for name in names)


def _file(file: GGUFFile) -> Row:
    about = (
        _("GGUF file")
        if file.place == "downloaded"
        else _("GGUF, {place}").format(place=file.place)
    )
    info = size(file.size) + (f"  {tokens(file.context)}" if file.context else "")
    group = HERE if can_run_files() else UNRUNNABLE
    return Row(InFile(file.path), file.name.removesuffix(".gguf"), about, info, group)
