"""What the screen looks like where there are few colours, or none."""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from pyte.screens import Char
from rich.color import ColorSystem
from rich.style import Style
from support import ROOT
from support.start import Start, ask
from support.terminal import Terminal

from tui.app.terminal.capabilities import Looks
from tui.app.terminal.reduced_colours import FewPens
from tui.app.terminal.sgr import BOLD, REVERSE
from tui.app.themes import load_themes

STANDARD, EIGHT_BIT, TRUECOLOR = "STANDARD", "EIGHT_BIT", "TRUECOLOR"
EVERYTHING = (
    "# Title\n\nSome **bold**, *italic*, `code`, ~~gone~~ and [a link](http://x.y/z)\n\n"
    "> quoted\n\n| a | b |\n|---|---|\n| x1 | y1 |\n\n"
    "```python\ndef f(a):  # comment\n    return 'str' + 12\n```\n\ntheend\n"
)


def sgr(raw: bytes) -> set[str]:
    """Return the parameters of all SGR sequences, a colour's together."""
    found: set[str] = set()
    for sequence in re.findall(r"\x1b\[([\d;]*)m", raw.decode()):
        found |= set(re.findall(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+", sequence))
    return found


# -- what the terminal is taken for


KNOWN = {
    "xterm-256color COLORTERM=truecolor": (TRUECOLOR, True, False),
    "xterm-256color COLORTERM=24bit": (TRUECOLOR, True, False),
    "xterm-256color": (EIGHT_BIT, True, False),
    "xterm": (STANDARD, True, False),
    "xterm COLORTERM=truecolor": (TRUECOLOR, True, False),
    "tmux-256color": (EIGHT_BIT, True, False),
    "screen-256color": (EIGHT_BIT, False, False),
    "screen": (STANDARD, False, False),
    # GNU screen leaves COLORTERM as it was outside; tmux translates colours.
    "screen COLORTERM=truecolor": (STANDARD, False, False),
    "screen-256color COLORTERM=truecolor": (EIGHT_BIT, False, False),
    "screen-256color COLORTERM=truecolor TMUX=x": (TRUECOLOR, False, False),
    "linux": (STANDARD, False, True),
    "linux COLORTERM=truecolor": (STANDARD, False, True),
    "vt100": (None, False, True),
    # Without an entry, as on a host that is older than the terminal.
    "xterm-someday-kitty": (EIGHT_BIT, True, False),
    "someday-256color": (EIGHT_BIT, True, False),
    "someday-direct": (TRUECOLOR, True, False),
    "someday": (STANDARD, True, False),
}
"""TERM and more of the environment: colours, italics, whether it is plain."""

# curses loads one entry in the life of a process.
LOOK_AT_EACH = """
import os, sys
from tui.app.terminal.capabilities import looks
for case in sys.argv[1:]:
    if not os.fork():
        term, *more = case.split()
        os.environ.update(TERM=term, **dict(each.split("=") for each in more))
        colours, *rest = looks(0)
        print((colours and colours.name, *rest), flush=True)
        os._exit(0)
    os.wait()
"""


def test_colours_are_those_of_the_terminal() -> None:
    env = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}

    done = subprocess.run(
        [sys.executable, "-c", LOOK_AT_EACH, *KNOWN],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    found = dict(zip(KNOWN, done.stdout.splitlines(), strict=True))
    assert found == {case: str(looks) for case, looks in KNOWN.items()}


# -- pens

FOREGROUNDS = {
    "#dcdee3": "97",
    "#a3a7b0": "37",
    "#4a4d55": "90",
    "#1a1b1e": "30",
    "#ee8d88": "91",
    "#93c48b": "92",
    "#dfc07a": "93",
    "#87afd7": "96",
    "#d7af87": "93",
    "#b3a1d8": "94",
    "#d787d7": "95",
    "#803030": "31",
}


@pytest.mark.parametrize("colour", FOREGROUNDS)
def test_of_16_colours_each_keeps_its_hue(colour: str) -> None:
    pens = FewPens(Looks(ColorSystem.STANDARD), lambda: True)

    assert pens.of(Style(color=colour)).fore == FOREGROUNDS[colour]


def test_a_colour_of_the_terminals_own_stays() -> None:
    pens = FewPens(Looks(ColorSystem.STANDARD), lambda: True)

    assert pens.of(Style(color="red", bgcolor="bright_blue")).fore == "31"
    assert pens.of(Style(color="red", bgcolor="bright_blue")).back == "104"


def test_on_a_light_ground_colours_are_the_darker_ones() -> None:
    pens = FewPens(Looks(ColorSystem.STANDARD), lambda: False)

    assert pens.of(Style(color="#e02020")).fore == "31"


def test_without_italics_the_rest_of_the_style_stays() -> None:
    pens = FewPens(Looks(ColorSystem.EIGHT_BIT, italic=False), lambda: True)

    pen = pens.of(Style(color="#ffffff", bold=True, italic=True))

    assert pen.attributes == BOLD
    assert pen.fore == "38;5;231"


@pytest.mark.parametrize(
    ("dark", "normal", "cursor", "selection"),
    [
        (True, ("#dcdee3", "#1a1b1e"), ("#1a1b1e", "#dcdee3"), ("#e6e8ec", "#3f5a6e")),
        (False, ("#26282c", "#ffffff"), ("#ffffff", "#26282c"), ("#26282c", "#b5d3e7")),
    ],
    ids=["dark", "light"],
)
def test_without_colours_what_stood_out_is_reversed(
    dark: bool,
    normal: tuple[str, str],
    cursor: tuple[str, str],
    selection: tuple[str, str],
) -> None:
    pens = FewPens(Looks(None), lambda: dark)

    seen = [
        pens.of(Style(color=fore, bgcolor=back))
        for fore, back in (normal, cursor, selection)
    ]

    assert [pen.attributes for pen in seen] == [0, REVERSE, REVERSE]
    assert {(pen.fore, pen.back) for pen in seen} == {("", "")}


def test_an_address_is_not_sent_where_it_would_be_shown() -> None:
    pens = FewPens(Looks(ColorSystem.STANDARD, plain=True), lambda: True)

    assert pens.of(Style(link="http://x.y/z")).link == ""


# -- the app


def readable(char: Char, *, own: bool = False) -> bool:
    """Whether the contrast is 3 at least, in the colours of xterm.

    With `own`, the program has left text or ground to the terminal on purpose.
    """
    fore, back = char.fg, char.bg
    if own:
        fore = "white" if fore == "default" else fore
        back = "black" if back == "default" else back
    if "default" in (fore, back):
        return fore == back
    light, dark = sorted(map(luminance, (fore, back)), reverse=True)
    return (light + 0.05) / (dark + 0.05) >= 3


XTERM = {
    "black": "000000",
    "red": "cd0000",
    "green": "00cd00",
    "brown": "cdcd00",
    "blue": "0000ee",
    "magenta": "cd00cd",
    "cyan": "00cdcd",
    "white": "e5e5e5",
    "brightblack": "7f7f7f",
    "brightred": "ff0000",
    "brightgreen": "00ff00",
    "brightbrown": "ffff00",
    "brightblue": "5c5cff",
    "brightmagenta": "ff00ff",
    "brightcyan": "00ffff",
    "brightwhite": "ffffff",
}


def luminance(name: str) -> float:
    code = XTERM.get(name, name)
    parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def unreadable(terminal: Terminal, *, own: bool = False) -> str:
    """Return the letters and digits on the screen that cannot be read."""
    chars = [char for y in range(terminal.rows) for char in terminal.cells(y)]
    return "".join(
        c.data for c in chars if c.data.isalnum() and not readable(c, own=own)
    )


@pytest.mark.parametrize(
    ("term", "theme"),
    [*product(["xterm-256color", "linux"], (theme.name for theme in load_themes()[0]))],
)
def test_all_can_be_read_and_nothing_is_sent_that_the_terminal_does_not_know(
    start: Start, term: str, theme: str
) -> None:
    script = [{"steps": [{"reasoning": "Hm."}, {"call": "nosuch", "arguments": {}}]}]
    script += [{"text": EVERYTHING}, {"steps": [{"error": "bad"}]}]
    terminal = start(
        script,
        columns=120,
        rows=40,
        config={"theme": theme},
        environment={"TERM": term, "COLORTERM": ""},
    )
    terminal.press("f3")
    ask(terminal, "Show")
    terminal.wait_for("theend")
    ask(terminal, "Again")
    terminal.wait_for("bad")
    terminal.settle()

    assert unreadable(terminal, own=theme == "terminal") == ""
    sent = sgr(bytes(terminal.raw))
    assert not [code for code in sent if code.startswith(("38;2", "48;2"))]
    if term != "xterm-256color":
        assert {int(code) for code in sent} <= {*range(10), *range(22, 30), *SIXTEEN}
    assert ("3" in sent) is (term != "linux")


@pytest.mark.parametrize(
    ("term", "theme"),
    [*product(["xterm-256color", "linux"], (theme.name for theme in load_themes()[0]))],
)
def test_each_dialog_can_be_read(
    start: Start, home: Path, term: str, theme: str
) -> None:
    """What is below a dialog is dimmed, so only the dialog itself is looked at."""
    file = home.parent / "work/client.py"
    file.parent.mkdir()
    file.write_text(NUMBERS + "TIMEOUT = 5\n" + NUMBERS)
    edit = {"path": str(file), "old": "TIMEOUT = 5", "new": "TIMEOUT = 30"}
    script = [
        {"steps": [{"call": "edit_file", "arguments": edit}]},
        {"text": "As you like."},
        {"steps": [{"text": "Slowly"}, {"wait_for": "never"}]},
    ]
    terminal = start(
        script,
        columns=100,
        rows=40,
        config={"theme": theme, "tools": {"folders": [str(file.parent)]}},
        environment={"TERM": term, "COLORTERM": "", "LAZYCHAT_PROBE": "off"},
    )
    own = theme == "terminal"
    ask(terminal, "Edit it")
    terminal.wait_for("Allow edit_file?")
    terminal.wait_for("+TIMEOUT = 30")
    terminal.settle()
    faults = {"approval": framed(terminal, "Allow edit_file?", own=own)}
    terminal.press("escape")
    terminal.wait_for(lambda t: "needs your answer" not in t.row(-1))
    for how, title in DIALOGS.items():
        if how.startswith("/"):
            ask(terminal, how)
        else:
            terminal.press(how)
        terminal.wait_for(title)
        terminal.settle()
        faults[title] = framed(terminal, title, own=own)
        terminal.press("escape")
        terminal.wait_for(lambda t, title=title: title not in t.text)
    ask(terminal, "Go on")
    terminal.wait_for("As you like.")
    ask(terminal, "And on")
    terminal.wait_for("Slowly")
    terminal.press("ctrl+q")
    terminal.wait_for("Stop and quit")
    terminal.settle()
    faults["quit"] = framed(terminal, "Quit?", own=own)

    assert {name: text for name, text in faults.items() if text} == {}


NUMBERS = "".join(f"LINE_{n} = {n}\n" for n in range(4))
DIALOGS = {
    "f1": "Keys and commands",
    "ctrl+p": "Commands",
    "ctrl+l": "Choose a model",
    "/setup": "Set up a model",
    "/theme": "Choose a theme",
    "/agent": "Choose how answers are made",
    "/cost": "Tokens and cost",
    "ctrl+s": "Search",
}
"""How each dialog is opened, and its title."""


def framed(terminal: Terminal, title: str, *, own: bool) -> str:
    """Return what cannot be read in the frame that has `title` in its upper edge."""
    rows = terminal.display
    top = next(y for y, row in enumerate(rows) if f"╭─ {title} ─" in row)
    left = rows[top].index(f"╭─ {title}")
    right = rows[top].index("╮", left)
    bottom = next(y for y in range(top, len(rows)) if rows[y][left] == "╰")
    inside = [
        char for y in range(top, bottom + 1) for char in terminal.cells(y)[left:right]
    ]
    assert sum(char.data.isalnum() for char in inside) > 10
    return "".join(
        c.data for c in inside if c.data.isalnum() and not readable(c, own=own)
    )


SIXTEEN = {*range(30, 38), 39, *range(40, 48), 49, *range(90, 98), *range(100, 108)}


def test_an_error_is_red_in_16_colours_too(start: Start) -> None:
    environment = {"TERM": "linux", "COLORTERM": ""}
    terminal = start([{"steps": [{"error": "badly"}]}], environment=environment)

    ask(terminal, "Go")
    terminal.wait_for("badly")

    x, y = terminal.find("badly")
    assert terminal.cells(y)[x].fg == "brightred"


def test_a_vt100_gets_no_colours_and_no_lines_moved(start: Start) -> None:
    environment = {"TERM": "vt100", "COLORTERM": ""}
    script = {"rate": 300, "reply": [{"text": EVERYTHING * 3 + "whole"}]}
    terminal = start(script, rows=40, environment=environment)
    ask(terminal, "Show")
    terminal.wait_for("whole")
    terminal.press("ctrl+p")
    terminal.wait_for("/copy")
    terminal.press("down")
    terminal.settle()

    sent = sgr(bytes(terminal.raw))
    assert {int(code) for code in sent} <= {*range(10), *range(22, 30)} - {3}
    assert not [s for s in terminal.sequences if s.end in "LMSTX"]
    rows = [y for y, row in enumerate(terminal.display) if row.startswith("  /")]
    marked = [terminal.cells(y)[2].reverse for y in rows]
    assert marked == [number == 1 for number in range(len(rows))]


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "linux"])
def test_no_color_leaves_attributes_and_no_grey(start: Start, term: str) -> None:
    environment = {"TERM": term, "COLORTERM": "truecolor", "NO_COLOR": "1"}
    terminal = start([{"text": EVERYTHING}], rows=40, environment=environment)

    ask(terminal, "Show")
    terminal.wait_for("theend")
    terminal.press("ctrl+p")
    terminal.wait_for("/copy")
    terminal.press("down")
    terminal.settle()

    sent = {int(code) for code in sgr(bytes(terminal.raw)) if code.isdigit()}
    assert sent <= {*range(10), *range(22, 30)}
    assert {1, 7} <= sent
    assert not [c for c in sgr(bytes(terminal.raw)) if c.startswith(("38", "48"))]


