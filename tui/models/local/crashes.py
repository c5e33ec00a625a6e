"""Remembers crashes of a model's process across restarts of the app.

Otherwise an app would crash on the same file again and again after each start. A crash
counts only for the same circumstances: the file, the library and the relevant settings.
A kill or a lack of memory may also be due to other programs, so it counts only for some
minutes, and at most until the next boot. One small file, always written as a whole,
holds the latest crashes of all models. If two apps write at the same time, one crash is
lost.
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
"""How many circumstances are remembered, the latest ones."""
PASSES_SECONDS = 600.0
"""Seconds without a try after deaths that may be due to other programs."""
MOST_CRASHES = 2
"""The number of crashes before the first word after which there is no further try."""


class Crash(msgspec.Struct, frozen=True):
    """Successive crashes in the same circumstances: their number, and the last one."""

    count: int
    status: int
    said: str = ""
    time: float = 0.0
    """When the last crash happened; seconds since the epoch."""
    boot: str = ""
    """The id of the boot in which it happened; "" if the system has none."""

    @property
    def death(self) -> Death:
        """The last death."""
        return Death(self.status, self.said, loading=True)

    @property
    def refuses(self) -> bool:
        """Whether the model must not be started now in the same circumstances."""
        if self.count < MOST_CRASHES:
            return False
        # A clock that was set back must not prolong the time.
        recent = 0 <= time.time() - self.time < PASSES_SECONDS
        same_boot = self.boot == process_identity.boot_id()
        return not self.death.passes or (recent and same_boot)

    @property
    def again(self) -> float:
        """When the next try is allowed; seconds since the epoch, 0 for no such time."""
        return self.time + PASSES_SECONDS if self.death.passes else 0.0


_Known = dict[str, Crash]
_lock = threading.Lock()


def circumstances(spec: Spec) -> str:
    """Return a digest of the circumstances: file, library and settings."""
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
    """Return the crashes in these circumstances, if any; any thread. Never raises."""
    with _lock:
        return _load().get(key)


def add(key: str, death: Death) -> None:
    """Remember one more crash; any thread. Ignores errors of the file."""
    with _lock:
        known = _load()
        old = known.pop(key, None)
        if old and old.death.passes and not death.passes:
            old = None  # such deaths say nothing about the file
        count = old.count + 1 if old else 1
        boot, said = process_identity.boot_id(), death.said[-500:]
        known[key] = Crash(count, death.status, said, time.time(), boot)
        _save(dict(list(known.items())[-_KEPT:]))


def forget(key: str) -> None:
    """Forget the crashes of a model that has answered; any thread. Never raises."""
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
