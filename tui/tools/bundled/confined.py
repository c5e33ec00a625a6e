"""Opens files below the configured folders, and nothing else.

A path is walked one name at a time, each name opened relative to the folder before it
and without following links. So there is no moment between a check and the use of what
was checked: a folder that is replaced by a link in the meantime is not entered. A link
is read and walked in the same way, so links within a folder work and those that lead
out of it do not.

Hard links cannot be told from files, and mounts are entered: only somebody with the
user's own rights can have made them.
"""

import errno
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tui import files, paths
from tui.errors import ToolError
from tui.safe import decoded, safe

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40
"""Links in one path; Linux follows as many."""
_LONGEST = 4096
"""Characters of a path, as on Linux."""

Identity = tuple[int, int]


class Missing(ToolError):
    """A folder of a path does not exist."""

    def __init__(self, message: str, shown: str, path: Path) -> None:
        super().__init__(message)
        self.shown = shown
        """Where the path leads, as in `Place`."""
        self.path = path


class Place(NamedTuple):
    """An entry of an open folder; it need not exist."""

    folder: int
    """The descriptor of the folder, open while the place is in use."""
    name: str
    """The name in it; `.` is the folder itself."""
    shown: str
    """The path for messages, relative to the first configured folder if below it."""
    path: Path
    """The absolute path, without links below the configured folder."""

    def stat(self) -> os.stat_result | None:
        """Return what is there, None if nothing is. Raises `ToolError`."""
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failed(self.shown, error) from error


