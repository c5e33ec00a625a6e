"""Searches the current folder where ripgrep is not installed. A program of its own.

    python -I -S scan.py FLAGS LARGEST,COLUMNS TEXT FILES [LEFT_OUT ...]

FLAGS are two digits, 1 or 0: whether TEXT is a regular expression, and whether to
ignore case. It is a process of its own because Python's expressions may run forever,
and a thread cannot be stopped. It prints PATH, NUL, LINE:TEXT like ripgrep, and like it
skips hidden files, links and binary files, but it does not read .gitignore. It
exits with 1 if nothing was found, 2 if TEXT is not a valid expression.
"""

import fnmatch
import os
import re
import stat
import sys
from collections.abc import Iterator

NUL = "\0"


def main(arguments: list[str]) -> int:
    """Search; return the exit status."""
    flags, limits, text, files, *left_out = arguments
    largest, columns = map(int, limits.split(","))
    try:
        expression = re.compile(
            text if flags[0] == "1" else re.escape(text),
            re.IGNORECASE if flags[1] == "1" else 0,
        )
    except re.error as error:
        print(f"regex parse error: {error}")
        return 2
    found = False
    hidden = set(left_out)
    for folder, names in _folders(hidden):
        for name in names:
            if not files or fnmatch.fnmatch(name, files):
                path = f"{folder}/{name}"
                if os.path.normpath(path) in hidden:
                    continue
                found = _search(path, expression, largest, columns) or found
    return int(not found)


def _folders(left_out: set[str]) -> Iterator[tuple[str, list[str]]]:
    for folder, inner, names, _ in os.fwalk("."):
        folder = os.path.relpath(folder)
        inner[:] = sorted(
            name
            for name in inner
            if name[0] != "." and os.path.normpath(f"{folder}/{name}") not in left_out
        )
        yield folder, sorted(name for name in names if name[0] != ".")


def _search(path: str, expression: re.Pattern[str], largest: int, columns: int) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        before = os.lstat(path)
        if not stat.S_ISREG(before.st_mode) or before.st_size > largest:
            return False
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            data = file.read(largest)
    except OSError:
        return False
    if b"\0" in data[:8192]:
        return False
    found = False
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if expression.search(line):
            found = True
            shown = os.path.normpath(path).encode("utf-8", "replace").decode()
            _print(f"{shown}{NUL}{number}:{line.rstrip()[:columns].replace(NUL, ' ')}")
    return found


def _print(line: str) -> None:
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
