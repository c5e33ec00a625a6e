"""Measures a process's use of resources."""

import os
from pathlib import Path


def memory(pid: int, field: str) -> float:
    """Return VmRSS or VmHWM of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(field)


def processor_seconds(pid: int) -> float:
    """Return how long a process has computed, which no other program's load changes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(word: str) -> list[int]:
    """Return the living children of this process that have `word` in their command."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == os.getpid() and fields[0] != "Z" and word in command:
            found.append(int(folder.name))
    return found
