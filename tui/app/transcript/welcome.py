"""Lays out what a conversation shows before its first message.

The app's name, what it is, the model, what was found on this machine, the conversations
used last, and things to try. Small windows get less of it, the least important first.
"""

from collections.abc import Iterator, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from tui.app.markdown import BLANK, Line, Span
from tui.app.markdown.lines import cut
from tui.app.transcript.item import GUTTER, Item, gutter, not_shown
from tui.i18n import N_, _
from tui.safe import safe

NAME = "l a z y c h a t"
WHAT = N_("answers that outlive your SSH connection")
_BRIEFLY = N_("outlives your SSH connection")
_APART = "  "
"""Stands between texts of one row, of which only those that fit are shown."""
_LABEL = 9
"""Columns of the labels."""
_WIDEST = 76
_SHORTEST = 16
"""Columns of a text beside which the keys have a column of their own."""


class Row(msgspec.Struct, frozen=True):
    """A line: a label, a text, and a key with what it does."""

    label: str
    text: str
    key: str = ""
    does: str = ""
    importance: int = 0
    """Rows of a lower importance are left out first."""


class Welcome(Item):
    """The empty state of one conversation."""

    passing = True

    def __init__(self, *, first: bool) -> None:
        """With `first` show the app's name: a new conversation later does not."""
        super().__init__()
        self.rows: Sequence[Row] = ()
        self.room = 20
        """Rows of the pane."""
        self._first = first
        self._lines: list[Line] = []
        self._clickable: dict[int, Row] = {}
        """The rows by the numbers of their lines."""

    @property
    def source(self) -> str:
        """Nothing: it is not a message."""
        return ""

    def resize(self, width: int) -> None:
        """Drop all lines for a new width."""
        self.width = width
        self.failed = False
        self.lay_out()

    def lay_out(self) -> None:
        """Create the lines for `width` and `room`."""
        try:
            self._lines = self._laid_out() if self.width else []
        except Exception as error:
            self.fail(error)
        else:
            self.height = len(self._lines) + 1
            self.exact = True

    def fail(self, error: Exception) -> None:
        """Replace all lines with a report of `error`."""
        self._lines = not_shown(error, self.width)
        self.height = len(self._lines) + 1
        self.exact = self.failed = True

    def line(self, number: int) -> Line:
        """Return a line; BLANK for a number out of range."""
        return self._lines[number] if 0 <= number < len(self._lines) else BLANK

    def clicked(self, number: int, x: int) -> tuple[str, str]:
        """Return what is at column `x` of a line: a row's key, or a text to send."""
        row = self._clickable.get(number)
        if row is None or row.key:
            return row.key if row else "", ""
        line = self.line(number).text
        for text in row.text.split(_APART):
            begin = cell_len(line[: line.find(text)]) if text in line else x + 1
            if begin <= x < begin + cell_len(text):
                return "", text.strip("“”")
        return "", ""

    def _laid_out(self) -> list[Line]:
        width = min(self.width - GUTTER - 1, _WIDEST)
        head = list(self._head(width))
        rows = self._fitting(self.room - len(head) - 1)
        body = [line for row in rows for line in self._row(row, rows, width)]
        above = max(0, (self.room - len(head) - len(body)) // 3)
        self._clickable = dict(enumerate(rows, above + len(head)))
        side = " " * ((self.width - GUTTER - 1 - width) // 2)
        shown = [_indented(line, side) if line.spans else line for line in head + body]
        return gutter([_bare(line) for line in [BLANK] * above + shown], "", ())

    def _head(self, width: int) -> Iterator[Line]:
        if self._first and self.room >= 8:
            what = next(
                (t for t in map(_, (WHAT, _BRIEFLY)) if cell_len(t) < width), ""
            )
            for text, look in ((NAME, "name"), (what, "what")):
                if not text:
                    continue
                left = max((width - cell_len(text)) // 2, 0)
                yield Line(cut(((" " * left, ()), (text, ("welcome", look))), width))
            yield BLANK

    def _fitting(self, room: int) -> list[Row]:
        rows = list(self.rows)
        while len(rows) > max(room, 1):
            least = min(range(len(rows)), key=lambda n: (rows[n].importance, -n))
            del rows[least]
        return rows

    def _row(self, row: Row, rows: Sequence[Row], width: int) -> Iterator[Line]:
        place = rows.index(row)
        label = "" if place and rows[place - 1].label == row.label else row.label
        left: Span = (set_cell_size(safe(label), _LABEL), ("welcome", "label"))
        text = safe(row.text, newlines=False)
        keys: list[Span] = []
        if row.key:
            keys = [(row.key, ("welcome", "key")), (f" {row.does}", ("footer",))]
        room = width - _LABEL - 2
        while _APART in text and not keys and cell_len(text) > room:
            text = text.rpartition(_APART)[0]
        column = max(map(_keys_width, rows))
        if keys and room - column >= _SHORTEST:
            text = cut(((text, ()),), room - column)[0][0]
            text = set_cell_size(text, room - column) + "  "
        elif keys:
            text = cut(((text, ()),), max(room - _keys_width(row), 4))[0][0] + "  "
        yield Line(cut((left, (text, ("welcome", "text")), *keys), width))


def _keys_width(row: Row) -> int:
    return cell_len(f"{row.key} {row.does}") if row.key else 0


def _indented(line: Line, side: str) -> Line:
    return line._replace(spans=((side, ()), *line.spans)) if side else line


def _bare(line: Line) -> Line:
    """Return a line of which nothing is copied."""
    return line._replace(glue="", lead=len(line.text))
