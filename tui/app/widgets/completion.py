"""Finds the commands that match what was typed after a slash, the best first."""

import re
from collections.abc import Iterable

from tui.app.commands import COMMANDS, Command

_COMMON = ("model", "new", "history", "retry", "continue", "copy", "edit", "compact")
"""The names that a bare slash lists first."""

_LETTERS = 5
"""The rank of what only has the letters: it counts where nothing better is found."""


def matching(text: str, more: Iterable[Command] = ()) -> list[Command]:
    """Return the commands that `text` may mean; none unless it is a slash and a word.

    `more` are commands besides those of the table.

    First comes the exact name, then names and other names that begin with the word,
    then words of the description that do, or else names that contain its letters in
    order. Equals keep the order of the table.
    """
    if not re.fullmatch(r"/[\w:.-]*", text):
        return []
    word = text[1:].casefold()
    ranked = [
        (rank, command)
        for command in (*COMMANDS, *more)
        if command.slash and (rank := _rank(command, word)) is not None
    ]
    if any(rank < _LETTERS for rank, _ in ranked):
        ranked = [(rank, command) for rank, command in ranked if rank < _LETTERS]
    if not word:
        common = {name: place for place, name in enumerate(_COMMON)}
        ranked = [(common.get(c.name, len(common)), c) for _, c in ranked]
    return [command for _, command in sorted(ranked, key=lambda pair: pair[0])]


def _rank(command: Command, word: str) -> int | None:
    name, *others = (slash[1:] for slash in (command.slash, *command.aliases))
    if word in (name, *others):
        return 0 if word == name else 1
    if name.startswith(word):
        return 2
    if any(other.startswith(word) for other in others):
        return 3
    if any(part.startswith(word) for part in command.help.casefold().split()):
        return 4
    letters = iter(name)
    return _LETTERS if all(letter in letters for letter in word) else None
