"""Checks the folders that lazychat writes to, and the conversation store."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tui import paths
from tui.cli.doctor.findings import Finding, Verdict
from tui.eventlog import integrity

LOW = 200_000_000
"""Free bytes below which there is a warning: a store is copied to be repaired."""
FULL = 5_000_000
"""Free bytes below which messages may soon not be saved."""
STORE_SECONDS = 20.0
"""Seconds that the check of the store may take."""


def check_folders() -> Iterator[Finding]:
    """Check that the folders can be written and have room."""
    store = paths.log_file()
    yield _folder("files", store.parent, "error", "nothing would be saved")
    others = {
        paths.state_file().parent: "theme, log and workers could not be kept",
        paths.prompts_folder().parent: "local models would read each prompt anew",
    }
    for folder, loss in others.items():
        if folder != store.parent and not folder.is_relative_to(store.parent):
            found = _folder("files", folder, "warning", loss)
            if found.verdict != "ok":
                yield found
    seen = [file for file in _private(store) if _is_open(file)]
    if seen:
        names = " ".join(map(str, seen))
        yield Finding(
            "files",
            "warning",
            "other users of this machine can read your conversations",
            f"chmod 600 {names}",
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
                f"{folder} cannot be created, because {there} is no folder: {loss}",
                "Move it away, or set LAZYCHAT_HOME to another folder",
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
            f"{folder} cannot be written ({why}): {loss}",
            f"Make it writable for {_user()}, or set LAZYCHAT_HOME to another folder",
        )
    system, network = integrity.disk_of(there)
    free = shutil.disk_usage(there).free
    room = f"{spell_bytes(free)} free"
    where = f"{folder}: {system or 'a file system of unknown type'}, {room}"
    if there != folder:
        where += ", not created yet"
    if free < LOW:
        worse: Verdict = verdict if free < FULL else "warning"
        return Finding(check, worse, where, "Make room on this disk")
    if network:
        return Finding(
            check,
            "warning",
            f"{where}, on a network: slower, and its locks must work",
            "If saving lags, set LAZYCHAT_HOME to a folder on a local disk",
        )
    return Finding(check, "ok", where)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def check_store() -> Iterator[Finding]:
    """Check the conversation store, and the files beside it."""
    store = paths.log_file()
    if not store.exists():
        yield Finding("store", "ok", "no conversations yet")
    else:
        yield _store(store)
    beside = integrity.beside(store)
    if beside.marked:
        yield Finding(
            "store",
            "error",
            "a reader has found a damaged page",
            "Start lazychat: it repairs the store, and keeps the damaged file",
        )
    if beside.kept:
        yield Finding(
            "store",
            "warning",
            f"messages wait to be saved in {_names(beside.kept)}",
            "Start lazychat, which saves them as soon as the store can be written",
        )
    if beside.aside:
        size = spell_bytes(sum(file.stat().st_size for file in beside.aside))
        yield Finding(
            "store",
            "ok",
            f"earlier stores were set aside ({size}): {_names(beside.aside)}",
            "Remove them when you miss nothing",
        )


def _store(store: Path) -> Finding:
    found = integrity.inspect(store, STORE_SECONDS)
    size = spell_bytes(store.stat().st_size)
    if found.damaged:
        return Finding(
            "store",
            "error",
            f"{store} is damaged: {found.problem}",
            "Start lazychat: it sets the file aside and saves what can be read",
        )
    if found.newer:
        return Finding(
            "store",
            "error",
            f"{store} was written by a newer lazychat",
            "Update lazychat",
        )
    if found.problem:
        return Finding(
            "store",
            "warning",
            f"{store} could not be checked: {found.problem}",
            "Check the permissions of the file and its folder",
        )
    if not found.complete:
        return Finding(
            "store",
            "ok",
            f"{size}; no damage found in the first {STORE_SECONDS:g} seconds",
        )
    number = found.conversations
    count = "1 conversation" if number == 1 else f"{number:,} conversations"
    return Finding("store", "ok", f"{count}, {size}, no damage found (quick_check)")


def _names(files: list[Path]) -> str:
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return ", ".join(str(file) for file in files[:3]) + more


def spell_bytes(number: float) -> str:
    """Return a size as people write it: 1.5 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
