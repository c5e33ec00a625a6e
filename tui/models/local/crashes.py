"""Remembers crashes of a model's process between starts.

An app that dies with its model, or is started anew, would crash on the same file again
and again. A crash belongs to its circumstances: the file, the library and the settings
that matter; when one of these changes nothing is known. A kill or a lack of memory
also belongs to its time: it counts for some minutes, and until the next boot. The last
crashes of all models stand in one small file, written whole; two apps that write at
once lose one crash.
"""

import hashlib
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from tui import bounds, files, paths, process_identity
from tui.models.local.death import Death
from tui.models.local.wire import Spec

_KEPT = 32
"""Circumstances that are remembered, the latest."""
PASSES_SECONDS = 600.0
"""How long nothing is tried after deaths that may be due to other programs."""
MOST_CRASHES = 2
"""After so many crashes before the first word the same is not tried again."""


class Crash(msgspec.Struct, frozen=True):
    """How often the same crashed, one after the other, and how the last time."""

    count: int
    status: int
    said: str = ""
    time: float = 0.0
    """When it was the last time; seconds since the epoch."""
    boot: str = ""
    """The boot it was in; "" where the system does not tell."""

    @property
    def death(self) -> Death:
        """The last death."""
        return Death(self.status, self.said, loading=True)

    @property
    def refuses(self) -> bool:
        """Whether the same is not to be tried now."""
        if self.count < MOST_CRASHES:
            return False
        # A clock that was put back must not make it longer.
        recent = 0 <= time.time() - self.time < PASSES_SECONDS
        same_boot = self.boot == process_identity.boot_id()
        return not self.death.passes or (recent and same_boot)

    @property
    def again(self) -> float:
        """When it may be tried again; seconds since the epoch, 0 for no such time."""
        return self.time + PASSES_SECONDS if self.death.passes else 0.0


_Known = dict[str, Crash]
_lock = threading.Lock()


def circumstances(spec: Spec) -> str:
    """Return what a crash depends on, as a digest: file, library and settings."""
    library = find_spec("llama_cpp")
    origin = library.origin if library and library.origin else ""
    parts = (
        spec.path,
        _identity(spec.path),
        _identity(origin),
        spec.context,
        spec.threads,
        spec.starter,
    )
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace")).hexdigest()[:32]


def recall(key: str) -> Crash | None:
    """Return what is known of circumstances; any thread. Never raises."""
    with _lock:
        return _load().get(key)


def add(key: str, death: Death) -> None:
    """Remember one more crash; any thread. What cannot be written is forgotten."""
    with _lock:
        known = _load()
        old = known.pop(key, None)
        if old and old.death.passes and not death.passes:
            old = None  # which says nothing of the file
        count = old.count + 1 if old else 1
        boot, said = process_identity.boot_id(), death.said[-500:]
        known[key] = Crash(count, death.status, said, time.time(), boot)
        _save(dict(list(known.items())[-_KEPT:]))


def forget(key: str) -> None:
    """Forget the crashes of what has spoken; any thread. Never raises."""
    with _lock:
        known = _load()
        if known.pop(key, None):
            _save(known)


def _load() -> _Known:
    try:
        return bounds.decode_as(paths.crashes_file().read_bytes(), _Known)
    except (OSError, ValueError):
        return {}


def _save(known: _Known) -> None:
    with suppress(OSError):
        files.replace_private(paths.crashes_file(), msgspec.json.encode(known))


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        stat = Path(path).stat()
    except (OSError, ValueError):
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
