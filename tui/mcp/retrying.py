"""Chooses how long to pause before a lost server is connected again."""

FIRST_PAUSE = 1.0
"""Seconds before the first try."""
LONGEST_PAUSE = 60.0
"""Most seconds between two tries; a connection that lasted so long starts over."""
BETWEEN_LISTS = 1.0
"""Seconds between two looks at the lists, however often a server says they changed."""


class Backoff:
    """The pauses of one connection: 1, 2, 4 ... 60 seconds."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def lost(self, connected: float) -> None:
        """Note that a connection was lost after `connected` seconds.

        A server that ends soon after each start is not started once a second.
        """
        if connected >= LONGEST_PAUSE:
            self.reset()

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._next = FIRST_PAUSE

    def pause(self) -> float:
        """Return the seconds to wait now; the next pause is twice as long."""
        now = min(self._next, LONGEST_PAUSE)
        self._next = 2 * now
        return now
