"""Probes the usual ports of this machine for model servers.

`LAZYCHAT_PROBE` replaces the usual addresses: a list separated by commas, such as
`http://gpu.lan:11434/v1`, or `off` for none.
"""

import http.client
import os
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from tui import bounds
from tui.errors import ConfigError
from tui.models.discovery.rows import ListedModel, fields, is_list, listed, owner
from tui.models.openai.address import normalize_base_url
from tui.models.suppliers import SUPPLIERS

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
"""Suppliers by the `owned_by` of their models, as port 8080 may be anybody's."""


class LocalServer(msgspec.Struct, frozen=True):
    """A server that answered."""

    supplier: str
    """Its name in `suppliers.SUPPLIERS`, or "" for another kind of server."""
    title: str
    base_url: str
    models: tuple[ListedModel, ...]
    """Its chat models; none if none is installed or loaded."""

    @property
    def at_usual_address(self) -> bool:
        """Whether `supplier` alone says how to reach it."""
        known = SUPPLIERS.get(self.supplier)
        return bool(known) and _same(known.base_url, self.base_url)


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
        named = [(name, SUPPLIERS[name].base_url) for name in USUAL]
        if host := os.environ.get("OLLAMA_HOST"):
            named.insert(0, ("ollama", _ollama(host)))
    places: dict[str, str] = {}
    for supplier, text in named:
        try:
            url = normalize_base_url(text)
        except ConfigError:
            continue
        places.setdefault(url, supplier)
    return [(supplier, url) for url, supplier in places.items()]


def local_servers(
    places: Sequence[tuple[str, str]] | None = None, seconds: float = 0.0
) -> list[LocalServer]:
    """Ask all `places` (None: `addresses()`) at once; return those that answered.

    Blocks for `seconds` at most; 0 means 0.2, or 2 for addresses that the user has
    named. Nothing is sent but GET requests without a key.
    """
    places = addresses() if places is None else places
    if not seconds:
        seconds = _NAMED_SECONDS if os.environ.get("LAZYCHAT_PROBE") else SECONDS
    found: dict[int, LocalServer] = {}

    def probe(index: int, supplier: str, url: str, until: float) -> None:
        if server := _probe(supplier, url, until):
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


def _probe(supplier: str, url: str, until: float) -> LocalServer | None:
    body = _get(url + "/models", until)
    if not is_list(body):
        return None
    supplier = _OWNERS.get(owner(body), supplier)
    models = {model.id: model for model in listed(body)}
    match supplier:
        case "ollama":
            _add_tags(models, _get(_root(url) + "/api/tags", until))
        case "lmstudio":
            _add_states(models, _get(_root(url) + "/api/v0/models", until))
        case _:  # llama-server and vLLM have only the model that they run
            models = {
                id: msgspec.structs.replace(model, loaded=bool(supplier))
                for id, model in models.items()
            }
    known = SUPPLIERS.get(supplier)
    title = known.title if known else urlsplit(url).netloc.rpartition("@")[2]
    # What is in memory answers at once.
    order = sorted(models.values(), key=lambda model: not model.loaded)
    return LocalServer(supplier, title, url, tuple(order))


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


def _get(url: str, until: float) -> Any:
    """Return the JSON at `url`, None if it has not come by `until`."""
    left = until - monotonic()
    if left <= 0:
        return None
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else None
    try:
        # No proxy: these are addresses of this machine or beside it.
        connection = (kind or http.client.HTTPConnection)(
            parts.hostname or "", parts.port, timeout=left
        )
        try:
            connection.request("GET", parts.path, headers={"Connection": "close"})
            response = connection.getresponse()
            if response.status != 200:
                return None
            data = bytearray()
            while piece := response.read1(1 << 16):
                data += piece
                if len(data) > _LARGEST or monotonic() > until:
                    return None
            return bounds.decode(bytes(data))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _ollama(host: str) -> str:
    """Return where OLLAMA_HOST, which is also the address to listen on, is reached."""
    host = host.strip().replace("0.0.0.0", "127.0.0.1")
    bare = host.partition("://")[2] or host
    return host if ":" in bare else f"{host}:11434"


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _same(one: str, other: str) -> bool:
    same = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
    ones, others = urlsplit(one), urlsplit(other)
    hosts = [same.get(it.hostname or "", it.hostname) for it in (ones, others)]
    return hosts[0] == hosts[1] and (ones.port, ones.path) == (others.port, others.path)
