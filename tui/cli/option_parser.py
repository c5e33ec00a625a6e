"""The parser of every command's arguments, and options that several commands have."""

import argparse
import re
import sys
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from tui.cli import wide
from tui.i18n import _
from tui.safe import decoded, safe
from tui.spelling import nearest

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Add = Callable[[argparse.ArgumentParser], None]
"""Adds the options of a command."""


class Parser(argparse.ArgumentParser):
    """Prints arguments without control characters.

    Arguments may be file names that a shell has put in place of a `*`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.formatter_class = wide.HelpFormatter
        self.color = False  # on by default in Python 3.14; `safe` would spoil it

    def error(self, message: str) -> NoReturn:
        """Report the problem with the arguments in one line, and exit."""
        super().error(safe(decoded(message), newlines=False))

    def _print_message(
        self, message: str, file: "SupportsWrite[str] | None" = None
    ) -> None:
        super()._print_message(safe(message), file or sys.stderr)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=_("use this file instead of the user's config.toml"),
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, for commands that print a list."""
    parser.add_argument("--json", action="store_true", help=_("as a JSON array"))


def count(text: str) -> int:
    """Return an option's number: 0 or more."""
    # Not int: it takes "1_0" and digits of any script, and its limit is 4,300 digits.
    if not re.fullmatch(r"[0-9]{1,18}", text):
        wrong = _('"{text}" is not a whole number, 0 or more').format(text=text[:40])
        raise argparse.ArgumentTypeError(wrong)
    return int(text)


def unknown_command(word: str, commands: Iterable[str]) -> str:
    """Return what is wrong with a word that stands where a command should."""
    hint = nearest(word, commands) or _(" `lazychat --help` lists them.")
    return _(
        'there is no command "{word}".{hint} To ask a question: lazychat ask "..."'
    ).format(word=word, hint=hint)


def misplaced(rest: Iterable[str], commands: Container[str]) -> str:
    """Return where a command goes that stands behind an option, or a question."""
    late = next((word for word in rest if word in commands), "ask")
    if late == "ask":
        return _('; to ask: lazychat ask "..."')
    text = _("; the command comes first: lazychat {command} ...")
    return text.format(command=late)
