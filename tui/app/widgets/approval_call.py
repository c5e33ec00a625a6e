"""What the approval dialog shows: the exact call, and what may be answered."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from tui.app.markdown.lines import Line, Span, Style
from tui.app.widgets.entry_list import Entry
from tui.conversation.approvals import lines_of_command
from tui.events import ApprovalGiven, ApprovalRequested
from tui.grants import ASKS_AGAIN
from tui.i18n import _
from tui.safe import safe, spelled_out


class Answer(NamedTuple):
    """An answer that the user may give, with its key."""

    key: str
    text: str
    short: str
    """What it means in one word, for a screen without room for `text`."""
    given: ApprovalGiven | None
    """None if a reason is asked for first."""


def answers(asked: ApprovalRequested) -> list[Answer]:
    """Return the answers to a question, the narrowest permission first."""
    id, name = asked.call_id, safe(asked.tool, newlines=False)
    given = [
        Answer("y", _("allow once"), _("once"), ApprovalGiven(id, True)),
        Answer(
            "c",
            _("allow {name} in this conversation").format(name=name),
            _("here"),
            ApprovalGiven(id, True, "conversation"),
        ),
    ]
    where = (
        _(" in {folder}").format(folder=spelled_out(_short(asked.folder)))
        if asked.folder
        else ""
    )
    if asked.may_keep and asked.pattern:
        always = ApprovalGiven(id, True, "always", pattern=asked.pattern)
        text = _("always allow “{pattern}”{where}").format(
            pattern=spelled_out(asked.pattern), where=where
        )
        given.append(Answer("p", text, _("pattern"), always))
    if asked.may_keep:
        always = ApprovalGiven(id, True, "always")
        given.append(
            Answer(
                "t",
                _("always allow {name}{where}").format(name=name, where=where),
                _("always"),
                always,
            )
        )
    return [*given, Answer("d", _("deny"), _("deny"), None)]


def _short(folder: str) -> str:
    """Return a folder as a user writes it."""
    home = str(Path.home())
    return f"~{folder[len(home) :]}" if f"{folder}/".startswith(f"{home}/") else folder


class Effect(Entry):
    """The effect of a call, row by row; every character of it is shown."""

    def __init__(self, asked: ApprovalRequested) -> None:
        self._asked = asked
        self._width = 0
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        """Return the number of rows."""
        if width != self._width:
            self._width = width
            self._lines = list(self._made(max(width, 4)))
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        """Return a row."""
        return self._lines[number]

    @property
    def rows(self) -> int:
        """The number of rows at the width that was last asked for."""
        return len(self._lines)

    def _made(self, width: int) -> Iterator[Line]:
        asked = self._asked
        command = asked.kind == "command"
        if asked.asks_again:
            yield from _rows(_(ASKS_AGAIN), width, "  ", ("gutter",))
        if asked.kind == "diff" and asked.subject:
            yield from _rows(spelled_out(asked.subject), width, "  ", ("exact",))
        own = lines_of_command(asked) if command else 0
        for number, text in enumerate(spelled_out(asked.text).split("\n")):
            gutter = ("> " if number else "$ ") if number < own else "  "
            look = _look(asked.kind, text) if number < own or not command else ()
            yield from _rows(text, width, gutter, look)


class Meaning(Entry):
    """What the keys mean, below a call on a screen without room for it."""

    def __init__(self, answers: tuple[Answer, ...]) -> None:
        self._answers = answers
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        """Return the number of rows."""
        width = max(width, 4)
        self._lines = [Line((("", ()),))]
        for answer in self._answers:
            self._lines += _rows(answer.text, width, f"{answer.key} ", ())
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        """Return a row."""
        return self._lines[number]


def _rows(text: str, width: int, gutter: str, style: Style) -> Iterator[Line]:
    for number, row in enumerate(_broken(text, width - 2)):
        # A continued row is marked: it must not look like a line of its own.
        yield Line(((("└ " if number else gutter), ("gutter",)), (row, style)))


def _broken(text: str, width: int) -> Iterator[str]:
    """Yield rows of at most `width` cells that are `text`, side by side.

    A row ends before a space if there is one in its second half. The space begins the
    next row, so that a word that had to be broken differs from two words.
    """
    start = 0
    while True:
        # Only a piece, as a call may be a single line of a megabyte.
        piece = text[start : start + 4 * width]
        row = chop_cells(piece, width)[0] if piece else ""
        end = start + len(row)
        if end >= len(text):
            break
        space = row.rfind(" ", len(row) // 2)
        if space > 0 and text[end] != " ":
            end = start + space
        yield text[start:end]
        start = end
    yield text[start:]


def _look(kind: str, text: str) -> Style:
    if kind != "diff":
        return ("exact",) if kind in ("command", "address") else ()
    if text.startswith(("+++", "---")):
        return ("gutter",)
    looks = {"+": "inserted", "-": "deleted", "@": "place"}
    return (looks[text[0]],) if text[:1] in looks else ()


def flowing(
    answers: Sequence[tuple[str, str]], width: int, gap: int, look: str, key_look: str
) -> list[list[Span]]:
    """Return keys with what they mean, in as many rows as they need."""
    width = max(width, 12)
    rows: list[list[Span]] = []
    room = 0
    for key, text in answers:
        size = cell_len(key) + 1 + cell_len(text)
        if size + gap > room:
            rows.append([])
            room = width + gap
        else:
            rows[-1].append((" " * gap, ()))
        # All of a long pattern is shown, as all of it would be allowed.
        first, *others = chop_cells(text, width - cell_len(key) - 1)
        rows[-1] += [(key, (key_look,)), (" ", ()), (first, (look,))]
        rows += [[("  ", ()), (other, (look,))] for other in others]
        room -= size + gap
    return rows
