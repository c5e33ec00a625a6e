"""Detects folders on network file systems.

SQLite's write-ahead log keeps its index in shared memory, which two machines do not
share: over NFS and its like it corrupts the file (https://sqlite.org/wal.html). The
table of mounts is the only thing asked; nothing is written to find out.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TABLE = Path("/proc/self/mountinfo")
"""Linux' table of mounts (proc(5))."""

_NETWORK = """
    9p acfs afpfs afs beegfs ceph cifs coda davfs drvfs fakeowner gfs2 glusterfs gpfs
    lustre macfuse ncpfs nfs nfs3 nfs4 ocfs2 orangefs osxfuse panfs prl_fs pvfs2 smb2
    smb3 smbfs vboxsf virtiofs vmhgfs webdav
"""
NETWORK = frozenset(_NETWORK.split())
"""What is, or may be, shared with another machine."""


def on_network(folder: Path, table: Path | None = None) -> bool:
    """Return whether `folder`, which exists, is on a network file system.

    `table` is a file like `TABLE`; None means this machine's own. False when it
    cannot be told.
    """
    system = file_system(folder, table)
    # sshfs, glusterfs and rclone are why somebody has a home folder on FUSE.
    return system in NETWORK or system.startswith("fuse.")


def file_system(folder: Path, table: Path | None = None) -> str:
    """Return the type of the file system that holds `folder`, "" when unknown."""
    at, found = Path(), ""
    where = folder.resolve()
    for point, kind in _mounts(table):
        # Of two mounts in one place the later hides the earlier.
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
    r"""Undo \040 and the like: blanks, tabs, line ends and backslashes in names."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _of_mount(output: str) -> Iterator[tuple[Path, str]]:
    """Read what macOS' `mount` prints: `server:/home on /Users/me (nfs, nodev)`."""
    for found in re.finditer(r"(?m)^.*? on (/.*) \((\w+)[^()]*\)$", output):
        yield Path(found[1]), found[2]


def _mount_output() -> str:
    import subprocess  # 2 ms, for macOS only

    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, timeout=2, check=True
        )
        return done.stdout
    return ""
