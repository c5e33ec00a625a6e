"""Waits until a descriptor can be read or written, however many are open.

``select`` takes only descriptors below 1,024 and raises `ValueError` for others. A
process with a higher limit (containers often allow a million) gets those as soon as a
thousand files are open, be it by a tool that forgets to close them.
"""

import errno
import os
import select
from collections.abc import Sequence

_SELECTABLE = 1024
"""FD_SETSIZE of Linux and macOS: `select` takes the descriptors below."""


def readable(*descriptors: int, seconds: float | None) -> Sequence[int]:
    """Return those of `descriptors` that a read would not wait for.

    The end of a file and an error count, as the read reports them. Waits for at most
    `seconds`; None waits for ever. Empty if the time is over. Raises `OSError` if one
    is not open.
    """
    # Not always `poll`: that of macOS knows no terminals.
    if max(descriptors) < _SELECTABLE:
        return select.select(descriptors, [], [], seconds)[0]
    return _poll(descriptors, select.POLLIN, seconds)


def writable(descriptor: int, *, seconds: float | None) -> bool:
    """Return whether a write would not wait; see `readable`."""
    if descriptor < _SELECTABLE:
        return bool(select.select([], [descriptor], [], seconds)[1])
    return bool(_poll([descriptor], select.POLLOUT, seconds))


def _poll(
    descriptors: Sequence[int], wanted: int, seconds: float | None
) -> Sequence[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, wanted)
    ready = poll.poll(None if seconds is None else max(0, seconds) * 1000)
    if any(what & select.POLLNVAL for _, what in ready):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return [descriptor for descriptor, _ in ready]
