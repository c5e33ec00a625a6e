"""The child process: runs the requests that arrive on stdin.

It ends with its owner, however that ends: the pipe is then closed, and on Linux the
kernel kills the child. It is in a session of its own, so signals of the terminal do not
reach it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tui.errors import Cancelled, ContextOverflow, LazychatError
from tui.models import Model, window_of
from tui.models.exchanges import MOST_BYTES
from tui.models.local.death import SHORT_OF_MEMORY, out_of_memory
from tui.models.local.wire import (
    Ask,
    Cancel,
    Drop,
    Exchanged,
    Failed,
    Finished,
    Load,
    Loaded,
    Spec,
    ToChild,
    Warm,
    emitted,
    line,
    read_to_child,
)
from tui.turn import Cancellation, Turn

_END_SECONDS = 2.0
"""Seconds after which the process exits even if a computation does not stop."""


def main(owner: int) -> None:
    """Serve the process `owner` on descriptors 0 and 1 until it is gone."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _die_with(owner)
    _prefer_to_be_killed()
    inbox, outbox = os.dup(0), os.dup(1)
    # Keep input and output of libraries out of the protocol.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    server = Server(lambda data: _write(outbox, data))
    with open(inbox, "rb") as lines:  # noqa: PTH123 - a descriptor is not a path
        for data in lines:
            server.take(data)
    late = threading.Timer(_END_SECONDS, os._exit, [0])
    late.daemon = True
    late.start()
    server.close()


class Server:
    """Runs each request in a thread. `send` writes a line and may be called in any."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._models: dict[bytes, Model] = {}
        self._running: dict[int, Cancellation] = {}
        self._warming: set[Cancellation] = set()

    def take(self, data: bytes) -> None:
        """Handle one line: start a request in a thread, or cancel one."""
        message: ToChild = read_to_child(data)
        match message:
            case Cancel(id):
                with self._lock:
                    cancel = self._running.get(id)
                if cancel:
                    cancel.request()
            case Drop(spec):
                self._start(lambda: self._drop(spec))
            case Warm():
                cancel = Cancellation()
                with self._lock:
                    # Warming up must not delay an answer.
                    if self._running:
                        return
                    self._warming.add(cancel)
                self._start(lambda: self._warm(message, cancel))
            case Load() | Ask():
                turn = Turn()
                if isinstance(message, Ask):
                    turn = _Turn(message, self._send)
                with self._lock:
                    self._running[message.id] = turn.cancel
                    warming = list(self._warming) if isinstance(message, Ask) else []
                for cancel in warming:
                    cancel.request()
                self._start(lambda: self._run(message, turn))

    def close(self) -> None:
        """Cancel all running requests."""
        with self._lock:
            cancels = [*self._running.values(), *self._warming]
        for cancel in cancels:
            cancel.request()

    def _start(self, run: Callable[[], None]) -> None:
        threading.Thread(target=run, daemon=True).start()

    def _run(self, message: Load | Ask, turn: Turn) -> None:
        id = message.id
        try:
            model = self._model(message.spec)
            if isinstance(message, Load):
                model.load()
                end = line(Loaded(id, window_of(model)))
            else:
                end = self._answer(model, message, turn)
        except Cancelled:
            end = line(Failed(id, "cancelled"))
        except ContextOverflow as error:
            size, tokens = error.window, error.tokens
            end = line(Failed(id, "overflow", str(error), error.kind, size, tokens))
        except LazychatError as error:
            end = line(_failed(id, message.spec.name, error))
        except MemoryError:
            text = out_of_memory(message.spec.name)
            end = line(Failed(id, "model", text, "memory"))
        except Exception as error:  # the owner reports it in its turn
            end = line(Failed(id, "fault", f"{type(error).__name__}: {error}"))
        with self._lock:
            self._running.pop(id, None)
        self._send(end)

    def _answer(self, model: Any, ask: Ask, turn: Turn) -> bytes:
        run = model.generate(ask.messages, ask.tools, turn)
        while True:
            try:
                event = next(run)
            except StopIteration as stop:
                return line(Finished(ask.id, stop.value, window_of(model)))
            self._send(emitted(ask.id, event))

    def _warm(self, message: Warm, cancel: Cancellation) -> None:
        # Ignore errors here: the next question raises them again.
        with suppress(LazychatError, MemoryError):
            warm = getattr(self._model(message.spec), "warm", None)
            if warm:
                warm(message.tools, message.system, cancel)
        with self._lock:
            self._warming.discard(cancel)

    def _model(self, spec: Spec) -> Any:
        key = msgspec.json.encode(spec)
        with self._lock:
            model = self._models.get(key)
            if model is None:
                model = self._models[key] = _make(spec)
            return model

    def _drop(self, spec: Spec) -> None:
        with self._lock:
            model: Any = self._models.pop(msgspec.json.encode(spec), None)
        if model is not None:
            model.close()


def _failed(id: int, name: str, error: LazychatError) -> Failed:
    text = str(error)
    if SHORT_OF_MEMORY.search(text):
        # Otherwise the text would blame a library or a file that is fine.
        return Failed(id, "model", out_of_memory(name), "memory")
    return Failed(id, "model", text, getattr(error, "kind", "model"))


class _Turn(Turn):
    """The parts of the owner's turn that a model needs."""

    def __init__(self, ask: Ask, send: Callable[[bytes], None]) -> None:
        super().__init__(ask.turn)
        self._ask = ask.id
        self._send = send
        pairs = zip(ask.message_ids, ask.messages, strict=True)
        self.sources = [(id, message) for id, message in pairs if id]
        self.schema = ask.schema
        self._id_now = ask.message_id
        self.options = ask.options

    @property
    def message_id(self) -> str:
        """The id of the current message of the owner's turn."""
        return self._id_now

    def exchanged(self, prompt: str, answer: str | None = None) -> None:
        """Tell the owner what the model reads and writes."""
        written = answer if answer is None else answer[:MOST_BYTES]
        self._send(line(Exchanged(self._ask, prompt[:MOST_BYTES], written)))


def _make(spec: Spec) -> Model:
    threads = spec.threads or None
    if spec.starter:
        from tui.models.starter import StarterModel

        return StarterModel(spec.path, spec.name, spec.context, threads)
    from tui.models.llama import LlamaEngine, LlamaModel, Sampling

    engine = LlamaEngine(Path(spec.path), spec.context, threads)
    sampling = msgspec.convert(spec.sampling, Sampling)
    dialect = spec.dialect or None
    return LlamaModel(engine, spec.name, sampling, spec.max_tokens, dialect)


_writing = threading.Lock()


def _write(descriptor: int, data: bytes) -> None:
    with suppress(BrokenPipeError), _writing:
        while data:
            data = data[os.write(descriptor, data) :]


def _die_with(owner: int) -> None:
    """Make the kernel kill this process when the thread that started it ends.

    The owner's thread lives as long as the child; see `process`.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != owner:
        os._exit(0)


def _prefer_to_be_killed() -> None:
    """Tell the kernel to kill this process first, not its owner, if memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
