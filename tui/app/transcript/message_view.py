"""Lays out one message as lines for the transcript, also while it still grows.

The file is long because the rows of a message depend on all of its parts: reasoning,
text, footer, versions and errors.
"""

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
from tui.app.transcript.footer import footer, with_time
from tui.app.transcript.item import GUTTER, Item, estimate, gutter, not_shown
from tui.app.transcript.word_count import WordCount
from tui.i18n import N_, _, ngettext
from tui.safe import safe

if TYPE_CHECKING:
    from tui.app.markdown.stream import Stream

_COMPARED = 2000
"""Lines up to which `finish` compares the lines to find the first changed one."""

_BROKEN_OFF = {
    "cancelled": ("■", N_("Cancelled")),
    "interrupted": (
        "■",
        N_("Interrupted: /continue resumes the answer, /retry asks again"),
    ),
    "length": ("…", N_("Length limit reached: /continue resumes the answer")),
    "content_filter": ("×", N_("Stopped by the provider's content filter")),
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
        """Number of this version, from 1, and count of versions; drawn by `update`."""
        self.time = ""
        """When it was sent, drawn at the right of a question; "" for nothing."""
        self.footer: tuple[str, ...] = ()
        """The parts of the dim line below an answer: first its model, then figures,
        which are left out where there is no room."""
        self.away = ""
        """When the answer has ended, if nobody looked; "" if somebody did."""
        self.rule = ""
        """The text of the rule above the message; "" for no rule."""
        self.chips: tuple[str, ...] = ()
        """A line for each attached file."""
        self.folded = True
        """Whether the reasoning is folded to one line."""
        self._text = [text] if text else []
        self._reasoning = [reasoning] if reasoning else []
        self._words = WordCount(reasoning)
        self._body: Feed | None = None
        self._thought: Feed | None = None
        # The parts of the message: lines with the gutter at their left.
        self._title = 0  # the first line below the rule
        self._fold = 0  # the line that folds the reasoning
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
        """The model's reasoning so far."""
        if len(self._reasoning) > 1:
            self._reasoning = ["".join(self._reasoning)]
        return self._reasoning[0] if self._reasoning else ""

    @property
    def source(self) -> str:
        """The text for the clipboard, as it was written, with the names of files."""
        text = self.reasoning if self.role == "summary" else self.text
        return "\n\n".join(filter(None, [text, "\n".join(self.chips)]))

    @property
    def fold_line(self) -> int | None:
        """The number of the line that folds the reasoning; None without reasoning."""
        return self._fold if self._reasoning and self.exact else None

    @property
    def text_rows(self) -> range:
        """The numbers of the lines of reasoning, if it is unfolded, and of the text."""
        first = len(self._top)
        return range(first, first + len(self._thought_lines) + len(self._body_lines))

    def version_step(self, number: int, column: int) -> int:
        """Return the version step of a click: -1 previous, 1 next, 0 none."""
        width = len(self._walker())
        if not self.exact or number != self._title:
            return 0
        if not GUTTER <= column < GUTTER + width:
            return 0
        return -1 if column - GUTTER < width / 2 else 1

    def append_text(self, text: str) -> None:
        """Add to the text; `update` draws it."""
        if text:
            self._text.append(text)
        if self._body:
            self._body.append(text)

    def append_reasoning(self, text: str) -> None:
        """Add to the reasoning; `update` draws it."""
        if text:
            self._reasoning.append(text)
        self._words.add(text)
        if self._thought:
            self._thought.append(text)

    def relabel(self, as_text: bool) -> None:
        """Take all text for reasoning, or the other way; drawn after `update`."""
        text, reasoning = self.text, self.reasoning
        self._text = [reasoning + text] if as_text else []
        self._reasoning = [] if as_text else [reasoning + text]
        self._words = WordCount("".join(self._reasoning))
        self._body = self._thought = None
        self.failed = False
        if self.width and not self.exact:
            self.resize(self.width)

    def resize(self, width: int) -> None:
        """Drop all lines for a new width; the height is estimated until `lay_out`."""
        self.width = width
        self.exact = self.failed = False
        self._body = self._thought = None
        room = width - GUTTER
        title = self.label or self.versions
        self.height = estimate(self.text, room) + 1 + bool(title) + len(self.chips)
        self.height += 2 * bool(self.rule)
        if self._reasoning:
            self.height += 2 if self.folded else 2 + estimate(self.reasoning, room)

    def lay_out(self) -> None:
        """Create the lines for `width`."""
        self._body = self._thought = None
        self._body_lines, self._thought_lines = [], []
        self.update()

    def finish(self, text: str, reasoning: str, finish_reason: str | None) -> int:
        """Set the final text; return the first line that changed."""
        compared = self.exact and self.height <= _COMPARED
        before = list(self.lines()) if compared else []
        # The final text often only adds to the streamed one, which then need not be
        # laid out again.
        if not self.done and text.startswith(self.text):
            self.append_text(text[len(self.text) :])
        elif text != self.text:
            self._text = [text] if text else []
            self._body = None
        if not self.done and reasoning.startswith(self.reasoning):
            self.append_reasoning(reasoning[len(self.reasoning) :])
        elif reasoning != self.reasoning:
            self._reasoning = [reasoning] if reasoning else []
            self._words = WordCount(reasoning)
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
        """Lay out new text; return the first line that changed.

        A failure is shown in place of the message. The layout is retried after a change
        of the width, a fold or the end of the message, not for each new piece.
        """
        if self.failed:
            return self.height
        self.revision += 1
        try:
            return self._update()
        except Exception as error:
            self.fail(error)
            return 0

    def fail(self, error: Exception) -> None:
        """Replace all lines with a report of `error`."""
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
        """Return the lines at the top, and the first changed line of the reasoning."""
        style = self._style()
        folds = self.role == "summary"  # the label and the fold share one line
        title: list[Span] = []
        if walker := self._walker():
            title = [(walker, (*style, "versions"))]
        if self.label and not folds:
            title += [("  " if title else "", style), (self.label, (*style, "label"))]
        if self._reasoning:
            verb = _("Reasoning") if self.done or self._text else _("Thinking")
            count = self._words.count
            words = ngettext("{count:,} word", "{count:,} words", count).format(
                count=count
            )
            what = self.label if folds else verb
            words = _("{what}: {words}").format(what=what, words=words)
            text = f"{'►' if self.folded else '▼'} {words}"
            title += [("  " if title else "", ()), (text, ("fold",))]
        lines: list[Line] = []
        if title:
            rows = to_lines(wrap(title, self.width - GUTTER))
            lines = gutter(rows, self._bar(), (*style, "bar"), style)
        rule = _rule(self.rule, self.width)
        self._title = len(rule)
        lines = [*rule, *lines]
        self._fold = len(lines) - 1
        if self.folded and self._reasoning and self._text:
            lines += gutter([BLANK], "", ())
        if self.folded or not self._reasoning:
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
        new = gutter(self._body.lines[changed:], self._bar(), (*style, "bar"), style)
        if self.time and not changed:
            new = with_time(new, self.time, self.width, style)
        elif self.time:  # of a message that does not grow any more
            return changed
        return _replace(self._body_lines, changed, new)

    def _tail(self, left_out: int) -> list[Line]:
        marks: list[Span] = []
        if left_out:
            text = _("… {left_out:,} more characters are hidden; y copies all").format(
                left_out=left_out
            )
            marks.append((text, ("note", "note-cancelled")))
        if self.finish_reason in _BROKEN_OFF:
            mark, text = _BROKEN_OFF[self.finish_reason]
            kind = "error" if mark == "×" else "cancelled"
            marks.append((f"{mark} {_(text)}", ("note", f"note-{kind}")))
        style = self._style()
        chips = [
            line
            for chip in self.chips
            for line in to_lines(wrap([(chip, (*style, "chip"))], self.width - GUTTER))
        ]
        shown = gutter(chips, self._bar(), (*style, "bar"), style)
        below = footer(marks, self.away, self.footer, self.width)
        if below and not shown and self._body_lines and _framed(self._body_lines[-1]):
            below = [*gutter([BLANK], "", ()), *below]
        return [*shown, *below]

    def line(self, number: int) -> Line:
        """Return a laid-out line; BLANK for a number out of range."""
        for lines in (self._top, self._thought_lines, self._body_lines, self._bottom):
            if number < len(lines):
                return lines[number] if number >= 0 else BLANK
            number -= len(lines)
        return BLANK


def _framed(line: Line) -> bool:
    """Return whether `line` is of code or a table, which text must not touch."""
    return bool(line.fill) or any("rule" in style for _, style in line.spans)


def _rule(text: str, width: int) -> list[Line]:
    """Return a dim rule with `text` across the pane, and a blank line."""
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
    """Set ``lines[start:]``; return the number of the first line that differs."""
    same = 0
    for old, line in zip(lines[start:], new, strict=False):
        if old != line:
            break
        same += 1
    lines[start + same :] = new[same:]
    return start + same
