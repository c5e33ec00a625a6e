"""Cleans typed and pasted text; shared by all inputs."""

from textual import events

from tui.app.terminal.key_order import typed
from tui.app.widgets.emoji import tagged_flags, takes_tag
from tui.safe import safe


def typed_behind(event: events.Key, before: str) -> str:
    """Return the character that a key types behind `before` in its line, or "".

    Tags are typed only where they go on with the flag of a region.
    """
    character = event.character or ""
    return typed(event) or (character if takes_tag(before, character) else "")


def clean(text: str) -> str:
    """Return `text` with line feeds as line ends and nothing that acts on a terminal.

    Tabs stay, for what is pasted may be a Makefile, and so do the tags of flags.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if flags := tagged_flags(text):
        kept = [*flags.findall(text), ""]
        between = zip(flags.split(text), kept, strict=True)
        return "".join(f"{_plain(part)}{flag}" for part, flag in between)
    return _plain(text)


def _plain(text: str) -> str:
    return "\t".join(map(safe, text.split("\t")))
