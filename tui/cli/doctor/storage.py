"""Checks the folders that lazychat writes to, and the conversation store."""

import errno
import os
import pwd
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tui import paths
from tui.cli.doctor.findings import Finding, Verdict
from tui.eventlog import integrity
from tui.i18n import _, labelled, ngettext
from tui.models import keys

LOW = 200_000_000
"""Free bytes below which there is a warning: a store is copied to be repaired."""
FULL = 5_000_000
"""Free bytes below which messages may soon not be saved."""
STORE_SECONDS = 20.0
"""Seconds that the check of the store may take."""


def check_folders() -> Iterator[Finding]:
    """Check that the folders can be written and have room."""
    store = paths.log_file()
    yield _folder("files", store.parent, "error", _("nothing would be saved"))
    others = {
        paths.state_file().parent: _("theme, log and workers could not be saved"),
        paths.prompts_folder().parent: _("local models would reread every prompt"),
    }
    for folder, loss in others.items():
        if folder != store.parent and not folder.is_relative_to(store.parent):
            found = _folder("files", folder, "warning", loss)
            if found.verdict != "ok":
                yield found
    secrets = {
        _("other users of this machine can read your conversations"): _private(store),
        _("other users of this machine can read your keys"): [paths.keys_file()],
    }
    for text, kept in secrets.items():
        if seen := " ".join(shlex.quote(str(file)) for file in kept if _is_open(file)):
            yield Finding("files", "warning", text, f"chmod 600 {seen}")
    if why := keys.fault():
        yield Finding(
            "files",
            "warning",
            _("{file} cannot be read, so the keys in it are not used: {why}").format(
                file=paths.keys_file(), why=why
            ),
            _("Repair it, or delete it and paste the keys again in /setup"),
        )


def _private(store: Path) -> list[Path]:
    log = paths.state_file().with_name("lazychat.log")
    return [store, store.with_name(f"{store.name}-wal"), log]


def _is_open(file: Path) -> bool:
    try:
        mode = file.stat().st_mode
    except OSError:
        return False
    return bool(stat.S_IMODE(mode) & 0o044) and _is_reachable(file.parent)


def _is_reachable(folder: Path) -> bool:
    """Whether others may enter the folder and all above it."""
    above = (folder, *folder.parents)
    return all(each.stat().st_mode & 0o011 for each in above)


def _folder(check: str, folder: Path, verdict: Verdict, loss: str) -> Finding:
    there = folder
    while not there.is_dir():
        if there.exists() or there.is_symlink() or there == there.parent:
            return Finding(
                check,
                verdict,
                _(
                    "{folder} cannot be created, because {there} is not a folder: "
                    "{loss}"
                ).format(folder=folder, there=there, loss=loss),
                _("Move it away, or set LAZYCHAT_HOME to another folder"),
            )
        there = there.parent
    try:
        # Has no name where the system can do that, and leaves no trace.
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"lazychat")
            file.flush()
    except OSError as error:
        why = error.strerror or str(error)
        return Finding(
            check,
            verdict,
            _("{folder} cannot be written ({why}): {loss}").format(
                folder=folder, why=why, loss=loss
            ),
            _remedy(error),
        )
    system, network = integrity.disk_of(there)
    free = shutil.disk_usage(there).free
    room = _("{free} free").format(free=spell_bytes(free))
    system = system or _("a file system of unknown type")
    where = labelled(str(folder), _("{what}, {room}").format(what=system, room=room))
    if there != folder:
        where += _(", not created yet")
    if free < LOW:
        worse: Verdict = verdict if free < FULL else "warning"
        return Finding(check, worse, where, _("Free some space on this disk"))
    if network:
        return Finding(
            check,
            "warning",
            _("{where}, on a network: slower, and its locks must work").format(
                where=where
            ),
            _("If saving lags, set LAZYCHAT_HOME to a folder on a local disk"),
        )
    return Finding(check, "ok", where)


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _("Free some space on this disk")
    if error.errno == errno.EROFS:
        return _("Mount it for writing, or set LAZYCHAT_HOME to another folder")
    return _(
        "Make it writable for {user}, or set LAZYCHAT_HOME to another folder"
    ).format(user=_user())


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return _("user {user}").format(user=os.geteuid())


def check_store() -> Iterator[Finding]:
    """Check the conversation store, and the files beside it."""
    store = paths.log_file()
    if store.exists() and not store.is_file():
        yield Finding(
            "store",
            "error",
            _("{store} is not a file: nothing would be saved").format(store=store),
            _("Move it away, or set LAZYCHAT_HOME to another folder"),
        )
    elif not store.exists() or not store.stat().st_size:
        yield Finding("store", "ok", _("no conversations yet"))
    else:
        yield _store(store)
    beside = integrity.beside(store)
    if beside.marked:
        yield Finding(
            "store",
            "error",
            _("a damaged page was found"),
            _("Start lazychat: it repairs the store, and keeps the damaged file"),
        )
    if beside.kept:
        yield Finding(
            "store",
            "warning",
            _("messages in {kept} are waiting to be saved").format(
                kept=_names(beside.kept)
            ),
            _("Start lazychat, which saves them as soon as the store can be written"),
        )
    if beside.aside:
        size = spell_bytes(sum(file.stat().st_size for file in beside.aside))
        yield Finding(
            "store",
            "ok",
            _("earlier stores were set aside ({size}): {aside}").format(
                size=size, aside=_names(beside.aside)
            ),
            _("Remove them if nothing is missing"),
        )


def _store(store: Path) -> Finding:
    found = integrity.inspect(store, STORE_SECONDS)
    size = spell_bytes(store.stat().st_size)
    if found.damaged:
        return Finding(
            "store",
            "error",
            _("{store} is damaged: {problem}").format(
                store=store, problem=found.problem
            ),
            _("Start lazychat: it sets the file aside and saves what can be read"),
        )
    if found.newer:
        return Finding(
            "store",
            "error",
            _("{store} was written by a newer lazychat").format(store=store),
            _("Update lazychat"),
        )
    if found.problem:
        return Finding(
            "store",
            "warning",
            _("{store} could not be checked: {problem}").format(
                store=store, problem=found.problem
            ),
            _("Check the permissions of the file and its folder"),
        )
    if not found.complete:
        return Finding(
            "store",
            "ok",
            _("{size}; no damage found in the first {store_seconds:g} seconds").format(
                size=size, store_seconds=STORE_SECONDS
            ),
        )
    number = found.conversations
    count = ngettext(
        "{count:,} conversation", "{count:,} conversations", number
    ).format(count=number)
    return Finding(
        "store",
        "ok",
        _("{count}, {size}, no damage found (quick_check)").format(
            count=count, size=size
        ),
    )


def _names(files: list[Path]) -> str:
    shown = ", ".join(str(file) for file in files[:3])
    if len(files) <= 3:
        return shown
    return _("{names} and {more} more").format(names=shown, more=len(files) - 3)


def spell_bytes(number: float) -> str:
    """Return a size as people write it: 1.5 GB."""
    for unit in (_("bytes"), "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
