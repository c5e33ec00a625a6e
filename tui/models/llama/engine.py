"""Loads each GGUF file once and lends it to one user at a time.

Two threads in one llama.cpp model abort or hang, so all that is done with a model is
done while its lock is held, whichever context it concerns.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui.errors import ModelError
from tui.models.llama.context import Context
from tui.models.llama.lock import TurnLock, wait_until
from tui.models.llama.weights import Weights
from tui.turn import Cancellation


class _Load:
    """One attempt to load a file."""

    done = False
    error: Exception | None = None
    thread: threading.Thread | None = None


class _Slot:
    """The weights of one file, for all engines on it; loaded in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = TurnLock()
        self.weights: Weights | None = None
        self.engines: set[LlamaEngine] = set()
        self.closed = False
        self._changed = threading.Condition()
        self._load = _Load()
        self._load.done = True

    def wait(self, cancel: Cancellation) -> None:
        """Return when the weights are there, or closed; raise what went wrong.

        A file that could not be loaded is tried again: it may have been put right.
        A cancelled wait leaves the loading to the next.
        """
        with self._changed:
            if self.weights is not None or self.closed:
                return
            load = self._load
            if load.done:
                load = self._load = _Load()
                load.thread = threading.Thread(
                    target=self._run, args=[load], name="lazychat-load", daemon=True
                )
                load.thread.start()
        wait_until(self._changed, lambda: load.done, cancel)
        if load.error is not None:
            raise load.error

    def close(self) -> None:
        with self._changed:  # a thread that is there is started, too
            self.closed = True
            thread = self._load.thread
        if thread is not None:
            # Not for ever: it may hang in a dead network drive.
            thread.join(2.0)
        if self.weights is not None:
            self.weights.close()
            self.weights = None

    def _run(self, load: _Load) -> None:
        weights = None
        try:
            weights = Weights(self.path, lambda: not self.closed)
        except Exception as error:  # handed to the threads that wait
            load.error = None if self.closed else error
        if weights is not None and self.closed:
            weights.close()
            weights = None
        with self._changed:
            self.weights, load.done = weights, True
            self._changed.notify_all()


_slots: dict[Path, _Slot] = {}
_slots_lock = threading.Lock()
_exiting = threading.Event()


class LlamaEngine:
    """A GGUF file, ready to continue texts; loaded at first use.

    `context` is the window in tokens, 0 the longest that the model was trained for
    (which also is the most that is given); `threads` are those of the computation,
    None one less than there are cores, since two spinning threads on two busy cores
    collapse. Making an engine costs nothing and cannot fail. Engines on one file
    share its weights and its lock.
    """

    def __init__(
        self, path: Path | str, context: int = 4096, threads: int | None = None
    ) -> None:
        self.path = Path(path).expanduser()
        self.context = context
        self.threads = threads or max(1, _cores() - 1)
        self._slot: _Slot | None = None
        self._contexts: list[Context] = []
        self._main: Context | None = None

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""
        return self._slot is not None and self._slot.weights is not None

    @property
    def window(self) -> int:
        """Tokens of the main context; 0 while only the file could tell."""
        if self._main is not None:
            return self._main.size
        slot = self._slot
        trained = slot.weights.context_trained if slot and slot.weights else 0
        wanted = self.context or trained
        return min(wanted, trained or wanted)

    def load(self) -> None:
        """Return when the weights are in memory. Raises `ModelError`."""
        self._shared().wait(Cancellation())

    def preload(self, then: Callable[[Context], object] | None = None) -> None:
        """Load in a thread, and do there what comes `then`; return at once.

        What fails is left for the first `hold` to find again.
        """

        def load() -> None:
            with suppress(ModelError), self.hold() as context:
                if then is not None:
                    then(context)

        threading.Thread(target=load, name="lazychat-preload", daemon=True).start()

    @contextmanager
    def hold(
        self, cancel: Cancellation | None = None
    ) -> Generator[Context, None, None]:
        """Lock the model and yield the engine's main context; loads when needed.

        Not reentrant: a thread that holds it and asks again waits for ever. Raises
        `ModelError` when the model cannot be had, and `Cancelled` while it waits.
        """
        cancel = cancel or Cancellation()
        slot = self._acquire(cancel)
        try:
            if self._main is None:
                self._main = self.new_context(self.window)
            with self._main.running(cancel):
                yield self._main
        finally:
            slot.lock.release()

    def new_context(self, size: int, sequences: int = 1) -> Context:
        """Return another context on the weights; call it within `hold`.

        `size` is in tokens, for all `sequences` together. The engine frees it at
        `close`, if the caller has not done so with `Context.close` by then.
        """
        context = Context(self.weights, size, self.threads, sequences)
        open = [other for other in self._contexts if other.pointer]
        self._contexts = [*open, context]
        return context

    @property
    def weights(self) -> Weights:
        """The loaded weights: `model`, `vocab`, `lib`, `tokenize`, `piece` ...

        Only within `hold`, or while nobody closes the engine. Raises `ModelError`
        when nothing is loaded.
        """
        if self._slot is None or self._slot.weights is None:
            raise ModelError(f"{self.path.name} is not loaded.")
        return self._slot.weights

    def close(self, timeout: float = 5.0) -> bool:
        """Break off what runs on this engine and free its memory.

        Waits at most `timeout` seconds for the lock; returns False, with nothing
        freed, when somebody keeps it. The next use loads again.
        """
        slot = self._slot
        if slot is None:
            return True
        until = time.monotonic() + timeout
        while not slot.lock.try_acquire(0.05):
            # Again and again: a turn that just begins clears the flag.
            for context in self._contexts:
                context.abort()
            if time.monotonic() > until:
                return False
        try:
            for context in self._contexts:
                context.close()
            self._contexts.clear()
            self._main = self._slot = None
            with _slots_lock:
                slot.engines.discard(self)
                last = not slot.engines
                if last:
                    del _slots[slot.path]
            if last:
                slot.close()
        finally:
            slot.lock.release()
        return True

    def _acquire(self, cancel: Cancellation) -> _Slot:
        slot = self._shared()
        slot.wait(cancel)
        slot.lock.acquire(cancel)
        if self._slot is slot and slot.weights is not None:
            return slot
        slot.lock.release()
        raise ModelError(f"{self.path.name} was closed before it could speak.")

    def _shared(self) -> _Slot:
        slot = self._slot
        if slot is None:
            # Not `resolve`, which raises RuntimeError on links in a circle.
            path = Path(os.path.realpath(self.path))
            with _slots_lock:
                if _exiting.is_set():
                    raise ModelError("The program is ending.")
                if not _slots:
                    # At exit, not by __del__: Python may have ended by then.
                    atexit.unregister(_close_all)
                    atexit.register(_close_all)
                slot = self._slot = _slots.setdefault(path, _Slot(path))
                slot.engines.add(self)
        return slot


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _close_all() -> None:
    """Stop computations and loads, so that none runs while the process ends."""
    with _slots_lock:
        _exiting.set()
        engines = [engine for slot in _slots.values() for engine in slot.engines]
    for engine in engines:
        engine.close(timeout=1.0)
