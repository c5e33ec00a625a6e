"""Writes the line below each answer: its model, seconds, tokens, tools and time.

All of it comes from the log, so an old conversation shows the same as one that was
watched. An answer that ended while no screen showed its conversation says so once, when
somebody comes back.
"""

import time

import msgspec

from tui.app.chat.timeline import Timeline
from tui.app.history.dates import month
from tui.app.widgets.debug_entries import duration
from tui.bounds import moment
from tui.conversation import Transcript
from tui.conversation.audit import DENIED
from tui.events import (
    ApprovalGiven,
    Record,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    UsageReported,
)
from tui.i18n import _, ngettext


class _Figures(msgspec.Struct):
    """What a turn has taken so far."""

    started: float
    tokens: int = 0
    calls: int = 0
    failed: int = 0
    denied: int = 0


class Footers:
    """Follows the records of one conversation. Call it in the UI thread."""

    def __init__(self, fold: Transcript, timeline: Timeline) -> None:
        """Take records after they were applied to `fold`."""
        self.debug_key = ""
        """The key that shows the tool calls."""
        self._fold = fold
        self._timeline = timeline
        self._turns: dict[str, _Figures] = {}
        self._denied: set[tuple[str, str]] = set()
        """Turns and calls; the answer that resumes a turn comes before its start."""
        self._seen = 0
        self._opened = 0.0

    def returned(self, seen: int) -> None:
        """Note that the user opens the conversation now, seen up to `seen`.

        0 stands for a conversation that no screen has ever shown.
        """
        self._seen, self._opened = seen, time.time()

    def take(self, record: Record) -> None:
        """Take the next record."""
        turn, event = record.turn or "", record.event
        if isinstance(event, ApprovalGiven) and not event.allow:
            self._denied.add((turn, event.call_id))
        if isinstance(event, TurnStarted):
            self._turns[turn] = _Figures(record.time)
            return
        figures = self._turns.get(turn)
        if figures is None:
            return
        match event:
            case UsageReported(output_tokens=tokens):
                figures.tokens += tokens
            case ToolCallStarted(call, decision):
                figures.calls += 1
                if decision in DENIED:
                    self._denied.add((turn, call.id))
            case ToolCallFinished(call_id, error=error):
                denied = (turn, call_id) in self._denied
                figures.denied += denied
                figures.failed += error is not None and not denied
            case TurnFinished(reason):
                del self._turns[turn]
                self._finish(turn, record, figures, reason)
            case _:
                pass

    def _finish(
        self, turn: str, record: Record, figures: _Figures, reason: str
    ) -> None:
        if self._fold.sums_up(turn):
            return
        request = self._fold.requests.get(turn)
        seconds = record.time - figures.started
        parts = (
            request.model if request else "",
            duration(seconds) if seconds > 0 else "",
            _("{tokens:,} tok").format(tokens=figures.tokens) if figures.tokens else "",
            self._tools(figures),
            stamp(record.time),
        )
        away = stamp(record.time) if self._was_away(record, reason) else ""
        self._timeline.end(turn, parts, away)

    def _tools(self, figures: _Figures) -> str:
        if not figures.calls:
            return ""
        text = ngettext("{count} tool", "{count} tools", figures.calls).format(
            count=figures.calls
        )
        if figures.failed:
            text += _(", {failed} failed").format(failed=figures.failed)
        if figures.denied:
            text += _(", {denied} denied").format(denied=figures.denied)
        if self.debug_key:
            text = _("{tools} ({key})").format(tools=text, key=self.debug_key)
        return text

    def _was_away(self, record: Record, reason: str) -> bool:
        """Whether the turn has finished uncancelled while nobody was looking."""
        by_itself = reason in ("stop", "length")
        return by_itself and 0 < self._seen < record.seq and record.time < self._opened


def stamp(then: float, now: float | None = None) -> str:
    """Return a local time as HH:MM, with the date if it was another day.

    "" for a time that no clock shows.
    """
    now = time.time() if now is None else now
    if then <= 0 or not moment(then) or not moment(now):
        return ""
    at, today = time.localtime(then), time.localtime(now)
    clock = time.strftime("%H:%M", at)
    if at[:3] == today[:3]:
        return clock
    day = _("{day} {month}").format(day=at.tm_mday, month=month(then))
    if at.tm_year == today.tm_year:
        return f"{day} {clock}"
    return _("{day} {year}").format(day=day, year=at.tm_year)
