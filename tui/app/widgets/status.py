"""The status line: model, state, tokens, keys.

What does not fit is left out, the least important first; the state always stays. The
line has no animation: nothing is sent to the terminal while nothing changes, except for
the seconds of a wait.
"""

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut, spans_width
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import Looks, Palette
from tui.i18n import N_, _
from tui.safe import safe

Key = tuple[str, str]
"""A key and its effect."""

KEYS: tuple[Key, ...] = (("F1", N_("help")), ("F2", N_("tools")), ("F3", N_("debug")))
STATES = (
    N_("ready"),
    N_("loading"),
    N_("thinking"),
    N_("writing"),
    N_("writing a tool call"),
    N_("summarising"),
    N_("waiting"),
    N_("cancelling"),
    N_("error"),
)
"""States without a name in them; they are translated where they are drawn."""
STOP: Key = ("Esc", N_("stop"))
_SEPARATOR: Span = ("  ", ())
_HIGH, _FULL = 0.8, 0.95
"""Fill levels from which the meter is coloured as high and as full."""
_SHORTEST_MODEL = 8
_SHORTEST_STATE = 20
"""Columns to which the names of a model and a tool may be cut to make room for keys."""
_BAR = 5  # columns
_BAR_FROM = 60
"""Free columns from which the meter has a bar."""

SHORTEST_SECONDS = 0.02
"""Seconds that an answer must take for its speed to mean anything."""


