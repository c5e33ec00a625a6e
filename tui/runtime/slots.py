"""Runs at most so many turns at a time, not counting those that wait for the user.

A thread pool would not do: a turn that asks whether a tool may run keeps its thread for
days if necessary, and a few of them would leave none for other conversations.
"""

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Slots:
    """Has a slot for each of `count` running turns, and a queue. Any thread."""

    def __init__(self, count: int, name: str) -> None:
        """Name the threads after `name`."""
        self._name = name
        self._changed = threading.Condition()
        self._free = count
        """Below 0 for a moment if a user answers while all slots are taken."""
        self._queue: deque[Callable[[], None]] = deque()
        self._threads: set[threading.Thread] = set()

    def submit(self, work: Callable[["Slot"], None]) -> None:
        """Run `work` in a thread with the caller's context, once a slot is free."""
        context = contextvars.copy_context()
        slot = Slot(self)

        def run() -> None:
            try:
                context.run(work, slot)
            finally:
                self.give_back(threading.current_thread())

        with self._changed:
            self._queue.append(run)
            self._start()

    def join(self) -> None:
        """Wait until everything that was submitted has ended."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._threads or self._queue))

    def _start(self) -> None:
        while self._queue and self._free > 0:
            thread = threading.Thread(target=self._queue[0], name=self._name)
            try:
                thread.start()
            except RuntimeError:  # the system allows no more threads for now
                return
            self._queue.popleft()
            self._free -= 1
            self._threads.add(thread)

    def give_back(self, thread: threading.Thread | None = None) -> None:
        """Free a slot, whose `thread` has ended unless it is None."""
        with self._changed:
            self._free += 1
            if thread:
                self._threads.discard(thread)
            self._start()
            self._changed.notify_all()

    def take_back(self) -> None:
        """Take a slot, free or not."""
        with self._changed:
            self._free -= 1


class Slot:
    """The slot of one running turn. For the threads of its tool calls."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._lock = threading.Lock()
        self._waits = 0

    @contextmanager
    def left(self) -> Generator[None]:
        """Leave the slot to another turn while a call of this one waits in the block.

        At the end this turn goes on at once, even if that is one too many.
        """
        with self._lock:
            self._waits += 1
            if self._waits == 1:
                self._slots.give_back()
        try:
            yield
        finally:
            with self._lock:
                self._waits -= 1
                if not self._waits:
                    self._slots.take_back()
