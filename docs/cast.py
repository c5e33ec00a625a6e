"""Records an answer that outlives its SSH connection, as the animation docs/cast.svg.

Usage: PYTHONPATH=tests python docs/cast.py FILE.svg

As in hangup.py, only the model plays a script: the sshd, its clients and the cut line
are real, and each frame is what the client's terminal showed. Equal rows are stored
once. The animation is CSS, which pages also run in pictures; readers who want no motion
get the last frame.
"""

import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import hangup
from panels import BAR, CELL, FAINT, FONT, FONTS, FRAME, INK, MARGIN, PAGE, ROW, row
from pyte.screens import Char
from support import ssh
from support.terminal import LIMIT, Terminal

from tui.eventlog import EventLog
from tui.events import TurnFinished

ROWS = 27
PACE = 13.0
"""Words a second."""
STEP = 0.4
"""Seconds between two frames of the streaming answer."""
GROUND = "#1c1c1c"


class Frame(NamedTuple):
    """What is shown for a while."""

    seconds: float
    caption: str
    rows: Sequence[Sequence[Char]]
    lost: bool = False
    """Whether the line is cut: the screen is what was last seen."""


def record(folder: Path, server: ssh.Server) -> list[Frame]:
    """Ask, cut the line, come back. Raises AssertionError if something is missing."""
    env = hangup.account(folder, PACE)
    frames: list[Frame] = []

    def take(terminal: Terminal, seconds: float, caption: str) -> None:
        frames.append(Frame(seconds, caption, _picture(terminal)))

    with (
        ssh.Relay(server.port) as line,
        EventLog(folder / "lazychat.db") as log,
        log.follow() as follow,
    ):
        mine = ssh.Link(server, line, env)
        with _log_in(mine) as terminal:
            said = "You are on a server, over SSH."
            terminal.wait_for(lambda t: t.text.rstrip().endswith("$"))
            terminal.type("lazychat")
            terminal.wait_for("lazychat")
            take(terminal, 1.2, said)
            terminal.press("enter")
            terminal.wait_for("Message")
            terminal.settle()
            take(terminal, 1.2, said)
            for word in hangup.QUESTION.split(" "):
                terminal.type(f"{word} ")
                terminal.wait_for(word)
                take(terminal, 0.25, "You ask a question ...")
            terminal.press("backspace", "enter")
            while "8. Create" not in terminal.text:
                terminal.written_within(STEP)
                take(terminal, STEP, "... and the answer streams.")
            line.cut()
            frames.append(
                frames[-1]._replace(
                    seconds=2.6, caption="The connection is lost.", lost=True
                )
            )
            terminal.wait_exit()
        ended = False
        while not ended:
            records = follow.poll(LIMIT)
            assert records, "the answer has not ended"
            ended = any(isinstance(r.event, TurnFinished) for r in records)
        with _log_in(mine) as terminal:
            terminal.wait_for(lambda t: t.text.rstrip().endswith("$"))
            take(terminal, 0.8, "You log in again ...")
            terminal.type("lazychat")
            terminal.wait_for("lazychat")
            take(terminal, 1.0, "You log in again ...")
            terminal.press("enter")
            terminal.wait_for("wipe its disks.")
            terminal.wait_for("while you were away")
            terminal.settle()
            take(terminal, 6.0, "... and the answer is there, to its last word.")
    return frames


def _log_in(link: ssh.Link) -> Terminal:
    return link.terminal(["sh", "-i"], columns=hangup.COLUMNS, rows=ROWS)


def _picture(terminal: Terminal) -> list[list[Char]]:
    """Return the cells; a shell's have the ground of the app's."""
    return [
        [c._replace(bg=GROUND[1:]) if c.bg == "default" else c for c in cells]
        for cells in map(terminal.cells, range(terminal.rows))
    ]


def draw(frames: Sequence[Frame]) -> str:
    """Return the animation as an SVG."""
    total = sum(frame.seconds for frame in frames)
    width = hangup.COLUMNS * CELL + 4 * MARGIN
    top = MARGIN + BAR
    height = top + ROWS * ROW + MARGIN // 2 + 56
    names: dict[str, str] = {}
    shown: list[str] = []
    styles: list[str] = []
    began = 0.0
    for number, frame in enumerate(frames):
        ended = began + frame.seconds
        first, last = (100 * at / total for at in (began, ended))
        is_last = number == len(frames) - 1
        styles.append(
            f"@keyframes k{number}{{0%{{visibility:{_seen(not began)}}}"
            f"{first:.3f}%{{visibility:visible}}"
            + ("" if is_last else f"{last:.3f}%{{visibility:hidden}}")
            + f"}}#f{number}{{animation:k{number} {total:.2f}s step-end infinite}}"
        )
        uses: list[str] = []
        for line, cells in enumerate(frame.rows):
            if drawn := row(cells, 2 * MARGIN, 0, GROUND):
                name = names.setdefault(drawn, f"r{len(names)}")
                uses.append(f'<use href="#{name}" y="{top + line * ROW}"/>')
        caption, colour = escape(frame.caption), "#ff7b72" if frame.lost else INK
        faded = ' opacity=".4"' if frame.lost else ""
        shown.append(
            f'<g id="f{number}" class="f"><g{faded}>{"".join(uses)}</g>'
            f'<text x="{width / 2}" y="{height - 22}" fill="{colour}"'
            f' class="c">{caption}</text></g>'
        )
        began = ended
    last_name = f"#f{len(frames) - 1}"
    style = (
        f".f{{visibility:hidden}}{last_name}{{visibility:visible}}.c{{font:600 19px "
        "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
        f"text-anchor:middle}}{''.join(styles)}"
        "@media (prefers-reduced-motion:reduce){.f{animation:none!important}}"
    )
    dots = "".join(
        f'<circle cx="{MARGIN + 18 + 18 * n}" cy="{MARGIN + BAR / 2}" r="5.5"'
        f' fill="{colour}"/>'
        for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}"'
            f' height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="{FONTS}" font-size="{FONT}" xml:space="preserve">',
            f"<style>{style}</style>",
            "<defs>",
            *(f'<g id="{name}">{drawn}</g>' for drawn, name in names.items()),
            "</defs>",
            f'<rect width="{width}" height="{height}" rx="10" fill="{PAGE}"/>'
            f'<rect x="{MARGIN}" y="{MARGIN}" width="{width - 2 * MARGIN}"'
            f' height="{BAR + ROWS * ROW + MARGIN // 2}" rx="8" fill="{GROUND}"'
            f' stroke="{FRAME}"/>{dots}<text x="{width / 2}" y="{MARGIN + 20}"'
            f' fill="{FAINT}" font-size="13.5" text-anchor="middle">ssh server</text>',
            *shown,
            "</svg>\n",
        ]
    )


def _seen(shown: bool) -> str:
    return "visible" if shown else "hidden"


def main() -> None:
    """Record and draw."""
    if why := ssh.missing():
        sys.exit(f"cast.py {why}")
    with (
        tempfile.TemporaryDirectory() as keys,
        tempfile.TemporaryDirectory() as home,
        ssh.Server(Path(keys)) as server,
    ):
        frames = record(Path(home), server)
    Path(sys.argv[1]).write_text(draw(frames), "utf-8")
    print(f"{len(frames)} frames, {sum(frame.seconds for frame in frames):.1f} s")


if __name__ == "__main__":
    main()
