"""The debug panel: shows every tool call as it happens.

A call takes one or two rows, and unfolds to its JSON. Text from tools and models passes
through `safe` when it is drawn; a copy contains the original text.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from rich.cells import chop_cells
from textual.binding import Binding, BindingType

from tui import bounds
from tui.app.markdown.lines import Line, Span, beside
from tui.app.widgets.entry_list import Entry, Rows
from tui.app.widgets.requests import CopyRequested
from tui.messages import ToolCall
from tui.safe import safe

State = Literal["running", "done", "error"]

_MARKS: dict[State, Span] = {
    "running": ("» ", ("running",)),
    "done": ("✓ ", ("on",)),
    "error": ("✗ ", ("error",)),
}
_json_key = re.compile(r'( *"(?:[^"\\]|\\.)*"):')
_CUT = 400
"""Characters of the arguments or the result that are scanned for a folded call."""
_MAX_LINES = 2_000
"""Most JSON lines that are drawn; a copy has all."""


class _Note(Entry):
    """A note that is not a call."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._shown = safe(text[:_CUT], newlines=False)

    def height(self, width: int) -> int:
        return 1

    def line(self, number: int, width: int) -> Line:
        return Line((("! ", ("running",)), (self._shown, ("muted",))))


class _Call(Entry):
    """A tool call and its outcome."""

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.state: State = "running"
        self.seconds: float | None = None
        self.error: str | None = None
        self.output: str | None = None
        self.progress = ""
        self.printed = ""
        self._unfolded: list[Line] = []
        self._unfolded_from: object = None

    def height(self, width: int) -> int:
        if self.unfolded:
            made_from = (
                *(width, self.state, self.seconds, self.error),
                *(self.output, self.printed),
            )
            if made_from != self._unfolded_from:
                self._unfolded = list(self._json_lines(width - 2))
                self._unfolded_from = made_from
            return 1 + len(self._unfolded)
        return 2 if self.error or self.output or self._progress_text() else 1

    def line(self, number: int, width: int) -> Line:
        if number == 0:
            call = (_MARKS[self.state], *self._signature())
            return beside(call, self._outcome(), width)
        if self.unfolded:
            return self._unfolded[number - 1]
        if self.error:
            return Line((("  " + _first_line(self.error), ("error",)),))
        if self.output is not None:
            return Line((("  " + _first_line(self.output), ("muted",)),))
        return Line((("  " + _first_line(self._progress_text()), ("muted",)),))

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
        if self.seconds is not None:
            about["seconds"] = self.seconds
        if self.printed:
            about["printed"] = self.printed
        if self.error is not None:
            about["error"] = self.error
        if self.output is not None:
            about["output"] = _parsed(self.output)
        return _pretty(about)

    def _progress_text(self) -> str:
        """Return the progress of a running call, or else its last printed line."""
        return self.progress or self.printed.rstrip().rpartition("\n")[2]

    def _signature(self) -> tuple[Span, ...]:
        name = safe(self.call.name, newlines=False) or "unreadable call"
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

    def _outcome(self) -> tuple[Span, ...]:
        took = "" if self.seconds is None else f" {_duration(self.seconds)}"
        look = {"running": "running", "error": "error", "done": "muted"}[self.state]
        return ((self.state + took, (look,)),)

    def _json_lines(self, width: int) -> Iterator[Line]:
        rows = (
            row
            for text in safe(self.as_json()).split("\n")
            for row in _coloured(text, max(width, 2))
        )
        for number, row in enumerate(rows):
            if number == _MAX_LINES:
                yield Line((("  … y copies all lines", ("muted",)),))
                return
            yield Line((("  ", ()), *row))


