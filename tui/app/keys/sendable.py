"""Knows which keys a terminal can send.

Most terminals send a byte for Ctrl and a letter, so some keys are others: Ctrl+I is the
byte of Tab. More keys exist only in the keyboard protocol of kitty, which Textual
switches on where the terminal has it.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from typing import cast

from textual.keys import Keys, key_to_character

MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
"""In the order in which Textual writes them before a key."""

_SAME = {
    "ctrl+i": "Tab",
    "ctrl+m": "Enter",
    "ctrl+h": "Backspace",
    "ctrl+left_square_bracket": "Esc",
    "ctrl+[": "Esc",
}
"""Keys that most terminals send as another key."""
_MOVING = (
    *("up", "down", "left", "right", "home", "end"),
    *("pageup", "pagedown", "insert", "delete"),
)
_WITH_PROTOCOL = ("xterm-kitty", "foot", "xterm-ghostty", "alacritty", "rio", "contour")
"""Values of TERM whose terminals have the protocol of kitty, or their beginnings."""


def normal(key: str) -> str:
    """Return a key with its modifiers in Textual's order, and no spaces around it."""
    *modifiers, last = parts(key.strip())
    return "+".join([*sorted(set(modifiers)), last])


def parts(key: str) -> list[str]:
    """Return the modifiers of a key, and then the key without them."""
    if key == "+" or key.endswith("++"):
        return [*key[:-1].split("+")[:-1], "+"]
    return key.split("+")


def same_as(key: str) -> str:
    """Return the key that most terminals send instead of `key`, "" for none."""
    return _SAME.get(key, "")


def is_sent(key: str) -> bool:
    """Return whether every usual terminal sends a `normal` key."""
    *modifiers, last = parts(key)
    if key in _SAME or not {"ctrl", "alt", "shift"}.issuperset(modifiers):
        return False
    if last in _MOVING or re.fullmatch("f[0-9]+", last):
        return True
    character = last if len(last) == 1 else key_to_character(last)
    if modifiers == ["alt"]:
        # ESC and these two begin other keys; others of Textual's are keys themselves.
        taken = not character or character in "[O" or f"\x1b{character}" in _table()
        return not taken
    if key == "ctrl+space":
        return True
    return key in _keys() or (not modifiers and bool(character))


def has_protocol(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal is one that has the keyboard protocol of kitty.

    A multiplexer between it and the program does not pass the protocol on.
    """
    if environ.get("TMUX") or environ.get("STY") or environ.get("ZELLIJ"):
        return False
    if environ.get("TERM_PROGRAM", "").lower() in ("ghostty", "kitty"):
        return True
    return environ.get("TERM", "").startswith(_WITH_PROTOCOL)


def _table() -> Mapping[str, object]:
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    return cast("Mapping[str, object]", ANSI_SEQUENCES_KEYS)


@cache
def _keys() -> set[str]:
    # Textual also knows sequences of Ctrl and a digit, which no usual terminal sends.
    return {
        key.value
        for sequence, keys in _table().items()
        if isinstance(keys, tuple) and not sequence.startswith("\x1b[1;")
        for key in cast("tuple[Keys, ...]", keys)
    }
