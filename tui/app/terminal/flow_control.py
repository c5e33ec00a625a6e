"""Decides when the next frame may be sent.

A frame ends with a question that the terminal answers when it has drawn it (the cursor
position report). Two frames may be unanswered: one is drawn while the next is under
way; and a third that shows what a key did. So a slow link never carries old news: what
has been sent is drawn soon, and what has not is replaced by what is newer. A terminal
that never answers gets frames by the clock alone.

Times are seconds of a monotonic clock, and are given, so that this needs no clock.
"""

from collections import deque

INTERVAL = 0.05
"""Seconds between two frames, at least."""
UNANSWERED = 2
"""Frames that may be unanswered; one more when it shows what a key did."""
_PATIENCE = 1.0  # seconds, for a terminal that has never answered
_LOST = 2.0  # seconds, at least, after which an answer is taken to be lost
_DOUBLED = 4  # times at most that the patience is doubled, on a line that is dead
_KEY = 0.06  # seconds after a key within which its echo is expected
_REMEMBERED = 64  # questions; a terminal that is silent is asked once a second
_ECHOES = 3  # frames that are drawn at once after a key


class Pace:
    """Counts questions and answers."""

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
        """Whether it was given up: it is paced by the clock until it answers."""

    @property
    def unanswered(self) -> int:
        """How many questions are open."""
        return len(self._asked)

    @property
    def patience(self) -> float:
        """Seconds after which an open question is given up, at first."""
        return max(_LOST, 4 * self._slowest) if self.answers else _PATIENCE

    def key_pressed(self, now: float) -> None:
        """Draw the next frames at once: they show what the key did."""
        self._key, self._echoes = now, _ECHOES
        self._losses = 0  # a line that brings keys is not dead

    def wait(self, now: float) -> float:
        """Return in how many seconds a frame may be sent; 0 is now."""
        echo = self._echoes > 0 and now - self._key < _KEY
        wait = 0.0 if echo else max(0.0, self._sent + INTERVAL - now)
        if len(self._asked) >= UNANSWERED + echo and not self.silent:
            # What is sent into a dead line is old news when the line lives again.
            patience = self.patience * 2 ** min(self._losses, _DOUBLED)
            left = self._asked[-1] + patience - now
            if left > 0:
                return max(wait, left)
            if self.answers:
                self._asked.clear()  # lost, as when a paste was under way
                self._losses += 1
            else:
                self.silent = True
        return wait

    def sent(self, now: float) -> bool:
        """Note that a frame is sent; return whether it has to ask."""
        if self._echoes and now - self._key < _KEY:
            # It came out of turn: what a model says keeps its own time.
            self._echoes -= 1
        else:
            self._sent = now
        # One that is silent is asked now and then: it may be far, not dumb.
        if self.silent and self._asked and now - self._asked[-1] < _PATIENCE:
            return False
        self._asked.append(now)
        return True

    def answered(self, now: float) -> None:
        """Note an answer; the oldest question is meant, and without one it is none."""
        if not self._asked:
            return
        self.answers = True
        self.silent = False
        self._losses = 0
        took = now - self._asked.popleft()
        self._slowest = max(took, 0.8 * self._slowest)
