"""Cleans typed and pasted text; shared by all inputs."""

from typing import cast

from textual import events
from textual.keys import Keys

from tui.app.terminal.key_order import typed
from tui.app.widgets.emoji import tagged_flags, takes_tag
from tui.safe import safe

LONGEST, LONGEST_LINE = 500_000, 50_000
"""Most characters that a paste may fill a text, and a line of it, up to: typing into
longer ones lags. A hundred pages are a third of this."""


def typed_behind(event: events.Key, before: str) -> str:
    """Return the character that a key types after `before` in its line, or "".

    A tag counts only if it continues a regional flag.
    """
    character = event.character or ""
    return typed(event) or (character if takes_tag(before, character) else "")


def clean(text: str) -> str:
    """Return `text` with line feeds as line ends and without control characters.

    Tabs stay, as a paste may be a Makefile, and so do the tags of flags.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if flags := tagged_flags(text):
        kept = [*flags.findall(text), ""]
        between = zip(flags.split(text), kept, strict=True)
        return "".join(f"{_plain(part)}{flag}" for part, flag in between)
    return _plain(text)


def fitting(text: str, before: int, begun: int) -> str:
    """Return the part of `text` that may be added to `before` characters.

    `begun` is the number of characters in the line to which it is added.
    """
    lines: list[str] = []
    for line in text[: max(0, LONGEST - before)].split("\n"):
        lines.append(line[: max(0, LONGEST_LINE - begun)])
        begun = 0
    return "\n".join(lines)


def without_blank_lines(text: str) -> str:
    """Return `text` without blank lines around it and white space at its end."""
    lines = text.rstrip().split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return "\n".join(lines)


def tell_alt_enter_apart() -> None:
    """Make Textual read Alt+Enter as Ctrl+J instead of Enter.

    Most terminals, and tmux, send ESC CR for Alt+Enter. Textual 8 drops the ESC, so the
    message would be sent instead of getting a new line. This changes a table of Textual
    for the whole process; calling it again is harmless.
    """
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    table = cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS)
    table["\x1b\r"] = (Keys.ControlJ,)


def _plain(text: str) -> str:
    return "\t".join(map(safe, text.split("\t")))
