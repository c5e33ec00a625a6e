"""Measures how full the model's context window is, and which messages still fit.

Read from the log alone, so a conversation that is opened again says the same. A
server's own count is the truth; what came after it, or without one, is estimated.
Nothing is worked out, let alone drawn, for pieces of text: only when a message of the
user or the model is whole, or a count or a summary has come.
"""

from collections.abc import Callable

from tui.app.transcript import pane
from tui.app.widgets.status import Fill, Status
from tui.conversation import Entry, Transcript, apply_summaries
from tui.conversation.summaries import standing
from tui.events import NoticeGiven, SummaryAdded, UsageReported
from tui.messages import Message
from tui.models.context_window import estimate_message

LeftOut = tuple[str, int]
"""The first message that is still sent, and how many before it are not."""


class ContextMeter:
    """Keeps the meter of the status line and the rule in the transcript right."""

    def __init__(
        self, fold: Transcript, transcript: pane.Transcript, status: Status
    ) -> None:
        self.window: Callable[[], int] = lambda: 0
        """Tells the present model's window in tokens, 0 when it is not known."""
        self._fold = fold
        self._transcript = transcript
        self._status = status
        self._reported = 0  # the window, as the last answer had it
        self._counts: dict[str, tuple[int, int]] = {}
        """By answer: tokens up to its end, and how many summaries there were."""
        self._left_out: dict[str, LeftOut | None] = {}
        """By answer: what its request was without."""
        # Of the answer that is being written:
        self._count: int | None = None
        self._told: LeftOut | None = None
        self._changed = False

    # What the log tells

    def turn_started(self) -> None:
        """Await the requests of another turn."""
        self._count = self._told = None

    def asked(self) -> None:
        """Take it that a question has its place now."""
        self._changed = True

    def said(self, message_id: str, message: Message) -> None:
        """Take a message of another than the user that is whole."""
        if message.role == "assistant":
            if self._count is not None:
                self._counts[message_id] = self._count, len(self._fold.summaries)
                self._count = None
            self._left_out[message_id] = self._told
        if message.role != "tool":
            self._changed = True

    def used(self, usage: UsageReported) -> None:
        """Take what the server has counted for the answer that ends here."""
        self._count = usage.input_tokens + usage.output_tokens
        self._reported = usage.window or self._reported

    def left_out(self, notice: NoticeGiven) -> bool:
        """Take what a request was without; return whether that is news."""
        before = self._told or self._last_left_out(self._entries())
        self._told = (notice.first_message_id, notice.left_out)
        self._changed = True
        return self._told != before

    def summed_up(self, summary: SummaryAdded) -> int:
        """Take a summary; return for how many messages it stands."""
        self._changed = True
        ranges = standing(self._entries(), [summary])
        return sum(last - first + 1 for first, last, _ in ranges)

    # What others tell

    def model_changed(self) -> None:
        """Forget the window of another model."""
        self._reported = 0
        self.show()

    def show(self) -> None:
        """Show what has become known otherwise: another window, another path."""
        self._changed = True
        self.flush()

    # What is shown

    def flush(self) -> None:
        """Show what is new, once for all that was taken since the last time."""
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
        """Return what the messages take, and whether that is estimated."""
        for place in reversed(range(len(entries))):
            if count := self._counts.get(entries[place].message_id):
                tokens, summaries = count
                if standing(entries, self._fold.summaries[summaries:]):
                    break  # it is no longer what was counted
                rest = entries[place + 1 :]
                return tokens + _estimate(rest), bool(rest)
        sent = apply_summaries(entries, self._fold.summaries)
        return _estimate(sent), True

    def _last_left_out(self, entries: list[Entry]) -> LeftOut | None:
        answers = (e for e in reversed(entries) if e.message.role == "assistant")
        last = next(answers, None)
        return self._left_out[last.message_id] if last else None

    def _rule(self, entries: list[Entry]) -> tuple[str, str]:
        """Return where that begins which is sent as it was said, and what to say."""
        ranges = standing(entries, self._fold.summaries)
        place = ranges[-1][1] + 1 if ranges else 0
        count = sum(last - first + 1 for first, last, _ in ranges)
        text = f"above here the model is sent a summary ({_messages(count)})"
        if left_out := self._told or self._last_left_out(entries):
            id, number = left_out
            places = {entry.message_id: n for n, entry in enumerate(entries)}
            if places.get(id, -1) > place:
                place = places[id]
                but = ", but for the summary" if ranges else ""
                gone = _messages(number)
                text = f"above here is no longer sent to the model ({gone}){but}"
        return (
            (entries[place].message_id, text) if 0 < place < len(entries) else ("", "")
        )


def _estimate(entries: list[Entry]) -> int:
    return sum(estimate_message(entry.message) for entry in entries)


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
