"""Looks for model servers where `/setup` looks for them."""

import os
from collections.abc import Iterable, Iterator

from tui.cli.doctor.findings import Finding
from tui.config import ModelConfig
from tui.i18n import N_, _
from tui.models.discovery import LocalServer, Routes
from tui.models.discovery.servers import addresses, is_off, local_servers
from tui.models.openai.address import shown
from tui.models.suppliers import SUPPLIERS

SECONDS = 2.0
"""Seconds that each has to answer: a server that loads a model may be slow."""

_ADD = {
    "ollama": N_("Get one: ollama pull qwen3"),
    "lmstudio": N_("Load a model in LM Studio"),
}
_NAMED = 3


def check_servers(models: Iterable[ModelConfig] = ()) -> Iterator[Finding]:
    """Report each server that answers, and each named by the user that does not.

    `models` are those of the configuration, which may say how servers are reached.
    """
    if is_off():
        return
    places = addresses()
    found = local_servers(places, SECONDS, Routes(models))
    for server in found:
        yield _told(server)
    answered = {server.base_url for server in found}
    silent = [url for __, url in places if url not in answered]
    if os.environ.get("LAZYCHAT_PROBE"):
        for url in silent:
            yield Finding(
                "server",
                "warning",
                _("{url} (from LAZYCHAT_PROBE) lists no models").format(url=shown(url)),
                _("Start the server there, or remove the address from the variable"),
            )
    elif not found:
        usual = dict.fromkeys(SUPPLIERS[name].title for name, __ in places if name)
        text = _("none answers on this machine ({usual})").format(
            usual=", ".join(usual)
        )
        yield Finding("server", "ok", text)


def _told(server: LocalServer) -> Finding:
    where = _("{title} at {base_url}").format(
        title=server.title, base_url=shown(server.base_url)
    )
    if server.wants_key:
        text = _("{url} needs a key: /setup adds it").format(url=shown(server.base_url))
        return Finding("server", "ok", text)
    ids = [model.id for model in server.models]
    if not ids:
        remedy = _(_ADD.get(server.supplier, N_("Start it with a model")))
        return Finding(
            "server",
            "warning",
            _("{where} has no chat model").format(where=where),
            remedy,
        )
    more = (
        _(" and {count} more").format(count=len(ids) - _NAMED)
        if len(ids) > _NAMED
        else ""
    )
    text = _("{where} has {ids}{more}").format(
        where=where, ids=", ".join(ids[:_NAMED]), more=more
    )
    if server.at_usual_address:
        return Finding(
            "server", "ok", f"{text}: lazychat -m {server.supplier}/{ids[0]}"
        )
    return Finding("server", "ok", _("{text}: /setup adds it").format(text=text))
