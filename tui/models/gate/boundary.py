"""Finds where a payload ends while it streams in, without scanning it twice.

Each chunk is scanned once; only a token cut in two by the chunk's end is carried over
to the next. So time is linear in the length of a call. `payloads` parses the payload
once, when it is complete.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tui.models.gate.grammar import Element, Payload, Quote
from tui.models.gate.patterns import Atom, Atoms, Lit, cut, part, whole

_PAIRS = {"]": "[", "}": "{", ")": "("}
_SPACE = re.compile(r"\s*")
_SURPLUS = re.compile(r"(?:\s*[\]}])*")
_PROSE = re.compile(
    r"[}\])>\"'](?P<prose>\s*\n\s*"
    r"[^\W\d_]+(?:[ ,]+[^\W\d_]|[。，、！？])[^{}\[\]<>]*\Z)"
)
"""A paragraph of text at the end, behind something that belongs to a call."""
_LONGEST_PROSE = 4000
_FURTHEST = 200
"""Characters between a complete call and its closer."""


class End(NamedTuple):
    """The place where a payload ended."""

    body: str
    tail: str
    """The closer, if it belongs to the payload."""
    rest: str
    """The text after it."""
    closed: bool
    open: bool = False
    """The model left the closer out: other text followed a complete call."""


class Boundary:
    """Collects one payload; `stops` are tokens that end the whole message."""

    def __init__(self, payload: Payload, stops: Sequence[str]) -> None:
        self._payload = payload
        self._stops = tuple(stops)
        self._gathered: list[str] = []
        self._carry = ""
        self._depth: list[str] = []
        self._quote: Quote | None = None
        self._set(
            tuple(payload.quotes),
            tuple(payload.closers),
            payload.balanced,
            tuple(payload.before),
        )
        self._header = bool(payload.header)
        self._rests = False

    def feed(self, text: str) -> End | None:
        """Take the next chunk; return the payload's end if the chunk contains it."""
        data = self._carry + text
        self._carry = ""
        at = 0
        if self._header:
            if (start := self._head(data)) < 0:
                self._carry = data
                return None
            at = start
        while True:
            if self._rests:
                go_on = self._rest(data, at)
                if isinstance(go_on, End):
                    return go_on
                if go_on is None:
                    self._gathered.append(data[:at])
                    self._carry = data[at:]
                    return None
                at = go_on
            if self._quote is None:
                found = self._outside.search(data, at)
                if found is None:
                    break
                kind = found.lastgroup
                token = found[0]
                if kind == "part":
                    self._carry = data[found.start() :]
                    data = data[: found.start()]
                    break
                at = found.end()
                if kind == "quote":
                    self._quote = self._quotes[token]
                elif kind and kind.startswith("element"):
                    element = self._payload.elements[int(kind[7:])]
                    self._quote = element.quote(token)
                elif kind == "closer":
                    return self._end(data, found.start(), at, closed=True)
                elif kind == "before":
                    return self._end(data, found.start(), found.start(), closed=True)
                elif kind == "stop":
                    return self._end(data, found.start(), found.start(), closed=False)
                elif kind == "end" or self._bracket(token):
                    if not self._more:
                        return self._end(data, at, at, closed=True)
                    self._rests = True
            else:
                found = _inside(self._quote).search(data, at)
                if found is None:
                    break
                if found.lastgroup == "part":
                    self._carry = data[found.start() :]
                    data = data[: found.start()]
                    break
                at = found.end()
                if found.lastgroup == "close":
                    self._rests = self._more and self._quote.close in self._ends
                    self._quote = None
        self._gathered.append(data)
        return None

    def finish(self) -> End:
        """End the stream and return the payload's end."""
        body = "".join(self._gathered)
        if self._rests:
            rest = self._carry
            surplus = _end_of(_SURPLUS, rest)
            left, whole_left = rest[surplus:].lstrip(), rest.lstrip()
            p = self._payload
            tokens = (*p.closers, *p.before, *p.ends, *self._stops)
            if not left or any(t.startswith((left, whole_left)) for t in tokens):
                return End(body, rest, "", closed=not p.closers)
            if not left[0].isalnum() and self._resting.begun.fullmatch(rest):
                return End(body + rest, "", "", closed=False)
            return End(body, rest[:surplus], rest[surplus:], closed=True, open=True)
        if self._quote is not None:
            body += self._carry
            # The string never ended, so treat the first closer inside it as the end.
            ends = [
                (at, closer)
                for closer in self._payload.closers
                if (at := body.find(closer)) >= 0
            ]
            if ends:
                at, closer = min(ends)
                rest = body[at + len(closer) :]
                return End(body[:at], closer, rest, closed=True)
            return End(body, "", "", closed=False)
        carry = self._carry
        if self._payload.balanced or self._payload.ends:
            # The model may have gone on in words, the call never completed.
            end = f"{body[-_LONGEST_PROSE:]}{carry}"
            if prose := _PROSE.search(end):
                rest = end[prose.start("prose") :]
                return End(f"{body}{carry}"[: -len(rest)], "", rest, closed=False)
        if any(c.startswith(carry) for c in (*self._payload.closers, *self._stops)):
            # A partial closer is not part of the body.
            return End(body, carry, "", closed=False)
        return End(body + carry, "", "", closed=False)

    def _rest(self, data: str, at: int) -> End | int | None:
        """Look at what follows a complete call.

        Returns the payload's end, where to search on, or None while more text decides.
        """
        pattern = self._resting
        if found := pattern.full.match(data, at):
            self._rests = False
            # The token itself is searched for again, as anywhere else.
            return found.start("token")
        if pattern.begun.fullmatch(data, at):
            return None
        surplus = _end_of(_SURPLUS, data, at)
        other = _end_of(_SPACE, data, surplus)
        if "\n" not in data[at:other]:
            # Perhaps the closer is still to come on this line, behind other text.
            line, newline, _ = data[other : other + _FURTHEST].partition("\n")
            token = pattern.token.search(line)
            if token and token[0] in self._payload.closers:
                self._rests = False
                return other
            if not (token or newline) and len(line) < _FURTHEST:
                return None
        return self._end(data, at, surplus, closed=True)._replace(open=True)

    def _head(self, data: str) -> int:
        """Return where the header ends, or -1 if it is incomplete."""
        full, begun = _header(tuple(self._payload.header), tuple(self._payload.look))
        if found := full.match(data):
            self._header = False
            return found.end()
        if begun.match(data):
            return -1
        self._header = False
        before = (*self._payload.before, self._payload.resume)
        self._set((), (), balanced=False, before=before)
        return 0

    def _set(
        self,
        quotes: tuple[Quote, ...],
        closers: tuple[str, ...],
        balanced: bool,
        before: tuple[str, ...],
    ) -> None:
        self._quotes = {q.open: q for q in quotes}
        ends = tuple(self._payload.ends) if closers else ()
        elements = tuple(self._payload.elements)
        self._outside = _outside(
            quotes, closers, self._stops, balanced, before, ends, elements
        )
        again = tuple(tuple(a) for a in self._payload.again)
        self._ends = ends
        self._more = bool(again or closers)
        self._resting = _resting(again, (*closers, *before, *self._stops))

    def _bracket(self, char: str) -> bool:
        if char in "[{(":
            self._depth.append(char)
            return False
        opener = _PAIRS[char]
        if opener in self._depth:
            # Closing an outer bracket closes any still open inside it.
            while self._depth.pop() != opener:
                pass
        return not self._depth

    def _end(self, data: str, end: int, rest: int, closed: bool) -> End:
        body = "".join(self._gathered) + data[:end]
        return End(body, data[end:rest], data[rest:], closed)


