"""`lazychat export` and `import`: conversations to and from files."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tui import conversation
from tui.cli import streams
from tui.cli.codes import DONE
from tui.conversation.markdown_export import pictures
from tui.conversation.saved_pictures import folder_of, save
from tui.errors import ConfigError, LazychatError, LogError
from tui.eventlog import EventLog
from tui.i18n import _
from tui.safe import one_line, safe_json

_NAMED = 5
"""Most conversations without events that are named."""


def export(
    log: EventLog,
    prefixes: Sequence[str],
    everything: bool,
    format: str | None,
    file: str | None,
    force: bool = False,
) -> int:
    """Write conversations to `file` or stdout.

    `format` is `md`, `json` or None: then the name of `file` decides, and md is the
    default. An existing file is overwritten only with `force`.
    """
    if everything == bool(prefixes):
        raise ConfigError(_("export needs the id of a conversation, or --all."))
    if everything:
        ids = _all(log)
    else:
        ids = [conversation.find(log, prefix) for prefix in prefixes]
    if format is None:
        format = "json" if file and file.endswith(".json") else "md"
    shown: dict[str, bytes] = {}
    if format == "json":
        text = safe_json(conversation.export_json(log, *ids))
    else:
        folder = folder_of(Path(file)) if file and _may_have_folder(Path(file)) else ""
        pages = (conversation.export_markdown(log, id, folder) for id in ids)
        text = "\n---\n\n".join(pages)
        for id in ids if folder else ():
            shown |= pictures(log, id)
    if file is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return DONE
    try:
        _write(Path(file), text, force)
        save(shown, Path(file))
    except FileExistsError as error:
        raise LazychatError(
            _("{file} exists already: --force overwrites it.").format(file=file)
        ) from error
    except OSError as error:
        raise LazychatError(
            _("{file} cannot be written: {strerror}.").format(
                file=file, strerror=error.strerror
            )
        ) from error
    return DONE


def _all(log: EventLog) -> list[str]:
    """Return the ids of all conversations; report those without events on stderr.

    The oldest comes first, so that the last one imported is the newest again. A row of
    another program, or one with an id that is not text, does not block the others.
    """
    ids = dict.fromkeys(it.id for it in reversed(conversation.recent(log)))
    empty = [id for id in ids if not conversation.is_exportable(log, id)]
    if empty:
        names = ", ".join(map(repr, empty[:_NAMED]))
        more = (
            _(" and {count} more").format(count=len(empty) - _NAMED)
            if len(empty) > _NAMED
            else ""
        )
        streams.talk(
            _(
                "Skipped, because the store has no events for them: {names}{more}."
            ).format(names=names, more=more)
        )
    return [id for id in ids if id not in set(empty)]


def _write(file: Path, text: str, force: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    if file.is_file() and not force:
        raise FileExistsError
    # An existing pipe or /dev/stdout has no content to lose. The mode makes the file
    # private, like the store.
    if not (force or file.exists()):
        flags |= os.O_EXCL
    with os.fdopen(os.open(file, flags, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def _may_have_folder(file: Path) -> bool:
    """Return whether pictures can be saved beside `file`: no pipe or device."""
    return file.is_file() or not file.exists()


def _read_file(path: Path, name: str) -> bytes:
    if path.is_dir():
        raise LazychatError(_("{name} is a folder.").format(name=name))
    with path.open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> bytes:
    """Read a file that may be endless, such as a pipe."""
    data = file.read(conversation.LARGEST_FILE + 1)
    if len(data) > conversation.LARGEST_FILE:
        raise LazychatError(
            _(
                "The file is larger than {largest_file} MB: export fewer "
                "conversations at a time."
            ).format(largest_file=conversation.LARGEST_FILE >> 20)
        )
    return data


def take_in(log: EventLog, files: Sequence[str]) -> int:
    """Import the conversations of `files` ("-" is stdin) and print their ids."""
    for file in files:
        name = _("standard input") if file == "-" else file
        try:
            source = sys.stdin.buffer if file == "-" else None
            # No variable holds the data: it may be as large as the decoded events.
            ids = conversation.import_json(
                log, _read(source) if source else _read_file(Path(file), name)
            )
        except OSError as error:
            raise LazychatError(
                _("{name} cannot be read: {strerror}.").format(
                    name=name, strerror=error.strerror
                )
            ) from error
        except LogError as error:
            raise LazychatError(f"{name}: {error}") from error
        for id in ids:
            print(one_line(id), flush=True)
    return DONE
