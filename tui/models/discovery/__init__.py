"""Finds models that this machine can use now: servers, files, services with a key.

`look` does it all; each part can be used alone. Everything here blocks for a moment
(see each function), so call it in a thread, and none of it raises.

    found = look()
    for server in found.servers:
        print(server.title, server.base_url, [model.id for model in server.models])
"""

import threading
from collections.abc import Callable, Iterable

import msgspec

from tui.config import ModelConfig
from tui.models.discovery.files import GGUFFile, gguf_files
from tui.models.discovery.routes import Routes
from tui.models.discovery.rows import ListedModel
from tui.models.discovery.servers import LocalServer, local_servers
from tui.models.discovery.services import Service, services

__all__ = [
    "Found",
    "GGUFFile",
    "ListedModel",
    "LocalServer",
    "Routes",
    "Service",
    "gguf_files",
    "local_servers",
    "look",
    "services",
]


class Found(msgspec.Struct, frozen=True):
    """What `look` has found."""

    servers: tuple[LocalServer, ...] = ()
    """The servers that answered, in the order of `servers.USUAL`."""
    files: tuple[GGUFFile, ...] = ()
    """GGUF files, the newest first."""
    services: tuple[Service, ...] = ()
    """All known services, those with a key first."""


def look(models: Iterable[ModelConfig] = ()) -> Found:
    """Look for everything at once; takes 3 seconds at most, usually 0.2.

    `models` are those of config.toml, which may name a proxy or a certificate.
    """
    routes = Routes(models)
    servers: list[LocalServer] = []
    files: list[GGUFFile] = []
    work: list[Callable[[], None]] = [
        lambda: servers.extend(local_servers(routes=routes)),
        lambda: files.extend(gguf_files()),
    ]
    threads = [threading.Thread(target=each, daemon=True) for each in work]
    for thread in threads:
        thread.start()
    known = tuple(services())
    for thread in threads:
        thread.join()
    # A running Ollama offers its files itself, and needs no second copy in memory.
    if any(server.supplier == "ollama" for server in servers):
        files = [file for file in files if file.place != "Ollama"]
    return Found(tuple(servers), tuple(files), known)
