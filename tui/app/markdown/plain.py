"""Lays out text that is not Markdown: the user's messages and reasoning."""

from tui.app.markdown.lines import Flow, Line, Style, to_lines
from tui.safe import safe


class PlainStream:
    """Lays out plain text that may still grow; has the interface of `Stream`."""

    def __init__(self, width: int, style: Style = ()) -> None:
        self.lines: list[Line] = []
        self._style = style
        self._flow = Flow(max(width, 1))
        self._new: list[str] = []

    def append(self, text: str) -> None:
        """Add text in pieces of any size; `update` lays it out."""
        if text:
            self._new.append(text)

    def update(self) -> int:
        """Lay out added text; return the first line that may have changed."""
        if not self._new:
            return len(self.lines)
        first = len(self._flow.rows)
        self._flow.extend([(safe("".join(self._new)), self._style)])
        self._new.clear()
        self.lines[first:] = to_lines(
            [*self._flow.rows[first:], *self._flow.preview(())]
        )
        return first

    def finish(self) -> int:
        """Lay out the rest, as no more text will come; drop blank lines at the end."""
        first = self.update()
        while self.lines and not self.lines[-1].spans:
            self.lines.pop()
        return min(first, len(self.lines))
