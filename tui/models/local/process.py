"""Starts, watches and ends one child process for each GGUF file.

The thread that starts a child also reads its output and waits for its end. On Linux the
kernel kills a child when the thread that started it ends (PR_SET_PDEATHSIG), so that
thread must live as long as the child. Callers never block on a write: requests to the
child are queued, because a stopped process does not read its pipe.
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
from tui.i18n import _
from tui.models.local import crashes
from tui.models.local.death import Death
from tui.models.local.wire import (
    Cancel,
    Emitted,
    Exchanged,
    Failed,
    Finished,
    FromChild,
    Loaded,
    Spec,
    ToChild,
    line,
    read_from_child,
)

OBEY_SECONDS = 2.0
"""Seconds after a cancel until a child that has not stopped is killed."""
IDLE_SECONDS = 60.0
"""Seconds without processor use until a child that owes an answer is killed.

Loading a file or reading a long prompt can send nothing for minutes, but they use the
processor."""
_END_SECONDS = 3.0
_KEPT = 8192
"""How many bytes of the end of stderr are kept."""

Answer = FromChild | Death


class Exchange:
    """The answers of a child to one request."""

    def __init__(self, child: "Child", id: int) -> None:
        self.id = id
        self.child = child
        self.ended = False
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()

    def put(self, answer: Answer | None) -> None:
        """Pass on an answer; None only wakes `next`. Any thread."""
        self._answers.put(answer)

    def wake(self) -> None:
        """Make `next` return None now. Any thread."""
        self._answers.put(None)

    def next(self) -> Answer | None:
        """Wait for the next answer and return it; None after `wake`.

        Kills a child that hangs; the answer is then its `Death`.
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
    """A child process, from its start to its death.

    `spoken` is called at the first part of an answer, `ended` at its death, both in the
    child's thread.
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
        """Whether it has sent a part of an answer."""
        self._thread = threading.Thread(
            target=self._run, name="lazychat-model", daemon=True
        )
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id, 0 if it could not be started. Waits for the start."""
        self._begun.wait()
        return self._process.pid if self._process else 0

    @contextmanager
    def exchange(self) -> Generator[Exchange, None, None]:
        """Open a request; the end of the block cancels it if it is still running."""
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
        """Queue `message` for the child; never blocks."""
        self._outbox.put(line(message))

    def used(self) -> float:
        """Return its processor time in seconds, -1 if that is unknown."""
        return _processor_seconds(self._process.pid) if self._process else -1.0

    def kill(self, stuck: float = 0.0) -> None:
        """Kill it; `stuck` is for how many seconds it made no progress, or 0."""
        self._stuck = stuck
        process = self._process
        # Do not call `poll` here: the child's own thread may be in `wait`.
        if process and self.death is None:
            with suppress(ProcessLookupError):
                process.kill()

    def close(self) -> None:
        """Ask it to end, wait some seconds for that, then kill it."""
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
            self._die(Death(1, _("cannot start the process: {why}").format(why=why)))
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
            process.wait(_END_SECONDS)  # it may have closed its pipe without ending
        if process.returncode is None:
            process.kill()
        status = process.wait()
        self._outbox.put(None)
        listener.join(1.0)  # with a limit: another process may have inherited stderr
        process.stdout.close()
        said = self._said.decode("utf-8", "replace")
        # If its owner killed it, loading was not the cause of the death.
        loading = self._loading and not self._closed
        self._die(Death(status, said, self.spoke, self._stuck, loading))

    def _take(self, message: FromChild) -> None:
        ends = not isinstance(message, Emitted | Exchanged)
        with self._lock:
            found = self._exchanges.get(message.id)
            if ends:
                self._exchanges.pop(message.id, None)
        self._loading = self._loading and isinstance(message, Failed)
        if isinstance(message, Emitted | Finished) and not self.spoke:
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
    """Provides the child for one GGUF file, and a new one after a death."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._circumstances = ""
        self._notes: list[Death] = []
        self.users: set[object] = set()
        """The models that use the file; the child ends when the last one leaves."""

    @property
    def pid(self) -> int:
        """The process id of the live child, 0 without one."""
        child = self._child
        return child.pid if child and child.death is None else 0

    def child(self, spec: Spec) -> Child:
        """Return the live child; start one for `spec` if there is none.

        Raises `ModelError` when it has repeatedly crashed before its first word in the
        same circumstances, in this run of the program or earlier; see `crashes`.
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
        """Return the live child, None without one; never starts one."""
        child = self._child
        return child if child and child.death is None else None

    def note(self) -> Death | None:
        """Return, only once, a death that no answer has reported yet, or None."""
        with self._lock:
            return self._notes.pop() if self._notes else None

    def leave(self, user: object) -> None:
        """Remove `user`, and end the child if it was the last one."""
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
    """Return the error for a turn whose process died, or was not started again."""
    from tui.safe import safe

    text = death.describe(name, Path(path).name, crashes, again)
    return ModelError(safe(text, newlines=False), "died")


_processes: dict[str, ModelProcess] = {}
_processes_lock = threading.Lock()


def process_for(path: str, user: object) -> ModelProcess:
    """Return the process for `path`, an absolute path without links, and add `user`."""
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
    # Import from this installation of the program, never from the working directory.
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-P", "-c", _BEGIN, str(root), str(os.getpid())]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Otherwise a crash would run a debugger for a backtrace, which takes very long.
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        # Keep signals of the terminal away from the child.
        start_new_session=True,
    )


def _processor_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1.0  # on macOS only another program could find it out
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
