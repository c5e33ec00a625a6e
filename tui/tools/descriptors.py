"""Tells which of the process's descriptors a tool may close: those that it has opened.

The others are the program's: its store, its terminal, its connections. They are known
by what was open when a call began. What was opened while a call ran, and is left open
at its end, may be closed by a later call: nobody can say whose it is.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

Identity = tuple[int, int, int]
"""Device, inode and mode of what a descriptor is open on."""

_FOLDER = "/dev/fd"

_left: dict[int, Identity] = {}
"""What calls have left open."""


def opened() -> dict[int, Identity]:
    """Return the open descriptors; none if the system does not tell. Takes 0.1 ms."""
    found: dict[int, Identity] = {}
    with suppress(OSError):
        for name in os.listdir(_FOLDER):  # noqa: PTH208 # the names are numbers
            if identity := _identity(int(name)):
                found[int(name)] = identity
    return found


def leave(before: Mapping[int, Identity]) -> None:
    """Note what a call leaves open that was not open `before` it."""
    for number, identity in opened().items():
        if before.get(number) != identity:
            _left[number] = identity


def is_foreign(number: int, before: Mapping[int, Identity]) -> bool:
    """Return whether a descriptor is the program's, for a call.

    `before` is what was open when the call began.
    """
    identity = before.get(number)
    if identity is None or identity != _identity(number):
        return False
    return _left.get(number) != identity


def _identity(number: int) -> Identity | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mode
