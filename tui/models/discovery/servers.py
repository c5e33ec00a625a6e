"""Probes the usual ports of this machine for model servers.

`LAZYCHAT_PROBE` replaces the usual addresses: a list separated by commas, such as
`http://gpu.lan:11434/v1`, or `off` for none. This machine is asked directly, unless
config.toml names a proxy to it; another one in the way that its models are asked.
"""

import http.client
import importlib
import os
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from tui import bounds
from tui.errors import ConfigError
from tui.models.discovery.routes import Route, Routes
from tui.models.discovery.rows import ListedModel, fields, is_list, listed, owner
from tui.models.openai.address import is_openai, is_same, normalize_base_url
from tui.models.openai.client import Settings
from tui.models.openai.link import Link
from tui.models.suppliers import SUPPLIERS, address
from tui.turn import Cancellation

SECONDS = 0.2
"""How long a server on this machine has to answer."""
_NAMED_SECONDS = 2.0
"""How long one has that LAZYCHAT_PROBE names, as it may be on another machine."""
_LARGEST = 4 << 20
"""Most bytes of a list of models."""

USUAL = ("ollama", "lmstudio", "llama.cpp", "vllm")
"""The suppliers whose addresses are probed."""
_OWNERS = {
    "library": "ollama",
    "organization_owner": "lmstudio",
    "llamacpp": "llama.cpp",
    "vllm": "vllm",
}
"""Suppliers by the `owned_by` of their models."""
_ANYBODYS = ("llama.cpp", "vllm")
"""Suppliers whose ports others use too, and whose own `owned_by` is always the same.
llama_cpp.server, on the port of vLLM, says `me`."""


class LocalServer(msgspec.Struct, frozen=True):
    """A server that answered."""

    supplier: str
    """Its name in `suppliers.SUPPLIERS`, or "" for another kind of server."""
    title: str
    base_url: str
    models: tuple[ListedModel, ...]
    """Its chat models; none if none is installed or loaded."""
    route: Route = Route()
    """How it was reached."""
    wants_key: bool = False
    """Whether it lists its models only with a key; its kind is then unknown."""

    @property
    def at_usual_address(self) -> bool:
        """Whether `supplier` alone says how to reach it."""
        usual = address(self.supplier)
        return bool(usual) and is_same(usual, self.base_url)


def is_off() -> bool:
    """Return whether the user wants nothing to be probed."""
    return os.environ.get("LAZYCHAT_PROBE", "").strip().lower() in ("off", "none", "0")


def addresses() -> list[tuple[str, str]]:
    """Return the supplier ("" for unknown) and the base URL of each place to probe."""
    if is_off():
        return []
    if given := os.environ.get("LAZYCHAT_PROBE", ""):
        named = [("", part) for part in given.split(",")[:16] if part.strip()]
    else:
        named = [("ollama", address("ollama"))]
        named += [(name, SUPPLIERS[name].base_url) for name in USUAL]
    places: dict[str, str] = {}
    for supplier, text in named:
        try:
            url = normalize_base_url(text)
        except ConfigError:
            continue
        if not any(is_same(url, other) for other in places):
            places[url] = supplier
    return [(supplier, url) for url, supplier in places.items()]


def local_servers(
    places: Sequence[tuple[str, str]] | None = None,
    seconds: float = 0.0,
    routes: Routes | None = None,
) -> list[LocalServer]:
    """Ask all `places` (None: `addresses()`) at once; return those that answered.

    Blocks for `seconds` at most; 0 means 0.2, or 2 for addresses that the user has
    named; half a second more the first time that another machine is asked. `routes` are
    the ways to servers that config.toml names. Nothing is sent but GET requests without
    a key.
    """
    places = addresses() if places is None else places
    ways = [(routes or Routes()).to(url) for __, url in places]
    if not all(
        way.is_direct_to(url) for way, (__, url) in zip(ways, places, strict=True)
    ):
        importlib.import_module("openai")  # 0.5 s, which are not the servers'
    if not seconds:
        seconds = _NAMED_SECONDS if os.environ.get("LAZYCHAT_PROBE") else SECONDS
    found: dict[int, LocalServer] = {}

    def probe(index: int, supplier: str, url: str, until: float) -> None:
        if server := _probe(supplier, url, _Asker(ways[index], until)):
            found[index] = server

    until = monotonic() + seconds
    threads: list[threading.Thread] = []
    for index, (supplier, url) in enumerate(places):
        thread = threading.Thread(
            target=probe, args=(index, supplier, url, until), daemon=True
        )
        threads.append(thread)
        thread.start()
    for thread in threads:
        # A moment more: the thread itself gives up at `until`.
        thread.join(max(0.0, until - monotonic()) + 0.02)
    return [server for _, server in sorted(dict(found).items())]


