"""Looks for model servers where `/setup` looks for them."""

import os
from collections.abc import Iterator

from tui.cli.doctor.findings import Finding
from tui.models.discovery import LocalServer
from tui.models.discovery.servers import addresses, is_off, local_servers
from tui.models.openai.address import shown
from tui.models.suppliers import SUPPLIERS

SECONDS = 2.0
"""Seconds that each has to answer: a server that loads a model may be slow."""

_ADD = {
    "ollama": "Get one: ollama pull qwen3",
    "lmstudio": "Load a model in LM Studio",
}
_NAMED = 3


def check_servers() -> Iterator[Finding]:
    """Tell each server that answers, and each named by the user that does not."""
    if is_off():
        return
    places = addresses()
    found = local_servers(places, SECONDS)
    for server in found:
        yield _told(server)
    answered = {server.base_url for server in found}
    silent = [url for _, url in places if url not in answered]
    if os.environ.get("LAZYCHAT_PROBE"):
        for url in silent:
            yield Finding(
                "server",
                "warning",
                f"{shown(url)} (from LAZYCHAT_PROBE) lists no models",
                "Start the server there, or take the address out of the variable",
            )
    elif not found:
        usual = dict.fromkeys(SUPPLIERS[name].title for name, _ in places if name)
        text = f"none answers on this machine ({', '.join(usual)})"
        yield Finding("server", "ok", text)


def _told(server: LocalServer) -> Finding:
    where = f"{server.title} at {shown(server.base_url)}"
    ids = [model.id for model in server.models]
    if not ids:
        remedy = _ADD.get(server.supplier, "Start it with a model")
        return Finding("server", "warning", f"{where} has no chat model", remedy)
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    text = f"{where} has {', '.join(ids[:_NAMED])}{more}"
    if server.at_usual_address:
        return Finding(
            "server", "ok", f"{text}: lazychat -m {server.supplier}/{ids[0]}"
        )
    return Finding("server", "ok", f"{text}: /setup adds it")
