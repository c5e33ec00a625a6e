"""Runs a server as a child process, and exchanges lines of JSON with it.

The SDK has such a transport too. This one bounds what a line may hold, keeps what is
written besides messages, reports the end of the process, and ends its whole group soon.
The child has no terminal: it is in a session of its own.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from tui.bounds import may_be_deep, without_deep
from tui.errors import LazychatError
from tui.i18n import _
from tui.masking import mask
from tui.mcp.text import line

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

LARGEST_MESSAGE = 16 << 20
"""Most bytes of a message; a server that sends more is ended."""
END_SECONDS = 0.7
"""How long a server may take to end by itself, and again after SIGTERM."""
_LAST_LINES = 5


class Child:
    """The process of one connection."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        note: Callable[[str], object],
    ) -> None:
        """Run `command` in `folder`, "" for the current one.

        `note` is called with what the server writes besides its messages, line by line.

        The lines are clean and bounded; how many there are is not.
        """
        self._command = command
        self._environment = environment
        self._folder = folder
        self._note = note
        self._said: list[str] = []
        self._broken = ""
        self._process: Process | None = None
        self.ended = asyncio.Event()
        """Whether the server will send nothing more."""

    @property
    def pid(self) -> int:
        """The process, which leads its group; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def why(self) -> str:
        """Why the server has ended, in one line."""
        if self._broken:
            return self._broken
        code = self._process.returncode if self._process else None
        how = _("it closed its output")
        if code is not None:
            how = _("it ended with status {code}").format(code=code)
            if code < 0:
                how = _("it was killed by {code}").format(code=_signal(-code))
        # What a program says last is most often why it ended.
        return f"{how}: {self._said[-1]}" if self._said else how

    @asynccontextmanager
    async def connect(self) -> "AsyncGenerator[TransportStreams]":
        """Run the process while the context is open: a transport for the SDK.

        Raises `LazychatError` if it cannot be started.
        """
        import anyio
        from mcp.shared.message import SessionMessage

        process = self._process = await self._start()
        received, reader = anyio.create_memory_object_stream[
            "SessionMessage | Exception"
        ](0)
        writer, to_send = anyio.create_memory_object_stream[SessionMessage](0)
        async with received, reader, writer, to_send:
            running = [
                asyncio.ensure_future(self._read(process, received)),
                asyncio.ensure_future(self._listen(process)),
                asyncio.ensure_future(self._write(process, to_send)),
            ]
            try:
                yield reader, writer
            finally:
                # To its end even if the task is cancelled: no process may stay.
                end = asyncio.ensure_future(_end(process, running))
                while not end.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.shield(end)

    async def _start(self) -> Process:
        program, *arguments = self._command
        try:
            return await asyncio.create_subprocess_exec(
                program,
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=dict(self._environment),
                cwd=self._folder or None,
                start_new_session=True,
                limit=LARGEST_MESSAGE,
            )
        except FileNotFoundError as error:
            # With a folder that is missing, that is what the error names.
            gone = error.filename == self._folder
            what = (
                _("the folder {folder}").format(folder=self._folder)
                if gone
                else _("the program {program}").format(program=program)
            )
            raise LazychatError(_("{what} was not found").format(what=what)) from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise LazychatError(
                _("{program} cannot be started: {why}").format(program=program, why=why)
            ) from error

    async def _read(self, process: Process, received: "_Received") -> None:
        """Pass on the messages; ends with the server's output."""
        import anyio
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        assert process.stdout
        async with received:
            try:
                while data := await process.stdout.readline():
                    try:
                        message = jsonrpc_message_adapter.validate_json(
                            # What is too deep for us may be too deep for the parser.
                            without_deep(data) if may_be_deep(data) else data,
                            by_name=False,
                        )
                    except ValueError:
                        if data.strip():
                            self._note(f"not a message: {_text(data)}")
                        continue
                    await received.send(SessionMessage(message))
            except ValueError:  # of readline
                size = LARGEST_MESSAGE >> 20
                self._broken = _("it sent a message of more than {size} MB").format(
                    size=size
                )
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # closed by us
            if not self._broken:
                with suppress(TimeoutError):  # it may only have closed its output
                    await asyncio.wait_for(process.wait(), END_SECONDS)
            self.ended.set()

    async def _listen(self, process: Process) -> None:
        """Note what the server writes to stderr."""
        assert process.stderr
        with suppress(OSError):
            while data := await process.stderr.read(65536):
                for each in data.split(b"\n"):
                    if text := _text(each):
                        self._said = [*self._said, text][-_LAST_LINES:]
                        self._note(text)

    async def _write(self, process: Process, to_send: "_ToSend") -> None:
        assert process.stdin
        with suppress(OSError):
            async for item in to_send:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(f"{text}\n".encode(errors="replace"))
                await process.stdin.drain()


async def _end(process: Process, tasks: Sequence[asyncio.Task[None]]) -> None:
    """End a process and its group: its input is closed, then come two signals."""
    if process.stdin:
        process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            end_group(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
            break
    end_group(process.pid, signal.SIGKILL)  # what it has left behind
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Nothing public closes the pipes that a process of another group may hold open.
    if transport := getattr(process, "_transport", None):
        transport.close()


def end_group(pid: int, number: int) -> None:
    """Send a signal to the group that the process leads, if there is one."""
    if pid > 0:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


def _text(data: bytes) -> str:
    return mask(line(data[:4000].decode(errors="replace")))


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return _("signal {number}").format(number=number)


if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

    _Received = MemoryObjectSendStream[SessionMessage | Exception]
    _ToSend = MemoryObjectReceiveStream[SessionMessage]
