"""Registers and finds workers: processes that run turns without a screen.

Each machine has one small file beside the state. It is a note, not a lock: it names a
process, and counts for nothing once that process is gone. A request goes to the worker
only if it would answer in the same way, with the same definition of the model and of
each tool, the same instructions and limits. The asking process answers everything else.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from tui import bounds, config, files, paths, process_identity
from tui.config import Config, LlamaModelConfig, ModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.events import TurnStarted
from tui.runtime.host import Host
from tui.safe import decoded


class Worker(msgspec.Struct, frozen=True):
    """What a worker says of itself."""

    runner: str
    """What `TurnRequested.runner` has to name."""
    owner: TurnStarted
    """Which process it is."""
    started: float
    """Seconds since the epoch."""
    store: str
    """The file of the conversations."""
    manner: str
    """How it answers, whatever the model: see `_manner`."""
    models: dict[str, str]
    """Name to a digest of what it stands for."""
    tools: dict[str, str]
    """Name to a digest of what a model is told of it."""


def describe(host: Host, started: float) -> Worker:
    """Return what a worker with this host is to say of itself."""
    known = config.models(host.config)
    return Worker(
        host.runner.id,
        process_identity.claim(),
        started,
        _store(host.log.path),
        _manner(host.config),
        {name: _model(name, what) for name, what in known.items()},
        {tool.name: _digest(tool.schema) for tool in host.tools},
    )


def file() -> Path:
    """Return where the worker of this machine is noted; homes are shared by some."""
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
    """Note the worker; the one that was noted before is forgotten."""
    files.replace_private(file(), msgspec.json.encode(worker))


def leave(worker: Worker) -> None:
    """Take the note away, unless another worker has taken its place."""
    with suppress(OSError, ValueError):
        if bounds.decode_as(file().read_bytes(), Worker) == worker:
            file().unlink()


def runner_for(host: Host, model: str, tools: Collection[str]) -> str:
    """Return which runner is to answer with `model` and `tools`: a worker's, or ours.

    It looks anew at each call: a worker may come and go. Without one that is a look
    at a file that is not there.
    """
    worker = find(host.log.path) if host.keeps else None
    if not worker or not has_model(worker, host, model):
        return host.runner.id
    if worker.manner != _manner(host.config):
        return host.runner.id
    ours = {t.name: _digest(t.schema) for t in host.tools if t.name in tools}
    same = all(worker.tools.get(name) == digest for name, digest in ours.items())
    return worker.runner if same else host.runner.id


def has_model(worker: Worker, host: Host, name: str) -> bool:
    """Return whether the worker knows the model as `host` does."""
    with suppress(ConfigError):
        return worker.models.get(name) == _model(name, host.models.find(name))
    return False


def is_alive(runner: str) -> bool:
    """Return whether `runner` is the worker of this machine, and that lives."""
    worker = find()
    return worker is not None and worker.runner == runner


def _store(path: Path) -> str:
    return decoded(str(path.resolve()))


def _manner(settings: Config) -> str:
    limits = (settings.max_rounds, settings.tools.timeout)
    return _digest((settings.agent, settings.system, *limits))


def _model(name: str, settings: ModelConfig) -> str:
    """Return a digest of what the name stands for here: paths, keys and addresses.

    Of keys only whether there is one.
    """
    match settings:
        case OpenAIModelConfig():
            from tui.models.suppliers import SUPPLIERS

            supplier = SUPPLIERS.get(settings.supplier)
            keys = (settings.api_key_env, supplier.key_env if supplier else "")
            here: object = (
                [key for key in keys if key and os.environ.get(key)],
                os.environ.get("OPENAI_BASE_URL"),
            )
        case LlamaModelConfig(path="starter"):
            here = None
        case _:
            here = str(Path(settings.path).expanduser().absolute())
    return _digest((name, settings, here))


def _digest(value: object) -> str:
    import hashlib

    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]
