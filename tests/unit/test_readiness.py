"""Waiting for descriptors, also beyond those that `select` takes."""

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tui.readiness import readable, writable


@pytest.fixture(params=["below 1,024", "above"])
def pipe(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """The two ends of an empty pipe, with small or large descriptors."""
    read, write = os.pipe()
    if request.param == "above":
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limits[1] < 4096:
            pytest.skip(f"no more than {limits[1]} files may be open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, limits[0]), limits[1]))
        for end, large in ((read, 4000), (write, 4001)):
            os.dup2(end, large)
            os.close(end)
        read, write = 4000, 4001
    yield read, write
    os.close(read)
    os.close(write)
    if request.param == "above":
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_can_be_read_is_returned(pipe: tuple[int, int]) -> None:
    read, write = pipe
    assert list(readable(read, seconds=0)) == []
    os.write(write, b"x")
    assert list(readable(read, seconds=None)) == [read]


def test_the_end_of_a_pipe_can_be_read(pipe: tuple[int, int]) -> None:
    read, write = pipe
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, write)
    os.close(null)
    assert list(readable(read, seconds=None)) == [read]


def test_a_full_pipe_cannot_be_written(pipe: tuple[int, int]) -> None:
    _, write = pipe
    assert writable(write, seconds=None)
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, bytes(1 << 16))
    assert not writable(write, seconds=0.01)


def test_a_closed_descriptor_is_an_error(pipe: tuple[int, int]) -> None:
    closed = os.dup(pipe[0])
    if pipe[0] > 1024:
        os.close(closed)
        closed = fcntl.fcntl(pipe[0], fcntl.F_DUPFD, pipe[0])
    os.close(closed)

    with pytest.raises(OSError, match="Bad file descriptor"):
        readable(closed, seconds=1)