@lru_cache(maxsize=256)
def _outside(
    quotes: tuple[Quote, ...],
    closers: tuple[str, ...],
    stops: tuple[str, ...],
    balanced: bool,
    before: tuple[str, ...],
    ends: tuple[str, ...],
    elements: tuple[Element, ...],
) -> re.Pattern[str]:
    opens = tuple(sorted((q.open for q in quotes), key=len, reverse=True))
    # What begins another call may also look like an end, or like an argument.
    groups = [("closer", closers), ("quote", opens)]
    groups.append(("end", ends))
    groups.append(("stop", stops))
    if balanced:
        groups.append(("bracket", tuple("[](){}")))
    tokens = [
        (name, "|".join(re.escape(t) for t in texts if t)) for name, texts in groups
    ]
    # Do not match a token while it may still become a longer one.
    texts = [t for _, texts in groups for t in texts] + [*before]
    begun = [_begun(e.open) for e in elements]
    choices = [rf"(?P<part>{'|'.join([cut(texts), *begun])})"]
    if ahead := "|".join(re.escape(t) for t in before if t):
        choices.append(f"(?P<before>{ahead})")
    choices += [f"(?P<element{i}>{whole(e.open)})" for i, e in enumerate(elements)]
    choices += [f"(?P<{name}>{choice})" for name, choice in tokens if choice]
    return re.compile("|".join(choices) or "(?!)")


class _Resting(NamedTuple):
    """What may follow a complete call in a payload."""

    full: re.Pattern[str]
    begun: re.Pattern[str]
    token: re.Pattern[str]


@lru_cache(maxsize=256)
def _resting(again: tuple[Atoms, ...], tokens: tuple[str, ...]) -> _Resting:
    space = rf"[\s\]}})]{{0,{_FURTHEST}}}"
    literal = "|".join(re.escape(t) for t in tokens if t) or "(?!)"
    full = "|".join([*map(whole, again), literal])
    begun = "|".join([*map(part, again), cut(tokens, 0)])
    return _Resting(
        re.compile(f"{space}(?P<token>{full})"),
        re.compile(f"{space}(?:{begun})"),
        re.compile(literal),
    )


def _end_of(pattern: re.Pattern[str], text: str, at: int = 0) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


@lru_cache(maxsize=64)
def _inside(quote: Quote) -> re.Pattern[str]:
    close = re.escape(quote.close)
    ends = [cut((quote.close,))] if len(quote.close) > 1 else []
    if quote.escapes:
        ends.append(r"\\\Z")
    begun = f"(?P<part>{'|'.join(ends)})|" if ends else ""
    escaped = r"|(?P<escape>(?:\\.)+)" if quote.escapes else ""
    return re.compile(f"{begun}(?P<close>{close}){escaped}", re.DOTALL)


def _begun(token: Atoms) -> str:
    """Return a pattern for a proper, non-empty prefix at the end of the text."""
    first = token[0]
    assert isinstance(first, Lit)
    return re.escape(first.text[0]) + part((Lit(first.text[1:]), *token[1:]))


@lru_cache(maxsize=64)
def _header(
    header: tuple[Atom, ...], look: tuple[Atom, ...]
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return (
        re.compile(f"{whole(header)}(?={whole(look)})"),
        re.compile(part((*header, *look))),
    )
