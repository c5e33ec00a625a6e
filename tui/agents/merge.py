"""Runs generators in parallel, with the only queue among the agents.

All other code passes events on with `yield from`. Tools that run at the same time
cannot, since each may block its thread.
"""

import contextvars
import threading
from collections.abc import Generator, Sequence
from queue import SimpleQueue
from typing import TypeVar

Y = TypeVar("Y")
R = TypeVar("R")


class _Ended:
    """A thread has no generator left to run."""


def merge(
    generators: Sequence[Generator[Y, None, R]], limit: int = 8
) -> Generator[Y, None, list[R]]:
    """Run `generators` in at most `limit` threads; return their results in order.

    Their items are yielded as they arrive; the items of one generator stay in order.
    The threads have the caller's context variables. If one raises, the others run to
    their end, then the first error in the order of `generators` is raised. Closing this
    generator early stops the others at their next `yield`, without waiting for them.

    A single generator runs in the caller's thread.
    """
    if len(generators) == 1:
        return [(yield from generators[0])]
    results: dict[int, R] = {}
    errors: dict[int, BaseException] = {}
    arrived: SimpleQueue[tuple[Y] | _Ended] = SimpleQueue()
    waiting = iter(range(len(generators)))
    lock = threading.Lock()
    closed = threading.Event()

    def play(index: int) -> None:
        generator = generators[index]
        try:
            while not closed.is_set():
                arrived.put((next(generator),))
            generator.close()
        except StopIteration as end:
            results[index] = end.value
        except BaseException as error:
            errors[index] = error

    def work() -> None:
        while True:
            with lock:
                index = next(waiting, None)
            if index is None:
                break
            play(index)
        arrived.put(_Ended())

    running = min(limit, len(generators))
    for number in range(running):
        # Only one thread can enter a context, so each has a copy. The threads are
        # daemons: a tool that hangs must not keep the program from ending.
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(work,), name=f"merge-{number}", daemon=True
        ).start()
    try:
        while running:
            match arrived.get():
                case _Ended():
                    running -= 1
                case (item,):
                    yield item
    finally:
        closed.set()
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(len(generators))]
