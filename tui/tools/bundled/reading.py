"""Reads files and lists folders."""

import os
import stat
from collections.abc import Generator
from typing import Annotated

from msgspec import Meta

from tui.errors import ToolError
from tui.i18n import _
from tui.tools.bundled.confined import Folders, label
from tui.tools.bundled.regular_files import read, text_of
from tui.tools.policy import Preview

_LARGEST = 20_000_000
"""Most bytes of a file that is read."""
_MOST_CHARACTERS = 18_000
"""Characters of a result, some less than a tool box lets through."""
_MOST_ENTRIES = 500


class Reading:
    """The tools that read, for some folders."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def read_file(
        self,
        path: str,
        first_line: Annotated[int, Meta(ge=1)] = 1,
        lines: Annotated[int, Meta(ge=1, le=5000)] = 400,
    ) -> str:
        """Read a text file, or some of its lines.

        Args:
            path: The file, relative to the current folder.
            first_line: The first line to read, from 1.
            lines: How many lines to read.
        """
        with self._folders.place(path) as place:
            data, _ = read(place, _LARGEST)
        # Only at \n: other separators would make lines that no editor counts.
        every = text_of(data, place.shown).split("\n")
        if every[-1] == "":
            every.pop()
        if not every:
            return "[the file is empty]"
        if first_line > len(every):
            raise ToolError(f"{place.shown} has only {len(every)} lines")
        chosen = every[first_line - 1 : first_line - 1 + lines]
        text = _whole_lines(chosen)
        last = first_line - 1 + text.count("\n") + 1
        if first_line == 1 and last == len(every):
            return text
        return f"{text}\n[lines {first_line} to {last} of {len(every)}]"

    def read_preview(self, path: str, first_line: int = 1, lines: int = 400) -> Preview:
        """Return the file and the lines that `read_file` reads."""
        with self._folders.place(path) as place:
            found = str(place.path)
        last = first_line + lines - 1
        return Preview(
            "arguments",
            _("{found}, lines {first_line} to {last}").format(
                found=found, first_line=first_line, last=last
            ),
            found,
        )

    def list_folder(
        self, path: str = ".", depth: Annotated[int, Meta(ge=1, le=5)] = 1
    ) -> str:
        """List the files and folders in a folder.

        Args:
            path: The folder, relative to the current one.
            depth: How many levels to list; 1 is the folder alone.
        """
        lines: list[str] = []
        with self._folders.folder(path) as place:
            for line in _entries(place.folder, depth, ""):
                if len(lines) == _MOST_ENTRIES:
                    lines.append(f"[more than {_MOST_ENTRIES} entries]")
                    break
                lines.append(line)
        return "\n".join(lines) or "[the folder is empty]"

    def list_preview(self, path: str = ".", depth: int = 1) -> Preview:
        """Return the folder that `list_folder` lists."""
        with self._folders.place(path) as place:
            found = str(place.path)
        levels = _(", {depth} levels").format(depth=depth) if depth > 1 else ""
        return Preview("arguments", f"{found}{levels}", found)


def _whole_lines(lines: list[str]) -> str:
    """Join as many lines as fit a result; of one that is too long, its start."""
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > _MOST_CHARACTERS:
            if number == 0:
                return f"{line[:_MOST_CHARACTERS]}[…]"
            return "\n".join(lines[:number])
    return "\n".join(lines)


def _entries(folder: int, depth: int, indent: str) -> Generator[str]:
    try:
        names = sorted(os.listdir(folder))  # of a descriptor
    except OSError as error:
        yield f"{indent}[{(error.strerror or str(error)).lower()}]"
        return
    for name in names:
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:  # removed in the meantime
            continue
        yield indent + _entry(folder, name, found)
        if depth > 1 and stat.S_ISDIR(found.st_mode):
            yield from _inside(folder, name, depth - 1, indent + "  ")


def _inside(folder: int, name: str, depth: int, indent: str) -> Generator[str]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        inner = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        yield f"{indent}[{(error.strerror or str(error)).lower()}]"
        return
    try:
        yield from _entries(inner, depth, indent)
    finally:
        os.close(inner)


def _entry(folder: int, name: str, found: os.stat_result) -> str:
    shown = label(name)
    if stat.S_ISDIR(found.st_mode):
        return f"{shown}/"
    if stat.S_ISLNK(found.st_mode):
        try:
            return f"{shown} -> {label(os.readlink(name, dir_fd=folder))}"
        except OSError:
            return f"{shown} -> ?"
    if not stat.S_ISREG(found.st_mode):
        return f"{shown}  (not a regular file)"
    return f"{shown}  {found.st_size} bytes"
