"""A real link: OpenSSH's sshd on 127.0.0.1, its client in a terminal, a slow line.

    with Server(folder) as server, Relay(server.port, rate=10_000) as relay:
        with Link(server, relay, {}).terminal(["lazychat"]) as terminal:
            ...
            relay.cut()

The server has its own host key, configuration and port. It accepts the user who runs
the tests, with a key made for this. No home folder is read or written.
"""

import grp
import os
import pwd
import select
import shlex
import shutil
import socket
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from support.terminal import LIMIT, Terminal

_SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_PIECE = 1024  # bytes carried in one go, about a packet
_BURST = 1024  # bytes that may be sent at once after a pause, as traffic shapers allow
_BUFFER = 65536  # bytes in transit before a sender has to wait
_TRIES = 5  # ports; another process may take one between its choice and use

_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PidFile none
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin yes
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
"""


def missing() -> str:
    """Return which program is not installed, or ""."""
    for name in ("sshd", "ssh", "ssh-keygen"):
        if shutil.which(name, path=_SBIN) is None:
            return f"needs {name} (Debian: openssh-server, openssh-client)"
    if os.getuid() != 0:
        ours, theirs = os.openpty()
        group = os.fstat(theirs).st_gid
        os.close(ours)
        os.close(theirs)
        if group != grp.getgrnam("tty").gr_gid:
            return "needs root: sshd wants terminals to be of the group tty"
    return ""


class Server:
    """sshd for the user who runs the tests; runs while the `with` block is open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        for name in ("host_key", "key"):
            file = str(folder / name)
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file]
            subprocess.run(make, check=True, timeout=LIMIT)
        shutil.copy(folder / "key.pub", folder / "authorized_keys")
        if os.getuid() == 0:
            # sshd's chroot for unauthenticated clients. On Debian the service creates
            # it, which does not run in a container.
            Path("/run/sshd").mkdir(0o755, exist_ok=True)

    def __enter__(self) -> "Server":
        for _ in range(_TRIES):
            if self._listen():
                return self
        raise AssertionError(f"sshd does not listen:\n{self.log}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(LIMIT)

    @property
    def log(self) -> str:
        """The log of sshd so far."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def command(
        self, command: Sequence[str], port: int = 0, *options: str
    ) -> list[str]:
        """Return an ssh command that runs `command` on the server in a terminal."""
        settings = {
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "no",
            "LogLevel": "ERROR",
            "EscapeChar": "none",
            "ConnectTimeout": str(int(LIMIT)),
        }
        given = [f"-o{name}={value}" for name, value in settings.items()]
        user = pwd.getpwuid(os.getuid()).pw_name
        return [
            *["ssh", "-tt", "-F", "none", "-i", str(self.folder / "key"), *given],
            *["-p", str(port or self.port), *options, f"{user}@127.0.0.1"],
            f"exec {shlex.join(command)}",
        ]

    @contextmanager
    def forward(self, port: int) -> Generator[int]:
        """Forward a port of 127.0.0.1 as `ssh -L` does; yield the port on this side."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            here = free.getsockname()[1]
        way = f"127.0.0.1:{here}:127.0.0.1:{port}"
        client = subprocess.Popen(
            self.command(["sleep", "600"], 0, "-L", way, "-oExitOnForwardFailure=yes"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = monotonic() + LIMIT
            while True:
                assert client.poll() is None, self.log
                assert monotonic() < until, self.log
                with suppress(ConnectionError):
                    socket.create_connection(("127.0.0.1", here), 1).close()
                    break
            yield here
        finally:
            client.terminate()
            client.wait(LIMIT)

    def _listen(self) -> bool:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = self.folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=self.folder), "utf-8")
        sshd = shutil.which("sshd", path=_SBIN)
        assert sshd is not None
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", os.defpath)},
            )
        until = monotonic() + LIMIT
        while self._process.poll() is None and monotonic() < until:
            with (
                suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", self.port), 0.1) as client,
            ):
                client.settimeout(LIMIT)
                if client.recv(64).startswith(b"SSH-"):
                    return True
        self._process.kill()
        self._process.wait()
        return False


