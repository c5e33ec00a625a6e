"""The loop that splits a stream, for every dialect.

A stream is in one of five states: text (of some channel) that is searched for rules;
a payload being collected; a trial, which is a call whose fate hangs on what follows;
a draft, which is a call inside reasoning that counts only if the reasoning is never
closed; or muted, after which nothing is emitted. Text is emitted as soon as no rule can
start in it. The file is long, since all states share what is remembered.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tui.models.gate.boundary import Boundary, End
from tui.models.gate.grammar import (
    Channel,
    Dialect,
    Drop,
    Mention,
    Payload,
    Reading,
    Rule,
    Switch,
    is_call,
)
from tui.models.gate.markdown import Mark, Markdown
from tui.models.gate.matcher import (
    LONG,
    Cut,
    Found,
    RuleSet,
    after_set,
    closing,
    may_quote,
    rule_set,
)
from tui.models.gate.names import meant
from tui.models.gate.patterns import BLANKS
from tui.models.gate.pieces import Broken, Call, CallOpened, Piece, Reasoning, Text
from tui.models.gate.prose import PassedProse
from tui.models.gate.trial import Trial

_SENTENCE = re.compile(r"[^\W\d_]{2,}[ ,]+[^\W\d_]+[ ,.]")

_PLACEHOLDER = re.compile(r"[:={\[(]\s*(?:\"?\.\.\.|\"?…|<[\w -]+>)")
"""What stands for a value in an explanation."""

_KEYS = re.compile(r"[\"'](?:name|arguments|parameters|function|type)[\"']")

_FRAME_ENDS = ("<|end|>", "<|return|>")
"""What ends the reasoning that a header has opened."""

_LONGEST_CLOSER = 64
"""Characters of what closes reasoning, suffix and all."""

_NO_WORDS: dict[str, Piece] = {}
_NO_CUTS: dict[str, Cut] = {}

_LOOK_BACK = 64
"""Emitted characters kept to find line starts and back-ticks, and for look-behinds."""


class Splitter:
    """Splits one message; `feed` and `finish` are those of `Gate`."""

    __slots__ = (
        "_after",
        "_answered",
        "_back",
        "_boundary",
        "_called",
        "_calm",
        "_channel",
        "_closes",
        "_cuts",
        "_dialect",
        "_draft",
        "_draft_end",
        "_framed",
        "_fresh",
        "_held",
        "_kind",
        "_lead",
        "_line_start",
        "_markdown",
        "_may_think",
        "_mentioned",
        "_mute",
        "_names",
        "_opening",
        "_pass",
        "_payload",
        "_plain",
        "_prose",
        "_quoting",
        "_rule",
        "_rules",
        "_run",
        "_search",
        "_stops",
        "_sure",
        "_tools",
        "_trial",
        "_trims",
        "_unquoted",
        "_words",
    )

    def __init__(
        self,
        dialect: Dialect,
        tools: Mapping[str, dict[str, Any]] | None,
        reasoning_open: bool,
        closers: Sequence[str] = (),
    ) -> None:
        self._dialect = dialect
        self._stops = (*dialect.dropped, *dialect.endings)
        self._tools = tools or {}
        self._names = tuple(sorted(tools)) if tools else None
        self._channel: Channel = "text"
        self._closes: tuple[str, ...] = ()
        self._fresh = True
        self._may_think = True
        self._called = False
        self._framed = False
        self._answered = False
        self._mentioned = False
        self._mute = False
        self._quoting = False
        self._trims = False
        """Whether white space is dropped, up to the first other character."""
        self._markdown = Markdown()
        self._prose = PassedProse()
        self._pass = self._prose.add
        self._back = "\n"
        self._held: str = ""
        self._plain: dict[str, Piece] = _NO_WORDS
        self._cuts: dict[str, Cut] = _NO_CUTS
        self._run: list[str] = []
        self._payload: Payload | None = None
        self._rule: Rule | None = None
        self._opening = ""
        self._boundary: Boundary | None = None
        self._after: RuleSet | None = None
        self._line_start: bool = True
        self._draft: list[str] | None = None
        self._draft_end = ""
        self._trial: Trial | None = None
        if reasoning_open and (dialect.thinking or dialect.structural):
            self._channel = "reasoning"
            closes = (t.close for t in dialect.thinking)
            self._closes = tuple(dict.fromkeys((*closes, *closers)))
            self._may_think = False
        self._renew()

    @property
    def in_reasoning(self) -> bool:
        """Whether reasoning is open."""
        return self._channel == "reasoning"

    def prepare(self) -> None:
        """Compile the rules in force, so that no piece waits for that."""
        self._rules.prepare()

    def feed(self, text: str) -> list[Piece]:
        """Take the next chunk of the stream."""
        if text in self._plain:
            # Nearly all of a stream is words that have come before.
            self._pass(text)
            return [self._plain[text]]
        if text in self._cuts:
            before, piece, begun = self._cuts[text]
            out: list[Piece] = []
            if piece is not None:
                self._pass(before)
                out = [piece]
            if self._unquoted or not self._is_quoted():
                self._held = begun
                self._plain, self._cuts = _NO_WORDS, _NO_CUTS
                return out
            return out + self._show_quoted(begun)
        if not self._calm:
            return self._feed_slowly(text)
        if self._held:
            text, self._held = self._held + text, ""
            self._plain, self._cuts = self._words, self._rules.cuts
            if text in self._plain:
                self._pass(text)
                return [self._plain[text]]
            return self.feed(text)
        return self._feed_unknown(text)

    def _feed_unknown(self, text: str) -> list[Piece]:
        """Take a chunk that has not come before, or not in this place."""
        rules = self._rules
        if len(text) >= LONG:
            return self._feed_long(text)
        if text in rules.quoting:
            self._doubt_quoting()
            self._pass(text)
            return [rules.quoting[text]]
        if text in rules.within and self._last() != "\n":
            return [self._emit(text)]
        if self._lead in text and (found := self._search(text)):
            return self._feed_near(text, found.start())
        if not text:
            return []
        piece = self._emit(text)
        rules.keep_plain(text, piece)
        return [piece]

    def _emit(self, text: str) -> Piece:
        """Return a text as a piece, once it is noted that it passes."""
        if may_quote(text):
            self._doubt_quoting()
        self._pass(text)
        return self._kind(text)

    def _doubt_quoting(self) -> None:
        """Take note that what comes next may be quoted."""
        self._unquoted = not self._quoting

    def _last(self) -> str:
        """Return the last character that came."""
        return self._prose.last() or self._back[-1]

    def _feed_long(self, text: str) -> list[Piece]:
        """Take a chunk that one search after the other is worth while for."""
        for at in self._rules.starts(text):
            if at < _LOOK_BACK:
                self._settle()
                found = self._rules.at(self._back + text, len(self._back) + at)
            else:
                found = self._rules.at(text, at)
            if found is None:
                continue
            if found.rule is None:
                return self._hold(text, at)
            if at:
                self._emit(text[:at])
                self._run.append(text[:at])
            return self._feed_slowly(text[at:])
        return [self._emit(text)]

    def _feed_near(self, text: str, at: int) -> list[Piece]:
        """Take a chunk in which something that looks like an opener begins at `at`."""
        rest = text[at:]
        if rest in self._sure or (at and self._rules.sure_behind(text[:at], rest)):
            return self._hold(text, at, surely=True)
        if not at and self._search(self._last() + text, 1) is None:
            # It only seemed to be at the start of a line, or of a word.
            if self._search(" " + text, 1) is None:
                self._rules.keep_within(text)
            return [self._emit(text)]
        self._settle()
        back = len(self._back)
        data = self._back + text
        found = self._rules.at(data, back + at)
        while found is None:
            begun = self._search(data, back + at + 1)
            if begun is None:
                return [self._emit(text)]
            at = begun.start() - back
            found = self._rules.at(data, back + at)
        if found.rule is not None:
            return self._feed_slowly(text)
        return self._hold(text, at)

    def _hold(self, text: str, at: int, surely: bool = False) -> list[Piece]:
        """Hold the end of a chunk back, since more text decides about it.

        `surely`: an opener begins there, whatever comes before the chunk.
        """
        piece = self._emit(text[:at]) if at else None
        if surely:
            self._rules.keep_cut(text, at, piece)
        out = [] if piece is None else [piece]
        if not self._unquoted and self._is_quoted():
            return out + self._show_quoted(text[at:])
        self._held = text[at:]
        self._plain, self._cuts = _NO_WORDS, _NO_CUTS
        return out

    def _show_quoted(self, begun: str) -> list[Piece]:
        """Take the beginning of what would be an opener, were it not quoted."""
        if len(begun) > 1 or self._rules.in_quotes:
            return self._feed_slowly(begun)
        return [self._emit(begun)]

    def _is_quoted(self) -> bool:
        """Whether Markdown quotes what comes next."""
        quoted = self._prose.quoted()
        if quoted is None:
            self._settle()
            quoted = self._markdown.quotes()
            self._prose.learn(self._markdown)
        self._unquoted = not quoted and self._prose.goes_on
        return quoted

    def _feed_slowly(self, text: str) -> list[Piece]:
        out: list[Piece] = []
        self._settle()
        self._prose.doubt()
        self._doubt_quoting()
        self._take(text, False, out)
        self._flush(out)
        return out

    def _settle(self) -> None:
        """Take note of the prose that has passed."""
        if text := self._prose.take():
            if self._quoting:
                self._markdown.feed(text)
            self._back = (self._back + text)[-_LOOK_BACK:]

    def finish(self) -> list[Piece]:
        """End the stream and return what was held back."""
        out: list[Piece] = []
        self._settle()
        self._take("", True, out)
        self._flush(out)
        return out

    def _take(self, text: str, final: bool, out: list[Piece]) -> None:
        rest: str | None = text
        while rest is not None:
            if self._mute:
                return
            if self._boundary is not None:
                end = self._boundary.feed(rest)
                if end is None and final:
                    end = self._boundary.finish()
                rest = None if end is None else self._close_payload(end, out)
            elif self._trial is not None:
                rest = self._judge(self._trial, rest, final, out)
            elif self._draft is not None:
                rest = self._draft_on(rest, final)
            else:
                rest = self._scan(rest, final, out)
        self._calm = (
            self._boundary is None
            and self._draft is None
            and self._trial is None
            and self._after is None
            and not self._trims
            and not (self._fresh and self._channel == "text")
            and self._channel != "nothing"
        )
        plain = self._calm and not self._held
        self._plain = self._words if plain else _NO_WORDS
        self._cuts = self._rules.cuts if plain else _NO_CUTS

    def _scan(self, text: str, final: bool, out: list[Piece]) -> str | None:
        """Emit text until a payload opens; return what follows it, None at the end."""
        data = self._back + self._held + text
        at = len(self._back)
        self._held = ""
        while True:
            if self._after is not None:
                found = self._after.at(data, at)
                if found and found.rule is None and final and at < len(data):
                    # The end of the stream counts as that of a line.
                    found = self._after.at(data + "\n", at)
                if found is None or (found.rule is None and final):
                    self._after = None
                    continue
                quoted, i = False, at
            else:
                first = self._search(data, at)
                if first is None:
                    self._let_out(data[at:])
                    self._back = data[-_LOOK_BACK:]
                    return None
                i = first.start()
                if i > at:
                    self._let_out(data[at:i])
                found, quoted = self._at(data, i, final)
                if found is None:
                    self._let_out(data[i])
                    at = i + 1
                    continue
            rule, end = found
            if rule is not None and rule.once:
                self._after = None
            if rule is None:
                if not final:
                    self._back = data[max(0, i - _LOOK_BACK) : i]
                    self._held = data[i:]
                    return None
                if self._rules.cut_off(data, i, quoted):
                    self._flush(out)
                    out += [CallOpened(), Broken("truncated", data[i:])]
                    self._channel = "text"
                    self._back = " "
                    return None
                self._let_out(data[i])
                at = i + 1
                continue
            back = data[max(0, i - _LOOK_BACK) : i]
            # What is removed directly after a call only separates it from the next.
            follows = self._after is not None or rule.once
            self._line_start = follows or data[i - 1] == "\n"
            self._back = "\n" if self._line_start else " "
            match rule.action:
                case Mention():
                    self._let_out(data[i:end])
                    self._back = data[end - 1]
                    self._mentioned = True
                    self._renew()
                case Drop():
                    if rule.anchor == "thought":
                        self._answered = True
                        self._renew()
                    if rule.structural:
                        # A frame's text begins behind it.
                        self._back = "\n"
                    elif not follows:
                        # What comes next stands where the marker stood.
                        self._back = back[-1]
                    if rule.after:
                        self._after = after_set(tuple(rule.after), self._names or ())
                case Switch(channel, permanent, trims):
                    self._flush(out)
                    self._mute = permanent
                    self._trims = trims
                    if channel == "text":
                        # An answer begins behind what closes reasoning.
                        self._back = "\n"
                    self._switch(channel, data[i:end])
                    if permanent:
                        return None
                case Payload():
                    self._flush(out)
                    if self._channel == "reasoning" and not rule.structural:
                        self._draft = []
                        self._draft_end = ""
                        return data[i:]
                    marks = self._marks(rule)
                    if marks or rule.bare:
                        self._trial = Trial(rule, marks, back)
                        out = self._trial.pieces
                    self._open(rule, rule.action, data[i:end], out)
                    return data[end:]
            data = self._back + data[end:]
            at = 1

    def _at(self, data: str, i: int, final: bool) -> tuple[Found | None, bool]:
        """Return the rule that opens at `i`, and whether Markdown quotes it there."""
        found = self._rules.at(data, i)
        quoted = False
        if (
            found is not None
            and self._quoting
            and (found.rule is None or found.rule.quotable)
            and self._markdown.quotes()
        ):
            quoted = True
            found = self._rules.at(data, i, quoted)
        if found is not None and found.rule is None and final:
            # A token may end the stream as it may end a line.
            ended = self._rules.at(data + "\n", i, quoted)
            if ended and ended.rule and not is_call(ended.rule):
                found = ended
        if found and found.rule and self._is_in_code(found.rule):
            if found.end < len(data):
                return None, quoted
            if not final:  # what follows decides
                return Found(None, found.end), quoted
        return found, quoted

    def _is_in_code(self, rule: Rule) -> bool:
        """Whether a token that ends something stands in code that is still open.

        It is shown there, unless the stream ends with it.
        """
        return (
            isinstance(rule.action, Drop)
            and self._quoting
            and any(mark.close[0] in "`<" for mark in self._markdown.marks())
        )

    def _marks(self, rule: Rule) -> Sequence[Mark]:
        """Return the quoting that is open before a call."""
        return self._markdown.marks() if self._quoting and rule.quotable else ()

    def _open(
        self, rule: Rule, payload: Payload, opening: str, out: list[Piece]
    ) -> None:
        self._rule = rule
        self._payload = payload
        self._opening = opening
        self._after = None
        self._boundary = Boundary(payload, self._stops)
        if payload.call:
            out.append(CallOpened())

    def _close_payload(self, end: End, out: list[Piece]) -> str | None:
        assert self._payload is not None
        assert self._rule is not None
        payload, rule, trial = self._payload, self._rule, self._trial
        self._boundary = None
        out = out if trial is None else trial.pieces
        reading = payload.read(end.body, self._tools, end.closed)
        written = self._opening + end.body + end.tail
        out += map(self._plain_name, reading.calls)
        odd = payload.odd and end.closed and not reading.calls
        if not reading.whole and (odd or self._is_prose(reading, end)):
            if trial is None:
                self._let_out(written)
            else:
                trial.prose = True
        elif not reading.whole:
            kind = "malformed" if end.closed else "truncated"
            out.append(Broken(kind, written))
        if reading.then is not None:
            self._open(rule, reading.then, written, out)
        elif trial is None:
            self._closed(rule, payload, reading)
        else:
            trial.closed(payload, reading, written, cut=not end.closed)
        self._back = "\n" if self._line_start else " "
        return end.rest

    def _plain_name(self, call: Call) -> Call:
        """Return the call under the name of its tool, without what is around it."""
        name = meant(call.name, self._tools)
        return call if name == call.name else Call(name, call.arguments, call.id)

    def _is_prose(self, reading: Reading, end: End) -> bool:
        """Whether an unreadable payload is none, but text after a marker's name."""
        body = _KEYS.sub("", end.body)
        if reading.calls or any(name in body for name in self._tools):
            return False
        if end.closed and not end.open:
            return _PLACEHOLDER.search(end.body) is not None
        named = '"name"' in end.body or "'name'" in end.body
        return not named and _SENTENCE.search(end.body) is not None

    def _closed(self, rule: Rule, payload: Payload, reading: Reading) -> None:
        """Go on after a payload."""
        self._framed = self._framed or rule.structural
        if payload.call:
            self._called = True
            self._markdown.interrupt()
            if self._channel == "reasoning":
                self._switch("text")
        if reading.channel is not None:
            self._switch(reading.channel)
        if rule.after:
            self._after = after_set(tuple(rule.after), self._names or ())
        self._fresh = False
        self._renew()

    def _judge(
        self, trial: Trial, text: str, final: bool, out: list[Piece]
    ) -> str | None:
        """Look at what follows a call on trial; return what is still to be scanned."""
        text = trial.following + text
        verdict = trial.judge(text, final, self._rules)
        if verdict is None:
            trial.following = text
            return None
        trial.following = ""
        if verdict.rule is not None:
            assert isinstance(verdict.rule.action, Payload)
            trial.raw.append(text[: verdict.end])
            opening = text[verdict.end : verdict.opened]
            trial.last = verdict.rule
            self._open(verdict.rule, verdict.rule.action, opening, trial.pieces)
            return text[verdict.opened :]
        self._trial = None
        if trial.prose or not verdict.call:
            raw = "".join(trial.raw)
            self._let_out(raw)
            self._back = (trial.back + raw)[-_LOOK_BACK:]
            return text
        assert trial.payload is not None
        out += trial.pieces
        self._closed(trial.last, trial.payload, trial.reading)
        self._back = "\n" if self._line_start else " "
        return text

    def _draft_on(self, text: str, final: bool) -> str | None:
        """Extend a call in reasoning; return what remains once its fate is known."""
        assert self._draft is not None
        self._draft.append(text)
        seen = self._draft_end + text
        closer = closing(self._closes)
        closed = closer.search(seen)
        # Enough to find a closer that the chunk boundary cut in two.
        self._draft_end = seen[-_LONGEST_CLOSER:]
        if not closed and not final:
            return None
        whole = "".join(self._draft)
        self._draft = None
        if closed and (found := closer.search(whole)):
            at = found.start()
            self._let_out(whole[:at])
            return whole[at:]
        self._switch("text")
        self._fresh = False
        self._renew()
        return whole

    def _switch(self, channel: Channel, marker: str = "") -> None:
        if channel == "reasoning":
            self._may_think = False
            self._closes = tuple(
                close
                for t in self._dialect.thinking
                if (close := t.closed_by(marker)) is not None
            )
            if not marker:
                self._closes = _FRAME_ENDS
        if self._dialect.structural:
            # After a header, the message no longer counts as blank so far.
            self._fresh = False
        self._channel = channel
        self._markdown = Markdown()
        self._renew()

    def _let_out(self, text: str) -> None:
        if self._trims:
            text = text.lstrip()
        if not text:
            return
        self._trims = False
        if self._fresh and text.strip(BLANKS) and self._channel == "text":
            self._fresh = False
            self._renew()
        if self._quoting:
            self._markdown.feed(text)
        if self._channel != "nothing":
            self._run.append(text)

    def _flush(self, out: list[Piece]) -> None:
        if self._run:
            out.append(self._kind("".join(self._run)))
            self._run.clear()

    def _renew(self) -> None:
        """Choose the rules in force from here on."""
        self._rules = rule_set(
            self._dialect,
            self._names,
            self._channel,
            self._closes if self._channel == "reasoning" else (),
            self._fresh,
            self._may_think,
            self._called,
            self._framed,
            self._answered,
            self._mentioned,
        )
        self._search = self._rules.first.search
        self._sure = self._rules.sure
        self._words = self._rules.plain
        self._lead = self._rules.lead
        self._kind = Reasoning if self._channel == "reasoning" else Text
        self._quoting = self._rules.quotable
        self._unquoted = not self._quoting
        self._calm = False
        self._plain, self._cuts = _NO_WORDS, _NO_CUTS
