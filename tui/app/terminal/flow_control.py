"""Decides when the next frame may be sent.

Each frame ends with a query that the terminal answers when it has drawn the frame (the
cursor position report). Two frames may be unanswered, so that one is drawn while the
next is in transit, and a third one if it shows the effect of a key. So a slow link
never carries outdated frames: a frame that was sent is drawn soon, and one that was not
sent is replaced by a newer one. A terminal that never answers gets frames at fixed
intervals.

Times are seconds of a monotonic clock. Callers pass them in, so this module reads no
clock.
"""

from collections import deque

INTERVAL = 0.05
"""The least seconds between two frames."""
UNANSWERED = 2
"""Frames that may be unanswered; one more if it shows the effect of a key."""
_PATIENCE = 1.0  # seconds to wait for a terminal that has never answered
_LOST = 2.0  # the least seconds after which an answer counts as lost
_DOUBLED = 4  # how often the patience is doubled at most, on a dead line
_KEY = 0.06  # seconds after a key within which its echo is expected
_REMEMBERED = 64  # open queries to remember; a silent terminal gets one a second
_ECHOES = 3  # frames that are drawn without delay after a key


class Pace:
    """Counts queries and answers, and computes when the next frame may be sent."""

    def __init__(self) -> None:
        self._asked: deque[float] = deque(maxlen=_REMEMBERED)
        self._sent = -INTERVAL
        self._key = -_KEY
        self._echoes = 0
        self._slowest = 0.0
        self._losses = 0  # in succession
        self.answers = False
        """Whether the terminal has ever answered."""
        self.silent = False
        """Whether the terminal is assumed not to answer; an answer ends that."""

    @property
    def unanswered(self) -> int:
        """How many queries are open."""
        return len(self._asked)

    @property
    def patience(self) -> float:
        """Seconds after which an open query counts as lost, before any doubling."""
        return max(_LOST, 4 * self._slowest) if self.answers else _PATIENCE

    def key_pressed(self, now: float) -> None:
        """Send the next frames without delay, because they show the effect of a key."""
        self._key, self._echoes = now, _ECHOES
        self._losses = 0  # a line that delivers keys is not dead

    def wait(self, now: float) -> float:
        """Return the seconds until a frame may be sent; 0 means now."""
        echo = self._echoes > 0 and now - self._key < _KEY
        wait = 0.0 if echo else max(0.0, self._sent + INTERVAL - now)
        if len(self._asked) >= UNANSWERED + echo and not self.silent:
            # Send ever less into a dead line: it would be outdated on its return.
            patience = self.patience * 2 ** min(self._losses, _DOUBLED)
            left = self._asked[-1] + patience - now
            if left > 0:
                return max(wait, left)
            if self.answers:
                self._asked.clear()  # lost, for example within a paste
                self._losses += 1
            else:
                self.silent = True
        return wait

    def sent(self, now: float) -> bool:
        """Note that a frame is sent; return whether to append a query."""
        if self._echoes and now - self._key < _KEY:
            # An extra frame, which does not delay the regular ones.
            self._echoes -= 1
        else:
            self._sent = now
        # Query a silent terminal now and then: it may just be far away.
        if self.silent and self._asked and now - self._asked[-1] < _PATIENCE:
            return False
        self._asked.append(now)
        return True

    def answered(self, now: float) -> None:
        """Note an answer to the oldest open query; ignore it if no query is open."""
        if not self._asked:
            return
        self.answers = True
        self.silent = False
        self._losses = 0
        took = now - self._asked.popleft()
        self._slowest = max(took, 0.8 * self._slowest)
