"""Shows the length of a wait in the status line: for the first word, or the next try.

It counts from the times in the log, so a screen that is opened during the wait shows
the same figure as one that was open from the start.
"""

import math
import time

from textual.timer import Timer

from tui import bounds
from tui.app.widgets.status import Status
from tui.events import (
    MessageAdded,
    NoticeGiven,
    Record,
    RetryScheduled,
    ToolCallFinished,
    ToolCallStarted,
    ToolProgressed,
    TurnStarted,
    UsageReported,
)

TOLD_FROM = 3
"""Seconds: most answers begin sooner, and a figure that comes and goes disturbs."""

_LONGEST = 86_400.0
"""Seconds: a longer wait is a clock that was set."""


class WaitClock:
    """Follows the records of one conversation. Runs in the UI's thread."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._turn: str | None = None
        """The turn that runs."""
        self._since: float | None = None
        """Since when a word of the model is waited for, by the monotonic clock."""
        self._retry: RetryScheduled | None = None
        self._resumes = 0.0
        """When the next try begins."""
        self._calls: set[str] = set()
        """The calls that have no result yet."""
        self._timer: Timer | None = None

    def take(self, record: Record) -> None:
        """Take the next record; `show` shows what follows of it."""
        event = record.event
        if isinstance(event, TurnStarted):
            self._turn = record.turn
            self._calls.clear()
            self._wait(record)
            return
        if self._turn is None or record.turn != self._turn:
            return
        match event:
            case ToolCallStarted(call):
                self._calls.add(call.id)
                self._since = self._retry = None
            case MessageAdded() if event.message.role == "tool":
                self._calls.discard(event.message.tool_call_id or "")
                if not self._calls:
                    self._wait(record)  # the model is asked again
            case RetryScheduled():
                if self._since is None:
                    self._wait(record)
                self._retry = event
                self._resumes = _written(record) + event.seconds
            case NoticeGiven() | UsageReported() | ToolProgressed():
                pass
            case ToolCallFinished():
                pass  # its result follows
            case _:
                self._since = self._retry = None

    def end(self) -> None:
        """Take it that the turn has ended."""
        self._turn = self._since = self._retry = None

    def show(self) -> None:
        """Show the wait as it is now, and again with each second."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._since is None:
            self._status.pause, self._status.waited = "", None
            return
        now = time.monotonic()
        waited, left = now - self._since, self._resumes - now
        if self._retry is None or left <= 0:
            self._status.pause = ""
            self._status.waited = int(waited) if waited >= TOLD_FROM else None
            part = 1.0 - waited % 1.0
        else:
            self._status.pause = self._retry.describe(left)
            part = left - math.ceil(left) + 1.0
        if self._status.is_running:
            # A moment later, so that the next second has surely begun.
            self._timer = self._status.set_timer(part + 0.005, self.show)

    def _wait(self, record: Record) -> None:
        self._since, self._retry = _written(record), None


def _written(record: Record) -> float:
    """Return when a record was written, by the monotonic clock."""
    passed = bounds.duration(time.time() - record.time)
    return time.monotonic() - min(passed, _LONGEST)
