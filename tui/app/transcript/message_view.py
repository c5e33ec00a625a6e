"""Lays out one message as lines for the transcript; it may still grow."""

from typing import TYPE_CHECKING

from tui.app.markdown import (
    BLANK,
    Line,
    PlainStream,
    Span,
    Style,
    indent,
    to_lines,
    wrap,
)
from tui.app.markdown.feed import Feed
from tui.app.markdown.lines import spans_text, spans_width
from tui.app.transcript.item import GUTTER, Item, estimate, gutter, not_shown
from tui.safe import safe

if TYPE_CHECKING:
    from tui.app.markdown.stream import Stream

_COMPARED = 2000
"""Lines up to which it is looked for the first that the end of a message changes."""

_BROKEN_OFF = {
    "cancelled": ("■", "Cancelled"),
    "interrupted": ("■", "Interrupted: /continue goes on, /retry asks again"),
    "error": ("✗", "Ended by an error"),
    "length": ("…", "Cut off at the limit of its length: /continue goes on"),
    "content_filter": ("✗", "Ended by the provider's content filter"),
}


class MessageView(Item):
    """A message, which may still grow."""

    selectable = True

    def __init__(
        self,
        message_id: str,
        role: str,
        text: str = "",
        reasoning: str = "",
        *,
        label: str = "",
        done: bool = True,
    ) -> None:
        super().__init__()
        self.message_id = message_id
        self.role = role
        self.label = safe(label, newlines=False)
        self.done = done
        self.finish_reason: str | None = None
        self.versions: tuple[int, int] | None = None
        """Which of how many versions it is, from 1; drawn after `update`."""
        self.rule = ""
        """Stands above the message, across the pane."""
        self.folded = True
        """Whether the reasoning is one line."""
        self._text = [text] if text else []
        self._reasoning = [reasoning] if reasoning else []
        self._words = len(reasoning.split())
        self._open_word = not reasoning[-1:].isspace() and bool(reasoning)
        self._body: Feed | None = None
        self._thought: Feed | None = None
        # Lines with the gutter to their left; together they are the message.
        self._title = 0  # the first line below the rule
        self._top: list[Line] = []
        self._thought_lines: list[Line] = []
        self._body_lines: list[Line] = []
        self._bottom: list[Line] = []

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    @property
    def reasoning(self) -> str:
        """What the model has thought aloud so far."""
        if len(self._reasoning) > 1:
            self._reasoning = ["".join(self._reasoning)]
        return self._reasoning[0] if self._reasoning else ""

    @property
    def source(self) -> str:
        """What is copied: the text as it was written."""
        return self.reasoning if self.role == "summary" else self.text

    @property
    def fold_line(self) -> int | None:
        """The number of the line that folds the reasoning, if there is one."""
        return len(self._top) - 1 if self._reasoning and self.exact else None

    def version_step(self, number: int, column: int) -> int:
        """Return where a click leads: -1 to the version before, 1 to the next, or 0."""
        width = len(self._walker())
        if not self.exact or number != self._title:
            return 0
        if not GUTTER <= column < GUTTER + width:
            return 0
        return -1 if column - GUTTER < width / 2 else 1

    def append_text(self, text: str) -> None:
        """Add to the text; drawn after `update`."""
        if text:
            self._text.append(text)
        if self._body:
            self._body.append(text)

    def append_reasoning(self, text: str) -> None:
        """Add to the reasoning; drawn after `update`."""
        if text:
            self._reasoning.append(text)
        self._words += len(text.split())
        if self._open_word and text and not text[0].isspace():
            self._words -= 1
        if text:
            self._open_word = not text[-1].isspace()
        if self._thought:
            self._thought.append(text)

    def relabel(self, as_text: bool) -> None:
        """Take all text for reasoning, or the other way; drawn after `update`."""
        text, reasoning = self.text, self.reasoning
        self._text = [reasoning + text] if as_text else []
        self._reasoning = [] if as_text else [reasoning + text]
        self._words = len("".join(self._reasoning).split())
        self._open_word = not as_text and not text[-1:].isspace()
        self._body = self._thought = None
        self.failed = False
        if self.width and not self.exact:
            self.resize(self.width)

    def resize(self, width: int) -> None:
        """Forget all lines; the height is an estimate until `lay_out`."""
        self.width = width
        self.exact = self.failed = False
        self._body = self._thought = None
        room = width - GUTTER
        title = self.label or self.versions
        self.height = estimate(self.text, room) + 1 + bool(title)
        self.height += 2 * bool(self.rule)
        if self._reasoning:
            self.height += 2 if self.folded else 2 + estimate(self.reasoning, room)

    def lay_out(self) -> None:
        """Make the lines for `width`."""
        self._body = self._thought = None
        self._body_lines, self._thought_lines = [], []
        self.update()

    def finish(self, text: str, reasoning: str, finish_reason: str | None) -> int:
        """Set what was said in the end; return the first line that changed."""
        compared = self.exact and self.height <= _COMPARED
        before = list(self.lines()) if compared else []
        # The last pieces often come with the whole, which is then not laid out anew.
        if not self.done and text.startswith(self.text):
            self.append_text(text[len(self.text) :])
        elif text != self.text:
            self._text = [text] if text else []
            self._body = None
        if not self.done and reasoning.startswith(self.reasoning):
            self.append_reasoning(reasoning[len(self.reasoning) :])
        elif reasoning != self.reasoning:
            self._reasoning = [reasoning] if reasoning else []
            self._words = len(reasoning.split())
            self._thought = None
        self.done = True
        self.failed = False
        self.finish_reason = finish_reason
        if not self.width:
            return 0
        if not self.exact:
            self.resize(self.width)
            return 0
        self.update()
        if not compared:
            return 0
        after = list(self.lines())
        same = 0
        for old, new in zip(before, after, strict=False):
            if old != new:
                break
            same += 1
        return same

    def toggle(self) -> None:
        """Fold or unfold the reasoning."""
        self.folded = not self.folded
        self.failed = False
        if self.width:
            self.update()

    def update(self) -> int:
        """Lay out what is new; return the first line that changed.

        If it cannot be, that is said in its place. It is tried again when it has
        another width, is finished or folded, and not with each piece that is added.
        """
        if self.failed:
            return self.height
        try:
            return self._update()
        except Exception as error:
            self.fail(error)
            return 0

    def fail(self, error: Exception) -> None:
        """Say, in the place of all lines, that it cannot be shown."""
        self._body = self._thought = None
        self._thought_lines, self._body_lines, self._bottom = [], [], []
        self._top = not_shown(error, self.width)
        self._title = 0
        self.height = len(self._top) + 1
        self.behind = False
        self.exact = self.failed = True

    def _update(self) -> int:
        top, thought = self._head()
        first = _replace(self._top, 0, top)
        if first == len(self._top):
            first += thought
            if thought == len(self._thought_lines):
                first += self._update_body()
            else:
                self._update_body()
        else:
            self._update_body()
        feeds = [feed for feed in (self._body, self._thought) if feed]
        self.behind = any(feed.behind for feed in feeds)
        bottom = self._tail(sum(feed.left_out for feed in feeds))
        if bottom != self._bottom:
            first = min(first, self.height - 1 - len(self._bottom))
            self._bottom = bottom
        self.height = (
            len(self._top)
            + len(self._thought_lines)
            + len(self._body_lines)
            + len(self._bottom)
            + 1
        )
        self.exact = True
        return max(first, 0)

    def _style(self) -> Style:
        return (self.role,) if self.role in ("user", "system") else ()

    def _walker(self) -> str:
        place, count = self.versions or (1, 1)
        return f"‹ {place}/{count} ›" if count > 1 else ""

    def _bar(self) -> str:
        return "▌" if self.role in ("user", "system") else ""

    def _head(self) -> tuple[list[Line], int]:
        """Return the lines above, and the first line of the thought that changed."""
        style = self._style()
        folds = self.role == "summary"  # its label and its fold are one line
        title: list[Span] = []
        if walker := self._walker():
            title = [(walker, (*style, "versions"))]
        if self.label and not folds:
            title += [("  " if title else "", style), (self.label, (*style, "label"))]
        if self._reasoning:
            verb = "Thought for" if self.done or self._text else "Thinking:"
            words = f"{self._words:,} word{'' if self._words == 1 else 's'}"
            what = f"{self.label}:" if folds else verb
            text = f"{'▸' if self.folded else '▾'} {what} {words}"
            title += [("  " if title else "", ()), (text, ("fold",))]
        lines: list[Line] = []
        if title:
            rows = to_lines(wrap(title, self.width - GUTTER))
            lines = gutter(rows, self._bar(), (*style, "bar"), style)
        rule = _rule(self.rule, self.width)
        self._title = len(rule)
        lines = [*rule, *lines]
        if not self._reasoning:
            self._thought, self._thought_lines = None, []
            return lines, 0
        if self.folded:
            self._thought, self._thought_lines = None, []
            return lines, 0
        width = self.width - 2 * GUTTER
        if self._thought is None:
            self._thought = Feed(PlainStream(width, ("thought",)))
            self._thought.append(self.reasoning)
            self._thought_lines = []
        changed = self._thought.update(done=self.done)
        bar: tuple[Span, ...] = (("│ ", ("thought", "rule")),)
        new = indent(self._thought.lines[changed:], bar, bar, copied=False)
        return lines, _replace(
            self._thought_lines, changed, gutter([*new, BLANK], "", ())
        )

    def _begun(self, width: int, style: Style) -> "Stream | PlainStream":
        if self.role != "assistant":
            return PlainStream(width - 1, style)
        from tui.app.markdown.stream import Stream  # see tui.app.markdown

        return Stream(width)

    def _update_body(self) -> int:
        style = self._style()
        width = self.width - GUTTER
        if self._body is None:
            self._body = Feed(self._begun(width, style))
            self._body.append(self.text)
        changed = self._body.update(done=self.done)
        new = self._body.lines[changed:]
        return _replace(
            self._body_lines,
            changed,
            gutter(new, self._bar(), (*style, "bar"), style),
        )

    def _tail(self, left_out: int) -> list[Line]:
        lines: list[Line] = []
        if left_out:
            text = f"… {left_out:,} more characters, not shown; y copies all"
            lines.append(Line(((text, ("note", "note-cancelled")),)))
        if self.finish_reason in _BROKEN_OFF:
            mark, text = _BROKEN_OFF[self.finish_reason]
            kind = "error" if mark == "✗" else "cancelled"
            lines.append(Line(((f"{mark} {text}", ("note", f"note-{kind}")),)))
        return gutter(lines, "", ())

    def line(self, number: int) -> Line:
        """Return a line of what is laid out; BLANK outside of it."""
        for lines in (self._top, self._thought_lines, self._body_lines, self._bottom):
            if number < len(lines):
                return lines[number] if number >= 0 else BLANK
            number -= len(lines)
        return BLANK


def _rule(text: str, width: int) -> list[Line]:
    """Return a quiet line across the pane with `text` in it, and a blank one."""
    if not text:
        return []
    style = ("note", "note-info")
    side, room = "── ", width - GUTTER - 3
    lines: list[Line] = []
    for row in to_lines(wrap([(text, style)], room)):
        rest = room - spans_width(row.spans) - 1 if not lines else 0
        spans = ((side, style), *row.spans, (" " + "─" * rest, style))
        lines.append(Line(spans, lead=len(spans_text(spans))))
        side = "   "
    return [*gutter(lines, "", ()), BLANK]


def _replace(lines: list[Line], start: int, new: list[Line]) -> int:
    """Set ``lines[start:]``; return the number of the first that differs."""
    same = 0
    for old, line in zip(lines[start:], new, strict=False):
        if old != line:
            break
        same += 1
    lines[start + same :] = new[same:]
    return start + same
