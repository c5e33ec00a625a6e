"""Detects folders on network file systems.

SQLite's write-ahead log keeps its index in shared memory, which two machines do not
share: over NFS and similar systems it corrupts the file (https://sqlite.org/wal.html).
Detection only reads the table of mounts and writes nothing.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TABLE = Path("/proc/self/mountinfo")
"""The table of mounts on Linux (proc(5))."""

_NETWORK = """
    9p acfs afpfs afs beegfs ceph cifs coda davfs drvfs fakeowner gfs2 glusterfs gpfs
    lustre macfuse ncpfs nfs nfs3 nfs4 ocfs2 orangefs osxfuse panfs prl_fs pvfs2 smb2
    smb3 smbfs vboxsf virtiofs vmhgfs webdav
"""
NETWORK = frozenset(_NETWORK.split())
"""Types of file systems that another machine shares, or may share."""


def on_network(folder: Path, table: Path | None = None) -> bool:
    """Return whether `folder`, which exists, is on a network file system.

    `table` is a file in the format of `TABLE`; None means this machine's own table.
    Returns False when the type of the file system is unknown.
    """
    system = file_system(folder, table)
    # A home folder on FUSE is usually on sshfs, glusterfs or rclone.
    return system in NETWORK or system.startswith("fuse.")


def file_system(folder: Path, table: Path | None = None) -> str:
    """Return the type of the file system that holds `folder`, "" when unknown."""
    at, found = Path(), ""
    where = folder.resolve()
    for point, kind in _mounts(table):
        # If two mounts have the same mount point, the later one hides the earlier.
        if where.is_relative_to(point) and len(point.parts) >= len(at.parts):
            at, found = point, kind
    return found


def _mounts(table: Path | None) -> Iterator[tuple[Path, str]]:
    if table is None and sys.platform == "darwin":
        yield from _of_mount(_mount_output())
        return
    text = ""
    with suppress(OSError):
        text = (table or TABLE).read_text("utf-8", "surrogateescape")
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        if len(fields := before.split(" ")) > 4 and after:
            yield Path(_unescaped(fields[4])), after.split(" ", 1)[0]


def _unescaped(text: str) -> str:
    r"""Decode octal escapes such as \040: space, tab, newline, backslash in names."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _of_mount(output: str) -> Iterator[tuple[Path, str]]:
    """Parse the output of macOS' `mount`: `server:/home on /Users/me (nfs, nodev)`."""
    for found in re.finditer(r"(?m)^.*? on (/.*) \((\w+)[^()]*\)$", output):
        yield Path(found[1]), found[2]


def _mount_output() -> str:
    import subprocess  # only macOS needs it, so do not slow down the start elsewhere

    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, timeout=2, check=True
        )
        return done.stdout
    return ""
