"""Finds lines, signs and words in a text."""

import unicodedata
from bisect import bisect_left, bisect_right

from rich.cells import cell_len

from tui.app.widgets.emoji import around

TAB = 4
"""Columns between two tab stops in the composer."""
BLANK, PUNCTUATION, WORD, EMOJI = range(4)
_SCRIPTS = (
    (0x1100, 0x11FF),
    (0x2E80, 0x2FDF),
    (0x3040, 0x309F),
    (0x30A0, 0x30FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""First and last characters of scripts without spaces; each is a class of its own."""


def line_start(text: str, at: int) -> int:
    """Return the start of the line with the offset `at`."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Return the end of the line with the offset `at`: its line break, or the end."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def first_word(text: str, at: int) -> int:
    """Return the first place of the line at `at` that is not blank, or its last."""
    start, end = line_start(text, at), line_end(text, at)
    place = start
    while place < end and text[place] in " \t":
        place += 1
    return last_in_line(text, start) if place == end else place


def last_in_line(text: str, at: int) -> int:
    """Return the last sign of the line at `at`; its start if the line is empty."""
    start, end = line_start(text, at), line_end(text, at)
    return before(text, end) if end > start else start


def starts(line: str) -> list[int]:
    """Return where the signs of a line start."""
    if line.isascii():
        return list(range(len(line)))
    found: list[int] = []
    at = 0
    while at < len(line):
        found.append(at)
        at = _sign_end(line, at)
    return found


def _sign_end(line: str, at: int) -> int:
    end = at + 1
    if end < len(line) and around(line, end) != (end, end):
        end = around(line, end)[1]
    while end < len(line) and _joins(line[end]):
        end += 1
    return end


def _joins(character: str) -> bool:
    return character > "\u02ff" and (
        unicodedata.category(character)[0] == "M" or character in "\u200c\u200d"
    )


def after(text: str, at: int) -> int:
    """Return the end of the sign that starts at `at`; a line break is a sign."""
    if at >= len(text):
        return len(text)
    if text[at] == "\n" or (text[at : at + 2].isascii()):
        return at + 1
    start, end = line_start(text, at), line_end(text, at)
    signs = [*starts(text[start:end]), end - start]
    return start + signs[bisect_right(signs, at - start)]


def before(text: str, at: int) -> int:
    """Return the start of the sign before `at`; a line break is a sign."""
    if at <= 0:
        return 0
    if text[at - 1] == "\n" or text[max(0, at - 2) : at + 1].isascii():
        return at - 1
    start, end = line_start(text, at), line_end(text, at)
    signs = starts(text[start:end])
    return start + signs[max(0, bisect_left(signs, at - start) - 1)]


def sign_at(text: str, at: int) -> int:
    """Return the start of the sign that contains `at`."""
    start, end = line_start(text, at), line_end(text, at)
    if at == end or text[at : at + 1].isascii():
        return at
    signs = starts(text[start:end])
    return start + signs[max(0, bisect_right(signs, at - start) - 1)]


def column(text: str, at: int) -> int:
    """Return the column of `at` in its line, in cells."""
    return _width(text[line_start(text, at) : at], 0)


def _width(piece: str, before: int) -> int:
    """Return the cells of a piece of a line that has `before` cells before it."""
    if "\t" not in piece:
        return cell_len(piece)
    return cell_len(("." * before + piece).expandtabs(TAB)) - before


def at_column(text: str, at: int, wanted: int) -> int:
    """Return the sign at the column `wanted` (cells) of the line at `at`."""
    start, end = line_start(text, at), line_end(text, at)
    line = text[start:end]
    if line.isascii() and "\t" not in line:
        return start + min(wanted, max(0, end - start - 1))
    place, used = start, 0
    for first, last in zip(signs := starts(line), [*signs[1:], len(line)], strict=True):
        place = start + first
        used += _width(line[first:last], used)
        if used > wanted:
            break
    return place


def word_class(text: str, at: int, *, big: bool) -> int:
    """Return the class of the sign at `at`: signs of one class are one word.

    `big` words consist of whatever is not blank.
    """
    character = text[at : at + 1]
    if character in ("", " ", "\t", "\n"):
        return BLANK
    if big:
        return WORD
    if character.isascii():
        return WORD if character.isalnum() or character == "_" else PUNCTUATION
    code = ord(character)
    for number, (first, last) in enumerate(_SCRIPTS):
        if first <= code <= last:
            return EMOJI + 1 + number
    if character.isspace():
        return BLANK
    if unicodedata.category(character)[0] in "LMN":
        return WORD
    pictures = 0x2190 <= code <= 0x2BFF or 0x1F000 <= code <= 0x1FAFF
    return EMOJI if pictures else PUNCTUATION
