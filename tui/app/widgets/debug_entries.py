"""The entries of the debug panel: rounds of the model, tool calls, notes.

Each takes one or two rows, and unfolds to all that is known of it. Text from tools,
models and servers passes through `safe` when it is drawn; a copy has the original.

The file is long because it has all kinds of entries.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import msgspec

from tui import bounds
from tui.app.markdown.lines import Line, Span, beside, cut, spans_width
from tui.app.widgets.entry_list import Entry
from tui.app.widgets.pretty import plain, pretty
from tui.i18n import N_, _
from tui.messages import ToolCall
from tui.safe import safe

State = Literal["asks", "running", "done", "denied", "error"]

_ENDINGS = {
    "cancelled": N_("cancelled"),
    "error": N_("error"),
    "interrupted": N_("interrupted"),
    "length": N_("length limit"),
}
_MARKS: dict[State, Span] = {
    "asks": ("? ", ("running",)),
    "running": ("» ", ("running",)),
    "done": ("√ ", ("on",)),
    "denied": ("Ø ", ("running",)),
    "error": ("× ", ("error",)),
}
_CUT = 400
"""Characters of the arguments or the result that are scanned for a folded call."""
_MAX_LINES = 2_000
"""Most lines that an unfolded entry draws; a copy has all."""
_MAX_PROGRESS = 200
"""Reports of progress that are kept for each call."""


class DebugEntry(Entry):
    """An entry that unfolds to lines, which are made once for each change."""

    number = 0
    """Its place among all entries of the panel."""

    def __init__(self) -> None:
        self._details: list[Line] = []
        self._details_of: object = None

    @property
    def failed(self) -> bool:
        """Whether the entry is about a failure."""
        return False

    def state_key(self) -> object:
        """Return a value that differs whenever the unfolded lines would."""
        raise NotImplementedError

    def details(self, width: int) -> Iterator[Line]:
        """Yield the lines below the first when the entry is unfolded."""
        raise NotImplementedError

    def copied(self) -> str:
        """Return the text for the clipboard."""
        raise NotImplementedError

    def unfolded_lines(self, width: int) -> list[Line]:
        """Return the lines of `details`, of which there are not too many."""
        key = (width, self.state_key())
        if key != self._details_of:
            lines = self.details(width)
            self._details = list(islice(lines, _MAX_LINES))
            if next(lines, None) is not None:
                more: Span = (_("  … c copies all lines"), ("muted",))
                self._details.append(Line((more,)))
            self._details_of = key
        return self._details


class Note(DebugEntry):
    """A line that is neither a call nor a round, such as what a server wrote."""

    def __init__(self, text: str, *, failed: bool = False) -> None:
        super().__init__()
        self.text = text
        self._failed = failed
        self._shown = safe(text[:_CUT], newlines=False)

    @property
    def failed(self) -> bool:
        """Whether the entry is about a failure."""
        return self._failed

    def state_key(self) -> object:
        """Return a value that changes with the unfolded lines."""
        return None

    def details(self, width: int) -> Iterator[Line]:
        """Yield the lines below the first when the entry is unfolded."""
        return plain(self.text, width, 2)

    def copied(self) -> str:
        """Return the text for the clipboard."""
        return self.text

    def height(self, width: int) -> int:
        """Return the number of lines."""
        return 1 + len(self.unfolded_lines(width)) if self.unfolded else 1

    def line(self, number: int, width: int) -> Line:
        """Return a line; the first one is the entry when it is folded."""
        if number:
            return self.unfolded_lines(width)[number - 1]
        mark: Span = ("× ", ("error",)) if self._failed else ("! ", ("running",))
        return Line((mark, (self._shown, ("error" if self._failed else "muted",))))


class Body(msgspec.Struct, frozen=True):
    """A request to a model, and what came back."""

    time: float
    """When it was sent, in seconds since the epoch."""
    address: str
    """Where it was sent; "" for a model on this machine."""
    outcome: str
    """The status, or an error; "" while there is none."""
    request: str
    response: str


class Round(DebugEntry):
    """One request to the model, with all tries that it took."""

    def __init__(self, turn: str, place: int, model: str, begun: float) -> None:
        super().__init__()
        self.turn = turn
        self.place = place
        """Which request of its turn it is, from 1."""
        self.model = model
        self.begun = begun
        """When it began, in seconds since the epoch; 0 if unknown."""
        self.message_id = ""
        """The message that it gave; "" as long as there is none."""
        self.seconds: float | None = None
        """From the request to the end of the message; None while it runs."""
        self.tokens: tuple[int, int] | None = None
        """Tokens that went in and came out, if the model reports them."""
        self.cached = 0
        self.speed: float | None = None
        """Tokens a second."""
        self.ended = ""
        """Why it gave no whole message, such as `cancelled`."""
        self.bodies: list[Body] | None = None
        """What was sent and received; None before somebody asks for it."""

    @property
    def failed(self) -> bool:
        """Whether the entry is about a failure."""
        return self.ended == "error"

    def state_key(self) -> object:
        """Return a value that changes with the unfolded lines."""
        return self.bodies and tuple(self.bodies)

    def height(self, width: int) -> int:
        """Return the number of lines."""
        return 1 + len(self.unfolded_lines(width)) if self.unfolded else 1

    def line(self, number: int, width: int) -> Line:
        """Return a line; the first one is the entry when it is folded."""
        if number:
            return self.unfolded_lines(width)[number - 1]
        left: list[Span] = [
            ("── ", ("rule",)),
            (_("round {place}").format(place=self.place), ("heading",)),
        ]
        figures: list[Span] = [(" · " + part, ("muted",)) for part in self._figures()]
        ended: list[Span] = []
        if self.ended:
            ended.append((f" · {ending(self.ended)}", ("error",)))
        about = [safe(self.model, newlines=False), clock(self.begun)]
        text = " · ".join(part for part in about if part) if self.place == 1 else ""
        right: tuple[Span, ...] = ((f" {text}", ("muted",)),) if text else ()
        room = width - spans_width(right)
        if room < min(spans_width([*left, *figures, *ended]), 24):
            right, room = (), width
        while figures and spans_width([*left, *figures, *ended]) >= room:
            figures.pop()
        spans = cut((*left, *figures, *ended, (" ", ())), room)
        rest = "─" * max(room - spans_width(spans), 0)
        return Line((*spans, (rest, ("rule",)), *right))

    def _figures(self) -> Iterator[str]:
        if self.tokens:
            known = (
                _(" ({cached:,} cached)").format(cached=self.cached)
                if self.cached
                else ""
            )
            yield _("{tokens:,}→{tokens2:,} tok{known}").format(
                tokens=self.tokens[0], tokens2=self.tokens[1], known=known
            )
        if self.seconds is not None:
            yield duration(self.seconds)
        elif not self.ended:
            yield _("asking")
        if self.speed is not None:
            yield _("{speed:.0f} tok/s").format(speed=self.speed)

    def details(self, width: int) -> Iterator[Line]:
        """Yield the lines below the first when the entry is unfolded."""
        if self.bodies is None:
            yield Line((("  …", ("muted",)),))
        elif not self.bodies:
            text = _(
                "No bodies for this round: those of the last 20 requests are "
                "kept, in memory only."
            )
            yield from plain(text, width, 2, ("muted",))
        for body in self.bodies or ():
            where = body.address or _("the model's prompt")
            yield _label(
                " ".join(filter(None, (_("request"), clock(body.time), where)))
            )
            yield from _body(body.request, width)
            yield _label(" ".join(filter(None, (_("response"), body.outcome))))
            yield from _body(body.response, width)

    def copied(self) -> str:
        """Return the bodies if they are known, or else the figures."""
        if self.bodies:
            return "\n\n".join(
                f"> {b.address}\n{b.request}\n\n< {b.outcome}\n{b.response}"
                for b in self.bodies
            )
        return " · ".join(
            [_("round {place}").format(place=self.place), self.model, *self._figures()]
        )


class Call(DebugEntry):
    """A tool call and its outcome."""

    def __init__(self, call: ToolCall) -> None:
        super().__init__()
        self.call = call
        self.state: State = "running"
        self.decision = ""
        """Who allowed or denied it; "" if nobody was asked."""
        self.denied = False
        self.seconds: float | None = None
        self.error: str | None = None
        self.output: str | None = None
        self.progress: deque[str] = deque(maxlen=_MAX_PROGRESS)
        self.printed = ""
        self._changes = 0

    @property
    def failed(self) -> bool:
        """Whether the entry is about a failure."""
        return self.state == "error"

    def state_key(self) -> object:
        """Return a value that changes with the unfolded lines."""
        facts = self.state, self.seconds, self.error, self.output, self.decision
        return self.call, facts, len(self.printed), self._changes

    def progressed(self, text: str) -> None:
        """Add a report of progress."""
        self.progress.append(text)
        self._changes += 1

    def height(self, width: int) -> int:
        """Return the number of lines."""
        if self.unfolded:
            return 1 + len(self.unfolded_lines(width))
        return 2 if self.error or self.output or self._progress_text() else 1

    def line(self, number: int, width: int) -> Line:
        """Return a line; the first one is the entry when it is folded."""
        if number == 0:
            call = (_MARKS[self.state], *self._signature())
            return beside(call, self._outcome(width), width)
        if self.unfolded:
            return self.unfolded_lines(width)[number - 1]
        if self.error:
            return Line((("    " + _short(self.error.strip()), ("error",)),))
        text = self._progress_text() if self.output is None else self.output
        return Line((("    " + _short(text.strip()), ("muted",)),))

    def details(self, width: int) -> Iterator[Line]:
        """Yield the lines below the first when the entry is unfolded."""
        arguments = self.call.arguments
        if isinstance(arguments, str):
            yield _label(_("arguments that cannot be read"))
            yield from plain(arguments, width, 4, ("error",))
        elif arguments:
            yield _label(_("arguments"))
            yield from pretty(arguments, width, 4)
        if self.decision:
            yield _label(_("decision"))
            yield from plain(self.decision, width, 4)
        if len(self.progress) > 1 or (self.progress and self.output is None):
            yield _label(_("progress"))
            yield from plain("\n".join(self.progress), width, 4)
        if self.printed:
            yield _label(_("printed"))
            yield from plain(self.printed, width, 4)
        if self.error is not None:
            yield _label(_("error"))
            yield from plain(self.error, width, 4, ("error",))
        if self.output is not None and not self._is_error(self.output):
            yield _label(_("result"))
            yield from pretty(_parsed(self.output), width, 4)

    def _is_error(self, output: str) -> bool:
        """Whether the result only repeats the error for the model."""
        return bool(self.error) and output.endswith(self.error or "")

    def copied(self) -> str:
        """Return the call as JSON."""
        return self.as_json()

    def as_json(self) -> str:
        """Return the call and its outcome as one JSON object."""
        about: dict[str, Any] = {
            "call": {
                "id": self.call.id,
                "name": self.call.name,
                "arguments": self.call.arguments,
            },
            "state": self.state,
        }
        if self.decision:
            about["decision"] = self.decision
        if self.seconds is not None:
            about["seconds"] = self.seconds
        if self.printed:
            about["printed"] = self.printed
        if self.error is not None:
            about["error"] = self.error
        if self.output is not None:
            about["output"] = _parsed(self.output)
        import json  # imported with the first call, to keep startup fast

        shown = bounds.shallow(about, bounds.DEEPEST + 2)
        return json.dumps(shown, ensure_ascii=False, indent=2, default=str)

    def _progress_text(self) -> str:
        """Return the progress of a running call, or else its last printed line."""
        if self.progress:
            return self.progress[-1]
        return self.printed.rstrip().rpartition("\n")[2]

    def _signature(self) -> tuple[Span, ...]:
        name = safe(self.call.name, newlines=False) or _("unreadable call")
        arguments = self.call.arguments
        if isinstance(arguments, str):
            return (name, ("name",)), (f"({_short(arguments)})", ("error",))
        pairs: list[str] = []
        size = 0
        for key, value in arguments.items():
            pairs.append(f"{_short(key)}={_short(_compact(value))}")
            size += len(pairs[-1])
            if size > _CUT:
                break
        return (name, ("name",)), (f"({', '.join(pairs)})", ())

    def _outcome(self, width: int) -> tuple[Span, ...]:
        words = {
            "asks": _("waits for you"),
            "error": _("failed"),
            "done": "",
            "running": _("running"),
            "denied": _("denied"),
        }
        word = words.get(self.state, self.state)
        look = {"done": "muted", "error": "error"}.get(self.state, "running")
        took = "" if self.seconds is None else duration(self.seconds)
        spans: list[Span] = [(" ".join(filter(None, (word, took))), (look,))]
        if self.decision and width >= 50:
            decision, *__ = cut(((_short(self.decision), ("muted",)),), width // 3)
            spans[:0] = [decision, (" · ", ("muted",))]
        return tuple(spans)


def ending(reason: str) -> str:
    """Return the words for a `TurnFinished.reason`."""
    return _(_ENDINGS.get(reason, "")) or safe(reason)


def _label(text: str) -> Line:
    return Line((("  " + safe(text, newlines=False), ("heading",)),))


def _body(text: str, width: int) -> Iterable[Line]:
    return plain(text, width, 4) if text else (Line(((_("    nothing"), ("muted",)),)),)


def _short(text: str) -> str:
    """Return the start of `text` on one line."""
    return safe(text[:_CUT], newlines=False) + ("…" if len(text) > _CUT else "")


def _compact(value: object) -> str:
    import json

    return json.dumps(bounds.shallow(value), ensure_ascii=False, default=str)


def _parsed(output: str) -> object:
    """Return `output` decoded as JSON, or unchanged if it is not JSON."""
    try:
        return bounds.decode(output)
    except ValueError:
        return output


def duration(seconds: float) -> str:
    """Return a duration in a few characters, such as `2 ms` or `1.2 s`."""
    if seconds < 60:
        return (
            _("{seconds:.1f} s").format(seconds=seconds)
            if seconds >= 0.05
            else _("{seconds:.0f} ms").format(seconds=seconds * 1000)
        )
    return _("{seconds:.0f} min {seconds2:.0f} s").format(
        seconds=seconds // 60, seconds2=seconds % 60
    )


def clock(when: float) -> str:
    """Return the local time as HH:MM, "" if it is unknown."""
    try:
        return time.strftime("%H:%M", time.localtime(when)) if when > 0 else ""
    except (OverflowError, OSError, ValueError):  # a clock that was set oddly
        return ""
