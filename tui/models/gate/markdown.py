"""Tracks whether streamed Markdown is inside a fenced code block.

A model that explains its own call format writes it in a fence and means no call.
Fences follow CommonMark 0.31 section 4.5, except that any indentation is accepted,
since answers inside lists are indented.
"""

import re

_FENCE = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
_LONGEST = 200
"""Characters; longer fences count as this long, which bounds what is kept."""
_BEGUN = re.compile(r"`{1,2}|~{1,2}|")


class Markdown:
    """Follows visible text, in chunks of any length."""

    __slots__ = ("_fence", "_line", "plain")

    def __init__(self) -> None:
        self.plain = False
        """The rest of the current line cannot open or close a fence."""
        self._fence = ""
        self._line = ""

    def feed(self, text: str) -> None:
        """Take the next chunk of the text."""
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
        if text[:1].isalnum():
            self.plain = True
        else:
            self._keep(text.lstrip(" \t"))

    def quotes(self) -> bool:
        """Return whether the next character is in a fence or on its opening line."""
        if self._fence or self.plain:
            return bool(self._fence)
        return _opens(self._line) != ""

    def _keep(self, line: str) -> None:
        """Keep the bounded part of the current line that decides about a fence."""
        found = _FENCE.fullmatch(line)
        if found is None:
            self.plain = _BEGUN.fullmatch(line) is None
            self._line = "" if self.plain else line
            return
        run, info = found.groups()
        self.plain = run[0] == "`" and "`" in info
        short = "x" if info.strip() else info[:1]
        self._line = "" if self.plain else run[:_LONGEST] + short

    def _end(self, line: str) -> None:
        line = line.strip()
        if not self._fence:
            self._fence = _opens(line)
        elif len(line) >= len(self._fence) and not line.strip(self._fence[0]):
            self._fence = ""


def _opens(line: str) -> str:
    """Return the run of characters with which the line opens a fence, or ""."""
    found = _FENCE.fullmatch(line)
    if found is None or (line[0] == "`" and "`" in found[2]):
        return ""
    return found[1][:_LONGEST]
