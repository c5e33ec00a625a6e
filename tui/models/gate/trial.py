"""Holds back a possible call until the text after it decides whether it is one.

A call may stand in quoting that closes after it (`marks`), and what no marker
announces (a bare call) may be an example in a sentence. All that was written is kept,
and either the call's pieces or the text comes out.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from tui.models.gate.grammar import Drop, Payload, Reading, Rule
from tui.models.gate.markdown import Mark
from tui.models.gate.matcher import Found, RuleSet
from tui.models.gate.pieces import Piece

_BETWEEN = re.compile(r"[\s;,]*")
_LONGEST = 2000
"""Characters of white space; what comes behind more of it is another matter."""
_GOES_ON = re.compile(r"[,.;:!?)\]}…]")
_NOT_A_VALUE = re.compile(
    r"\[\s*[\w.\-]+\([^\[\]]*\)\s+(?:for|if|async)\b|[:=]\s*(?:\.\.\.|…|<[\w -]+>)"
)
"""A list comprehension, or a placeholder where a value is due."""


_BROKEN_OFF = re.compile(
    r"""(?:[\s{}\[\](),:=;]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|'(?:[^'\\]|\\.)*+(?:'|\\?\Z)"""
    r"""|[+-]?[\d.][\w.+\-]*|(?:[Tt]rue|[Ff]alse|[Nn]one|null)\b"""
    r"""|[^\W\d][\w.\-]*(?=\s*[=({]|\Z))*+""",
    re.DOTALL,
)
"""A call in JSON or Python up to any point, but no sentence."""


class Verdict(NamedTuple):
    """What a trial has come to."""

    call: bool
    """False: it is text."""
    end: int = 0
    """Where the next call of the same trial begins after the separators."""
    rule: Rule | None = None
    """The rule of that call."""
    opened: int = 0
    """Where that call's marker ends."""


def _next(text: str, final: bool, rules: RuleSet) -> tuple[Found | None, int, bool]:
    """Look for another call behind separators and tokens that end something.

    Returns it (its rule is None while more text decides), where it would begin, and
    whether there were such tokens.
    """
    at, tokens = 0, False
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if at == len(text) or at > _LONGEST:
            return None, at, tokens
        # The next call counts as at the start of a line, whatever separates it.
        found = rules.at("\n" + text[at:], 1)
        if found and found.rule is None and final:
            ended = rules.at("\n" + text[at:] + "\n", 1)
            found = ended if ended and ended.rule else None
        if found is None:
            return None, at, tokens
        end = min(at + found.end - 1, len(text))
        if found.rule is None or isinstance(found.rule.action, Payload):
            return Found(found.rule, end), at, tokens
        if not isinstance(found.rule.action, Drop):
            return None, at, tokens
        at, tokens = end, True


class Trial:
    """One call, or several in a row, whose fate is open."""

    def __init__(self, rule: Rule, marks: Sequence[Mark], back: str) -> None:
        self.rule = rule
        self.last = rule
        """The rule of the last call."""
        self.back = back
        """The text before it, for look-behinds."""
        self.marks = marks
        self.pieces: list[Piece] = []
        self.raw: list[str] = []
        """All that was written."""
        self.reading = Reading()
        self.payload: Payload | None = None
        """The payload that was read last, once it is closed."""
        self.whole = True
        """Every call so far is well-formed."""
        self.cut = False
        """The stream ended in it."""
        self.prose = False
        """It is not a call at all, whatever follows."""
        self.following = ""

    def closed(
        self, payload: Payload, reading: Reading, written: str, cut: bool
    ) -> None:
        """Take note of the end of a call."""
        self.payload = payload
        self.reading = reading
        self.raw.append(written)
        self.whole = self.whole and reading.whole
        self.cut = cut and not reading.whole

    def judge(self, text: str, final: bool, rules: RuleSet) -> Verdict | None:
        """Return the verdict that the text after the call allows, None for none yet.

        `rules` are those in force before the call.
        """
        found, at, tokens = _next(text, final, rules)
        if found is not None and found.rule is None:
            return None
        if found is not None and found.rule is not None:
            # Several calls in a row share their fate.
            if found.rule.bare or self.marks:
                return Verdict(True, at, found.rule, found.end)
            return self._alone()
        if self.marks and at == len(text) and at <= _LONGEST and not final:
            return None
        waits = False
        for mark in self.marks:
            closed = mark.closes(text, final)
            if closed:
                return Verdict(call=False)
            waits = waits or closed is None
        if waits:
            return None
        if not self.rule.bare:
            return Verdict(call=True)
        if at > _LONGEST or tokens or (at == len(text) and final):
            return self._alone()
        if at == len(text):
            return None
        return Verdict(call=not self._is_text(text, at))

    def _alone(self) -> Verdict:
        """Return the verdict on what no text follows."""
        if self.whole:
            return Verdict(call=True)
        raw = "".join(self.raw)
        if self.cut:
            return Verdict(call=_BROKEN_OFF.fullmatch(raw) is not None)
        return Verdict(call=not self.rule.strict and not _NOT_A_VALUE.search(raw))

    def _is_text(self, text: str, at: int) -> bool:
        """Whether the text after the call continues the sentence before it."""
        if self.rule.strict or not self.whole or "\n" not in text[:at]:
            return True
        return text[at].islower() or _GOES_ON.match(text, at) is not None
