"""Finds pieces of a message that may be a text argument, and scores them.

The value is always a piece of the message: nothing is invented. What comes before a
piece (`from`, `about`, 给, 关于) and what the parameter is called decide.
"""

import re
from collections.abc import Collection, Iterator

from tui.models.starter.parameters import Parameter
from tui.models.starter.words import (
    FILLER,
    LEXICON,
    STOP,
    TEMPORAL,
    Unit,
    has_han,
    pattern,
    stem,
    units,
)

Place = tuple[int, int]
"""Where a piece begins and ends."""

_MOST_PIECES = 80
"""More come only of long messages, of which each costs time."""
_JOINERS = frozenset(LEXICON["joiners"].split())
_COMMON = STOP - frozenset(["new", "own", "name", "text", "word", "current"])
"""Words that are part of no value; "new" is, of New York."""
_STRETCH = pattern(LEXICON["patterns"]["stretch"])
_TASK = pattern(LEXICON["patterns"]["task"])
_LIKENED = re.compile(r"([\u4e00-\u9fff]{1,6})[对兑]([\u4e00-\u9fff]{1,6}?)(?=的|$|\W)")
"""Two of a kind: 美元对日元."""
_SUM = re.compile(
    r"[+*/×÷^%]|\d\s*-\s*\d|\b(?:plus|minus|times|divided|multiplied|root|power|squared"
    r"|cubed|percent|sum|product|factorial|log|sin|cos)\b|[加减乘除]|平方|根",
    re.IGNORECASE,
)


def overlaps(place: Place, used: Collection[Place]) -> bool:
    """Whether `place` shares a character with one of `used`."""
    return any(s < place[1] and place[0] < e for s, e in used)


def pieces(text: str, used: Collection[Place], tool: Collection[str]) -> list[Place]:
    """Return the pieces of `text` that may be a value.

    `used` are the places of numbers and choices that other parameters have taken;
    `tool` is the tool's vocabulary, at which Chinese is split.
    """
    found: set[Place] = set()
    chunks: list[Place] = []
    for run in _runs(text, used):
        inner = int(run[0].kind == "quote")
        if run[0].kind in ("quote", "whole", "sum"):
            found.add((run[0].start + inner, run[0].end - inner))
        else:
            found.update(_within(text, run, tool))
        if not inner:
            chunks.append((run[0].start, run[-1].end))
    # "lunch with Sam", "San Francisco, CA": chunks joined by a word or a comma.
    for i, (start, end) in enumerate(chunks):
        for _, later in chunks[i + 1 : i + 4]:
            if later - end > 60 or overlaps((end, later), used):
                break
            if re.search(
                r"[.;:!?。！？，]\s|[?!：；。！？]", text[start:later].rstrip()
            ):
                break
            found.add((start, later))
    found.update(m.span() for m in TEMPORAL.finditer(text))
    found.update(p for p in _stretches(text) if not overlaps(p, used))
    for m in _LIKENED.finditer(text):
        found.update((m.span(1), m.span(2)))
    return [p for p in sorted(found) if text[slice(*p)].strip()][:_MOST_PIECES]


