"""Finds the commands that match what was typed after a slash, the best first."""

import re
from collections.abc import Iterable

from tui.app.commands import COMMANDS, Command
from tui.i18n import _

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
    commands = [command for command in (*COMMANDS, *more) if command.slash]
    if text != "/":
        return best(text[1:], commands)
    common = {name: place for place, name in enumerate(_COMMON)}
    return sorted(commands, key=lambda c: common.get(c.name, len(common)))


def best(words: str, commands: Iterable[Command]) -> list[Command]:
    """Return those of `commands` that `words` may mean, the best first.

    Each word has to fit, as in `matching`; equals keep their order.
    """
    wanted = words.casefold().split()
    ranked = [
        (max(ranks, default=0), sum(ranks), command)
        for command in commands
        if None not in (found := [_rank(command, word) for word in wanted])
        for ranks in [[rank for rank in found if rank is not None]]
    ]
    if any(worst < _LETTERS for worst, __, __ in ranked):
        ranked = [it for it in ranked if it[0] < _LETTERS]
    return [command for *__, command in sorted(ranked, key=lambda it: it[:2])]


def _rank(command: Command, word: str) -> int | None:
    name, *others = (slash[1:] for slash in (command.slash, *command.aliases))
    if word in (name, *others):
        return 0 if word == name else 1
    if name.startswith(word):
        return 2
    if any(other.startswith(word) for other in others):
        return 3
    if any(part.startswith(word) for part in _(command.help).casefold().split()):
        return 4
    letters = iter(name)
    return _LETTERS if all(letter in letters for letter in word) else None
