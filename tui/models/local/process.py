"""Starts, watches and ends one child process for each GGUF file.

The thread that starts a child reads what it says and waits for its end. On Linux the
kernel kills a child when that thread ends (PR_SET_PDEATHSIG), so it must be one that
lives as long. Nothing here blocks: what goes to the child waits in a queue, since a
stopped process does not read its pipe.
"""

import atexit
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from tui.errors import ModelError
from tui.models.local import crashes
from tui.models.local.death import Death
from tui.models.local.wire import (
    Cancel,
    Failed,
    Finished,
    FromChild,
    Loaded,
    Spec,
    ToChild,
    Told,
    line,
    read_from_child,
)

OBEY_SECONDS = 2.0
"""How long a child may take to obey a cancellation; then it is killed."""
IDLE_SECONDS = 60.0
"""How long a child may owe an answer without using the processor; then it is killed.

Loading and reading a long prompt say nothing for minutes, but they compute."""
_END_SECONDS = 3.0
_KEPT = 8192
"""Bytes of the end of stderr that are kept."""

Answer = FromChild | Death


class Exchange:
    """What a child says to one request."""

    def __init__(self, child: "Child", id: int) -> None:
        self.id = id
        self.child = child
        self.ended = False
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()

    def put(self, answer: Answer | None) -> None:
        """Hand over an answer; None only wakes. Any thread."""
        self._answers.put(answer)

    def wake(self) -> None:
        """Have `next` return None now."""
        self._answers.put(None)

    def next(self) -> Answer | None:
        """Wait for the next answer; None after `wake`.

        A child that hangs is killed: then it is that death.
        """
        used, since = self.child.used(), time.monotonic()
        while True:
            try:
                answer = self._answers.get(timeout=IDLE_SECONDS / 4)
                break
            except Empty:
                now = self.child.used()
                if now != used or now < 0:
                    used, since = now, time.monotonic()
                elif time.monotonic() - since >= IDLE_SECONDS:
                    self.child.kill(IDLE_SECONDS)
        self.ended = self.ended or isinstance(
            answer, Finished | Failed | Loaded | Death
        )
        return answer


