"""Actions on stored conversations, shared by keys and slash commands.

Each action blocks for as long as the disk takes; call it in a thread.
"""

import os
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tui import conversation
from tui.app.backend import Store
from tui.conversation import Summary
from tui.conversation.saved_pictures import folder_of, save
from tui.errors import LazychatError, LogError
from tui.i18n import _, ngettext


class Outcome(NamedTuple):
    """The result of an action: a text for the user, and the conversation's id."""

    text: str
    id: str = ""
    failed: bool = False


class Library:
    """Runs actions on the conversations of `store`."""

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

    def do(
        self, act: str, id: str, argument: str = "", message_id: str = ""
    ) -> Outcome:
        """Run `act` on the conversation `id`; never raises.

        `rename` takes a title, `export` and `import` a file name, `fork` a title or
        nothing, and the last message to copy, "" for all. Whatever `id` is,
        `undo` restores the conversation deleted last, also before a restart, and
        `purge` wipes all deleted ones.
        """
        try:
            if act == "fork":
                return self._fork(id, message_id, argument)
            return self._acts[act](id, argument)
        except LazychatError as error:
            return Outcome(str(error), id, failed=True)
        except OSError as error:
            why = f"{error.filename or argument}: {error.strerror or error}."
            return Outcome(why, id, failed=True)

    def _rename(self, id: str, title: str) -> Outcome:
        self._summary(id)
        self._store.rename(id, title)
        return Outcome(
            _("Renamed to {title}{until}").format(
                title=_quoted(title), until=self._until()
            ),
            id,
        )

    def _pin(self, id: str, __: str) -> Outcome:
        summary = self._summary(id)
        self._store.pin(id, not summary.pinned)
        done = _("No longer pinned") if summary.pinned else _("Pinned")
        return Outcome(
            _("{done}: {title}{until}").format(
                done=done, title=_quoted(summary.title), until=self._until()
            ),
            id,
        )

    def _fork(self, id: str, message_id: str, title: str) -> Outcome:
        origin = self._summary(id).title
        copy = self._store.fork(id, message_id, title)
        return Outcome(
            _("Forked from {origin}{until}").format(
                origin=_quoted(origin), until=self._until()
            ),
            copy,
        )

    def _delete(self, id: str, __: str) -> Outcome:
        title = self._summary(id).title
        if self._store.refusal:
            raise LogError(
                _("Cannot delete: {refusal}").format(refusal=self._store.refusal)
            )
        if self._store.is_answering(id):
            raise LogError(_("This conversation is still answering: stop it first"))
        self._store.trash(id)
        return Outcome(_("Deleted {title}").format(title=_quoted(title)), id)

    def _undo(self, ___: str, __: str) -> Outcome:
        if self._store.refusal:
            raise LogError(
                _("Cannot restore: {refusal}").format(refusal=self._store.refusal)
            )
        if not (deleted := self._store.trashed()):
            raise LogError(
                _("Nothing to undo in the last {days} days").format(
                    days=conversation.DAYS
                )
            )
        id = self._store.restore(deleted[0])
        return Outcome(
            _("Restored {title}").format(title=_quoted(deleted[0].title)), id
        )

    def _purge(self, ___: str, __: str) -> Outcome:
        if not (deleted := self._store.trashed()):
            raise LogError(_("No deleted conversations to wipe"))
        traces = self._store.wipe(deleted)
        many = len(deleted)
        what = ngettext("{count} conversation", "{count} conversations", many).format(
            count=many
        )
        return Outcome(
            _("Permanently deleted {what}. {traces}")
            .format(what=what, traces=traces)
            .rstrip()
        )

    def _export(self, id: str, name: str) -> Outcome:
        summary = self._summary(id)
        path = _path(name) if name else _free(Path(f"{slug(summary.title)}.md"))
        pictures: Mapping[str, bytes] = {}
        match path.suffix.lower():
            case ".json":
                text = self._store.export_json(id)
            case ".md" | ".markdown":
                text = self._store.export_markdown(id, folder_of(path))
                pictures = self._store.pictures(id)
            case _:
                raise LogError(
                    _("{path}: the name must end in .md or .json").format(path=path)
                )
        try:
            _write_new(path, text)
            _save(pictures, path)
        except FileExistsError:
            raise LogError(
                _("{path} exists already; choose another name").format(path=path)
            ) from None
        return Outcome(_("Exported to {path}").format(path=path.absolute()), id)

    def _import(self, __: str, name: str) -> Outcome:
        if not name:
            raise LogError(_("/import needs a file name"))
        text = _read(_path(name))
        try:
            ids = self._store.import_json(text)
        except LogError as error:
            raise LogError(f"{name}: {error}") from error
        if not ids:
            raise LogError(_("{name} contains no conversations").format(name=name))
        many = ngettext(
            "{count} conversation", "{count} conversations", len(ids)
        ).format(count=len(ids))
        return Outcome(
            _("Imported {many}{until}").format(many=many, until=self._until()), ids[0]
        )

    def _until(self) -> str:
        """Return a suffix for the outcome if the store does not keep changes."""
        if self._store.keeps:
            return ""
        why = (
            _("the store is read-only")
            if self._store.refusal
            else _("nothing is stored")
        )
        return _(", until you quit: {why}").format(why=why)

    def _summary(self, id: str) -> Summary:
        if summary := self._store.get(id):
            return summary
        raise LogError(_("This conversation is still empty"))


