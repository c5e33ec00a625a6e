"""Searches text in files: with ripgrep where it is, else with a program of our own."""

import re
import shutil
import sys
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from tui.errors import ToolError
from tui.i18n import _
from tui.tools.bundled import children
from tui.tools.bundled.confined import Folders, label
from tui.tools.policy import Preview

_MOST_CHARACTERS = 18_000
_MOST_COLUMNS = 300
"""Of a line; what is beyond is cut."""
_LARGEST = 10_000_000
"""Bytes of a file that is searched."""
_SECONDS = 30
_ENDS = ("", "/**")
_FOUND = re.compile(r"([^\0]+)\0(\d+:[^\n]*)(?:\n|$)")
"""A line of the output: a name may have line ends, so NUL ends it."""
_BINARY = re.compile(r"^\./[^\0\n]*: binary file matches \(.*\)\n?", re.MULTILINE)
"""What ripgrep says of a file that turns out to be none of text."""
_SCAN = Path(__file__).with_name("scan.py")


class Searching:
    """The tool that searches, for some folders."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def search_text(
        self,
        text: Annotated[str, Meta(min_length=1, max_length=1000)],
        path: str = ".",
        files: str = "",
        regex: bool = False,
        ignore_case: bool = False,
    ) -> str:
        """Find lines with a text in the files of a folder and the folders in it.

        Args:
            text: What to find.
            path: The folder, relative to the current one.
            files: Only files with names like this, e.g. *.py.
            regex: Whether text is a regular expression.
            ignore_case: Whether to ignore case.
        """
        found = bytearray()

        def take(data: bytes) -> bool:
            found.extend(data)
            return len(found) <= 4 * _MOST_CHARACTERS

        with self._folders.folder(path) as place:
            hidden = self._folders.private_below(place.path)
            command = _command(text, files, regex, ignore_case, hidden)
            ended = children.run(command, place.folder, _SECONDS, take)
        return _result(bytes(found), ended)

    def preview(
        self, text: str, path: str = ".", files: str = "", **__: object
    ) -> Preview:
        """Return what `search_text` looks for, and where."""
        with self._folders.place(path) as place:
            where = str(place.path)
        only = _(" in {files}").format(files=files) if files else ""
        return Preview(
            "arguments",
            _('"{text}"{only} below {where}').format(text=text, only=only, where=where),
            where,
        )


def _command(
    text: str, files: str, regex: bool, ignore_case: bool, hidden: list[str]
) -> list[str]:
    if "\0" in text + files or "\n" in text:
        raise ToolError("a search is for a part of one line")
    if program := shutil.which("rg"):
        return [
            *(program, "--no-config", "--no-messages", "--color=never", "--no-heading"),
            *("--line-number", "--with-filename", "--no-follow", "--sort=path"),
            "--null",
            *(f"--max-columns={_MOST_COLUMNS}", "--max-columns-preview"),
            f"--max-filesize={_LARGEST}",
            *(["--ignore-case"] if ignore_case else []),
            *([] if regex else ["--fixed-strings"]),
            *([f"--glob={files}"] if files else []),
            *(f"--glob=!/{_literally(name)}{end}" for name in hidden for end in _ENDS),
            *(f"--regexp={text}", "--", "."),
        ]
    options = f"{int(regex)}{int(ignore_case)}"
    limits = f"{_LARGEST},{_MOST_COLUMNS}"
    return [
        sys.executable,
        "-I",
        "-S",
        str(_SCAN),
        options,
        limits,
        text,
        files,
        *hidden,
    ]


def _literally(folder: str) -> str:
    """Return a glob that matches only this path."""
    return re.sub(r"[][*?{}!\\]", r"\\\g<0>", folder)


def _result(found: bytes, ended: children.Ended) -> str:
    text = found.decode("utf-8", "replace")
    # Ripgrep ends with 2 also where it could not read a file; what it finds is in ./
    if ended.status == 2 and text.strip() and not text.startswith("./"):
        reason = " ".join(text.split())[:300]
        raise ToolError(f"the text cannot be searched for: {reason}")
    lines = [
        f"{label(name.removeprefix('./'))}:{line}"
        for name, line in _FOUND.findall(_BINARY.sub("", text))
    ]
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > _MOST_CHARACTERS:
            kept = "\n".join(lines[:number])
            return f"{kept}\n[more lines than these {number}; search for less]"
    if ended.status == 124:
        lines.append(f"[stopped after {_SECONDS} seconds; search in a smaller folder]")
    return "\n".join(lines) or "[nothing found]"
