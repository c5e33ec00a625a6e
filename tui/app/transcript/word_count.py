"""Counts the words of a text that comes in pieces."""

import re
from functools import cache

# Chinese and Japanese have no blanks between words; each character counts, as in word
# processors. Their punctuation does not.
_wide = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_signs = "\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"


@cache
def _word() -> re.Pattern[str]:
    # Compiled when the first text needs it: it costs some 3 ms of the program's start.
    return re.compile(f"[{_wide}]|([^\\s{_wide}{_signs}]+)")


def _is_inside(character: str) -> bool:
    """Whether a word of several characters can have this one."""
    if character.isascii():
        return not character.isspace()
    found = _word().match(character)
    return bool(found and found[1])


class WordCount:
    """The number of words so far."""

    def __init__(self, text: str = "") -> None:
        self.count = 0
        self._open = False
        """Whether the next piece may continue the last word."""
        self.add(text)

    def add(self, text: str) -> None:
        """Count the words of the next piece."""
        if not text:
            return
        self.count += len(text.split() if text.isascii() else _word().findall(text))
        if self._open and _is_inside(text[0]):
            self.count -= 1
        self._open = _is_inside(text[-1])