@pytest.mark.parametrize("term", ["linux", "vt100"])
def test_a_terminal_without_an_alternate_screen_is_left_empty(
    start: Start, term: str
) -> None:
    """The emulated one has none: what was there before is not brought back."""
    terminal = start([{"text": "Hi."}], environment={"TERM": term, "COLORTERM": ""})
    ask(terminal, "Hello")
    terminal.wait_for("Hi.")

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.text.strip() == ""
    assert terminal.cursor == (0, 0)
    assert {char.bg for char in terminal.cells(0)} == {"default"}


def test_the_linux_console_gets_nothing_that_it_would_print(start: Start) -> None:
    environment = {"TERM": "linux", "COLORTERM": ""}
    terminal = start([{"text": EVERYTHING}], environment=environment)
    ask(terminal, "Show")
    terminal.wait_for("theend")
    terminal.press("ctrl+q")
    terminal.wait_exit()

    assert b"\x1b]" not in terminal.raw
    assert b"\x1bP" not in terminal.raw
    assert not [s for s in terminal.sequences if s.private in ("<", "=", ">")]
    assert not [s for s in terminal.sequences if s.between]
    # What drivers/tty/vt/vt.c of Linux 2.6 knows.
    assert {s.end for s in terminal.sequences} <= set("ABCDEFGHJKLMPX@acdefghlmnqrsu`")