class Child:
    """A process, from its start to its death.

    `spoken` is called at its first word, `ended` at its death; both in its thread.
    """

    def __init__(
        self,
        ended: Callable[["Child", Death], None],
        spoken: Callable[[], None] = lambda: None,
    ) -> None:
        self._ended = ended
        self._spoken = spoken
        self._loading = True
        self._closed = False
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._exchanges: dict[int, Exchange] = {}
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._stuck = 0.0
        self._begun = threading.Event()
        self.death: Death | None = None
        self.spoke = False
        """Whether it has told anything of an answer."""
        self._thread = threading.Thread(
            target=self._run, name="lazychat-model", daemon=True
        )
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id; waits until it is started. 0 when it could not be."""
        self._begun.wait()
        return self._process.pid if self._process else 0

    @contextmanager
    def exchange(self) -> Generator[Exchange, None, None]:
        """Open a request; at the end of the block it is broken off, if it runs yet."""
        exchange = Exchange(self, next(self._ids))
        with self._lock:
            if self.death:
                exchange.put(self.death)
            else:
                self._exchanges[exchange.id] = exchange
        try:
            yield exchange
        finally:
            if not exchange.ended:
                self.send(Cancel(exchange.id))
                timer = threading.Timer(OBEY_SECONDS, self._late, [exchange.id])
                timer.daemon = True
                timer.start()

    def send(self, message: ToChild) -> None:
        """Say something to the child; never blocks."""
        self._outbox.put(line(message))

    def used(self) -> float:
        """Return the seconds of processor time that it has used; -1 when unknown."""
        return _processor_seconds(self._process.pid) if self._process else -1.0

    def kill(self, stuck: float = 0.0) -> None:
        """End it at once; `stuck` is for how many seconds it had given no sign."""
        self._stuck = stuck
        process = self._process
        # `poll` belongs to the child's own thread, which may be waiting for it.
        if process and self.death is None:
            with suppress(ProcessLookupError):
                process.kill()

    def close(self) -> None:
        """Have it end, and wait for that some seconds at most."""
        self._closed = True
        self._outbox.put(None)
        self._thread.join(_END_SECONDS)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(_END_SECONDS)

    def _late(self, id: int) -> None:
        with self._lock:
            runs = id in self._exchanges
        if runs:
            self.kill(OBEY_SECONDS)

    def _run(self) -> None:
        try:
            process = self._process = _start()
        except OSError as error:
            self._begun.set()
            why = error.strerror or str(error)
            self._die(Death(1, f"the process cannot be started: {why}"))
            return
        self._begun.set()
        listener = threading.Thread(
            target=self._listen, args=[process], name="lazychat-model-said", daemon=True
        )
        writer = threading.Thread(
            target=self._write, args=[process], name="lazychat-model-asked", daemon=True
        )
        listener.start()
        writer.start()
        assert process.stdout is not None
        with suppress(OSError, ValueError):
            for data in process.stdout:
                self._take(read_from_child(data))
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)  # it has closed its pipe without ending
        if process.returncode is None:
            process.kill()
        status = process.wait()
        self._outbox.put(None)
        listener.join(1.0)  # somebody else may have its stderr
        process.stdout.close()
        said = self._said.decode("utf-8", "replace")
        # What its owner has killed did not die of loading.
        loading = self._loading and not self._closed
        self._die(Death(status, said, self.spoke, self._stuck, loading))

    def _take(self, message: FromChild) -> None:
        ends = not isinstance(message, Told)
        with self._lock:
            found = self._exchanges.get(message.id)
            if ends:
                self._exchanges.pop(message.id, None)
        self._loading = self._loading and isinstance(message, Failed)
        if isinstance(message, Told | Finished) and not self.spoke:
            self.spoke = True
            self._spoken()
        if found:
            found.put(message)

    def _die(self, death: Death) -> None:
        with self._lock:
            self.death = death
            exchanges = list(self._exchanges.values())
            self._exchanges.clear()
        self._ended(self, death)
        for exchange in exchanges:
            exchange.put(death)

    def _write(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        with suppress(OSError):
            while (data := self._outbox.get()) is not None:
                process.stdin.write(data)
                process.stdin.flush()
        with suppress(OSError):
            process.stdin.close()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        with process.stderr, suppress(OSError):
            while data := os.read(process.stderr.fileno(), 4096):
                self._said = (self._said + data)[-_KEPT:]


class ModelProcess:
    """The child for one GGUF file, and the next one when that has died."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._circumstances = ""
        self._notes: list[Death] = []
        self.users: set[object] = set()
        """Who is to be asked no more before it ends; see `leave`."""

    @property
    def pid(self) -> int:
        """The process id of the child that lives; 0 without one."""
        child = self._child
        return child.pid if child and child.death is None else 0

    def child(self, spec: Spec) -> Child:
        """Return the child, started for `spec` when there is none.

        Raises `ModelError` when the same has crashed before its first word again and
        again, in this run of the program or an earlier one; see `crashes`.
        """
        with self._lock:
            if self._child is None or self._child.death is not None:
                now = crashes.circumstances(spec)
                crash = crashes.recall(now)
                if crash and crash.refuses:
                    count, again = crash.count, crash.again
                    raise died(crash.death, spec.name, self.path, count, again)
                self._circumstances = now
                self._child = Child(self._ended, lambda: crashes.forget(now))
            return self._child

    def living(self) -> Child | None:
        """Return the child if there is one, without starting any."""
        child = self._child
        return child if child and child.death is None else None

    def note(self) -> Death | None:
        """Return once the death of a child that nobody has been told of, or None."""
        with self._lock:
            return self._notes.pop() if self._notes else None

    def leave(self, user: object) -> None:
        """End the child when `user` was the last one."""
        with _processes_lock:
            self.users.discard(user)
            if self.users:
                return
            _processes.pop(self.path, None)
        self.close()

    def close(self) -> None:
        """End the child."""
        with self._lock:
            child, self._child = self._child, None
        if child:
            child.close()

    def _ended(self, child: Child, death: Death) -> None:
        with self._lock:
            if death.stuck == OBEY_SECONDS:
                self._notes = [death]
            if death.crashed:
                crashes.add(self._circumstances, death)


def died(
    death: Death, name: str, path: str, crashes: int = 0, again: float = 0.0
) -> ModelError:
    """Return the error of a turn whose process died, or was not started again."""
    from tui.safe import safe

    text = death.told(name, Path(path).name, crashes, again)
    return ModelError(safe(text, newlines=False), "died")


_processes: dict[str, ModelProcess] = {}
_processes_lock = threading.Lock()


def process_for(path: str, user: object) -> ModelProcess:
    """Return the process of `path`, an absolute path without links, for `user`."""
    with _processes_lock:
        if not _processes:
            atexit.unregister(_close_all)
            atexit.register(_close_all)
        found = _processes.setdefault(path, ModelProcess(path))
        found.users.add(user)
        return found


def _close_all() -> None:
    with _processes_lock:
        processes = list(_processes.values())
        _processes.clear()
    for process in processes:
        process.close()


_BEGIN = """\
import sys
root, owner = sys.argv[1:]
if root not in sys.path:
    sys.path.insert(0, root)
from tui.models.local.server import main
main(int(owner))
"""


def _start() -> "subprocess.Popen[bytes]":
    # Of this very program, and never of the folder that somebody happens to be in.
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-P", "-c", _BEGIN, str(root), str(os.getpid())]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Its back trace would come from a debugger, for half a minute.
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        # No signal of the terminal reaches it.
        start_new_session=True,
    )


def _processor_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1.0  # macOS tells it only through another program
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
