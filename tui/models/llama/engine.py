"""Loads each GGUF file once and lends it to one user at a time.

Two threads in one llama.cpp model make it abort or hang. So every use of a model needs
its lock, whichever context it concerns.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui import files
from tui.errors import ModelError
from tui.i18n import _
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
    """Holds the weights of one file for all its engines; loads them in a thread."""

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
        """Wait until the weights are loaded or the slot is closed; raise load errors.

        Tries again to load a file that failed before, as the user may have fixed it. If
        the wait is cancelled, loading goes on for the next caller.
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
        with self._changed:  # a thread that exists here has also been started
            self.closed = True
            thread = self._load.thread
        if thread is not None:
            # With a limit: the thread may hang on a dead network drive.
            thread.join(2.0)
        if self.weights is not None:
            self.weights.close()
            self.weights = None

    def _run(self, load: _Load) -> None:
        weights = None
        try:
            weights = Weights(self.path, lambda: not self.closed)
        except Exception as error:  # raised in the waiting threads
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
    """A GGUF file that can continue texts; it is loaded at first use.

    `context` is the window in tokens. 0 means the longest window that the model was
    trained for, which is also the maximum. `threads` is the number of threads that
    compute. None means one less than the number of cores, because llama.cpp's threads
    spin, and become very slow when they share busy cores. The constructor loads nothing
    and cannot fail. Engines on one file share its weights and its lock.
    """

    def __init__(
        self, path: Path | str, context: int = 4096, threads: int | None = None
    ) -> None:
        self.path = files.expanded(path)
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
    def busy(self) -> bool:
        """Whether somebody computes with the weights at this moment."""
        return self._slot is not None and self._slot.lock.held

    @property
    def window(self) -> int:
        """Tokens of the main context; 0 if that is unknown before loading."""
        if self._main is not None:
            return self._main.size
        slot = self._slot
        trained = slot.weights.context_trained if slot and slot.weights else 0
        wanted = self.context or trained
        return min(wanted, trained or wanted)

    def load(self) -> None:
        """Load the weights and wait for it. Raises `ModelError`."""
        self._shared().wait(Cancellation())

    def preload(self, then: Callable[[Context], object] | None = None) -> None:
        """Load in a thread and then call `then` there; return at once.

        Ignores errors, because the first `hold` will raise them.
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
        """Lock the model and yield the engine's main context; load it if needed.

        Not reentrant: a thread that calls this within its own `hold` waits forever.
        Raises `ModelError` when the model cannot be loaded, and `Cancelled` while
        waiting.
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

    def new_context(self, size: int) -> Context:
        """Create another context on the weights; call this within `hold`.

        `size` is in tokens. The engine's `close` frees the context unless the caller
        has called `Context.close` before.
        """
        context = Context(self.weights, size, self.threads)
        open = [other for other in self._contexts if other.pointer]
        self._contexts = [*open, context]
        return context

    @property
    def weights(self) -> Weights:
        """The loaded weights: `model`, `vocab`, `lib`, `tokenize`, `piece` ...

        Use it only within `hold`, or while no other thread can close the engine. Raises
        `ModelError` when nothing is loaded.
        """
        if self._slot is None or self._slot.weights is None:
            raise ModelError(_("{name} is not loaded.").format(name=self.path.name))
        return self._slot.weights

    def close(self, timeout: float = 5.0) -> bool:
        """Interrupt running computations of this engine and free its memory.

        Waits at most `timeout` seconds for the lock. Returns False, and frees nothing,
        if another thread keeps the lock. The next use loads the file again.
        """
        slot = self._slot
        if slot is None:
            return True
        until = time.monotonic() + timeout
        while not slot.lock.try_acquire(0.05):
            # Repeat it, because a turn that is just starting clears the flag.
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
        raise ModelError(
            _("{name} was closed before it could answer.").format(name=self.path.name)
        )

    def _shared(self) -> _Slot:
        slot = self._slot
        if slot is None:
            # `Path.resolve` would raise RuntimeError for a cycle of links.
            path = Path(os.path.realpath(self.path))
            with _slots_lock:
                if _exiting.is_set():
                    raise ModelError(_("The program is ending."))
                if not _slots:
                    # Free the memory at exit: __del__ may run after Python's end.
                    atexit.unregister(_close_all)
                    atexit.register(_close_all)
                slot = self._slot = _slots.setdefault(path, _Slot(path))
                slot.engines.add(self)
        return slot


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _close_all() -> None:
    """Stop all computations and loads, so that none runs during the exit."""
    with _slots_lock:
        _exiting.set()
        engines = [engine for slot in _slots.values() for engine in slot.engines]
    for engine in engines:
        engine.close(timeout=1.0)
