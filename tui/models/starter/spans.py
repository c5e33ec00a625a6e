"""Finds pieces of a message that may be a text argument, and scores them.

The value is always a piece of the message: nothing is invented. What comes before a
piece (`from`, `about`, 给, 关于) and what the parameter is called decide most cases;
the model's likelihood is asked only where they leave a doubt.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from tui.models.starter.numbers import numbers
from tui.models.starter.words import (
    FILLER,
    LEADING,
    STOP,
    TEMPORAL,
    TRAILING,
    Unit,
    content,
    has_han,
    split_words,
    stem,
    units,
)


class Span(NamedTuple):
    """A piece of the message and how much speaks for it."""

    start: int
    end: int
    score: float


class Role(NamedTuple):
    """What a parameter is in the sentence, and the words that come before it."""

    names: frozenset[str]
    cue: re.Pattern[str]
    weight: float = 3.0


def _role(names: str, english: str, chinese: str, weight: float = 3.0) -> Role:
    cue = (
        rf"(?:\b(?:{english})\s+(?:the\s+|an?\s+|my\s+)?|(?:{chinese})\s*)[\"'“‘「《]?$"
    )
    return Role(
        frozenset(stem(n) for n in names.split()),
        re.compile(cue, re.IGNORECASE),
        weight,
    )


_ROLES = (
    _role(
        "from source origin start departure base src begin sender",
        "from|between|convert|change|exchange|translate",
        "从|把|将|自|由|(?<![现正])在",
    ),
    _role(
        "to target destination end into dest goal language",
        "to|into|in|towards?|and|as|how many|how much",
        "换成|翻译成|译成|成|到|至|去|往|为|用|多少|对|兑",
    ),
    _role(
        "to recipient receiver whom who person contact addressee attendee email",
        "to|for|with|tell|email|e-mail|mail|message|text|call|invite|ask",
        "给|向|通知|告诉|跟|和|叫",
    ),
    _role(
        "subject topic query about search term keyword keywords question phrase theme "
        "label reason purpose body message content note",
        "about|regarding|concerning|on|for|of|saying|that|called|titled|named|says",
        "关于|有关|主题是|主题为|内容是|题目是|标题是|说|叫|搜索|查找|找|搜",
    ),
    _role(
        "location city place restaurant where town country room region area "
        "zone timezone "
        "address "
        "state store",
        "in|at|for|of|near|around|within|inside",
        "(?<![现正])在|去|到",
    ),
    _role(
        "artist author singer writer band composer brand maker by",
        "by",
        "由",
    ),
    _role(
        "text title task item song artist expression path file company symbol word "
        "name event movie book product ticker stock dish recipe url website",
        "of|for|add|play|read|open|create|buy|called|named|is|word|define|put|say",
        "把|将|播放|放|打开|读取|读|添加|叫|是|买",
        2.0,
    ),
)
_TEMPORAL_NAMES = frozenset(
    map(stem, ["day", "date", "when", "time", "weekday", "deadline", "due"])
)
_SUM_NAMES = frozenset(
    map(stem, ["expression", "formula", "equation", "arithmetic", "sum"])
)
_JOINERS = frozenset(split_words("of with and the a an in for & de la von to at on's"))
_GENERIC_VERBS = frozenset(
    split_words(
        "give get tell show find look search check set start make create add "
        "put open send play turn switch read write convert translate "
        "calculate compute remind fetch book buy order pick choose roll work "
        "list please can could would let what's"
    )
)


_MOST_PIECES = 80
"""More come only of long messages, of which each costs time."""
_NAMELIKE = frozenset(split_words("new own name text string word value current"))
"""Words that say nothing of a tool but may belong to a value, as in New York."""
_STRETCH = re.compile(
    r"\b(?:say|saying|says|about|called|titled|named|translate)\s+(\S.*?)"
    r"(?=\s+(?:in|into|to|for|on|from|please)\s+\S+(?:\s\S+)?\W*$|[?.!,]*\s*$)",
    re.IGNORECASE,
)
"""What follows these words is a value even where it has common words in it."""

_TASK = re.compile(
    r"\b(?:me|us|him|her|them)\s+(?:(?:in|at|on)\s.{1,24}?\s)?to\s+(\S.*?)"
    r"(?=\s+(?:in|at|on)\s+(?:\S+\s+){0,2}\S+\W*$|[?.!,]*\s*$)",
    re.IGNORECASE,
)
"""What somebody is to be told or reminded to do."""
_SAID = re.compile(
    r"\w\s+that\s+(?P<en>\S.*?)[.?!]*\s*$"
    r"|(?:说|内容是|写着|主题是|标题是|提醒我|告诉(?:他|她|我))[：:，,\s]*(?P<zh>[^“「，,]+?)[。！？]*$",
    re.IGNORECASE,
)
"""What a message is to say."""
_TASK_NAMES = frozenset(
    map(
        stem,
        split_words(
            "text task title what message label note reminder content body subject todo"
        ),
    )
)
_LEAD = re.compile(
    r"\W*(?:(?:please|can\syou|could\syou|what\sis|what's|how\smuch\sis|calculate"
    r"|compute"
    r"|evaluate|work\sout|solve|tell\sme|the\sresult\sof|what\sdoes)\s+)+"
    r"|(?:请|帮我|计算|算一下|算|一下|\s)+",
    re.IGNORECASE,
)
"""What comes before arithmetic."""
_ENDS = re.compile(r"(?:\s+please)?\W*(?:$|[.!?。！？])", re.IGNORECASE)
_SUM = re.compile(
    r"[+*/×÷^%]|\d\s*-\s*\d|\b(?:plus|minus|times|divided|multiplied|root|power|squared"
    r"|cubed|percent|sum|product|factorial|log|sin|cos)\b|[加减乘除]|平方|根",
    re.IGNORECASE,
)


class Parameter(NamedTuple):
    """A text parameter of a tool."""

    name: str
    description: str

    @property
    def words(self) -> set[str]:
        """The stems of its name; of its description where the name says nothing."""
        own = {stem(w) for w in _split(self.name)}
        return own

    def role_weight(self, before: str) -> float:
        """Return how well the text before a piece fits what this parameter is."""
        own = self.words
        # The unit of an amount, "6 feet": what is converted from.
        amount = re.search(r"\d\s*$", before) and own & _ROLES[0].names
        best = 2.5 if amount else 0.0
        said = _split(self.description.split("e.g.")[0])
        described = {stem(w) for w in said}
        if {"from", "to"} <= described:  # "what to convert from": the last word counts
            described.discard(
                "to" if said[::-1].index("from") < said[::-1].index("to") else "from"
            )
        for role in _ROLES:
            strength = 1.0 if own & role.names else 0.0
            if not strength and described & role.names:
                strength = 0.5
            if strength and role.cue.search(before):
                best = max(best, strength * role.weight)
        return best

    @property
    def is_temporal(self) -> bool:
        """Whether it wants a day or a time."""
        return bool(self.words & _TEMPORAL_NAMES)

    @property
    def is_sum(self) -> bool:
        """Whether it wants arithmetic."""
        return bool((self.words | content(self.description)) & _SUM_NAMES)


def _split(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+", spaced.lower())


def pieces(text: str, used: Collection[tuple[int, int]], tool: set[str]) -> list[Span]:
    """Return the pieces of `text` that may be a value, without scores.

    `used` are the places of numbers and choices that other parameters have taken;
    `tool` is the tool's vocabulary, which is no value when a piece begins or ends
    with it.
    """
    found: set[tuple[int, int]] = set()
    chunks: list[tuple[int, int]] = []
    for run in _runs(text, used):
        if run[0].kind in ("quote", "whole", "sum"):
            unit = run[0]
            inner = 1 if unit.kind == "quote" else 0
            found.add((unit.start + inner, unit.end - inner))
            if unit.kind != "quote":
                chunks.append((unit.start, unit.end))
            continue
        start, end = run[0].start, run[-1].end
        chunks.append((start, end))
        found.update(_within(text, run, tool))
    # "lunch with Sam", "San Francisco, CA": chunks joined by a word or a comma.
    for i, (start, end) in enumerate(chunks):
        for _, later in chunks[i + 1 : i + 4]:
            between = text[end:later]
            if len(between) > 60 or any(s < later and e > end for s, e in used):
                break
            if re.search(
                r"[.;:!?。！？，]\s|[?!：；。！？]", text[start:later].rstrip()
            ):
                break
            found.add((start, later))
            first = next(u for u in units(text[start:later]))
            if first.text.lower() in _GENERIC_VERBS or stem(first.text) in tool:
                rest = text[start + first.end : later]
                found.add((later - len(rest.lstrip()), later))
    found.update(m.span() for m in TEMPORAL.finditer(text))
    for place in _stretches(text, _STRETCH, _TASK, _SAID):
        if not any(s < place[1] and place[0] < e for s, e in used):
            found.add(place)
    for m in re.finditer(
        r"([\u4e00-\u9fff]{1,6})[对兑]([\u4e00-\u9fff]{1,6}?)(?=的|$|\W)", text
    ):
        found.update((m.span(1), m.span(2)))
    free = [
        n for n in numbers(text) if not any(s < n.end and n.start < e for s, e in used)
    ]
    if free:
        lead = _LEAD.match(text)
        begin = lead.end() if lead else 0
        end = len(text.rstrip(" ?？.。=!！"))
        found.add((free[0].start, free[-1].end))
        if 0 < begin < free[0].start:
            found.add((begin, max(end, free[-1].end)))
    spans = [Span(s, e, 0.0) for s, e in sorted(found) if text[s:e].strip()]
    return spans[:_MOST_PIECES]


def score(text: str, span: Span, parameter: Parameter, tool: set[str]) -> float:
    """Return what speaks for `span` as the value of `parameter`, without the model."""
    piece = text[span.start : span.end]
    before = text[: span.start]
    points = parameter.role_weight(before)
    if points and parameter.words & _ROLES[3].names and _ENDS.match(text[span.end :]):
        points += 1.5  # a topic goes on to the end: "cheap flights to Lima"
    inside = units(piece)
    words = [u.text for u in inside if u.kind in ("word", "whole")]
    if before and before[-1] in "\"'“‘「《":
        points += 1 if parameter.words & _ROLES[4].names else 5
    if parameter.is_sum:
        counted = numbers(piece)
        points += 4 if _SUM.search(piece) and counted else -5
        points += len(counted)
        points -= 0.4 * sum(u.kind == "word" and u.text.lower() in STOP for u in inside)
    elif any(u.kind == "sum" for u in inside):
        points -= 1
    if any(u.kind == "whole" for u in inside):
        points += 3 if len(inside) == 1 else 0
    when = TEMPORAL.fullmatch(piece) is not None and not (
        # "Play Yesterday": a name. Days of the week are always capitalised.
        piece[0].isupper()
        and span.start > 0
        and piece[-3:] == "day"
        and piece.lower() in ("yesterday", "today")
    )
    if when:
        points += 4 if parameter.is_temporal else -4
    elif parameter.is_temporal:
        points -= 2
    elif TEMPORAL.search(piece):
        points -= 3
    # A capitalised word is part of a name, Mexico City, even if the tool has it.
    stems = [stem(w) if w[0].islower() or span.start == 0 else w for w in words]
    vocabulary = sum(s in tool for s in stems)
    if words and vocabulary == len(words):
        points -= 4
    elif words and (stems[0] in tool or stems[-1] in tool):
        points -= 1.5
    place = span.start, span.end
    if place in _stretches(text, _TASK, _SAID) and parameter.words & _TASK_NAMES:
        points += 5
    elif any(m.span(1) == place for m in _STRETCH.finditer(text)):
        points += 2
    elif words:
        lower = [w.lower() for w in words]
        if lower[0] in STOP - _NAMELIKE:
            points -= 1 if lower[0] in ("the", "a", "an", "my", "some") else 3
        if lower[-1] in STOP - _NAMELIKE:
            points -= 3
        if lower[0] in _GENERIC_VERBS and span.start == 0:
            points -= 3
        if span.start == len(text) - len(text.lstrip()):
            points -= 0.5
        elif all(w[0].isupper() or w.lower() in _JOINERS for w in words):
            points += 2
        if sum(w.lower() in STOP for w in words) and not words[0][0].isupper():
            points -= 0.3 * sum(w.lower() in STOP for w in words)
    if has_han(piece):
        han = sum(u.kind == "han" for u in inside)
        if han == 1:
            points -= 1.5
        if any(k in piece for k in tool if has_han(k)):
            points -= 3
        if any(f in piece for f in FILLER if len(f) > 1):
            points -= 2
        if "的" in piece:
            points -= 1
    if re.match(r"\s(?:with|of)\s\w", text[span.end :]):
        points -= 1.2
    if re.search(r"\w\s(?:with|of)\s$", before) and not points > 2.5:
        points -= 1.2
    # The longer of two pieces that fit alike: "garage door code", not "door".
    return points + 0.15 * min(len(inside), 8)


def _stretches(text: str, *patterns: re.Pattern[str]) -> set[tuple[int, int]]:
    """Return where the pieces that `patterns` find are, without a day at their end."""
    found: set[tuple[int, int]] = set()
    for m in (m for pattern in patterns for m in pattern.finditer(text)):
        start, end = m.span(m.lastindex or 1)
        for when in TEMPORAL.finditer(text, start, end):
            if not text[when.end() : end].strip(" .!?。！？"):
                end = start + len(text[start : when.start()].rstrip())
                break
        if end > start:
            found.add((start, end))
    return found


def _runs(text: str, used: Collection[tuple[int, int]]) -> Iterator[list[Unit]]:
    """Yield the units between words that cannot belong to a value."""
    fillers = _fillers(text)
    run: list[Unit] = []
    for unit in units(text):
        taken = any(s < unit.end and unit.start < e for s, e in used)
        taken = taken or any(s <= unit.start < e for s, e in fillers)
        stop = unit.kind == "word" and unit.text.lower() in STOP - _NAMELIKE
        if unit.text in ("The", "A", "An") and unit.start > 0:
            stop = False  # of a name: The Beatles
        single = unit.kind in ("quote", "whole", "sum")
        if taken or stop or single or unit.kind == "mark":
            if run:
                yield run
            run = []
            if single and not taken:
                yield [unit]
            continue
        if run and run[-1].kind != unit.kind and "han" in (run[-1].kind, unit.kind):
            yield run
            run = []
        run.append(unit)
    if run:
        yield run


def _fillers(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        filler = next((f for f in FILLER if text.startswith(f, at)), "")
        if filler:
            found.append((at, at + len(filler)))
        at += len(filler) or 1
    return found


def _within(text: str, run: list[Unit], tool: set[str]) -> Iterator[tuple[int, int]]:
    start, end = run[0].start, run[-1].end
    if run[0].kind != "han":
        for i in range(min(len(run), 4)):
            yield run[i].start, end
            for j in range(len(run) - 1, max(i, len(run) - 4), -1):
                yield run[i].start, run[j - 1].end
        return
    # Chinese: without the tool's own words, and without what only leads or trails.
    parts = [(start, end)]
    for word in sorted((w for w in tool if has_han(w)), key=len, reverse=True):
        split: list[tuple[int, int]] = []
        for s, e in parts:
            at = text.find(word, s, e)
            split += [(s, at), (at + len(word), e)] if at >= 0 else [(s, e)]
        parts = split
    for s, e in parts:
        while e - s > 2 and text[s] in LEADING:
            s += 1
        while e - s > 2 and text[e - 1] in TRAILING:
            e -= 1
        if e > s and not (e - s == 1 and text[s] in LEADING + TRAILING):
            yield s, e
