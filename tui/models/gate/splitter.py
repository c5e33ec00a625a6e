"""The loop that splits a stream, for every dialect.

A stream is in one of four states: text (of some channel) that is searched for rules;
a payload being collected; a draft, which is a call inside reasoning that counts only
if the reasoning is never closed; or muted, after which nothing is emitted. Text is
emitted as soon as no rule can start in it.
"""

from collections.abc import Mapping
from typing import Any

from tui.models.gate.boundary import Boundary, End
from tui.models.gate.grammar import Channel, Dialect, Drop, Payload, Rule, Switch
from tui.models.gate.markdown import Markdown
from tui.models.gate.matcher import RuleSet, after_set, rule_set
from tui.models.gate.pieces import Broken, CallOpened, Piece, Reasoning, Text

_LOOK_BACK = 64
"""Emitted characters kept to find line starts and back-ticks, and for look-behinds."""


class Splitter:
    """Splits one message; `feed` and `finish` are those of `Gate`."""

    __slots__ = (
        "_after",
        "_back",
        "_boundary",
        "_called",
        "_calm",
        "_channel",
        "_closes",
        "_dialect",
        "_draft",
        "_draft_end",
        "_far",
        "_fresh",
        "_held",
        "_kind",
        "_lead",
        "_line_start",
        "_markdown",
        "_may_think",
        "_mute",
        "_names",
        "_one_held",
        "_opening",
        "_payload",
        "_quoting",
        "_rule",
        "_rules",
        "_run",
        "_search",
        "_simple",
        "_stops",
        "_tools",
    )

    def __init__(
        self,
        dialect: Dialect,
        tools: Mapping[str, dict[str, Any]] | None,
        reasoning_open: bool,
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
        self._mute = False
        self._quoting = False
        self._far = False
        self._simple = False
        self._markdown = Markdown()
        self._back = "\n"
        self._held = ""
        self._one_held = False
        self._run: list[str] = []
        self._payload: Payload | None = None
        self._rule: Rule | None = None
        self._opening = ""
        self._boundary: Boundary | None = None
        self._after: RuleSet | None = None
        self._line_start: bool = True
        self._draft: list[str] | None = None
        self._draft_end = ""
        if reasoning_open and (dialect.thinking or dialect.structural):
            self._channel = "reasoning"
            self._closes = tuple(t.close for t in dialect.thinking)
            self._may_think = False
        self._renew()

    @property
    def in_reasoning(self) -> bool:
        """Whether reasoning is open."""
        return self._channel == "reasoning"

    def feed(self, text: str) -> list[Piece]:
        """Take the next chunk of the stream."""
        # Nearly all of a stream is prose, and costs one search here. The search treats
        # a chunk's start as a line start, which at worst takes the slow path.
        if not self._calm:
            if not self._one_held:
                return self._feed_slowly(text)
            text = self._held + text
            self._held = ""
            self._one_held = False
            self._calm = True
        lead = self._lead
        if (lead and lead not in text) or (found := self._search(text)) is None:
            if not text:
                return []
            if self._quoting and ("\n" in text or not self._markdown.plain):
                self._markdown.feed(text)
            self._back = (self._back + text)[-_LOOK_BACK:] if self._far else text
            return [self._kind(text)]
        if self._simple and found.end() == len(text):
            return self._hold_one(text, found.start())
        return self._feed_slowly(text)

    def _feed_slowly(self, text: str) -> list[Piece]:
        out: list[Piece] = []
        self._take(text, False, out)
        self._flush(out)
        return out

    def _hold_one(self, text: str, at: int) -> list[Piece]:
        """Hold back only the last character, since a marker may start with it."""
        before = text[:at]
        if self._quoting:
            markdown = self._markdown
            if "\n" in before or not markdown.plain:
                markdown.feed(before)
            if (before or self._back)[-1] == "`" or markdown.quotes():
                markdown.feed(text[at:])
                self._back = (self._back + text)[-_LOOK_BACK:]
                return [self._kind(text)]
        self._held = text[at:]
        self._one_held = True
        self._calm = False
        if not before:
            return []
        self._back = (self._back + before)[-_LOOK_BACK:] if self._far else before
        return [self._kind(before)]

    def finish(self) -> list[Piece]:
        """End the stream and return what was held back."""
        out: list[Piece] = []
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
            elif self._draft is not None:
                rest = self._draft_on(rest, final)
            else:
                rest = self._scan(rest, final, out)
        self._calm = (
            self._boundary is None
            and self._draft is None
            and self._after is None
            and not self._held
            and not (self._fresh and self._channel == "text")
            and self._channel != "nothing"
        )

    def _scan(self, text: str, final: bool, out: list[Piece]) -> str | None:
        """Emit text until a payload opens; return what follows it, None at the end."""
        data = self._back + self._held + text
        at = len(self._back)
        self._held = ""
        while True:
            if self._after is not None:
                found = self._after.at(data, at)
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
                quoted = self._quoting and (
                    data[i - 1] == "`" or self._markdown.quotes()
                )
                found = self._rules.at(data, i, quoted)
                if found is None:
                    self._let_out(data[i])
                    at = i + 1
                    continue
            rule, end = found.rule, found.end
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
                ended = self._ended(data, i, quoted)
                if ended is None:
                    self._let_out(data[i])
                    at = i + 1
                    continue
                rule, end = ended
            # What is removed directly after a call only separates it from the next.
            self._line_start = (self._after is not None) or data[i - 1] == "\n"
            self._back = "\n" if self._line_start else " "
            match rule.action:
                case Drop():
                    pass
                case Switch(channel, permanent):
                    self._flush(out)
                    self._mute = permanent
                    self._switch(channel, data[i:end])
                    if permanent:
                        return None
                case Payload():
                    self._flush(out)
                    if self._channel == "reasoning" and not (
                        self._dialect.structural or rule.structural
                    ):
                        self._draft = []
                        self._draft_end = ""
                        return data[i:]
                    self._open(rule, rule.action, data[i:end], out)
                    return data[end:]
            data = self._back + data[end:]
            at = 1

    def _ended(self, data: str, at: int, quoted: bool) -> tuple[Rule, int] | None:
        """Return the rule of a token that ends the stream, as it may end a line."""
        found = self._rules.at(data + "\n", at, quoted)
        if found is None or found.rule is None:
            return None
        if isinstance(found.rule.action, Payload):
            return None
        return found.rule, found.end

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
        payload, rule = self._payload, self._rule
        self._boundary = None
        reading = payload.read(end.body, self._tools, end.closed)
        opening = self._opening
        out += reading.calls
        if not reading.whole:
            kind = "malformed" if end.closed else "truncated"
            out.append(Broken(kind, opening + end.body + end.tail))
        if reading.then is not None:
            self._open(rule, reading.then, opening + end.body + end.tail, out)
        else:
            if payload.call:
                self._called = True
                if self._channel == "reasoning":
                    self._switch("text")
            if reading.channel is not None:
                self._switch(reading.channel)
            if rule.after:
                self._after = after_set(tuple(rule.after), self._names or ())
            self._fresh = False
            self._renew()
        self._back = "\n" if self._line_start else " "
        return end.rest

    def _draft_on(self, text: str, final: bool) -> str | None:
        """Extend a call in reasoning; return what remains once its fate is known."""
        assert self._draft is not None
        self._draft.append(text)
        seen = self._draft_end + text
        closed = any(close in seen for close in self._closes)
        # Enough to find a closer that the chunk boundary cut in two.
        self._draft_end = seen[-max(len(close) for close in self._closes) :]
        if not closed and not final:
            return None
        whole = "".join(self._draft)
        self._draft = None
        if closed:
            at = min(at for c in self._closes if (at := whole.find(c)) >= 0)
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
        if self._dialect.structural:
            # After a header, the message no longer counts as blank so far.
            self._fresh = False
        self._channel = channel
        self._markdown = Markdown()
        self._renew()

    def _let_out(self, text: str) -> None:
        if not text:
            return
        if self._fresh and not text.isspace() and self._channel == "text":
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
        )
        self._search = self._rules.first.search
        self._lead = self._rules.lead
        self._kind = Reasoning if self._channel == "reasoning" else Text
        self._quoting = self._rules.quotable
        self._far = self._rules.far
        self._simple = self._rules.simple
        self._calm = False
