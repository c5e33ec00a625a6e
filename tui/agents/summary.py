"""The agent behind `/compact`: asks a model to summarise the older messages.

It gives no answer: the model's text becomes a `SummaryAdded`, which replaces the
messages in later requests. They stay in the log and on the screen.
"""

from collections.abc import Generator, Sequence
from itertools import chain

from tui.errors import ModelError
from tui.events import (
    Event,
    NoticeGiven,
    RetryScheduled,
    SummaryAdded,
    UsageReported,
)
from tui.i18n import _
from tui.messages import Message
from tui.models import Model, window_of
from tui.models.context_window import estimate_message
from tui.turn import Turn

RECENT_TURNS = 2
"""Number of latest turns that are not summarised: the model needs their exact words."""

_INSTRUCTION = """\
Sum up our conversation so far, for yourself: the summary will take the place of its \
messages, which you will not see again. Keep what later answers may need: facts, \
names, numbers, decisions, what I want and like, results of tools, code that still \
matters, and what is open. Leave out small talk and what was superseded. Write in the \
language of the conversation, as briefly as that allows, and nothing but the summary."""
_KEEP = "Above all keep this: {keep}"


class SummaryAgent:
    """Summarises all but the latest turns of a conversation."""

    def __init__(self, model: Model, keep: str = "", system: str = "") -> None:
        """Set the model; `keep` says in the user's words what must be kept.

        `system` is inserted if the messages have no system message, as in earlier
        requests, so that the server can reuse its cache of them.
        """
        self.model = model
        self._system = system
        self._ask = _INSTRUCTION + (f"\n\n{_KEEP.format(keep=keep)}" if keep else "")

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        """Summarise `messages` except the latest turns; see `Agent.run`.

        Yields no text, only a final `SummaryAdded`, so a cancel changes nothing. The
        messages must be those of `turn.sources`. If they do not fit into the model's
        window at once, they are summarised in parts, each with the summary of the parts
        before. Raises `ModelError` if the model gives no useful summary.
        """
        turn = turn or Turn()
        if not getattr(self.model, "summarizes", True):
            raise ModelError(
                _(
                    "{name} is too small to summarise a conversation. Choose "
                    "another model and run /compact again."
                ).format(name=self.model.name)
            )
        old = list(chain.from_iterable(_turns(messages)[:-RECENT_TURNS]))
        ids = [id for m in old if m.role != "system" and (id := turn.id_of(m))]
        if not [m for m in old if not m.pinned and m.role != "system"] or not ids:
            yield NoticeGiven(
                _(
                    "Nothing to summarise: the last {recent_turns} turns are "
                    "always sent unchanged."
                ).format(recent_turns=RECENT_TURNS)
            )
            return Message("assistant")
        text = yield from self._sum_up(old, turn)
        summary = Message("user", text)
        if estimate_message(summary) >= sum(map(estimate_message, old)):
            raise ModelError(
                _(
                    "The summary from {name} is longer than the messages, so the "
                    "model still gets all of them."
                ).format(name=self.model.name)
            )
        yield SummaryAdded(ids[0], ids[-1], text)
        return Message("assistant", text)

    def _sum_up(self, old: list[Message], turn: Turn) -> Generator[Event, None, str]:
        before = [m for m in old if m.role == "system"]
        if self._system and not before:
            before = [Message("system", self._system)]
        turns = _turns([m for m in old if m.role != "system"])
        summary = ""
        most = 0  # tokens of one part; 0 for no limit
        while turns:
            window = window_of(self.model)
            if window:
                most = min(most or window, window // 2)
            count = _fitting(turns, most)
            part = list(chain.from_iterable(turns[:count]))
            if summary:
                part.insert(0, Message("user", _so_far(summary), pinned=True))
            text, left_out = yield from self._request([*before, *part], turn)
            if left_out and count > 1:
                # The part exceeds the window: use smaller parts, so that no message is
                # lost.
                most = max(1, sum(map(estimate_message, part)) // 2)
                continue
            summary = text
            del turns[:count]
        return summary

    def _request(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, tuple[str, int]]:
        """Return the model's answer, and how many messages the request left out."""
        turn.cancel.raise_if_requested()
        left_out = 0
        answer = self.model.generate([*messages, Message("user", self._ask)], (), turn)
        while True:
            try:
                event = next(answer)
            except StopIteration as end:
                text = end.value.message.text.strip()
                break
            match event:
                case NoticeGiven() if event.left_out:
                    left_out = event.left_out
                case NoticeGiven() | RetryScheduled() | UsageReported():
                    yield event
                case _:
                    pass
        if not text:
            raise ModelError(
                _("{name} gave an empty summary; it still gets all messages.").format(
                    name=self.model.name
                )
            )
        return text, left_out


def _so_far(summary: str) -> str:
    return f"Summary of what was said before:\n\n{summary}"


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Group the messages by turn; a pinned message does not start a turn."""
    turns: list[list[Message]] = []
    for message in messages:
        begins = message.role == "user" and not message.pinned
        if not turns or (begins and any(not m.pinned for m in turns[-1])):
            turns.append([])
        turns[-1].append(message)
    return turns


def _fitting(turns: list[list[Message]], most: int) -> int:
    """Return how many turns fit into `most` tokens (0: no limit); at least one."""
    tokens = 0
    for count, turn in enumerate(turns):
        tokens += sum(map(estimate_message, turn))
        if most and count and tokens > most:
            return count
    return len(turns)