def _probe(supplier: str, url: str, ask: "_Asker") -> LocalServer | None:
    body = ask.get(url, "/models")
    if ask.refused:
        return LocalServer("", _netloc(url), url, (), ask.route, wants_key=True)
    if not is_list(body):
        return None
    owned_by = owner(body)
    if owned_by and supplier in _ANYBODYS:
        supplier = ""
    supplier = _OWNERS.get(owned_by, supplier)
    models = {model.id: model for model in listed(body)}
    match supplier:
        case "ollama":
            _add_tags(models, ask.get(_root(url), "/api/tags"))
        case "lmstudio":
            _add_states(models, ask.get(_root(url), "/api/v0/models"))
        case _:  # llama-server and vLLM have only the model that they run
            models = {
                id: msgspec.structs.replace(model, loaded=bool(supplier))
                for id, model in models.items()
            }
    known = SUPPLIERS.get(supplier)
    title = known.title if known else _netloc(url)
    # What is in memory answers at once.
    order = sorted(models.values(), key=lambda model: not model.loaded)
    return LocalServer(supplier, title, url, tuple(order), ask.route)


def _add_tags(models: dict[str, ListedModel], body: Any) -> None:
    """Add what Ollama says at `/api/tags`."""
    for row in _rows(body, "models"):
        if (name := str(row.get("name"))) in models:
            size = bounds.count(row.get("size"))
            models[name] = msgspec.structs.replace(models[name], size=size)


def _add_states(models: dict[str, ListedModel], body: Any) -> None:
    """Add what LM Studio says at `/api/v0/models`; leave out what does not chat."""
    for row in _rows(body, "data"):
        id = str(row.get("id"))
        if id not in models:
            continue
        if row.get("type") not in ("llm", "vlm", None):
            del models[id]
            continue
        loaded = row.get("state") == "loaded"
        size = bounds.count(row.get("loaded_context_length")) if loaded else 0
        size = size or bounds.count(row.get("max_context_length"))
        models[id] = msgspec.structs.replace(models[id], context=size, loaded=loaded)


def _rows(body: Any, key: str) -> list[dict[str, Any]]:
    rows: Any = fields(body).get(key)
    return list(map(fields, cast(list[Any], rows))) if isinstance(rows, list) else []


class _Asker:
    """Gets JSON by a route, None for whatever has not come by a time."""

    def __init__(self, route: Route, until: float) -> None:
        self.route = route
        self.refused = False
        """Whether a server has refused a request for want of a key."""
        self._until = until

    def get(self, base_url: str, path: str) -> Any:
        """Return the JSON at a path below `base_url`."""
        left = self._until - monotonic()
        if left <= 0:
            return None
        try:
            if self.route.is_direct_to(base_url):
                return self._get(base_url + path, left)
            return self._link(base_url, path, left)
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def _get(self, url: str, left: float) -> Any:
        # The library that asks other machines takes half a second to import.
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=left, context=self.route.context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=left)
        )
        try:
            connection.request("GET", parts.path, headers={"Connection": "close"})
            response = connection.getresponse()
            if response.status not in (200, 401):
                return None
            data = bytearray()
            while piece := response.read1(1 << 16):
                data += piece
                if len(data) > _LARGEST or monotonic() > self._until:
                    return None
            body = bounds.decode(bytes(data))
            if response.status == 401:
                self._refuse(body)
                return None
            return body
        finally:
            connection.close()

    def _refuse(self, body: Any) -> None:
        # Pages that want a login answer so too, but not in JSON.
        self.refused = not fields(body).keys().isdisjoint(("error", "detail"))

    def _link(self, base_url: str, path: str, left: float) -> Any:
        settings = Settings(
            base_url,
            is_openai(base_url),
            False,
            left,
            left,
            self.route.ca_file,
            self.route.proxy,
        )
        link = Link(settings, lambda: "")
        # A server that sends a byte now and then never times out.
        limit = threading.Timer(left, link.abort)
        limit.daemon = True
        limit.start()
        try:
            return link.read(Cancellation(), path, left)
        except Exception as error:
            if getattr(error, "status_code", None) == 401:
                response: Any = getattr(error, "response", None)
                self._refuse(bounds.decode(response.content))
            return None
        finally:
            limit.cancel()
            link.close()


def _netloc(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _root(url: str) -> str:
    if url.endswith("/v1"):
        return url.removesuffix("/v1")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