class Fill(NamedTuple):
    """How many tokens of the model's window a conversation uses."""

    used: int
    window: int
    """Always above 0."""
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
    answers: reactive[str] = reactive("")
    """The model of the running turn; empty while `model` would answer."""
    agent: reactive[str] = reactive("")
    """Name of the agent; empty if it need not be shown."""
    effort: reactive[str] = reactive("")
    """The reasoning effort that is set here; empty for the model's default."""
    state: reactive[str] = reactive("ready")
    """`ready`, `loading`, `thinking`, `writing`, `writing a tool call`, `running
    NAME`, `cancelling`, `error`, or another short text."""
    waited: reactive[int | None] = reactive(None)
    """Seconds spent in that state so far; None while they need not be shown."""
    pause: reactive[str] = reactive("")
    """Replaces the state unless empty: why the model is not asked now, and when it
    will be."""
    input_tokens: reactive[int | None] = reactive(None)
    """Tokens of the last answer's request; None if unknown."""
    output_tokens: reactive[int | None] = reactive(None)
    tokens_per_second: reactive[float | None] = reactive(None)
    context: reactive[Fill | None] = reactive(None)
    """How full the context window is; None if its size is unknown."""
    stream: reactive[bool] = reactive(True)
    hint: reactive[str] = reactive("")
    """Replaces everything on the right unless empty, such as "Press Ctrl+C again to
    quit"."""
    aside: reactive[str] = reactive("")
    """Other work in progress, in one word: a download."""
    temporary: reactive[bool] = reactive(False)
    """Whether nothing is stored, because the user wants that."""
    unkept: reactive[bool] = reactive(False)
    """Whether something is in memory only and would be lost by a kill."""
    away: reactive[bool] = reactive(False)
    """Whether "stop" needs two key presses: the first one only leaves a pane."""
    keys: reactive[tuple[tuple[str, str], ...]] = reactive(KEYS)
    """Keys and their effects, the most important first."""

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

    class KeyClicked(Message):
        """The user has clicked a key; `what` is its effect, such as "help"."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def on_click(self, event: events.Click) -> None:
        """Report the clicked key."""
        place = event.get_content_offset(self)
        if place is None:
            return
        row = "".join(text for text, _ in self.spans(self.content_size.width))
        for (_key, what), spans in zip(self.keys, self._keys(), strict=True):
            label = "".join(text for text, _ in spans)
            at = row.rfind(label)
            begin = cell_len(row[:at])
            if at >= 0 and begin <= place.x < begin + cell_len(label):
                self.post_message(self.KeyClicked(what))

    def render(self) -> RenderResult:
        """Return the row."""
        width = self.content_size.width
        spans = self.spans(width)
        return Palette(self, self.LOOKS).content(spans)

    def spans(self, width: int) -> tuple[Span, ...]:
        """Return the spans to show at `width` columns."""
        state = self._state()
        model = self._model()
        separator = [_SEPARATOR] if model else []
        if not self.hint:
            model, state = self._fit(model, state, width)
        if self.hint:
            right: list[list[Span]] = [[(safe(self.hint, newlines=False), ("hint",))]]
        else:
            right = self._facts(width - spans_width([*model, *separator, *state]))
        ends = [span for group in right for span in (_SEPARATOR, *group)][1:]
        room = width - spans_width(ends) - (2 if ends else 0)
        if room < spans_width(state) + min(spans_width(model), 8) + 2:
            # With a long hint or few columns, keep only the most important part.
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
        # Show only the file name of a path; the sidebar has the whole path.
        name = safe(self.answers or self.model, newlines=False)
        name = name.rpartition("/")[2] if name.endswith(".gguf") else name
        if not name:
            return []
        agent: list[Span] = [(f" {self.agent}", ("muted",))] if self.agent else []
        if self.effort:
            agent.append((_(" {effort} effort").format(effort=self.effort), ("muted",)))
        return [(name, ("model",)), *agent]

    def _state(self) -> list[Span]:
        look = {"ready": "ready", "error": "error"}.get(self.state, "busy")
        text, look = (self.pause, "busy") if self.pause else (_(self.state), look)
        state: list[Span] = [(safe(text, newlines=False), (look,))]
        if self.waited is not None and not self.pause:
            state.append((f" {_seconds(self.waited)}", ("muted",)))
        if self.unkept:
            state += [_SEPARATOR, (_("not saved"), ("error",))]
        elif self.temporary:
            state += [_SEPARATOR, (_("temporary"), ("muted",))]
        return state

    def _fit(
        self, model: list[Span], state: list[Span], width: int
    ) -> tuple[list[Span], list[Span]]:
        """Cut the model, then what a tool is called, so that the keys have room."""
        keys = [2 + spans_width(key) for key in self._keys()]
        gap = 2 if model else 0
        shortest = min(spans_width(model), _SHORTEST_MODEL)
        name, *rest = state
        if not self.pause:
            room = width - sum(keys) - gap - shortest - spans_width(rest)
            state = [*cut((name,), max(room, _SHORTEST_STATE)), *rest]
        room = width - gap - spans_width(state)
        if room - shortest >= sum(keys[:1]):  # else no key has room
            model = list(cut(tuple(model), max(room - sum(keys), shortest)))
        return model, state

    def _keys(self) -> list[list[Span]]:
        return [
            [
                (f"{key} {key}" if self.away and what == "stop" else key, ("key",)),
                (" " + _(what), ("muted",)),
            ]
            for key, what in self.keys
        ]

    def _facts(self, room: int) -> list[list[Span]]:
        """Return the groups on the right that fit in `room` columns."""
        tokens: list[Span] = []
        if self.input_tokens is not None:
            tokens.append(
                (
                    _("{input_tokens} in").format(
                        input_tokens=_count(self.input_tokens)
                    ),
                    ("muted",),
                )
            )
        if self.output_tokens is not None:
            between = " / " if tokens else ""
            tokens.append(
                (
                    _("{between}{output_tokens} out").format(
                        between=between, output_tokens=_count(self.output_tokens)
                    ),
                    ("muted",),
                )
            )
        speed: list[Span] = []
        if self.tokens_per_second is not None:
            speed.append(
                (
                    _("{tokens_per_second:.0f} tok/s").format(
                        tokens_per_second=self.tokens_per_second
                    ),
                    ("muted",),
                )
            )
        off: list[Span] = [] if self.stream else [(_("stream off"), ("muted",))]
        keys = self._keys()
        context = self._meter(room >= _BAR_FROM)
        # In order of importance; `shown` has the order on the screen.
        aside: list[Span] = [(self.aside, ("busy",))] if self.aside else []
        wanted = [aside, *keys, off, context, tokens, speed]
        shown = [aside, tokens, speed, context, off, *keys]
        kept: list[list[Span]] = []
        for group in filter(None, wanted):
            size = 2 + spans_width(group)
            if size > room:
                break
            room -= size
            kept.append(group)
        return [group for group in shown if any(group is each for each in kept)]

    def _meter(self, wide: bool) -> list[Span]:
        """Return the meter: "■■□□□ 3.2k/8.2k", or "39%" if room is short."""
        if self.context is None:
            return []
        return [meter(self.context, wide)]


def meter(context: Fill, wide: bool = True) -> Span:
    """Return the meter: "■■□□□ 3.2k/8.2k", or "39%" if it is not to be `wide`."""
    used, window, approximate = context
    part = used / window
    look = "full" if part >= _FULL else "high" if part >= _HIGH else "muted"
    about = "~" if approximate else ""
    if not wide:
        return f"{about}{part:.0%}", (look,)
    filled = min(_BAR, max(1, round(part * _BAR)))
    bar = "■" * filled + "□" * (_BAR - filled)
    return f"{bar} {about}{_short(used)}/{_short(window)}", (look,)


def _seconds(seconds: int) -> str:
    return (
        _("{seconds} s").format(seconds=seconds)
        if seconds < 120
        else _("{seconds} min {seconds2} s").format(
            seconds=seconds // 60, seconds2=seconds % 60
        )
    )


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
