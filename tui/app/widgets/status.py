"""The status line: model, state, tokens, keys.

What does not fit goes, the least needed first; the state stays. It does not move by
itself: nothing is sent to the terminal while nothing changes, but for the seconds of a
wait.
"""

from typing import ClassVar, NamedTuple

from textual.app import RenderResult
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut, spans_width
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import Looks, Palette
from tui.safe import safe

Key = tuple[str, str]
"""A key and what it does."""

KEYS: tuple[Key, ...] = (("F1", "help"), ("F2", "tools"), ("F3", "debug"))
STOP: Key = ("Esc", "stop")
_SEPARATOR: Span = ("  ", ())
_HIGH, _FULL = 0.8, 0.95
"""How full the context is when the meter takes on its colours."""
_BAR = 5  # columns
_BAR_FROM = 60
"""Columns beside model and state from which the meter has a bar."""

SHORTEST_SECONDS = 0.02
"""How long an answer has to take for its speed to mean anything."""


class Fill(NamedTuple):
    """How much of a model's window a conversation takes, in tokens."""

    used: int
    window: int
    """Above 0."""
    approximate: bool = False
    """Whether `used` is estimated."""


class Status(Contained, Widget):
    """One row; every attribute may be set at any time."""

    DEFAULT_CSS = """
    Status {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "model": "bold",
        "muted": "$text-muted",
        "key": "$text-accent",
        "ready": "$text-success",
        "busy": "$text-warning",
        "error": "bold $text-error",
        "high": "$text-warning",
        "full": "bold $text-error",
        "hint": "bold $text-accent",
    }

    model: reactive[str] = reactive("")
    state: reactive[str] = reactive("ready")
    """`ready`, `loading`, `thinking`, `writing`, `writing a tool call`, `running
    NAME`, `cancelling`, `error`, or any other few words."""
    waited: reactive[int | None] = reactive(None)
    """For how many seconds it is in that state; None when that need not be told."""
    pause: reactive[str] = reactive("")
    """What is said in the place of the state until it is empty: why the model is not
    asked now, and when it is."""
    input_tokens: reactive[int | None] = reactive(None)
    """Of the last answer; None when not known."""
    output_tokens: reactive[int | None] = reactive(None)
    tokens_per_second: reactive[float | None] = reactive(None)
    context: reactive[Fill | None] = reactive(None)
    """What the model has before it; None when its window is not known."""
    stream: reactive[bool] = reactive(True)
    hint: reactive[str] = reactive("")
    """Said in the place of all on the right until it is empty, such as "Press Ctrl+C
    again to quit"."""
    unkept: reactive[bool] = reactive(False)
    """Whether something is in memory only, and would be lost by a kill."""
    away: reactive[bool] = reactive(False)
    """Whether the key that stops has to be pressed twice: once to go back."""
    keys: reactive[tuple[tuple[str, str], ...]] = reactive(KEYS)
    """Keys and what they do, the first being the most needed."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return 1."""
        return 1

    def forget_usage(self) -> None:
        """Leave no figures of one answer standing beside another."""
        self.input_tokens = self.output_tokens = self.tokens_per_second = None

    def show_usage(self, input: int, output: int, seconds: float) -> None:
        """Show what an answer took; `seconds` from its first token to its last."""
        self.input_tokens, self.output_tokens = input, output
        # What comes in one piece has no speed.
        timed = seconds >= SHORTEST_SECONDS
        self.tokens_per_second = output / seconds if timed else None

    def render(self) -> RenderResult:
        """Return the row."""
        width = self.content_size.width
        spans = self.spans(width)
        return Palette(self, self.LOOKS).content(spans)

    def spans(self, width: int) -> tuple[Span, ...]:
        """Return what is shown at `width` columns."""
        state = self._state()
        model = self._model()
        separator = [_SEPARATOR] if model else []
        if self.hint:
            right: list[list[Span]] = [[(safe(self.hint, newlines=False), ("hint",))]]
        else:
            right = self._facts(width - spans_width([*model, *separator, *state]))
        ends = [span for group in right for span in (_SEPARATOR, *group)][1:]
        room = width - spans_width(ends) - (2 if ends else 0)
        if room < spans_width(state) + min(spans_width(model), 8) + 2:
            # A long hint, or next to no columns: the state is what must be read.
            left = cut(tuple(state), width) if not self.hint else ()
            ends = list(cut(tuple(ends), width)) if self.hint else []
        else:
            left = (
                *cut(tuple(model), room - spans_width(state) - 2),
                *separator,
                *state,
            )
        gap = width - spans_width([*left, *ends])
        return (*left, (" " * max(gap, 0), ()), *ends)

    def _model(self) -> list[Span]:
        # Of a path the name of the file is what tells; the sidebar has all of it.
        name = safe(self.model, newlines=False)
        name = name.rpartition("/")[2] if name.endswith(".gguf") else name
        return [(name, ("model",))] if name else []

    def _state(self) -> list[Span]:
        look = {"ready": "ready", "error": "error"}.get(self.state, "busy")
        text, look = (self.pause, "busy") if self.pause else (self.state, look)
        state: list[Span] = [(safe(text, newlines=False), (look,))]
        if self.waited is not None and not self.pause:
            state.append((f" {_seconds(self.waited)}", ("muted",)))
        return [*state, _SEPARATOR, ("not saved", ("error",))] if self.unkept else state

    def _facts(self, room: int) -> list[list[Span]]:
        """Return the groups on the right that fit in `room` beside the rest."""
        tokens: list[Span] = []
        if self.input_tokens is not None:
            tokens.append((f"{_count(self.input_tokens)} in", ("muted",)))
        if self.output_tokens is not None:
            between = " / " if tokens else ""
            tokens.append((f"{between}{_count(self.output_tokens)} out", ("muted",)))
        speed: list[Span] = []
        if self.tokens_per_second is not None:
            speed.append((f"{self.tokens_per_second:.0f} tok/s", ("muted",)))
        stream: list[Span] = [(f"stream {'on' if self.stream else 'off'}", ("muted",))]
        keys: list[list[Span]] = [
            [
                (f"{key} {key}" if self.away and what == "stop" else key, ("key",)),
                (" " + what, ("muted",)),
            ]
            for key, what in self.keys
        ]
        context = self._meter(room >= _BAR_FROM)
        # In the order of need; shown in the order of `shown`.
        wanted = [*keys[:1], context, tokens, stream, speed, *keys[1:]]
        shown = [tokens, speed, context, stream, *keys]
        kept: list[list[Span]] = []
        for group in filter(None, wanted):
            size = 2 + spans_width(group)
            if size > room:
                break
            room -= size
            kept.append(group)
        return [group for group in shown if any(group is each for each in kept)]

    def _meter(self, wide: bool) -> list[Span]:
        """Return the meter: "▰▰▱▱▱ 3.2k/8.2k", or "39%" where room is short."""
        if self.context is None:
            return []
        used, window, approximate = self.context
        part = used / window
        look = "full" if part >= _FULL else "high" if part >= _HIGH else "muted"
        about = "~" if approximate else ""
        if not wide:
            return [(f"{about}{part:.0%}", (look,))]
        filled = min(_BAR, max(1, round(part * _BAR)))
        bar = "▰" * filled + "▱" * (_BAR - filled)
        return [(f"{bar} {about}{_short(used)}/{_short(window)}", (look,))]


def _seconds(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def _count(tokens: int) -> str:
    if tokens < 10_000:
        return str(tokens)
    if tokens < 999_500:
        return f"{tokens / 1000:.0f}k"
    return f"{tokens / 1_000_000:.1f}M"


def _short(tokens: int) -> str:
    """Return a number in at most five characters."""
    for unit, size in (("M", 999_500), ("k", 1_000)):
        if tokens >= size:
            value = tokens / (1_000_000 if unit == "M" else 1_000)
            return f"{value:.{0 if value >= 99.95 else 1}f}".removesuffix(".0") + unit
    return str(tokens)