class DebugPanel(Rows):
    """Lists tool calls in the order of their start, the newest at the bottom.

    Enter, r or a click shows a call's JSON, y requests to copy it. The panel follows
    the newest call until the user moves the cursor; End follows again. A result may
    arrive before or after the end of its call. An event without a known call creates a
    call with an unknown name.
    """

    FOLLOWS = True

    DEFAULT_CSS = """
    DebugPanel {
        height: 10;
        padding: 0 0 0 1;
        border-top: solid $border-blurred;
        border-title-color: $text-muted;
    }
    DebugPanel:focus {
        border-top: solid $primary;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "unfold", "JSON", show=False),
        Binding("y", "copy", "Copy JSON", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[str, int] = {}
        """Index of the newest call of each id: ids are unique only within a message."""
        self._unfinished: set[str] = set()
        self._printed: dict[str, str] = {}
        """Output of calls whose start is not known yet."""
        self._calls = 0
        self._errors = 0
        self.clear()

    def call_started(self, call: ToolCall) -> None:
        """Show a call as running."""
        self._places[call.id] = len(self.entries)
        self._unfinished.add(call.id)
        self._calls += 1
        entry = _Call(call)
        entry.printed = self._printed.pop(call.id, "")
        self.append(entry)
        self._count()

    def call_progressed(self, call_id: str, text: str) -> None:
        """Show the progress of a running call, until it has a result."""
        entry, index = self._find(call_id)
        entry.progress = text
        self.changed(index)

    def call_printed(self, call_id: str, text: str) -> None:
        """Add to the printed output of a call, which is not part of its result.

        The output may arrive before the log reports the start of the call.
        """
        if call_id not in self._places:
            self._printed[call_id] = self._printed.get(call_id, "") + text
            return
        entry, index = self._find(call_id)
        entry.printed += text
        self.changed(index)

    def call_finished(
        self, call_id: str, seconds: float, error: str | None = None
    ) -> None:
        """Show that a call has ended; `error` if it failed."""
        entry, index = self._find(call_id)
        self._unfinished.discard(call_id)
        entry.seconds, entry.error = seconds, error
        self._errors += (error is not None) - (entry.state == "error")
        entry.state = "done" if error is None else "error"
        self.changed(index)
        self._count()

    def call_output(self, call_id: str, output: str) -> None:
        """Show the result that the model receives."""
        entry, index = self._find(call_id)
        entry.output = output
        self.changed(index)

    def turn_finished(self, reason: str) -> None:
        """Mark the calls that still run as failed: the turn ignores their results.

        `reason` is that of `TurnFinished`. A call that ends later is shown as ended.
        """
        for call_id in list(self._unfinished):
            entry, index = self._find(call_id)
            entry.state = "error"
            entry.error = f"no result before the turn ended ({safe(reason)})"
            self._errors += 1
            self.changed(index)
        self._printed.clear()
        self._unfinished.clear()
        self._count()

    def note(self, text: str) -> None:
        """Show a line that is not a call, such as a note on an unreadable call."""
        self.append(_Note(text))

    def clear(self) -> None:
        """Remove all calls and notes, and follow the newest again."""
        self._places = {}
        self._unfinished = set()
        self._calls = self._errors = 0
        self.set_entries([])
        self._count()

    def action_unfold(self) -> None:
        """Show or hide the selected call's JSON; a note has none."""
        if self.cursor is not None and isinstance(self.entries[self.cursor], _Call):
            super().action_unfold()

    def action_copy(self) -> None:
        """Request to copy the selected call's JSON, or the note."""
        match self.entries[self.cursor] if self.cursor is not None else None:
            case _Call() as call:
                self.post_message(CopyRequested(call.as_json()))
            case _Note(text=text):
                self.post_message(CopyRequested(text))
            case _:
                pass

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show the keys while the panel has the focus."""
        super().watch_has_focus(_has_focus)
        self._count()

    def _find(self, call_id: str) -> tuple[_Call, int]:
        if call_id not in self._places:
            self.call_started(ToolCall(call_id, "", {}))
        index = self._places[call_id]
        entry = self.entries[index]
        assert isinstance(entry, _Call)
        return entry, index

    def _count(self) -> None:
        calls = "no calls yet" if not self._calls else f"{self._calls} calls"
        calls = "1 call" if self._calls == 1 else calls
        failed = f", {self._errors} failed" if self._errors else ""
        keys = "  Enter JSON, y copy" if self.has_focus and self._calls else ""
        self.border_title = f"Tool calls: {calls}{failed}{keys} "


def _first_line(text: str) -> str:
    return _short(text.strip())


def _short(text: str) -> str:
    """Return the start of `text` on one line."""
    return safe(text[:_CUT], newlines=False) + ("…" if len(text) > _CUT else "")


def _coloured(text: str, width: int) -> Iterator[tuple[Span, ...]]:
    """Yield a line of formatted JSON in rows of at most `width` columns."""
    first, *more = chop_cells(text, width) or [""]
    key = _json_key.match(first)
    if key is None:
        yield ((first, ()),)
    else:
        end = key.end(1)
        yield ((first[:end], ("label",)), (first[end:], ()))
    for row in more:
        yield ((row, ()),)


def _compact(value: object) -> str:
    import json  # imported with the first call, to keep startup fast

    return json.dumps(bounds.shallow(value), ensure_ascii=False, default=str)


def _pretty(value: object) -> str:
    import json

    shown = bounds.shallow(value, bounds.DEEPEST + 2)
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _parsed(output: str) -> object:
    """Return `output` decoded as JSON, or unchanged if it is not JSON."""
    try:
        return bounds.decode(output)
    except ValueError:
        return output


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.05 else f"{seconds * 1000:.0f} ms"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
