"""Completes the name of a slash command at Tab.

The first Tab writes the common prefix of all candidates and lists them; further Tabs
cycle through them.
"""

from tui.app import commands


class Completion:
    """Completes the text of one composer; remembers its last completion."""

    def __init__(self) -> None:
        self._written = ""
        self._names: list[str] = []
        """The candidates to cycle through while the text is the last completion."""

    def complete(self, text: str) -> tuple[str, str]:
        """Return the completion of `text`, which starts with a slash, and a hint."""
        if self._names and text == self._written:
            place = self._names.index(text) + 1 if text in self._names else 0
            self._written = self._names[place % len(self._names)]
            return self._written, " ".join(self._names)
        found = {c.slash: c for c in commands.COMMANDS if c.slash.startswith(text)}
        self._names = []
        if len(found) > 1:
            self._names = sorted(found)
            self._written = _common(self._names[0], self._names[-1])
            return self._written, " ".join(self._names)
        if found:
            ((name, command),) = found.items()
            return f"{name} ", command.help
        if named := commands.parse(text):
            return text, named[0].help
        return text, f"No command starts with {text.split()[0]}"


def _common(first: str, last: str) -> str:
    """Return the common prefix of two texts and all that sort between them."""
    size = 0
    while first[size : size + 1] == last[size : size + 1] != "":
        size += 1
    return first[:size]
