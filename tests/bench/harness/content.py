"""What the scripted server says: the same tokens each time, with marks in them.

A mark (`w00012`) is a word that is there once, and they count up: the largest on
the screen tells how far the answer has arrived.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count, cycle

END = "ENDOFSTREAM"
MARK = re.compile(r"w(\d{5})")

_PROSE = (
    "the model streams a long answer and every frame must stay cheap because the "
    "screen is drawn over a slow link so a good client coalesces small pieces then "
    "renders only what has changed and keeps scroll position while the reader follows "
    "along without jitter or flicker even when the text grows very long indeed"
)
_CODE = '''def merge(left: list[int], right: list[int]) -> list[int]:
    """Merge two sorted lists."""
    out, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i]); i += 1
        else:
            out.append(right[j]); j += 1
    return out + left[i:] + right[j:]  # tail
'''
_token = re.compile(
    r"\n+| ?w\d{5}|[ ]+(?=[ ])| ?[A-Za-z0-9_]{1,7}| ?[^\sA-Za-z0-9_]{1,3}|\s"
)


def tokens(kind: str, number: int) -> list[str]:
    """Return `number` tokens of one of `KINDS`, and the `END`."""
    return [*KINDS[kind](number), END]


def _section(number: int, marks: Iterator[str], prose: Iterator[str]) -> Iterator[str]:
    def words(size: int) -> str:
        return " ".join(next(prose if i % 7 else marks) for i in range(size))

    yield f"## Section {number}: {words(4)}\n\n"
    yield f"This is **bold {next(prose)}** and *{next(prose)}* with "
    yield f"`code_{number}()`. {words(40)}.\n\n"
    yield f"{words(30)} see [link {number}](https://example.com/{number}).\n\n"
    for item in range(4):
        yield f"- {words(12)}\n"
        if item == 1:
            yield f"  - nested **{words(6)}**\n  - nested `{next(prose)}` {words(5)}\n"
    yield "\n"
    for item in range(3):
        yield f"{item + 1}. {words(14)}\n"
    yield "\n"
    if number % 2 == 0:
        yield "| Name | Value | Unit | Note |\n|---|---:|:---:|---|\n"
        for row in range(5):
            yield f"| {next(prose)} | {number * 37 + row} | ms "
            yield f"| {next(prose)} {next(marks)} |\n"
        yield "\n"
    else:
        yield f"```python\n# block {number}\n{_CODE}```\n\n"
    yield f"> {words(16)}\n\n"


def _marks() -> Iterator[str]:
    return (f"w{number:05d}" for number in count())


def _words(number: int) -> list[str]:
    return [f"w{each:05d} " for each in range(number)]


def _markdown(number: int) -> list[str]:
    marks, prose = _marks(), cycle(_PROSE.split())
    found: list[str] = []
    for section in count(1):
        for part in _section(section, marks, prose):
            found += _token.findall(part)
            if len(found) >= number:
                del found[number:]
                fence = ["\n```"] if "".join(found).count("```") % 2 else []
                return [*found, *fence, "\n\n"]
    raise AssertionError("sections do not end")


def _oneline(number: int) -> list[str]:
    """Return one endless paragraph without a space, but for one before the end."""
    return [*(f"w{each:05d}" for each in range(number)), " "]


def _code(number: int) -> list[str]:
    """Return one huge block of code."""
    found, marks = ["```python\n"], _marks()
    while len(found) < number:
        found += _token.findall(f"# {next(marks)}\n{_CODE}")
    return [*found[:number], "\n```\n\n"]


def _table(number: int) -> list[str]:
    """Return one huge table."""
    found = _token.findall("| Name | Value | Note |\n|---|---|---|\n")
    marks, prose = _marks(), cycle(_PROSE.split())
    while len(found) < number:
        row = f"| {next(prose)} | {next(prose)} | {next(marks)} |\n"
        found += _token.findall(row)
    return [*found[:number], "\n\n"]


def _plain(number: int) -> list[str]:
    """Return words without marks."""
    return ["word "] * number


KINDS: dict[str, Callable[[int], list[str]]] = {
    "plain": _plain,
    "words": _words,
    "md": _markdown,
    "oneline": _oneline,
    "code": _code,
    "table": _table,
}