class Relay:
    """A line from its own port, `port`, to another port on 127.0.0.1.

    `rate` is bytes a second each way (0: unlimited), except for a kilobyte after a
    pause; `round_trip` is in seconds, half of them each way. Both may be changed while
    it runs. It carries any number of connections, in one thread.
    """

    def __init__(
        self, target: int, *, rate: float = 0.0, round_trip: float = 0.0
    ) -> None:
        self.rate = rate
        self.round_trip = round_trip
        self.carried = 0
        """Number of bytes that have arrived from the other side."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ways: list[_Way] = []
        self._frozen = False
        self._lock = threading.Lock()
        self._woken, self._wake = socket.socketpair()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="relay")

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._ended = True
        self._wake.send(b"!")
        self._thread.join(LIMIT)
        for each in (self._listening, self._woken, self._wake):
            each.close()

    @property
    def connections(self) -> int:
        """Number of open connections."""
        with self._lock:
            return len(self._ways) // 2

    def cut(self) -> None:
        """Reset all connections at once, for both sides; new ones may be made."""
        with self._lock:
            for way in self._ways:
                way.reset()
            self._ways.clear()
        with suppress(OSError):
            self._wake.send(b"!")

    def freeze(self) -> None:
        """Carry nothing more, without closing anything: a dead line."""
        self._frozen = True

    def thaw(self) -> None:
        """Carry data again, the waiting data first."""
        self._frozen = False
        self._wake.send(b"!")

    def _run(self) -> None:
        while not self._ended:
            with self._lock:
                readers = [w.source for w in self._ways if w.wants and not self._frozen]
                writers = [w.sink for w in self._ways if w.full and not self._frozen]
                dues = [w.queue[0][0] for w in self._ways if w.queue and not w.full]
            wait = None
            if dues and not self._frozen:
                wait = max(0.0, min(dues) - monotonic())
            with suppress(
                OSError, ValueError
            ):  # `cut` has closed a connection in the meantime
                ready = select.select(
                    [self._listening, self._woken, *readers], writers, [], wait
                )[0]
                if self._woken in ready:
                    self._woken.recv(64)
                if self._listening in ready:
                    self._connect()
                self._carry(ready)

    def _connect(self) -> None:
        near, _ = self._listening.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target), LIMIT)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        with self._lock:
            self._ways += [_Way(near, far), _Way(far, near, counts=True)]

    def _carry(self, ready: Sequence[object]) -> None:
        with self._lock:
            ended = False
            for way in self._ways:
                try:
                    if way.source in ready:
                        self.carried += way.take(self.rate, self.round_trip / 2)
                    if not self._frozen:
                        way.give()
                except OSError:
                    way.gone = True
                ended |= way.gone
            if ended:
                self._drop_ended()

    def _drop_ended(self) -> None:
        gone = {id(end) for w in self._ways if w.gone for end in (w.source, w.sink)}
        for way in self._ways:
            if id(way.source) in gone:
                way.source.close()
        self._ways = [way for way in self._ways if id(way.source) not in gone]


class _Way:
    """One direction of a connection."""

    def __init__(
        self, source: socket.socket, sink: socket.socket, counts: bool = False
    ) -> None:
        self.source = source
        self.sink = sink
        self.queue: deque[tuple[float, bytes]] = deque()
        """The data in transit with its time of arrival; b"" is the end."""
        self.gone = False
        self.full = False
        """Whether the sink accepts no more data for now."""
        self._counts = counts
        self._size = 0
        self._free = 0.0  # when the line is free again

    @property
    def wants(self) -> bool:
        """Whether more may be read: the line holds only so much."""
        return self._size < _BUFFER and not (self.queue and not self.queue[-1][1])

    def take(self, rate: float, delay: float) -> int:
        """Read a piece and put it on the line; return its size if it counts."""
        data = self.source.recv(_PIECE)
        now = monotonic()
        if rate:
            self._free = max(self._free, now - _BURST / rate) + len(data) / rate
        self.queue.append((max(self._free, now) + delay, data))
        self._size += len(data)
        return len(data) if self._counts else 0

    def give(self) -> None:
        """Write the data that has arrived."""
        self.full = False
        while self.queue and self.queue[0][0] <= monotonic():
            due, data = self.queue.popleft()
            if not data:
                self.gone = True
                return
            try:
                sent = self.sink.send(data)
            except BlockingIOError:
                sent = 0
            self._size -= sent
            if sent < len(data):
                self.queue.appendleft((due, data[sent:]))
                self.full = True
                return

    def reset(self) -> None:
        """Reset the source, so that its peer gets an error and no clean end."""
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.source.close()


class Link:
    """An account on a server; `relay` is the line to it."""

    def __init__(self, server: Server, relay: Relay, env: Mapping[str, str]) -> None:
        self.server = server
        self.relay = relay
        self.env = dict(env)
        """Environment of commands on the server, besides sshd's."""

    def terminal(
        self,
        command: Sequence[str],
        *,
        term: str = "xterm-256color",
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] = {},
    ) -> Terminal:
        """Run `command` on the server, in a terminal here; use it in a `with`.

        Of the terminal, ssh passes on only TERM, not COLORTERM or the locale.
        """
        given = {**self.env, **environment}
        there = ["env", *(f"{k}={v}" for k, v in given.items()), *command]
        return Terminal(
            self.server.command(there, self.relay.port),
            columns=columns,
            rows=rows,
            env={"PATH": os.environ.get("PATH", os.defpath), "TERM": term},
        )
