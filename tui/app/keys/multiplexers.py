"""Asks which keys the multiplexer around the program keeps for itself."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping

from tui.app.commands import COMMANDS, spelled_key
from tui.app.keys.sendable import normal
from tui.i18n import _

SECONDS = 2.0
"""Seconds that tmux gets to answer."""

_ZELLIJ = [f"ctrl+{letter}" for letter in "ghnopqst"]
"""What Zellij takes until it is locked (its default configuration)."""
_NAMED = {
    "Space": "space",
    "Escape": "escape",
    "Tab": "tab",
    "BSpace": "backspace",
    "Enter": "enter",
    "Up": "up",
    "Down": "down",
    "Left": "left",
    "Right": "right",
    "Home": "home",
    "End": "end",
    "PageUp": "pageup",
    "PPage": "pageup",
    "PageDown": "pagedown",
    "NPage": "pagedown",
    "IC": "insert",
    "DC": "delete",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "\\": "backslash",
    "^": "circumflex_accent",
    "_": "underscore",
}
_MODIFIERS = {"C": "ctrl", "M": "alt", "S": "shift"}


def taken(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the keys that do not reach the program, and a word on each.

    Waits for tmux, `SECONDS` at most; a tmux that does not answer counts as none.
    """
    found: dict[str, str] = {}
    if environ.get("ZELLIJ"):
        found |= dict.fromkeys(
            _ZELLIJ, _("Zellij takes that key until Ctrl+G locks it")
        )
    if environ.get("STY"):
        found["ctrl+a"] = _("GNU screen takes that key, unless another is its escape")
    if environ.get("TMUX"):
        for key in _prefixes():
            found[key] = _("tmux takes that key, its prefix ({key})").format(
                key=spelled_key(key)
            )
    return found


def problems(own: Mapping[str, str], taken: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each key of `own`, the user's `[keys]`, that is taken."""
    known = {command.name: command for command in COMMANDS}
    for name, keys in own.items():
        for key in map(normal, filter(None, keys.split(","))):
            if name in known and (why := taken.get(key)):
                slash = known[name].slash
                left = _(", or type {slash}").format(slash=slash) if slash else ""
                yield _(
                    '[keys]: {name} = "{key}": {why}; choose another key{left}'
                ).format(name=name, key=key, why=why, left=left)


def named_by_tmux(key: str) -> str:
    """Return Textual's name of a key as tmux writes it, "" for none."""
    if key in ("", "None"):
        return ""
    *marks, last = key.split("-") if not key.endswith("--") else [*key[:-2], "minus"]
    if not set(marks).issubset(_MODIFIERS):
        return ""
    if marks == ["C"] and last == "Space":
        return "ctrl+@"
    last = _NAMED.get(last, last)
    if re.fullmatch("F[0-9]+", last) or marks == ["C"]:
        last = last.lower()
    return "+".join([*sorted(_MODIFIERS[mark] for mark in marks), last])


def _prefixes() -> list[str]:
    keys: list[str] = []
    for option in ("prefix", "prefix2"):
        try:
            done = subprocess.run(
                ["tmux", "show-options", "-gv", option],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return keys
        text = done.stdout[:64].decode("utf-8", "replace").strip()
        if done.returncode == 0 and (key := named_by_tmux(text)):
            keys.append(key)
    return keys
