"""What of a conversation its model has before it: how full that is, and from where on.

Read from the log alone, so a conversation that is opened again says the same. A
server's own count is the truth; what came after it, or without one, is estimated. The
status line hears of it when an answer is counted or a turn has ended, and at no other
time: nothing is drawn meanwhile.
"""

from collections.abc import Callable

from tui.app.widgets.status import Fill, Status
from tui.app.widgets.transcript import Transcript
from tui.conversation import Entry, apply_summaries
from tui.conversation.summaries import standing
from tui.events import NoticeGiven, SummaryAdded, UsageReported
from tui.messages import Message
from tui.models.fit import estimate_message


class ContextView:
    """Keeps the meter of the status line and the rule in the transcript right."""

    def __init__(self, transcript: Transcript, status: Status) -> None:
        self.window: Callable[[], int] = lambda: 0
        """Tells the present model's window in tokens, 0 when it is not known."""
        self._transcript = transcript
        self._status = status
        self._entries: list[Entry] = []
        self._summaries: list[SummaryAdded] = []
        self._reported = 0  # the window, as the last answer had it
        self._used = 0
        self._approximate = False
        self._since = 0  # estimated tokens that the last count is without
        self._counted = False  # the next answer is in the last count
        self._left_out: tuple[str, int] | None = None
        self._told = False  # whether a request of this turn left something out

    def model_changed(self) -> None:
        """Forget the window of another model."""
        self._reported = 0
        self.show()

    def turn_started(self) -> None:
        """Await the requests of another turn."""
        self._told = False

    def said(self, message_id: str, message: Message) -> None:
        """Take a message, in the order in which they are sent."""
        if self._entries and self._entries[-1].message_id == message_id:
            return
        self._entries.append(Entry(message_id, message))
        if message.role == "assistant":
            if self._counted:
                self._counted = False
            else:
                self._since += estimate_message(message)
            if not self._told and self._left_out:
                self._left_out = None  # a model with more room had all before it
                self._mark()
        else:
            self._since += estimate_message(message)

    def used(self, usage: UsageReported) -> None:
        """Take what the server has counted."""
        self._used = usage.input_tokens + usage.output_tokens
        self._approximate = False
        self._since = 0
        self._counted = True
        self._reported = usage.window or self._reported
        self.show()

    def left_out(self, notice: NoticeGiven) -> bool:
        """Take what a request was without; return whether that is news."""
        before = self._left_out
        self._told = True
        self._left_out = (notice.first_message_id, notice.left_out)
        if self._left_out == before:
            return False
        self._mark()
        return True

    def summed_up(self, summary: SummaryAdded) -> int:
        """Take a summary; return for how many messages it stands."""
        self._summaries.append(summary)
        ranges = standing(self._entries, [summary])
        sent = apply_summaries(self._entries, self._summaries)
        self._used = sum(estimate_message(entry.message) for entry in sent)
        self._approximate = True
        self._since = 0
        self._mark()
        self.show()
        return sum(last - first + 1 for first, last, _ in ranges)

    def settle(self) -> None:
        """Add what no server has counted; called when no turn runs."""
        if self._since:
            self._used += self._since
            self._approximate = True
            self._since = 0
        self._counted = False
        self.show()

    def show(self) -> None:
        """Tell the status line, which draws only what is new to it."""
        window = self.window() or self._reported
        fill = Fill(self._used, window, self._approximate)
        self._status.context = fill if window and self._used else None

    def _mark(self) -> None:
        """Draw the rule where that begins which is sent as it was said."""
        places = {entry.message_id: n for n, entry in enumerate(self._entries)}
        ranges = standing(self._entries, self._summaries)
        place = ranges[-1][1] + 1 if ranges else 0
        count = sum(last - first + 1 for first, last, _ in ranges)
        text = f"above here the model is sent a summary ({_messages(count)})"
        if self._left_out and places.get(self._left_out[0], -1) > place:
            place = places[self._left_out[0]]
            but = ", but for the summary" if ranges else ""
            gone = _messages(self._left_out[1])
            text = f"above here is no longer sent to the model ({gone}){but}"
        if 0 < place < len(self._entries):
            self._transcript.mark(self._entries[place].message_id, text)
        else:
            self._transcript.mark("", "")


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
