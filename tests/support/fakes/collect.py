"""Runs models to their end."""

from collections.abc import Generator

from tui.events import Event, ReasoningDelta, TextDelta, ToolCallOpened
from tui.messages import Reply


def collect(
    generator: Generator[Event, None, Reply], events: list[Event] | None = None
) -> tuple[list[Event], Reply]:
    """Return all events and the reply; fills `events` even if it raises."""
    events = [] if events is None else events
    while True:
        try:
            event = next(generator)
        except StopIteration as stop:
            return events, stop.value
        events.append(event)


def text_of(events: list[Event]) -> str:
    """Return the text for the user, joined from the deltas."""
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def reasoning_of(events: list[Event]) -> str:
    """Return the reasoning, joined from the deltas."""
    return "".join(e.text for e in events if isinstance(e, ReasoningDelta))


def opened(events: list[Event]) -> int:
    """Return how many calls were reported as started."""
    return sum(isinstance(e, ToolCallOpened) for e in events)
