"""Registers and finds workers: processes that run turns without a screen.

Each machine has one small file beside the state file. It is a note, not a lock: it
names a process and is ignored once that process is gone. A request goes to the worker
only if the worker would answer in the same way, with the same definition of the model
and of each tool, the same instructions and the same limits. The requesting process
answers all other requests itself.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui import bounds, config, files, paths, process_identity
from tui.config import Config, LlamaModelConfig, ModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.events import TurnStarted
from tui.runtime.host import Host
from tui.safe import decoded

if TYPE_CHECKING:
    from tui.tools import Tool


class Worker(msgspec.Struct, frozen=True):
    """A worker's description of itself."""

    runner: str
    """The id of its runner, for `TurnRequested.runner`."""
    owner: TurnStarted
    """The identity of its process."""
    started: float
    """When it was started; seconds since the epoch."""
    store: str
    """The path of its conversation store."""
    manner: str
    """A digest of its settings for all models: see `_manner`."""
    models: dict[str, str]
    """Names of models, with a digest of each definition."""
    tools: dict[str, str]
    """Names of tools, with a digest of each schema and policy."""


def describe(host: Host, started: float) -> Worker:
    """Return the description of a worker with this host, to pass to `enter`."""
    known = config.models(host.config)
    return Worker(
        host.runner.id,
        process_identity.claim(),
        started,
        _store(host.log.path),
        _manner(host.config),
        {name: _model(name, what) for name, what in known.items()},
        {tool.name: _tool(tool) for tool in host.tools},
    )


def file() -> Path:
    """Return the path of this machine's note; machines may share a home folder."""
    return paths.state_file().with_name(f"worker-{process_identity.claim().host}.json")


def find(store: Path | None = None) -> Worker | None:
    """Return the worker of this machine if it is alive.

    With `store`, only if it serves the conversations in that file.
    """
    try:
        found = bounds.decode_as(file().read_bytes(), Worker)
    except (OSError, ValueError):
        return None
    gone = not process_identity.is_here(found.owner) or process_identity.is_gone(
        found.owner
    )
    other = store is not None and found.store != _store(store)
    return None if gone or other else found


def enter(worker: Worker) -> None:
    """Write the note for `worker`, replacing any earlier note."""
    files.replace_private(file(), msgspec.json.encode(worker))


def leave(worker: Worker) -> None:
    """Delete the note, unless it names another worker by now."""
    with suppress(OSError, ValueError):
        if bounds.decode_as(file().read_bytes(), Worker) == worker:
            file().unlink()


def runner_for(host: Host, model: str, tools: Collection[str]) -> str:
    """Return the runner to answer with `model` and `tools`: a worker's, or ours.

    Reads the note at each call, because a worker may come and go. Without a worker that
    only costs a look for a missing file.
    """
    worker = find(host.log.path) if host.keeps else None
    if not worker or not has_model(worker, host, model):
        return host.runner.id
    if worker.manner != _manner(host.config):
        return host.runner.id
    ours = {t.name: _tool(t) for t in host.tools if t.name in tools}
    same = all(worker.tools.get(name) == digest for name, digest in ours.items())
    return worker.runner if same else host.runner.id


def has_model(worker: Worker, host: Host, name: str) -> bool:
    """Return whether the worker has the same definition of the model as `host`."""
    with suppress(ConfigError):
        return worker.models.get(name) == _model(name, host.models.find(name))
    return False


def is_alive(runner: str) -> bool:
    """Return whether `runner` belongs to the live worker of this machine."""
    worker = find()
    return worker is not None and worker.runner == runner


def _store(path: Path) -> str:
    return decoded(str(path.resolve()))


def _manner(settings: Config) -> str:
    # A request names its agent. Workers of versions that knew one agent have another
    # digest.
    tools = settings.tools
    limits = (
        *(settings.max_rounds, tools.timeout, sorted(tools.policy.items())),
        *(tools.folders, tools.private_addresses),
        *(tools.confine_commands, tools.command_folders),
    )
    return _digest(("agents", settings.system, *limits))


def _model(name: str, settings: ModelConfig) -> str:
    """Return a digest of the model's definition here: paths, addresses and keys.

    Includes only whether a key is set, not its value.
    """
    match settings:
        case OpenAIModelConfig():
            from tui.models.suppliers import SUPPLIERS, address

            supplier = SUPPLIERS.get(settings.supplier)
            keys = (settings.api_key_env, supplier.key_env if supplier else "")
            here: object = (
                [key for key in keys if key and os.environ.get(key)],
                os.environ.get("OPENAI_BASE_URL"),
            )
            if settings.supplier == "ollama":
                here = (*here, address("ollama"))
        case LlamaModelConfig(path="starter"):
            here = None
        case _:
            here = str(files.expanded(settings.path).absolute())
    return _digest((name, settings, here))


def _tool(tool: "Tool[..., object]") -> str:
    return _digest((tool.schema, tool.policy, tool.origin))


def _digest(value: object) -> str:
    import hashlib

    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]
