"""Actions on stored conversations, shared by keys and slash commands.

Each act blocks for as long as the disk takes, and is to be called in a thread.
"""

import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tui import conversation
from tui.app.backend import Store
from tui.conversation import Summary
from tui.errors import LazychatError, LogError


class Outcome(NamedTuple):
    """How an act ended: what to say, and the conversation that it was about."""

    text: str
    id: str = ""
    failed: bool = False


class Library:
    """Acts on a `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._acts: dict[str, Callable[[str, str], Outcome]] = {
            "rename": self._rename,
            "pin": self._pin,
            "delete": self._delete,
            "undo": self._undo,
            "purge": self._purge,
            "export": self._export,
            "import": self._import,
        }

    def do(self, act: str, id: str, argument: str = "") -> Outcome:
        """Do `act` to the conversation `id`; nothing is raised.

        `rename` takes the title, `export` and `import` the name of a file. `undo` takes
        back the last `delete`, of an earlier start too, and `purge` makes all of them
        final, whatever `id` is.
        """
        try:
            return self._acts[act](id, argument)
        except LazychatError as error:
            return Outcome(str(error), id, failed=True)
        except OSError as error:
            why = f"{error.filename or argument}: {error.strerror or error}."
            return Outcome(why, id, failed=True)

    def _rename(self, id: str, title: str) -> Outcome:
        self._summary(id)
        self._store.rename(id, title)
        return Outcome(f"Renamed to {_quoted(title)}{self._until()}", id)

    def _pin(self, id: str, _: str) -> Outcome:
        summary = self._summary(id)
        self._store.pin(id, not summary.pinned)
        done = "No longer pinned" if summary.pinned else "Pinned"
        return Outcome(f"{done}: {_quoted(summary.title)}{self._until()}", id)

    def _delete(self, id: str, _: str) -> Outcome:
        title = self._summary(id).title
        if self._store.refusal:
            raise LogError(f"Nothing can be deleted: {self._store.refusal}.")
        if self._store.is_answering(id):
            raise LogError(
                "An answer is being written in this conversation: cancel it first."
            )
        self._store.trash(id)
        return Outcome(f"Deleted {_quoted(title)}", id)

    def _undo(self, _: str, __: str) -> Outcome:
        if self._store.refusal:
            raise LogError(f"Nothing can be brought back: {self._store.refusal}.")
        if not (deleted := self._store.trashed()):
            raise LogError(f"Nothing was deleted in the last {conversation.DAYS} days.")
        id = self._store.restore(deleted[0])
        return Outcome(f"{_quoted(deleted[0].title)} is back", id)

    def _purge(self, _: str, __: str) -> Outcome:
        if not (deleted := self._store.trashed()):
            raise LogError("Nothing that was deleted is left to be wiped.")
        traces = self._store.wipe(deleted)
        many = len(deleted)
        what = "1 conversation is" if many == 1 else f"{many} conversations are"
        return Outcome(f"{what} gone for good. {traces}".rstrip())

    def _export(self, id: str, name: str) -> Outcome:
        summary = self._summary(id)
        path = _path(name) if name else _free(Path(f"{slug(summary.title)}.md"))
        match path.suffix.lower():
            case ".json":
                text = self._store.export_json(id)
            case ".md" | ".markdown":
                text = self._store.export_markdown(id)
            case _:
                raise LogError(f"{path}: the name must end in .md or .json.")
        try:
            _write_new(path, text)
        except FileExistsError:
            raise LogError(f"{path} is there already; choose another name.") from None
        return Outcome(f"Exported to {path.absolute()}", id)

    def _import(self, _: str, name: str) -> Outcome:
        if not name:
            raise LogError("/import needs the name of a file.")
        text = _read(_path(name))
        try:
            ids = self._store.import_json(text)
        except LogError as error:
            raise LogError(f"{name}: {error}") from error
        if not ids:
            raise LogError(f"{name} has no conversations in it.")
        many = "1 conversation" if len(ids) == 1 else f"{len(ids)} conversations"
        return Outcome(f"Imported {many}{self._until()}", ids[0])

    def _until(self) -> str:
        """Return what is to be added where nothing is ever stored."""
        if self._store.keeps:
            return ""
        why = "the store is read-only" if self._store.refusal else "nothing is kept"
        return f", until you leave: {why}"

    def _summary(self, id: str) -> Summary:
        if summary := self._store.get(id):
            return summary
        raise LogError("Nothing has been said in this conversation yet.")


def slug(title: str) -> str:
    """Return a name for a file: letters and digits of any script, no more than 50."""
    words = re.findall(r"\w+", title)
    name = "-".join(words)[:50].strip("-_")
    # A file system may count bytes, 255 at most.
    while len(name.encode()) > 150:
        name = name[:-1]
    return name or "conversation"


def _quoted(title: str) -> str:
    short = title if len(title) <= 40 else title[:39] + "…"
    return f'"{short}"'


def _path(name: str) -> Path:
    """Return the file that the user named, with ~ or the quotes of a shell."""
    try:
        os.fsencode(name)
        path = Path(name).expanduser()
    except (RuntimeError, UnicodeError) as error:  # no such user; half a character
        raise LogError(f"{name!r} is no name of a file: {error}.") from error
    if "\0" in name:
        raise LogError("The name of a file has no NUL in it.")
    if not path.exists():
        # What is dropped on a terminal arrives as a shell would need it.
        with suppress(ValueError):
            if len(words := shlex.split(name)) == 1:
                return Path(words[0]).expanduser()
    return path


def _read(path: Path) -> str:
    """Return the text of a file; raises `LogError` and OSError."""
    if path.exists() and not path.is_file():
        # A pipe or a device may have no end, and leaving would wait for it.
        raise LogError(f"{path} is no file.")
    if path.stat().st_size > conversation.LARGEST_FILE:
        raise LogError(
            f"{path} is too large: {conversation.LARGEST_FILE >> 20} MB are taken in "
            "at most. Export fewer conversations at a time."
        )
    try:
        return path.read_text("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise LogError(f"{path} is not UTF-8 text.") from None


def _free(path: Path) -> Path:
    """Return a name that is not taken: `title.md`, `title-2.md` and so on."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _write_new(path: Path, text: str) -> None:
    """Write a file that was not there; for nobody else's eyes, as the store is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 # a descriptor
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)  # half of it would be taken for all
        raise