class Folders:
    """The folders that tools may use. Any thread may use it."""

    def __init__(self, folders: Sequence[str] = ()) -> None:
        """Use `folders`; none means the current folder.

        A relative path of a tool is looked up in the first of them. A folder that does
        not exist is an error only when it is used.
        """
        self._roots: list[Path] = []
        for folder in folders or (".",):
            with suppress(OSError):  # the current folder was removed
                self._roots.append(files.expanded(folder).absolute())
        self._own = [paths.config_file(), paths.state_file(), paths.log_file()]

    @contextmanager
    def place(self, path: str, *, create: bool = False) -> Generator[Place]:
        """Find `path` while the block is open; with `create`, make missing folders.

        The last name may be missing. Raises `ToolError` with one line if the path
        leads out of the folders or through something that is not a folder.
        """
        root, names = self._split(path)
        walk = _Walk(path, root, self._private(), create)
        try:
            yield walk.to(names, self._roots[0])
        finally:
            walk.close()

    @contextmanager
    def folder(self, path: str) -> Generator[Place]:
        """Open the existing folder `path` as `Place.folder`; raises `ToolError`."""
        with self.place(path) as place:
            descriptor = open_folder(place)
            try:
                yield place._replace(folder=descriptor, name=".")
            finally:
                os.close(descriptor)

    @property
    def roots(self) -> list[str]:
        """The folders, as absolute paths; some may not exist."""
        return list(map(str, self._roots))

    @property
    def private(self) -> list[str]:
        """lazychat's own files and folders: keys, settings, history."""
        return [str(paths.keys_file()), *(str(file.parent) for file in self._own)]

    def private_below(self, folder: Path) -> list[str]:
        """Return the paths of lazychat's own folders, relative to `folder`.

        Other names of its files (hard links) are among them.
        """
        base = os.path.realpath(folder)
        found = {os.path.relpath(os.path.realpath(f.parent), base) for f in self._own}
        found |= {os.path.relpath(name, base) for name in self._other_names(base)}
        return sorted(f for f in found if f != "." and not f.startswith(".."))

    def _other_names(self, base: str) -> Generator[str]:
        """Yield the files below `base` that are also files of lazychat."""
        linked: set[Identity] = set()
        for path in self._files:
            with suppress(OSError):
                found = path.stat()
                if found.st_nlink > 1:
                    linked.add(_identity(found))
        for folder, __, names in os.walk(base) if linked else ():
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):
                    if _identity(path.lstat()) in linked:
                        yield str(path)

    @property
    def _files(self) -> list[Path]:
        log = paths.log_file()
        beside = [log.with_name(f"{log.name}{end}") for end in ("-wal", "-shm")]
        return [paths.keys_file(), *self._own, *beside]

    def _split(self, path: str) -> tuple[Path, list[str]]:
        """Return the configured folder that `path` begins with, and the rest."""
        if not self._roots:
            raise ToolError("the current folder no longer exists")
        if "\0" in path or len(path) > _LONGEST:
            raise ToolError("this cannot be a path: it has a NUL or is too long")
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise ToolError("this cannot be a path: it is not Unicode text") from None
        path = path.strip() or "."
        if path == "~" or path.startswith("~/"):
            path = str(files.expanded(path))
        if not path.startswith("/"):
            return self._roots[0], path.split("/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for root in self._roots:
            for known in (root, Path(os.path.realpath(root))):
                own = known.parts[1:]
                if tuple(parts[: len(own)]) == own:
                    return root, parts[len(own) :]
        raise outside(path, self._roots)

    def _private(self) -> set[Identity]:
        """Return what identifies lazychat's own folders: keys, settings, history."""
        found: set[Identity] = set()
        # The files too: one may have another name, as a hard link.
        for path in (*map(Path, self.private), *self._files):
            with suppress(OSError):
                found.add(_identity(path.stat()))
        return found


class _Walk:
    """Opens the folders of one path, from a root down."""

    def __init__(
        self, path: str, root: Path, private: set[Identity], create: bool
    ) -> None:
        self._path = path
        self._root = root
        self._private = private
        self._create = create
        self._links = 0
        self._names: list[str] = []
        try:
            descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise failed(str(root), error) from error
        self._open = [descriptor]
        try:
            self._check(os.fstat(descriptor))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all folders."""
        while self._open:
            os.close(self._open.pop())

    def to(self, names: Sequence[str], first: Path) -> Place:
        """Return the place that `names` lead to."""
        left = [name for name in reversed(names) if name not in ("", ".")]
        last = "."
        while left:
            name = left.pop()
            if name == "..":
                self._up()
                last = "."
            elif (target := self._link(name)) is not None:
                left += reversed(self._below(target))
            elif left:
                try:
                    self._down(name)
                except FileNotFoundError as error:
                    raise self._missing(name, left, first) from error
            else:
                last = name
        path, shown = self._found([] if last == "." else [last], first)
        place = Place(self._open[-1], last, shown, path)
        if last != "." and (found := place.stat()):
            self._check(found)
        return place

    def _found(self, names: Sequence[str], first: Path) -> tuple[Path, str]:
        """Return where `names` lead from here, and that path for messages."""
        path = self._root.joinpath(*self._names, *names)
        shown = path.relative_to(first) if path.is_relative_to(first) else path
        return path, label(str(shown))

    def _missing(self, name: str, left: Sequence[str], first: Path) -> ToolError:
        """Return the error for a folder that is not there; `left` is in reverse."""
        message = f"{label(self._path)}: no such folder"
        if ".." in left:  # behind it there could be links again
            return ToolError(message)
        path, shown = self._found([name, *reversed(left)], first)
        return Missing(message, shown, path)

    def _up(self) -> None:
        if not self._names:
            raise outside(self._path, [self._root])
        os.close(self._open.pop())
        self._names.pop()

    def _down(self, name: str) -> None:
        try:
            child = self._folder(name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise failed(label(self._path), error) from error
        self._open.append(child)
        self._names.append(name)
        self._check(os.fstat(child))

    def _check(self, found: os.stat_result) -> None:
        if _identity(found) in self._private:
            raise ToolError(
                f"{label(self._path)} belongs to lazychat itself: tools may not use "
                f"its keys, settings and history"
            )

    def _folder(self, name: str) -> int:
        parent = self._open[-1]
        try:
            return os.open(name, _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            if not self._create:
                raise
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        return os.open(name, _FOLDER, dir_fd=parent)

    def _link(self, name: str) -> str | None:
        """Return where the link `name` leads, None if it is not a link."""
        try:
            target = os.readlink(name, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link; nothing
                return None
            raise failed(label(self._path), error) from error
        self._links += 1
        if self._links > _MOST_LINKS:
            raise ToolError(f"{label(self._path)} leads through too many links")
        return target

    def _below(self, target: str) -> list[str]:
        """Return the names of a link's target; one with / is walked from the root."""
        names = [name for name in target.split("/") if name not in ("", ".")]
        if not target.startswith("/"):
            return names
        for known in (self._root, Path(os.path.realpath(self._root))):
            own = known.parts[1:]
            if tuple(names[: len(own)]) == own:
                while self._names:
                    self._up()
                return names[len(own) :]
        raise outside(self._path, [self._root])


def open_folder(place: Place) -> int:
    """Return a descriptor of the folder at `place`; raises `ToolError`."""
    try:
        return os.open(place.name, _FOLDER, dir_fd=place.folder)
    except OSError as error:
        raise failed(place.shown, error) from error


def label(path: str) -> str:
    """Return a path as it may stand in a line."""
    return safe(decoded(path), newlines=False)[:300] or "."


def outside(path: str, roots: Sequence[Path]) -> ToolError:
    """Return the error for a path that leads out of the folders."""
    allowed = ", ".join(label(str(root)) for root in roots)
    return ToolError(f"{label(path)} is outside of the allowed folders: {allowed}")


def failed(shown: str, error: OSError) -> ToolError:
    """Return the error for a failed call of the system."""
    if error.errno == errno.ELOOP:
        return ToolError(f"{label(shown)} was replaced by a link")
    return ToolError(f"{label(shown)}: {(error.strerror or str(error)).lower()}")


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino
