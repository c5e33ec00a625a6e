"""Measures how full the model's context window is, and which messages still fit.

Everything is read from the log, so a reopened conversation shows the same figures. The
server's own token count is exact; messages after it, or without any count, are
estimated. Nothing is computed or drawn for pieces of text, only when a message, a count
or a summary is complete.
"""

from collections.abc import Callable

from tui.app.transcript import pane
from tui.app.widgets.status import Fill, Status
from tui.conversation import Entry, Transcript, apply_summaries
from tui.conversation.summaries import standing
from tui.events import NoticeGiven, SummaryAdded, UsageReported
from tui.i18n import _, ngettext
from tui.messages import Message
from tui.models.context_window import estimate_message

LeftOut = tuple[str, int]
"""The id of the first message that is still sent, and how many before it are not."""


class ContextMeter:
    """Updates the meter in the status line and the rule in the transcript."""

    def __init__(
        self, fold: Transcript, transcript: pane.Transcript, status: Status
    ) -> None:
        self.window: Callable[[], int] = lambda: 0
        """Returns the current model's window in tokens, 0 when it is unknown."""
        self._fold = fold
        self._transcript = transcript
        self._status = status
        self._reported = 0  # the window that the last answer reported
        self._counts: dict[str, tuple[int, int]] = {}
        """Maps an answer to its tokens so far and the number of summaries at that
        time."""
        self._left_out: dict[str, LeftOut | None] = {}
        """Maps an answer to what its request left out."""
        # State of the answer in progress:
        self._count: int | None = None
        self._omitted: LeftOut | None = None
        self._changed = False

    # -- updates from the log

    def turn_started(self) -> None:
        """Reset the state for the requests of a new turn."""
        self._count = self._omitted = None

    def asked(self) -> None:
        """Mark the meter as changed: a question has been placed."""
        self._changed = True

    def said(self, message_id: str, message: Message) -> None:
        """Record a complete message that is not from the user."""
        if message.role == "assistant":
            if self._count is not None:
                self._counts[message_id] = self._count, len(self._fold.summaries)
                self._count = None
            self._left_out[message_id] = self._omitted
        if message.role != "tool":
            self._changed = True

    def used(self, usage: UsageReported) -> None:
        """Record the server's token count for the answer that is ending."""
        self._count = usage.input_tokens + usage.output_tokens
        self._reported = usage.window or self._reported

    def left_out(self, notice: NoticeGiven) -> bool:
        """Record what a request left out; return whether that has changed."""
        before = self._omitted or self._last_left_out(self._entries())
        self._omitted = (notice.first_message_id, notice.left_out)
        self._changed = True
        return self._omitted != before

    def summed_up(self, summary: SummaryAdded) -> int:
        """Record a summary; return how many messages it replaces."""
        self._changed = True
        ranges = standing(self._entries(), [summary])
        return sum(last - first + 1 for first, last, __ in ranges)

    # -- updates from the screen

    def model_changed(self) -> None:
        """Forget the window of the previous model."""
        self._reported = 0
        self.show()

    def show(self) -> None:
        """Redraw after another kind of change: a new window size or another version."""
        self._changed = True
        self.flush()

    # -- output

    def flush(self) -> None:
        """Redraw if anything has changed since the last call."""
        if not self._changed:
            return
        self._changed = False
        entries = self._entries()
        used, approximate = self._tokens(entries)
        window = self.window() or self._reported
        fill = Fill(used, window, approximate)
        self._status.context = fill if window and used else None
        self._transcript.mark(*self._rule(entries))

    def _entries(self) -> list[Entry]:
        return [e for e in self._fold.entries.values() if e.settled]

    def _tokens(self, entries: list[Entry]) -> tuple[int, bool]:
        """Return the tokens of the messages, and whether they are estimated."""
        for place in reversed(range(len(entries))):
            if count := self._counts.get(entries[place].message_id):
                tokens, summaries = count
                if standing(entries, self._fold.summaries[summaries:]):
                    break  # a later summary makes the count out of date
                rest = entries[place + 1 :]
                return tokens + _estimate(rest), bool(rest)
        sent = apply_summaries(entries, self._fold.summaries)
        return _estimate(sent), True

    def _last_left_out(self, entries: list[Entry]) -> LeftOut | None:
        answers = (e for e in reversed(entries) if e.message.role == "assistant")
        last = next(answers, None)
        return self._left_out[last.message_id] if last else None

    def _rule(self, entries: list[Entry]) -> tuple[str, str]:
        """Return the first message that is sent verbatim, and the rule's text."""
        ranges = standing(entries, self._fold.summaries)
        place = ranges[-1][1] + 1 if ranges else 0
        count = sum(last - first + 1 for first, last, __ in ranges)
        text = _("above here the model gets a summary ({count})").format(
            count=_messages(count)
        )
        if left_out := self._omitted or self._last_left_out(entries):
            id, number = left_out
            places = {entry.message_id: n for n, entry in enumerate(entries)}
            if places.get(id, -1) > place:
                place = places[id]
                but = _(", except for the summary") if ranges else ""
                gone = _messages(number)
                text = _(
                    "above here is no longer sent to the model ({gone}){but}"
                ).format(gone=gone, but=but)
        return (
            (entries[place].message_id, text) if 0 < place < len(entries) else ("", "")
        )


def _estimate(entries: list[Entry]) -> int:
    return sum(estimate_message(entry.message) for entry in entries)


def _messages(count: int) -> str:
    return ngettext("{count} message", "{count} messages", count).format(count=count)
