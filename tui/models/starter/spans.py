"""Finds pieces of a message that may be a text argument, and scores them.

The value is always a piece of the message: nothing is invented. What comes before a
piece (`from`, `about`, 给, 关于) and what the parameter is called decide, in a linear
model: its weights stand in the lexicon.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import groupby

from tui.models.starter.numbers import CALCULATION
from tui.models.starter.parameters import Parameter, Subject
from tui.models.starter.words import FILLER, LEXICON, PATTERNS, STOP, stem, units

Place = tuple[int, int]
"""Where a piece begins and ends."""

_MOST_PIECES = 80
"""More come only of long messages, of which each costs time."""
_JOINERS = frozenset(LEXICON["joiners"].split())
_COMMON = STOP - frozenset(["new", "own", "name", "text", "word", "current"])
"""Words that are part of no value; "new" is, of New York."""
_OF_NAMES = ("The", "A", "An", "US", "IT")
"""What is in a name only with these capitals: The Beatles, US dollars."""
_SINGLE = ("quote", "whole", "sum")
"""Kinds of units that are a value by themselves."""
_TEMPORAL, _ENDS = PATTERNS["temporal"], PATTERNS["ends"]
_NAME_BEFORE, _NAME_AFTER = re.compile(r"\W[A-Z]\w* $"), re.compile(r" [A-Z]")
_WEIGHTS: dict[str, float] = LEXICON["piece_weights"]


def overlaps(place: Place, used: Collection[Place]) -> bool:
    """Whether `place` shares a character with one of `used`."""
    return any(s < place[1] and place[0] < e for s, e in used)


def pieces(text: str, used: Collection[Place], tool: Subject) -> list[Place]:
    """Return the pieces of `text` that may be a value.

    `used` are the places of numbers and choices that other parameters have taken.
    Chinese is split at the words of the tool.
    """
    found: set[Place] = set()
    chunks: list[Place] = []
    for run in _runs(text, used, tool):
        start, end = run[0].start(), run[-1].end()
        if run[0].lastgroup == "quote":
            found.add((start + 1, end - 1))
        else:
            found.update(_within(text, run))
            chunks.append((start, end))
    # "lunch with Sam", "San Francisco, CA": chunks joined by a word or a comma.
    for i, (start, end) in enumerate(chunks):
        for _, later in chunks[i + 1 : i + 4]:
            if overlaps((end, later), used) or _ENDS.search(text[start:later].rstrip()):
                break
            found.add((start, later))
    found.update(m.span() for m in _TEMPORAL.finditer(text))
    more = [*_announced(text), *(m.span() for m in CALCULATION.finditer(text))]
    found.update(p for p in more if not overlaps(p, used))
    return [p for p in sorted(found) if text[slice(*p)].strip()][:_MOST_PIECES]


def score(text: str, place: Place, parameter: Parameter, tool: Subject) -> float:
    """Return what speaks for a piece as the value of `parameter` of `tool`."""
    start, end = place
    piece, before, after = text[start:end], text[:start], text[end:]
    inside = units(piece)
    calculation = CALCULATION.fullmatch(piece)
    calculated = bool(calculation) and calculation.lastgroup in parameter.calculates
    words = [u[0] for u in inside if u.lastgroup in ("word", "whole")]
    # "Play Yesterday": a name.
    timed = _TEMPORAL.search(piece) and not (start and piece in ("Yesterday", "Today"))
    time = bool(timed and _TEMPORAL.fullmatch(piece))
    temporal = parameter.wants("temporal")
    # A capitalised word is part of a name, Mexico City, even if the tool has it.
    own = [(w[0].islower() or start == 0) and stem(w) in tool.words for w in words]
    announced = _announced(text).get(place)
    is_task = announced == "task" and parameter.wants("task")
    named = all(w[0].isupper() or w.lower() in _JOINERS for w in words)
    capital = bool(words) and words[0][0].isupper()
    cut = _NAME_BEFORE.search(before) or _NAME_AFTER.match(after)
    plain = bool(words) and announced != "stretch" and not is_task
    features: dict[str, float] = {
        "role": parameter.role_weight(before, after),
        "length": min(len(inside), 8),
        "quoted": before.endswith(tuple("\"'“‘「《")),
        "arithmetic": calculated,
        "no arithmetic": bool(parameter.calculates) and not calculated,
        "address or code": [u.lastgroup for u in inside] == ["whole"],
        "time for a time": time and temporal,
        "time": time and not temporal,
        "no time": not time and temporal,
        "time inside": bool(timed) and not time and not temporal,
        "of the tool": bool(own) and all(own),
        "begins or ends with the tool": any(own[:1] + own[-1:]) and not all(own),
        "announced task": is_task,
        "announced": announced == "stretch",
        "first": plain and not before.strip(),
        "name": plain and bool(before.strip()) and named,
        "cut from a name": capital and bool(cut),
        "common words": plain and not capital and sum(w.lower() in STOP for w in words),
        "Chinese of the tool": any(word in piece for word in tool.chinese),
        "filler": any(len(m[0]) > 1 for m in FILLER.finditer(piece)),
    }
    return sum(_WEIGHTS[name] * value for name, value in features.items())


@lru_cache(64)
def _announced(text: str) -> dict[Place, str]:
    """Return the pieces that phrases announce, without a day at their end."""
    found: dict[Place, str] = {}
    for kind in ("stretch", "task"):
        for m in PATTERNS[kind].finditer(text):
            start, end = m.span(m.lastindex or 1)
            if when := PATTERNS["at_end"].search(text[start:end]):
                end = start + when.start()
            if end > start:
                found[start, end] = kind
    return found


def _runs(
    text: str, used: Collection[Place], tool: Subject
) -> Iterator[list[re.Match[str]]]:
    """Yield the units between words that cannot belong to a value."""
    fillers = [m.span() for m in FILLER.finditer(text)]
    for word in tool.chinese:
        fillers += [m.span() for m in re.finditer(re.escape(word), text)]

    def group(unit: re.Match[str]) -> tuple[bool, int] | None:
        """Return what neighbours of one run have in common, None for no part of one."""
        kind, start = unit.lastgroup, unit.start()
        name = start > 0 and unit[0] in _OF_NAMES
        common = kind == "word" and unit[0].lower() in _COMMON and not name
        taken = overlaps(unit.span(), used) or overlaps((start, start + 1), fillers)
        apart = common or taken or kind == "mark"
        return None if apart else (kind == "han", start if kind in _SINGLE else -1)

    yield from (list(run) for same, run in groupby(units(text), group) if same)


def _within(text: str, run: list[re.Match[str]]) -> Iterator[Place]:
    start, end = run[0].start(), run[-1].end()
    if run[0].lastgroup == "han":
        # Without what only leads or trails.
        if core := PATTERNS["core"].fullmatch(text, start, end):
            yield core.span(core.lastindex or 0)
        return
    for i in range(min(len(run), 4)):
        for last in range(len(run) - 1, max(i - 1, len(run) - 5), -1):
            yield run[i].start(), run[last].end()
