"""Has the calls of one message ask the user in their order.

They run in parallel, so without it the question that is ready first is asked first.
"""

import threading
from collections.abc import Sequence

from tui.turn import Cancellation


class Place:
    """The place of a call among those of its message; leaves at the block's end."""

    def __init__(self, order: "_Order | None" = None, number: int = 0) -> None:
        """Take the place `number` in `order`; None is a call on its own."""
        self._order = order or _Order(1)
        self._number = number

    def wait(self, cancel: Cancellation) -> None:
        """Wait until all earlier calls have asked, or will not ask.

        Returns early if `cancel` is requested.
        """
        self._order.wait(self._number, cancel)

    def leave(self) -> None:
        """Let the later calls ask. Has an effect once."""
        self._order.leave(self._number)

    def __enter__(self) -> None: ...

    def __exit__(self, *failure: object) -> None:
        self.leave()


class _Order:
    """What the places share. Any threads."""

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._open = set(range(count))

    def wait(self, number: int, cancel: Cancellation) -> None:
        with cancel.on(self._wake), self._changed:
            self._changed.wait_for(
                lambda: cancel.requested or min(self._open, default=number) >= number
            )

    def leave(self, number: int) -> None:
        with self._changed:
            self._open.discard(number)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def places(count: int) -> Sequence[Place]:
    """Return the places of `count` calls, in their order."""
    order = _Order(count)
    return [Place(order, number) for number in range(count)]
