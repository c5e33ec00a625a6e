"""Lays out texts with wide characters, and translates argparse's own texts.

Only Chinese needs it: for English argparse's own formatter does the same, without the
import of `unicodedata`.
"""

import argparse
import re

from tui.i18n import N_, _, language

_PARTS = r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+"
_NO_START = "，。、；：？！）”’》…"
"""Signs that no line begins with."""


def cells(text: str) -> int:
    """Return how many columns `text` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def padded(text: str, width: int) -> str:
    """Return `text` with spaces up to `width` columns."""
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of `text`, broken at spaces and beside wide characters.

    `indent` stands before every line but the first. A word that is longer than a line
    stays whole.
    """
    lines: list[str] = []
    line = ""
    for part in re.findall(_PARTS, text):
        full = cells(line) + cells(part) > width and part not in _NO_START
        if full and line.strip():
            lines.append(line.rstrip())
            line = indent
            part = part.lstrip()
        line += part
    return [*lines, line.rstrip()]


class HelpFormatter(argparse.HelpFormatter):
    """Wraps Chinese help by columns."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        if language() == "en":
            return super()._split_lines(text, width)
        return wrapped(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if language() == "en":
            return super()._fill_text(text, width, indent)
        lines = wrapped(" ".join(text.split()), width - len(indent), indent)
        return indent + "\n".join(lines)


_ARGPARSE = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("expected one argument"),
    N_("expected at least one argument"),
    N_("not allowed with argument %s"),
    N_("one of the arguments %s is required"),
    N_("ignored explicit argument %r"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
)
"""The texts of argparse that users see, for the catalogue."""


def translate_argparse() -> None:
    """Have argparse write its own texts in the language in use.

    It takes them from `gettext` with the domain and the locale of the process, neither
    of which a setting in config.toml can choose.
    """
    if language() != "en":
        setattr(argparse, "_", _)  # noqa: B010 - not a public name
