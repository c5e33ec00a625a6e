"""Measures a process's use of resources."""

from pathlib import Path


def memory(pid: int, field: str) -> float:
    """Return VmRSS or VmHWM of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(field)
