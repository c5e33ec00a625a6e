"""Laws of the lines that lists are made of."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.app.dialogs.command_palette import CommandRows
from tui.app.history.list import HistoryList
from tui.app.markdown.lines import Span, beside, cut
from tui.app.widgets.command_menu import CommandMenu
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.entry_list import Rows, wrap
from tui.app.widgets.file_menu import FileMenu
from tui.app.widgets.palette import CHOSEN
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.safe import safe

words = st.text("ab 你好é😀…").map(lambda text: safe(text, newlines=False))
widths = st.integers(0, 30)


@given(st.lists(words), widths)
def test_what_is_cut_fits_and_says_that_it_is_cut(texts: list[str], width: int):
    spans: tuple[Span, ...] = tuple((text, ()) for text in texts)

    text = "".join(text for text, _ in cut(spans, width))

    assert cell_len(text) <= width
    whole = "".join(texts)
    assert text == whole or text.endswith("…") or width == 0


@given(words, words, widths)
def test_what_stands_at_the_end_of_a_line_is_whole(left: str, right: str, width: int):
    line = beside(((left, ()),), ((right, ()),), width)

    assert line.text.endswith(right)
    assert cell_len(line.text) == max(width, cell_len(right))
    room = width - cell_len(right) - 1
    assert line.text.startswith(left) or cell_len(left) > room


@given(words, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int):
    lines = wrap(text, width)

    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_cut_keeps_looks_and_whole_wide_characters():
    spans = (("你好", ("a",)), ("世界", ("b",)))

    assert cut(spans, 8) == spans
    assert cut(spans, 7) == (("你好", ("a",)), ("世…", ("b",)))
    assert cut(spans, 6) == (("你好", ("a",)), ("…", ("b",)))


def test_the_chosen_row_has_one_look_in_every_list():
    """The only one whose contrast is tested; muted text on a tint was not."""
    looks = [kind.LOOKS for kind in (Rows, HistoryList, CommandRows, FileMenu)]
    looks += [CommandMenu.LOOKS, ToolSidebar.LOOKS, DebugPanel.LOOKS]

    assert {each.get("cursor", each.get("chosen")) for each in looks} == {CHOSEN}