def score(
    text: str, place: Place, parameter: Parameter, tool: Collection[str]
) -> float:
    """Return what speaks for a piece as the value of `parameter`, without the model."""
    start, end = place
    piece, before = text[start:end], text[:start]
    inside = units(piece)
    words = [u.text for u in inside if u.kind in ("word", "whole")]
    points = parameter.role_weight(before) + 0.15 * min(len(inside), 8)
    if points > 2 and parameter.wants("topic") and not re.search(r"\w", text[end:]):
        points += 1.5  # a topic goes on to the end: "cheap flights to Lima"
    if before and before[-1] in "\"'“‘「《":
        points += 1 if parameter.wants("place") else 5
    if parameter.is_sum:
        points += 4 if _SUM.search(piece) and re.search(r"\d", piece) else -5
    if inside[0].kind == "whole" and len(inside) == 1:
        points += 3
    points += _of_time(piece, start > 0, parameter)
    # A capitalised word is part of a name, Mexico City, even if the tool has it.
    own = [(w[0].islower() or start == 0) and stem(w) in tool for w in words]
    if own and (own[0] or own[-1]):
        points -= 4 if all(own) else 1.5
    stretch = _stretches(text).get(place)
    if stretch == "task" and parameter.wants("task"):
        points += 5
    elif stretch == "stretch":
        points += 2
    elif words:
        common = sum(w.lower() in STOP for w in words)
        if start == len(text) - len(text.lstrip()):
            points -= 0.5
        elif all(w[0].isupper() or w.lower() in _JOINERS for w in words):
            points += 2
        if not words[0][0].isupper():
            points -= 0.3 * common
    if has_han(piece):
        points -= 3 * any(k in piece for k in tool if has_han(k))
        points -= 2 * any(len(m[0]) > 1 for m in FILLER.finditer(piece))
        points -= "的" in piece
        points -= 1.5 * (sum(u.kind == "han" for u in inside) == 1)
    # Of "lunch with Sam", neither half alone.
    half = re.match(r"\s(?:with|of)\s\w", text[end:]) is not None
    half += points <= 2.5 and re.search(r"\w\s(?:with|of)\s$", before) is not None
    points -= 1.2 * half
    return points


def _of_time(piece: str, inside: bool, parameter: Parameter) -> float:
    """Return what it means for a value that it is a time, or has one in it."""
    # "Play Yesterday": a name. Days of the week are always capitalised.
    name = inside and piece in ("Yesterday", "Today")
    if TEMPORAL.fullmatch(piece) and not name:
        return 4 if parameter.wants("temporal") else -4
    if parameter.wants("temporal"):
        return -2
    return -3 if TEMPORAL.search(piece) and not name else 0


def _stretches(text: str) -> dict[Place, str]:
    """Return the pieces that phrases announce, without a day at their end."""
    found: dict[Place, str] = {}
    for kind, phrases in (("stretch", _STRETCH), ("task", _TASK)):
        for m in phrases.finditer(text):
            start, end = m.span(m.lastindex or 1)
            for when in TEMPORAL.finditer(text, start, end):
                if not text[when.end() : end].strip(" .!?。！？"):
                    end = start + len(text[start : when.start()].rstrip())
                    break
            if end > start:
                found[start, end] = kind
    return found


def _runs(text: str, used: Collection[Place]) -> Iterator[list[Unit]]:
    """Yield the units between words that cannot belong to a value."""
    fillers = [m.span() for m in FILLER.finditer(text)]
    run: list[Unit] = []
    for unit in units(text):
        taken = overlaps((unit.start, unit.end), used)
        taken = taken or overlaps((unit.start, unit.start + 1), fillers)
        stop = unit.kind == "word" and unit.text.lower() in _COMMON
        if unit.text in ("The", "A", "An") and unit.start > 0:
            stop = False  # of a name: The Beatles
        single = unit.kind in ("quote", "whole", "sum")
        change = run and (run[-1].kind == "han") != (unit.kind == "han")
        if run and (taken or stop or single or change or unit.kind == "mark"):
            yield run
            run = []
        if single and not taken:
            yield [unit]
        elif not (taken or stop or unit.kind == "mark"):
            run.append(unit)
    if run:
        yield run


def _within(text: str, run: list[Unit], tool: Collection[str]) -> Iterator[Place]:
    start, end = run[0].start, run[-1].end
    if run[0].kind != "han":
        for i in range(min(len(run), 4)):
            yield run[i].start, end
            for j in range(len(run) - 1, max(i, len(run) - 4), -1):
                yield run[i].start, run[j - 1].end
        return
    # Chinese: without the tool's own words, and without what only leads or trails.
    parts = [(start, end)]
    for word in sorted(filter(has_han, tool), key=len, reverse=True):
        split: list[Place] = []
        for s, e in parts:
            at = text.find(word, s, e)
            split += [(s, at), (at + len(word), e)] if at >= 0 else [(s, e)]
        parts = split
    leading, trailing = LEXICON["leading"], LEXICON["trailing"]
    for s, e in parts:
        while e - s > 2 and text[s] in leading:
            s += 1
        while e - s > 2 and text[e - 1] in trailing:
            e -= 1
        if e > s and not (e - s == 1 and text[s] in leading + trailing):
            yield s, e
