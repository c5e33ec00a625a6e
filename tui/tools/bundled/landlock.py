"""Confines a command: it writes in some folders only, and reads no secrets. A program.

    python -I -S landlock.py RULES COMMAND [ARGUMENT ...]

It gives up rights by Landlock, which Linux has for programs of any user, and becomes
the command, whose processes cannot get them back. RULES is a JSON object: `write`
lists the paths below which everything is allowed, `hide` those that can be neither read
nor written, also below a path in `write`. Rights add up and cannot be taken out of a
folder again, so all that is beside the way to a hidden path is allowed one by one: a
file that appears there later cannot be read until the next command, and a command makes
no new one there.

A confined process gains no rights from programs such as sudo, and cannot look into
other processes, whose environments hold keys. The documentation is
https://docs.kernel.org/userspace-api/landlock.html. Only the standard library, without
site-packages, so that it starts in 20 ms.
"""

import ctypes
import json
import os
import signal
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_LEAST_ABI = 3
"""Of Linux 6.2; earlier ones cannot confine truncation, or forbid all renames."""
_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The numbers of the system calls, the same on all architectures but Alpha."""
_VERSION = 1
_NO_NEW_PRIVS = 38
_WRITE_FILE, _READ_FILE, _TRUNCATE = 1 << 1, 1 << 2, 1 << 14
_WRITE = _WRITE_FILE | _TRUNCATE | sum(1 << bit for bit in range(4, 14))
"""Writing, truncating, removing, making, renaming: bits 4 to 13 are for folders."""
_ON_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_MOST_ENTRIES = 5_000
"""Entries of a folder that leads to a hidden one; with more, nothing is hidden."""
_FAILED = 127


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _BelowPath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def is_available() -> bool:
    """Return whether this system can confine commands."""
    if sys.platform != "linux":
        return False
    try:
        return _call(_CREATE, None, 0, _VERSION) >= _LEAST_ABI
    except OSError:  # the kernel has it not, or it is off
        return False


def confine(write: Sequence[str], hide: Sequence[str]) -> None:
    """Take from this process, for good, what it does not need. Raises `OSError`."""
    hidden = _outermost([os.path.realpath(path) for path in hide])
    readable = _around(hidden)
    rights = _WRITE | (_READ_FILE if readable else 0)
    handled = _Ruleset(rights)
    rules = _call(_CREATE, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    try:
        for path in write:
            for each, flags in _without(path, hidden):
                _allow(rules, each, rights, flags)
        for path in readable:
            # A link could lead to what is hidden; where it leads has its own rule.
            _allow(rules, path, _READ_FILE, os.O_NOFOLLOW)
        if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _outermost(paths: Sequence[str]) -> list[str]:
    """Return the paths that are not below another one of them."""
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(str(parent) in paths for parent in Path(path).parents)
    ]


def _around(hidden: Sequence[str]) -> list[str]:
    """Return paths that together are everything but `hidden`; none if it is too much.

    Those are all entries beside the way to each of `hidden`, of which none is below
    another.
    """
    ways = {str(way) for path in hidden for way in (path, *Path(path).parents)}
    found: list[str] = []
    for folder in {str(way) for path in hidden for way in Path(path).parents}:
        try:
            entries = [entry.path for entry in os.scandir(folder)]
        except FileNotFoundError:
            continue
        except OSError:
            return []
        if len(entries) > _MOST_ENTRIES:
            return []
        found += [entry for entry in entries if entry not in ways]
    return found


def _without(path: str, hidden: Sequence[str]) -> list[tuple[str, int]]:
    """Return paths that together are `path` without `hidden`, with flags to open them.

    That is `path` itself if nothing below it is hidden, or if there is too much.
    """
    real = os.path.realpath(path)
    below = f"{real.rstrip('/')}/"
    inside = [each for each in hidden if each == real or each.startswith(below)]
    if real in inside:
        return []
    if not inside or not (beside := _around(inside)):
        return [(path, 0)]
    return [(each, os.O_NOFOLLOW) for each in beside if each.startswith(below)]


def _allow(rules: int, path: str, rights: int, flags: int = 0) -> None:
    """Allow `rights` at and below a path; one that does not exist is left out."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC | flags)
    except OSError:
        return
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISLNK(mode):
            return
        if not stat.S_ISDIR(mode):
            rights &= _ON_FILES
        # A file system without paths, such as that of pipes, has no rules.
        with suppress(OSError):
            _call(_ADD, rules, 1, ctypes.byref(_BelowPath(rights, descriptor)), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main(rules: str, command: list[str]) -> int:
    """Become `command`; return the exit status if that fails."""
    try:
        paths: dict[str, list[str]] = json.loads(rules)
        confine(paths["write"], paths["hide"])
    except OSError as error:
        print(f"the command cannot be confined: {error.strerror or error}")
        return _FAILED
    # Python ignores it, and what is ignored stays so in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:
        print(f"{command[0]}: {getattr(error, 'strerror', '') or error}")
        return _FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
