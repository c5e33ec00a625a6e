"""Where in Markdown a text stands: inside a fenced code block or not.

A model that explains its own call format writes it in a fence, and means no call.
Fences are read as CommonMark has them (4.5), except that any indentation will do:
an answer inside a list is indented.
"""

import re

_OPENING = re.compile(r"[ \t]*+(?:(`{3,})[^`]*|(~{3,}).*)", re.DOTALL)
_MAY_OPEN = re.compile(r"[ \t]*+(?:\Z|`{1,2}\Z|~{1,2}\Z|`{3}|~{3})")


class Markdown:
    """Follows visible text, in pieces of any length."""

    def __init__(self) -> None:
        self.plain = False
        """The rest of the current line cannot matter, whatever it is."""
        self._fence = ""
        self._line = ""

    def feed(self, text: str) -> None:
        """Take the next piece of the text."""
        if self.plain:
            end = text.find("\n")
            if end < 0:
                return
            text = text[end + 1 :]
        else:
            text = self._line + text
        if "\n" in text:
            if "`" in text or "~" in text:
                *lines, text = text.split("\n")
                for line in lines:
                    self._end(line)
            else:
                text = text[text.rfind("\n") + 1 :]
        self.plain = text[:1].isalnum() or _MAY_OPEN.match(text) is None
        self._line = "" if self.plain else text

    def quotes(self) -> bool:
        """Say whether what comes next stands in a fence (or on its opening line)."""
        if self._fence or self.plain:
            return bool(self._fence)
        return _OPENING.fullmatch(self._line) is not None

    def _end(self, line: str) -> None:
        if self._fence:
            bare = line.strip()
            if len(bare) >= len(self._fence) and not bare.strip(self._fence[0]):
                self._fence = ""
        elif opening := _OPENING.fullmatch(line):
            self._fence = opening[1] or opening[2]
