"""Shows the end of a conversation, or a match in its place, beside the list."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tui.app.markdown import BLANK, Line, Span, indent, to_lines, wrap
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import CONVERSATION, Looks, Palette
from tui.conversation.preview import Spoken
from tui.safe import safe

LAID_OUT = 6_000
"""Most characters of a message that are laid out: "…" stands for the rest."""
_ABOVE = 4
"""Rows of the message that are shown above a match."""
_WHEEL = 3  # rows


class Preview(Contained, Widget):
    """Draws a few messages; it takes no focus, the list's keys scroll it."""

    DEFAULT_CSS = """
    Preview {
        background: $background;
        color: $foreground;
    }
    """
    LOOKS: ClassVar[Looks] = {
        **CONVERSATION,
        "hit": "bold underline $text-warning",
    }

    def __init__(self) -> None:
        super().__init__()
        self._messages: Sequence[Spoken] = ()
        self._phrase = ""
        self._lines: list[Line] = []
        self._first = 0
        """The number of the line in the first row."""

    def show(self, messages: Sequence[Spoken], phrase: str = "") -> None:
        """Show messages; `phrase` is marked in the one that matches."""
        if (messages, phrase) != (self._messages, self._phrase):
            self._messages, self._phrase = messages, phrase
            self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the messages out for the new size."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.content_size.width
        if width < 10:
            return
        lines: list[Line] = []
        start = 0  # of the last question
        match: int | None = None
        for message in self._messages:
            if message.role == "user":
                start = len(lines)
            laid = _lines(message, self._phrase, width)
            if message.matches:
                hits = (n for n, line in enumerate(laid) if _is_marked(line))
                match = len(lines) + next(hits, 0)
            lines += [*laid, BLANK]
        if match is not None:
            start = match - _ABOVE
        self._lines = lines
        self._first = self._within(start)
        self.refresh()

    def _within(self, first: int) -> int:
        return max(0, min(first, len(self._lines) - self.content_size.height))

    def scroll_rows(self, rows: int) -> None:
        """Scroll down by `rows`, up if they are negative, as far as there is text."""
        first = self._within(self._first + rows)
        if first != self._first:
            self._first = first
            self.refresh()

    def scroll_pages(self, pages: int) -> None:
        """Scroll by pages; two rows of the old page stay."""
        self.scroll_rows(pages * max(1, self.content_size.height - 2))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        event.prevent_default()
        self.scroll_rows(-_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        event.prevent_default()
        self.scroll_rows(_WHEEL)

    def render_line(self, y: int) -> Strip:
        """Return a row; the border and the padding are Textual's."""
        style = Palette(self, self.LOOKS).style
        number = self._first + y
        line = self._lines[number] if number < len(self._lines) else BLANK
        strip = Strip([Segment(text, style(look)) for text, look in line.spans])
        return strip.adjust_cell_length(self.content_size.width, style(line.fill))


def _lines(message: Spoken, phrase: str, width: int) -> list[Line]:
    """Return the lines of a message as the conversation shows it."""
    from tui.app.markdown.stream import Stream  # slow to import

    begin = 0
    if message.matches and phrase:
        # A match far down in a long message: what is above it is not laid out.
        at = message.text.casefold().find(phrase.casefold())
        begin = max(0, at - LAID_OUT // 2)
    end = begin + LAID_OUT
    text = safe(message.text[begin:end]).strip()
    text += "\n\n…" if message.text[end:].strip() else ""
    if message.role == "user":
        bar: tuple[Span, ...] = (("▌ ", ("user", "bar")),)
        rows = to_lines(wrap(((text, ("user",)),), width - 2))
        lines = indent(rows, bar, bar, fill=("user",))
    else:
        stream = Stream(width - 2)
        stream.append(text)
        stream.finish()
        gap: tuple[Span, ...] = (("  ", ()),)
        lines = indent(stream.lines, gap, gap)
    if message.matches and phrase:
        lines = [_marked(line, phrase) for line in lines]
    return lines


def _marked(line: Line, phrase: str) -> Line:
    """Mark each place of `phrase` in a line; one that is wrapped is not found."""
    text, wanted = line.text.casefold(), phrase.casefold()
    if len(text) != len(line.text) or wanted not in text:
        return line
    places: set[int] = set()
    at = text.find(wanted)
    while at >= 0:
        places.update(range(at, at + len(wanted)))
        at = text.find(wanted, at + len(wanted))
    spans: list[Span] = []
    offset = 0
    for piece, look in line.spans:
        for n, character in enumerate(piece, offset):
            style = (*look, "hit") if n in places else look
            if spans and spans[-1][1] == style:
                spans[-1] = (spans[-1][0] + character, style)
            else:
                spans.append((character, style))
        offset += len(piece)
    return line._replace(spans=tuple(spans))


def _is_marked(line: Line) -> bool:
    return any("hit" in look for _, look in line.spans)