def _save(pictures: Mapping[str, bytes], page: Path) -> None:
    try:
        save(pictures, page)
    except OSError as error:
        raise LogError(
            _("Cannot save the pictures of {page}: {strerror}").format(
                page=page, strerror=error.strerror
            )
        ) from error


def slug(title: str) -> str:
    """Return a file name: letters and digits of any script, 50 at most."""
    words = re.findall(r"\w+", title)
    name = "-".join(words)[:50].strip("-_")
    # File systems limit names to 255 bytes; leave room for a suffix.
    while len(name.encode()) > 150:
        name = name[:-1]
    return name or "conversation"


def _quoted(title: str) -> str:
    short = title if len(title) <= 40 else title[:39] + "…"
    return _('"{title}"').format(title=short)


def _path(name: str) -> Path:
    """Return the path for a typed file name, which may use ~ or shell quoting."""
    try:
        os.fsencode(name)
        path = Path(name).expanduser()
    except (RuntimeError, UnicodeError) as error:  # unknown user; lone surrogate
        raise LogError(
            _("{name!r} is not a valid file name: {error}").format(
                name=name, error=error
            )
        ) from error
    if "\0" in name:
        raise LogError(_("A file name cannot contain NUL"))
    if not path.exists():
        # Terminals quote the path of a dropped file for a shell.
        with suppress(ValueError):
            if len(words := shlex.split(name)) == 1:
                return Path(words[0]).expanduser()
    return path


def _read(path: Path) -> str:
    """Return the text of a file; raises `LogError` and OSError."""
    if path.exists() and not path.is_file():
        # Reading a pipe or a device may never end, and quitting waits for it.
        raise LogError(_("{path} is not a regular file").format(path=path))
    if path.stat().st_size > conversation.LARGEST_FILE:
        raise LogError(
            _(
                "{path} is too large: the limit is {largest_file} MB. Export fewer "
                "conversations at a time."
            ).format(path=path, largest_file=conversation.LARGEST_FILE >> 20)
        )
    try:
        return path.read_text("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise LogError(_("{path} is not UTF-8 text").format(path=path)) from None


def _free(path: Path) -> Path:
    """Return an unused name: `title.md`, `title-2.md` and so on."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _write_new(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, like the store."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 # a descriptor
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)  # an incomplete file would look complete
        raise
