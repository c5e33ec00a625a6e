"""Imports lazychat once, and forks itself for each process that a test asks for.

See `support.fork_server`, which starts it with the number of a socket.
"""

import fcntl
import gc
import importlib
import marshal
import os
import runpy
import select
import signal
import socket
import struct
import sys
import termios
import threading
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

IMPORTED = (
    "httpcore2",
    "openai",
    "openai.resources.chat.completions",
    "openai.resources.responses",
    "tui.agents.react",
    "tui.app.app",
    "tui.cli.ask",
    "tui.cli.change",
    "tui.cli.chat",
    "tui.cli.conversations",
    "tui.cli.export",
    "tui.cli.list",
    "tui.cli.search",
    "tui.conversation.export_import",
    "tui.models.attached",
    "tui.models.openai",
    "tui.models.scripted",
    "tui.tools.bundled",
    "tui.tools.toolbox",
)
_HEADER = struct.Struct("=I")
_NUMBER = struct.Struct("=i")

Job = dict[str, Any]


def serve(number: int) -> tuple[Job, list[int]]:
    """Fork for each job; return in the forked process only, with its descriptors."""
    asked = socket.socket(fileno=number)
    running: dict[int, tuple[int, int]] = {}
    poll = select.poll()
    poll.register(number, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == number:
                job, descriptors = receive(asked)
                if (pid := os.fork()) == 0:
                    asked.close()
                    return job, descriptors
                *streams, writer = descriptors
                for stream in streams:
                    os.close(stream)
                os.write(writer, _NUMBER.pack(pid))
                running[(ends := os.pidfd_open(pid))] = pid, writer
                poll.register(ends, select.POLLIN)
            else:
                poll.unregister(descriptor)
                os.close(descriptor)
                pid, writer = running.pop(descriptor)
                _, status = os.waitpid(pid, 0)
                with suppress(BrokenPipeError):  # nobody waits for it
                    os.write(writer, _NUMBER.pack(status))
                os.close(writer)


def receive(asked: socket.socket) -> tuple[Job, list[int]]:
    """Return the next job and its descriptors; end with the one who asks."""
    header, descriptors, _, _ = socket.recv_fds(asked, _HEADER.size, 4)
    if not header:
        os._exit(0)
    (size,) = _HEADER.unpack(header)
    data = b""
    while len(data) < size:
        data += asked.recv(size - len(data))
    return marshal.loads(data), descriptors


def become(job: Job, descriptors: list[int]) -> None:
    """Make this process what `python -m tui` would be at its start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if job["terminal"]:
        os.setsid()
        fcntl.ioctl(descriptors[0], termios.TIOCSCTTY, 0)
    high = [fcntl.fcntl(d, fcntl.F_DUPFD, 64) for d in descriptors[:3]]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number)
    os.closerange(3, 1 << 20)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.path[0] = str(Path.cwd())
    sys.argv[1:] = job["arguments"]
    sys.stdin = sys.__stdin__ = stream(0, "r", sys.__stdin__)
    sys.stdout = sys.__stdout__ = stream(1, "w", sys.__stdout__)
    sys.stderr = sys.__stderr__ = stream(2, "w", sys.__stderr__)


def stream(number: int, mode: str, like: Any) -> TextIOWrapper:
    """Return a standard stream as Python makes it."""
    binary: Any = open(number, f"{mode}b", closefd=False)  # noqa: SIM115
    raw = binary.raw
    raw.name = like.name
    text: Any = TextIOWrapper(
        binary,
        encoding=like.encoding,
        errors=like.errors,
        newline="\n",
        line_buffering=number == 2 or raw.isatty(),
    )
    text.mode = mode
    return text


signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C ends it silently
for name in IMPORTED:
    importlib.import_module(name)
assert threading.active_count() == 1, "a process with threads is not to be forked"
gc.collect()
gc.freeze()  # what is collected is not written to, and stays shared
become(*serve(int(sys.argv.pop(1))))
runpy._run_module_as_main("tui")  # pyright: ignore[reportAttributeAccessIssue]
