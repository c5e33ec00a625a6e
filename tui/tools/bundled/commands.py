"""Runs commands: shown exactly, bounded, and ended with all their processes."""

import codecs
import os
import shlex
from time import monotonic
from typing import Annotated

from msgspec import Meta

from tui.errors import ToolError
from tui.i18n import _
from tui.masking import mask
from tui.tools.bundled import children, landlock
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.confinement import Confinement
from tui.tools.bundled.supervisor import NOT_STARTED, TIMED_OUT
from tui.tools.policy import Preview
from tui.tools.running import report

LIMIT = 600
"""Most seconds of a command."""
_HEAD, _TAIL = 6_000, 10_000
"""Characters of the output that are kept: its start, and its end, where errors are."""
_MOST_BYTES = 50_000_000
"""Bytes of output after which a command is ended: it is not meant to be read."""
_MOST_REPORTED = 20_000
"""Characters of the output that are reported while it runs."""
_PAUSE = 0.5
"""Seconds between two reports."""
_REFUSED = "ermission denied"
"""What programs write of what the system refuses; in a language that we know."""
_SHELL = "/bin/sh"


class Commands:
    """The tool that runs commands in some folders."""

    def __init__(
        self, folders: Folders, confinement: Confinement | None = None
    ) -> None:
        """Run commands in `folders`; None lets them write and read anywhere."""
        self._folders = folders
        self._confinement = confinement
        self._confined = confinement is not None and landlock.is_available()

    def run_command(
        self,
        command: str,
        folder: str = ".",
        shell: bool = False,
        seconds: Annotated[int, Meta(ge=1, le=LIMIT)] = 60,
    ) -> str:
        """Run a command, and return its output and exit status. It gets no input.

        Args:
            command: The command line. Quotes work, but pipes, redirections, variables
                and wildcards only with shell.
            folder: Where to run it, relative to the current folder.
            shell: Whether a shell interprets the command line.
            seconds: The time limit in seconds, after which it is stopped.
        """
        argv = _argv(command, shell)
        confinement = self._confinement if self._confined else None
        if confinement:
            argv = confinement.command(argv)
        output = _Output()
        with self._folders.folder(folder) as place:
            ended = children.run(argv, place.folder, seconds, output.take, output.tick)
        output.finish()
        text = output.text()
        if confinement and ended.status and _REFUSED in text:
            text += f"[{confinement.describe()}]\n"
        return mask(text + _how(ended, seconds))

    def preview(
        self, command: str, folder: str = ".", shell: bool = False, seconds: int = 60
    ) -> Preview:
        """Return the command line as it is run, and where."""
        line = shlex.join(_argv(command, shell))
        with self._folders.place(folder) as place:
            where = str(place.path)
        how = _("{line}\n(in {where}, {seconds} s at most)")
        if not self._confined:
            how = _("{line}\n(in {where}, {seconds} s at most; it can write anywhere)")
        how = how.format(line=line, where=where, seconds=seconds)
        return Preview("command", how, line, where)


def _argv(command: str, shell: bool) -> list[str]:
    if "\0" in command:
        raise ToolError("the command has a NUL character")
    try:
        os.fsencode(command)
        argv = [_SHELL, "-c", command] if shell else shlex.split(command)
    except ValueError as error:
        raise ToolError(f"the command cannot be read: {str(error).lower()}") from error
    if not argv or not command.strip():
        raise ToolError("the command is empty")
    return argv


def _how(ended: children.Ended, seconds: int) -> str:
    """Return the last line of a result: how the command has ended."""
    if ended.stopped:
        return f"[ended: more than {_MOST_BYTES // 1_000_000} MB of output]"
    match ended.status:
        case 0:
            return "[exit status 0]"
        case status if status == TIMED_OUT:
            return f"[ended after {seconds} seconds, with all its processes]"
        case status if status == NOT_STARTED:
            return "[not found, or it cannot be started]"
        case status if status < 0:
            return "[ended with all its processes: what watched over it was killed]"
        case status if status > 128:
            return f"[ended by signal {status - 128}]"
        case status:
            return f"[exit status {status}]"


class _Output:
    """What a command has written: all of it counted, the start and the end kept."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._bytes = 0
        self._length = 0
        self._head = ""
        self._tail = ""
        self._new = ""
        """What was not yet reported."""
        self._reported = 0
        self._next = monotonic()

    def take(self, data: bytes) -> bool:
        """Take output; return whether more is wanted."""
        self._bytes += len(data)
        self._add(self._decoder.decode(data))
        return self._bytes <= _MOST_BYTES

    def tick(self) -> None:
        """Report what is new, if the last report is some time ago."""
        if self._new and monotonic() >= self._next:
            self._report()
            self._next = monotonic() + _PAUSE

    def finish(self) -> None:
        """Take the end of the output."""
        self._add(self._decoder.decode(b"", final=True))
        self._report()

    def text(self) -> str:
        """Return the output, with a line for what was left out."""
        left_out = self._length - len(self._head) - len(self._tail)
        between = f"\n[… {left_out} characters left out …]\n" if left_out else ""
        text = f"{self._head}{between}{self._tail}"
        return text if not text or text.endswith("\n") else f"{text}\n"

    def _add(self, text: str) -> None:
        self._length += len(text)
        room = _HEAD - len(self._head)
        self._head += text[:room] if room > 0 else ""
        self._tail = (self._tail + (text[room:] if room > 0 else text))[-_TAIL:]
        if self._reported + len(self._new) < _MOST_REPORTED:
            self._new += text[:_MOST_REPORTED]

    def _report(self) -> None:
        new, self._new = self._new.strip("\n"), ""
        if new:
            self._reported += len(new)
            report(mask(new))
