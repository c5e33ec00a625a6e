"""Lists the files below a folder, and finds those that a word may mean.

In a Git repository these are the files that Git knows or would add. Elsewhere the
folders are walked, and what a `.gitignore` in the top folder names is left out.
"""

import os
import re
import subprocess
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from tui.readiness import readable

MOST = 20_000
"""Most files that are listed."""
SECONDS = 3.0
"""Seconds after which a listing ends with what it has."""
KEPT_SECONDS = 10.0
"""Seconds for which a listing is used again."""
SHOWN = 50
"""Most files that a word finds."""
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "venv", "target", "dist", "build", "site-packages"}
)
_LARGEST_OUTPUT = 8_000_000


class FileList:
    """The files below a folder. Methods block; call them in one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[tuple[str, str]] = []
        """The names, and as they are compared."""
        self._listed = 0.0

    def matching(self, word: str) -> list[str]:
        """Return at most `SHOWN` paths that `word` may mean, the best first.

        A folder ends in a slash; only a word that begins like a path, as in `/` or
        `~/`, finds any, as it is completed step by step.
        """
        if word.startswith(("/", "~", "./", "../")):
            return _beside(word, self._folder)
        if not self._listed or time.monotonic() - self._listed > KEPT_SECONDS:
            names = listed(self._folder)
            self._names = [(name, plain(name)) for name in names]
            self._listed = time.monotonic()
        return ranked(self._names, word)


def ranked(names: Sequence[tuple[str, str]], word: str) -> list[str]:
    """Return the best of `names` for `word`; each comes with its `plain` form."""
    wanted = plain(word)
    if not wanted:
        shallow = sorted(names, key=lambda it: (it[0].count("/"), it[1]))
        return [name for name, _ in shallow[:SHOWN]]
    # From the beginning of a word on: else nearly any word has its letters somewhere in
    # a long path, and a name such as @anna would open the menu.
    # Each letter is sought at its next place only: another one cannot help, and to try
    # them all would take a name of many equal letters hours.
    first, *others = map(re.escape, wanted)
    rest = "".join(f"[^{letter}]*+{letter}" for letter in others)
    loose = re.compile(rf"(?<![^\W_]){first}{rest}", re.DOTALL)
    found: list[tuple[int, int, str]] = []
    for name, folded in names:
        if wanted not in folded and not loose.search(folded):
            continue
        base = folded.rpartition("/")[2]
        if base.startswith(wanted):
            rank = 0 if base == wanted else 1
        elif folded.startswith(wanted):
            rank = 2
        elif wanted in base:
            rank = 3
        elif wanted in folded:
            rank = 4
        else:
            rank = 5 if loose.search(base) else 6
        found.append((rank, len(name), name))
    found.sort()
    return [name for _, _, name in found[:SHOWN]]


def plain(name: str) -> str:
    """Return a name as it is compared: without case and accents.

    So "u" finds "ü", in whichever of its two forms a system writes it.
    """
    if name.isascii():
        return name.casefold()
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(it for it in apart if not unicodedata.combining(it))


def listed(folder: Path) -> list[str]:
    """Return the files below `folder` as relative paths, at most `MOST` of them."""
    found = _of_git(folder)
    return list(_walked(folder)) if found is None else found


def _of_git(folder: Path) -> list[str] | None:
    """Return what Git lists; None if there is no repository, or no Git."""
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-coz"]
    command += ["--exclude-standard", "--deduplicate"]
    try:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Another process may be working in the repository. And a repository of
            # somebody else may name programs to be run: see core.fsmonitor above.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            start_new_session=True,
        ) as git:
            assert git.stdout
            try:
                output = _read(git.stdout.fileno())
            finally:
                with suppress(OSError):
                    git.kill()
    except OSError:
        return None
    names = output.split(b"\0")[:-1]
    if not names and git.returncode:
        return None
    there = (os.fsdecode(name) for name in names[:MOST])
    # Not what Git has as one entry: submodules, and links to folders.
    return [name for name in there if os.path.isfile(folder / name)]  # noqa: PTH113


def _read(descriptor: int) -> bytes:
    """Return the output of a program until it ends, is too long, or takes too long."""
    end = time.monotonic() + SECONDS
    output = bytearray()
    while len(output) < _LARGEST_OUTPUT:
        left = end - time.monotonic()
        if left <= 0 or not readable(descriptor, seconds=left):
            break
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            break
        output += piece
    return bytes(output)


def _walked(folder: Path) -> Iterator[str]:
    """Yield the files below `folder`, those of upper folders first."""
    ignored = _ignored(folder)
    end = time.monotonic() + SECONDS
    waiting = [""]
    count = 0
    while waiting and count < MOST and time.monotonic() < end:
        at = waiting.pop(0)
        try:
            with os.scandir(folder / at) as found:
                entries = sorted(found, key=lambda entry: entry.name)[:MOST]
        except OSError:
            continue
        for entry in entries:
            path = f"{at}{entry.name}"
            if entry.name.startswith(".") or _is_ignored(path, ignored):
                continue
            # A link may lead back: files behind it are listed at their own place.
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    waiting.append(f"{path}/")
            elif entry.is_file():
                yield path
                count += 1
                if count == MOST:
                    return


def _ignored(folder: Path) -> list[str]:
    try:
        with (folder / ".gitignore").open(encoding="utf-8", errors="replace") as file:
            lines = file.read(100_000).splitlines()[:1000]
    except OSError:
        return []
    rules = (line.strip() for line in lines)
    return [rule for rule in rules if rule and not rule.startswith(("#", "!"))]


def _is_ignored(path: str, rules: Sequence[str]) -> bool:
    base = path.rpartition("/")[2]
    for rule in rules:
        pattern = rule.rstrip("/").lstrip("/")
        if fnmatch(path, pattern) or ("/" not in pattern and fnmatch(base, pattern)):
            return True
    return False


def _beside(word: str, folder: Path) -> list[str]:
    """Return what is in the folder that `word` begins with and has its last part."""
    start, slash, begun = word.rpartition("/")
    if not slash:
        return ["~/"] if word == "~" else []
    try:
        where = Path(f"{start}/").expanduser()
        with os.scandir(folder / where) as found:
            entries = [entry for entry, _ in zip(found, range(MOST), strict=False)]
            names = [f"{it.name}/" if it.is_dir() else it.name for it in entries]
    except (OSError, RuntimeError, ValueError):
        return []
    # A hidden file is listed where its dot is typed.
    visible = [it for it in names if begun.startswith(".") or not it.startswith(".")]
    pairs = [(name, plain(name)) for name in visible]
    return [f"{start}/{name}" for name in ranked(pairs, begun)]
