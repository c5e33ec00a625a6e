"""Finds emoji made of several characters: flags, families, skin tones.

The cursor skips such an emoji, and Backspace deletes it whole. Letters with combining
marks are left alone: in Indic scripts Backspace deletes the last sign, not the
syllable.
"""

import re
from functools import cache

FLAG = "\U0001f3f4"
"""The black flag; with tags it becomes a regional flag."""
_TAGS = "\U000e0020-\U000e007f"
# Characters that may be pictographs (UTS #51, Extended_Pictographic, in ranges).
_PICTURES = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2"
    "\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001faff\U0001fc00-\U0001fffd"
)
_LETTERS = "\U0001f1e6-\U0001f1ff"  # regional indicators: a pair forms a flag
_PARTS = f"{_PICTURES}{_LETTERS}{_TAGS}#*0-9\u200d\ufe0e\ufe0f\u20e3"


@cache
def _one() -> re.Pattern[str]:  # compiled on first use
    """Return a pattern for emoji (UAX #29, rules GB11 to GB13) and keycaps."""
    picture = f"[{_PICTURES}][\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff{_TAGS}]*"
    return re.compile(
        f"{picture}(?:\u200d+{picture})*\u200d*"
        f"|[{_LETTERS}]{{2}}[\ufe0f\u200d]*|[#*0-9]\ufe0f?\u20e3"
    )


@cache
def _tagged_flag() -> re.Pattern[str]:
    return re.compile(
        f"{FLAG}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{{1,6}}\U000e007f"
    )


def tagged_flags(text: str) -> re.Pattern[str] | None:
    """Return a pattern for regional flags, None if `text` has none."""
    return _tagged_flag() if FLAG in text else None


def takes_tag(before: str, tag: str) -> bool:
    """Return whether the character `tag` continues a regional flag."""
    if not "\U000e0020" <= tag <= "\U000e007f":
        return False
    flag = before.rfind(FLAG, max(0, len(before) - 8))
    return flag >= 0 and all(map("\U000e0020".__le__, before[flag + 1 :]))


def around(line: str, column: int) -> tuple[int, int]:
    """Return the start and end of the emoji that contains `column`.

    Both are `column` if no emoji contains it.
    """
    start = column
    if not 0 < column < len(line) or line[column] < "\u200d":
        return column, column
    part = _part()
    while start and part.match(line, start - 1):
        start -= 1
    for found in _one().finditer(line, start):
        if found.start() >= column:
            break
        if column < found.end():
            return found.span()
    return column, column


@cache
def _part() -> re.Pattern[str]:
    return re.compile(f"[{_PARTS}]")
