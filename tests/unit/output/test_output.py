"""What the terminal shows after the stage's bytes is what it shows after Textual's."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from support.emulators import Emulator, Pyte, Vterm, find_vterm
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.app.terminal.cells import CellMaker, is_fragile
from tui.app.terminal.cursor_moves import EDGE, Place, move
from tui.app.terminal.painter import Abilities, Painter
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.surface import Surface

WIDTH, HEIGHT = 24, 8
ALL = Abilities(True, True, True)

EMULATORS = [
    pytest.param(Pyte, id="pyte"),
    pytest.param(
        Vterm,
        id="libvterm",
        marks=pytest.mark.skipif(not find_vterm(), reason="libvterm is not installed"),
    ),
]

STYLES = [
    Style(),
    Style(color="#dcdee3", bgcolor="#1a1b1e"),
    Style(color="#8fc0e0", bgcolor="#1a1b1e", bold=True),
    Style(color="#8fc0e0", bgcolor="#23242d", italic=True, underline=True),
    Style(bgcolor="#23242d", strike=True),
    Style(color="red", reverse=True),
    Style(color="bright_blue", bgcolor="color(42)", bold=True),
    Style(color="#e6b678", bgcolor="#1a1b1e", link="https://example.com"),
]
WORDS = ["a", "token", " ", "   ", "          ", "│", "…", "中文", "日", "é", "─" * 4]

segments = st.tuples(st.sampled_from(WORDS), st.sampled_from(STYLES)).map(
    lambda pair: Segment(*pair)
)


def to_strip(parts: list[Segment], width: int = WIDTH) -> Strip:
    return Strip(parts).adjust_cell_length(width, STYLES[1])


strips = st.lists(segments, max_size=6).map(to_strip)


class Both:
    """The same screens on two emulators: by the stage, and by Textual."""

    def __init__(
        self,
        make: Callable[[int, int], Emulator],
        width: int = WIDTH,
        height: int = HEIGHT,
        abilities: Abilities = ALL,
        colours: ColorSystem = ColorSystem.TRUECOLOR,
    ) -> None:
        self.make = make
        self.width, self.height = width, height
        self.pens = PenBook(colours)
        name = {ColorSystem.STANDARD: "standard", ColorSystem.EIGHT_BIT: "256"}
        self.console = Console(
            color_system=name.get(colours, "truecolor"),  # type: ignore[arg-type]: a str
            force_terminal=True,
        )
        self.surface = Surface(width, height, CellMaker(self.pens))
        self.painter = Painter(width, height, self.pens, abilities)
        self.ours = make(width, height)
        self.written = 0

    def show(self, rows: list[Strip]) -> str:
        update = LayoutUpdate([[row] for row in rows], Region(0, 0, self.width, 99))
        self.surface.take(update)
        frame = self.painter.paint(self.surface.rows, (2, self.height - 1))
        self.ours.feed(frame)
        self.rows = rows
        return frame

    def check(self) -> None:
        theirs = self.make(self.width, self.height)
        update = LayoutUpdate([[row] for row in self.rows], Region(0, 0, 0, 0))
        theirs.feed(update.render_segments(self.console).replace("\n", ""))
        for y, (row, expected) in enumerate(
            zip(self.ours.rows(), theirs.rows(), strict=True)
        ):
            assert row == expected, f"row {y}"


@pytest.mark.parametrize("make", EMULATORS)
@given(screens=st.lists(st.lists(strips, min_size=8, max_size=8), max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_screens_look_as_textual_draws_them(make, screens: list[list[Strip]]):
    both = Both(make)

    for screen in screens:
        both.show(screen)
        both.check()


@pytest.mark.parametrize("make", EMULATORS)
@given(
    lines=st.lists(strips, min_size=12, max_size=30),
    steps=st.lists(st.integers(-5, 5), max_size=5),
    beside=st.lists(segments, max_size=2),
)
@settings(max_examples=40, deadline=None)
def test_scrolled_rows_look_as_textual_draws_them(
    make, lines: list[Strip], steps: list[int], beside: list[Segment]
):
    """Numbered, so that rows are known again; with something static beside them."""
    both = Both(make)
    static = to_strip(beside, 6)
    numbered = [
        Strip.join([to_strip([Segment(f"{n:2}", STYLES[2]), *line], 18), static])
        for n, line in enumerate(lines)
    ]
    at = 0

    for step in [0, *steps]:
        at = max(0, min(at + step, len(lines) - HEIGHT))
        both.show(numbered[at : at + HEIGHT])
        both.check()


@pytest.mark.parametrize("make", EMULATORS)
@pytest.mark.parametrize(
    "abilities",
    [
        Abilities(),
        Abilities(back_colour_erase=True),
        Abilities(erase_characters=True, line_feed_returns=True),
    ],
)
@given(screens=st.lists(st.lists(strips, min_size=8, max_size=8), max_size=3))
@settings(max_examples=20, deadline=None)
def test_terminals_of_fewer_abilities_look_alike(make, abilities, screens):
    both = Both(make, abilities=abilities)
    if not abilities.line_feed_returns:
        # Then the tty does nothing either.
        feed = both.ours.feed
        both.ours.feed = lambda data: feed(data.replace("\r\n", "\n"))

    for screen in screens:
        both.show(screen)
        both.check()


@pytest.mark.parametrize("make", EMULATORS)
def test_a_wide_character_at_the_edge_leaves_the_column_open(make):
    """libvterm's cursor stays on its first column, others' on its second."""
    both = Both(make, abilities=Abilities(back_colour_erase=True))
    blank = to_strip([])
    plain = Style()
    above = to_strip([Segment(" " * 23, plain), Segment("a", STYLES[2])])
    wide = to_strip([Segment("all of one pen first  中", plain)])
    both.show([*[blank] * 7, to_strip([Segment("a", plain)])])

    both.show([*[blank] * 5, above, wide, blank])

    both.check()


def _fresh(style: Style | None) -> Style:
    copy = (style or Style()).copy()
    copy._ansi = None  # rich remembers the codes, whatever the number of colours
    return copy


@pytest.mark.parametrize("make", EMULATORS)
@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.EIGHT_BIT])
@given(screen=st.lists(strips, min_size=8, max_size=8))
@settings(max_examples=30, deadline=None)
def test_fewer_colours_are_those_textual_would_choose(make, colours, screen):
    fresh = [Strip([Segment(s.text, _fresh(s.style)) for s in row]) for row in screen]
    both = Both(make, colours=colours)

    both.show(fresh)

    both.check()


@pytest.mark.parametrize("make", EMULATORS)
def test_a_resized_terminal_is_drawn_anew(make):
    both = Both(make)
    screen = [to_strip([Segment(f"row {n}", STYLES[2])]) for n in range(HEIGHT)]
    both.show(screen)
    both.ours.feed("\x1b[3;3Hgarbage\x1b[0m")

    both.painter.forget()
    both.show(screen)

    both.check()


@pytest.mark.parametrize("make", EMULATORS)
@given(
    before=st.lists(segments, max_size=4),
    emoji=st.sampled_from(["👩‍👩‍👧", "🇩🇪", "❤️", "👍🏽", "é", "🙂"]),
    after=st.lists(segments, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_what_stands_after_joined_emoji_stands_where_it_belongs(
    make, before: list[Segment], emoji: str, after: list[Segment]
):
    """Emulators disagree how wide these are; the sidebar must not move with it."""
    both = Both(make)
    blank = [to_strip([])] * (HEIGHT - 1)
    sidebar = Segment("│side", STYLES[2])
    joined = Strip(
        [*to_strip([*before, Segment(emoji, STYLES[1]), *after], 18), sidebar]
    )
    plain = Strip([*to_strip(before, 18), sidebar])
    both.show([plain, *blank])

    both.show([joined.adjust_cell_length(WIDTH, STYLES[1]), *blank])

    shown = "".join(cell.text for cell in both.ours.rows()[0][18:23])
    assert shown == "│side"
    both.show([plain.adjust_cell_length(WIDTH, STYLES[1]), *blank])
    both.check()


def test_nothing_changed_writes_nothing():
    both = Both(Pyte)
    screen = [to_strip([Segment("same", STYLES[2])])] * HEIGHT
    both.show(screen)

    again = both.show([to_strip([Segment("same", STYLES[2])])] * HEIGHT)

    assert again == ""


def test_a_word_more_costs_its_letters_and_a_move():
    both = Both(Pyte)
    blank = [to_strip([])] * (HEIGHT - 1)
    both.show([to_strip([Segment("one", STYLES[1])]), *blank])
    both.show([to_strip([Segment("one two", STYLES[1])]), *blank])

    frame = both.show([to_strip([Segment("one two three", STYLES[1])]), *blank])

    assert len(frame) <= len("three") + 8


def test_scrolling_costs_less_than_the_rows():
    both = Both(Pyte)
    lines = [to_strip([Segment(f"{n} of many lines", STYLES[1])]) for n in range(20)]
    both.show(lines[:HEIGHT])

    frame = both.show(lines[1 : HEIGHT + 1])

    assert "\x1b[M" in frame
    assert len(frame) < 60


def test_controls_in_a_strip_never_reach_the_terminal():
    both = Both(Pyte)

    frame = both.show([to_strip([Segment("a\x1b]0;x\x07b", STYLES[1])])] * HEIGHT)

    assert "\x1b]" not in frame
    assert "\x07" not in frame


@given(
    start=st.tuples(st.integers(0, 7), st.integers(-2, 23).filter(lambda x: x != -1)),
    end=st.tuples(st.integers(0, 7), st.integers(0, 23)),
)
def test_moves_end_where_they_should(start: tuple[int, int], end: tuple[int, int]):
    terminal = Pyte(WIDTH, HEIGHT)
    y, x = start
    terminal.feed(f"\x1b[{y + 1};{(WIDTH if x == EDGE else x + 1)}H")
    if x == EDGE:
        terminal.feed("x")

    last = Place(HEIGHT - 1, WIDTH - 1)
    terminal.feed(move(Place(y, x), Place(*end), last, onlcr=True))

    cursor = terminal.screen.cursor
    assert (cursor.y, min(cursor.x, WIDTH - 1)) == end


@pytest.mark.parametrize("text", ["plain", "│ ─ … •", "中文", "é and ü", "▁▂▃"])
def test_ordinary_text_is_not_taken_for_disputed(text: str):
    assert not is_fragile([text])


@pytest.mark.parametrize("text", ["👩‍👩‍👧", "🇩🇪", "❤️", "e\u0301", "नमस्ते", "1️⃣"])
def test_text_of_disputed_width_is_known(text: str):
    assert is_fragile([text])


def test_of_bold_and_dim_either_can_end_alone():
    """One code ends both, so the other has to begin again."""
    pens = PenBook(ColorSystem.TRUECOLOR)
    both, dim = pens.pen(3, "31", "41", ""), pens.pen(2, "31", "41", "")

    assert both.to(dim) == "\x1b[22;2m"
