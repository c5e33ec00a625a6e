"""Whether a message asks for a tool, and for which one.

A model that has not learnt to call tools cannot be told to: asked for a call it writes
one that is right in at most 60 of 100 cases. But it can be asked how likely the message
is *if* the user wants what a tool does, against the likelihoods that the user only
chats, asks for an explanation, and so on. That evidence is weak alone (a language model
is overconfident, so it is scaled down) and strong together with words and grammar:

    score(tool)    = a * log P(message | wants what the tool does) + words shared
                     with the tool + what the message has for its parameters
    score(purpose) = a * log P(message | wants the purpose) + phrases typical of it

The best tool is called when it beats the best purpose. Nothing is generated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tui.messages import ToolSchema
from tui.models.starter.arguments import (
    Draft,
    Slot,
    assign,
    draft,
    parameter_words,
    several,
    vocabulary,
)
from tui.models.starter.mood import PURPOSES, clauses, declines, hints, speaks_for
from tui.models.starter.scorer import Scorer
from tui.models.starter.words import has_han, in_symbols, is_sum, shared, stem
from tui.turn import Cancellation

MOST_TOOLS = 6
"""Tools whose likelihood is asked for; the words choose among more."""
_MOST_CHARACTERS = 240
"""Of a longer message only its end is looked at: requests stand there, or are short."""
_MOST_DRAFTS = 16
"""Tools for which arguments are sought, chosen by words alone: 2 ms each."""
_LONGEST = 20
"""Tokens of a message, from its end, that are scored."""
_ENGLISH, _CHINESE = 0.6, 0.3
"""How much a nat of likelihood counts: the tokenizer has few Chinese words."""
_WORD, _MOST_WORDS = 2.0, 2
_PARAMETER_WORD = 0.5
_NOTHING_SHARED = 2.0
"""Against a tool that takes nothing from the message and shares no word with it."""
_NO_KEYWORD = 3.0
"""Against a tool that has Chinese keywords when none is in the Chinese message."""
_PHRASE, _SECOND_PHRASE = 7.0, 2.0
_MARGIN = 0.1
"""What a tool must be ahead of the best purpose."""
_DOUBT = 1.2
"""Two pieces of the message whose scores are closer than this are put to the model."""
_PIECE = 0.35
"""How much a nat counts there."""
_ALWAYS = (2, 3, 4, 6)
"""Purposes that are weighed even when no phrase speaks for them."""

_EXTRACT = """\
Message: Book a table at Luigi's for four people
restaurant (where to eat): Luigi's
Message: How do I say good night in Italian?
phrase (what to say): good night
Message: 给我讲讲长城的历史
topic (what it is about): 长城
"""


class Choice(NamedTuple):
    """A tool and the arguments to call it with."""

    tool: str
    arguments: dict[str, Any]


class _Candidate(NamedTuple):
    tool: ToolSchema
    draft: Draft
    points: float
    hits: int


def decide(
    text: str, tools: Sequence[ToolSchema], scorer: Scorer, cancel: Cancellation
) -> list[Choice]:
    """Return the calls that `text`, the user's message, asks for; mostly none or one.

    Takes about `(MOST_TOOLS + 6) * n` tokens of computation at most, n those of the
    message, however many tools there are. Raises `Cancelled`.
    """
    text = text[-_MOST_CHARACTERS:]
    parts = clauses(text)
    if len(parts) > 1:
        found = [_decide(part, tools, scorer, cancel, sure=True) for part in parts]
        asked = [choices for choices in found if choices]
        if len({choices[0].tool for choices in asked}) > 1:
            return [choice for choices in asked for choice in choices]
    return _decide(text, tools, scorer, cancel)


def _decide(
    text: str,
    tools: Sequence[ToolSchema],
    scorer: Scorer,
    cancel: Cancellation,
    sure: bool = False,
) -> list[Choice]:
    if declines(text):
        return []
    candidates = shortlist(text, tools)
    hinted = hints(text)
    if not candidates or (sure and not candidates[0].hits):
        return []
    if any(hinted) and not any(c.hits or c.draft.fit > 0 for c in candidates):
        return []  # small talk need not wait for the likelihoods
    purposes = [i for i in range(len(PURPOSES)) if i in _ALWAYS or hinted[i]]
    found = scorer.likelihoods(
        [
            *(_beginning(_wish(c.tool)) for c in candidates),
            *(_beginning(PURPOSES[i].description) for i in purposes),
        ],
        text,
        "<|im_end|>",
        cancel,
        _LONGEST,
    )
    scale = _CHINESE if has_han(text) else _ENGLISH
    scores = [
        c.points + scale * likelihood
        for c, likelihood in zip(candidates, found, strict=False)
    ]
    best = max(range(len(scores)), key=scores.__getitem__)
    chosen = candidates[best]
    words = {*vocabulary(chosen.tool), *map(stem, chosen.tool.keywords)}
    hinted = [
        hint if speaks_for(purpose, text, words) else hint - 1
        for hint, purpose in zip(hinted, PURPOSES, strict=True)
    ]
    against = max(
        scale * likelihood
        + (_PHRASE + _SECOND_PHRASE * (sum(hinted) - 1) if hinted[i] else 0.0)
        for i, likelihood in zip(purposes, found[len(candidates) :], strict=True)
    )
    if scores[best] - against < _MARGIN:
        return []
    return _fill(text, chosen.tool, chosen.draft, scorer, cancel)


def beginnings(tools: Sequence[ToolSchema]) -> list[str]:
    """Return what `decide` lets the scorer read before any message, as far as known.

    The purposes that are always weighed, as many tools as may be candidates, the
    examples for arguments, then the other purposes.
    """
    wishes = [PURPOSES[i].description for i in _ALWAYS]
    wishes += [_wish(tool) for tool in tools[:_MOST_DRAFTS]]
    rest = [p.description for i, p in enumerate(PURPOSES) if i not in _ALWAYS]
    return [
        *map(_beginning, wishes),
        *([_EXTRACT] if tools else []),
        *map(_beginning, rest),
    ]


def shortlist(text: str, tools: Sequence[ToolSchema]) -> list[_Candidate]:
    """Return at most `MOST_TOOLS` tools that can be called, by words and arguments."""
    chinese = has_han(text)
    worded: list[tuple[ToolSchema, list[str]]] = []
    for tool in tools:
        worded.append((tool, shared(text, vocabulary(tool), tool.keywords)))
    worded.sort(key=lambda pair: -len(pair[1]))  # stable: earlier tools first
    found: list[_Candidate] = []
    for tool, hits in worded[:_MOST_DRAFTS]:
        drafted = draft(tool, text)
        if not drafted.possible:
            continue
        if any(slot.parameter.is_sum and is_sum(text) for slot in drafted.slots):
            hits.append("arithmetic")
        more = shared(text, parameter_words(tool) - vocabulary(tool), ())
        points = (
            _WORD * min(_MOST_WORDS, len(hits))
            + _PARAMETER_WORD * min(1, len(more))
            + drafted.fit
        )
        if not hits and not drafted.values and not drafted.slots:
            points -= _NOTHING_SHARED
        if chinese and not hits and any(map(has_han, tool.keywords)):
            points -= _NO_KEYWORD
        found.append(_Candidate(tool, drafted, points, len(hits)))
    found.sort(key=lambda c: -c.points)  # stable: earlier tools first
    return found[:MOST_TOOLS]


def _wish(tool: ToolSchema) -> str:
    """Return the first sentence of the description, to continue "The user wants to"."""
    first = (tool.description.strip() or tool.name.replace("_", " ")).split("\n")[0]
    first = first.split(". ")[0].rstrip(". ")
    return first if first[:2].isupper() else first[:1].lower() + first[1:]


def _beginning(wish: str) -> str:
    return (
        f"<|im_start|>system\nThe user wants to {wish}.<|im_end|>\n<|im_start|>user\n"
    )


def _fill(
    text: str,
    tool: ToolSchema,
    drafted: Draft,
    scorer: Scorer,
    cancel: Cancellation,
) -> list[Choice]:
    slots = [_settled(text, slot, scorer, cancel) for slot in drafted.slots]
    spans = assign(slots)
    values: dict[str, Any] = dict(drafted.values)
    required = [slot for slot in slots if slot.required]
    lists: list[str] = []
    many = ""
    for slot in slots:
        name = slot.parameter.name
        if name not in spans:
            continue
        span = spans[name]
        values[name] = text[span.start : span.end]
        if slot.parameter.is_sum:
            values[name] = in_symbols(text[span.start : span.end])
        if slot.is_list:
            values[name] = list(several(text, span))
        elif len(required) == 1 and slot.required:
            many, lists = name, list(several(text, span))
    if any(slot.parameter.name not in values for slot in required):
        return []
    if len(lists) > 1:
        return [Choice(tool.name, {**values, many: item}) for item in lists]
    return [Choice(tool.name, values)]


def _settled(text: str, slot: Slot, scorer: Scorer, cancel: Cancellation) -> Slot:
    """Have the model weigh the best pieces where the rules leave a doubt."""
    if not slot.spans:
        return slot
    top = slot.spans[0].score
    close = [s for s in slot.spans if top - s.score < _DOUBT]
    if len(close) < 2 or not slot.required:
        return slot
    name, description = slot.parameter.name, slot.parameter.description
    about = f" ({description.rstrip('.')})" if description else ""
    found = scorer.choices(
        _EXTRACT,
        f"Message: {text[-400:]}\n{name}{about}:",
        [" " + text[s.start : s.end] for s in close],
        cancel,
    )
    best = max(found)
    weighed = [
        s._replace(score=s.score + _PIECE * max(-10.0, likelihood - best))
        for s, likelihood in zip(close, found, strict=True)
    ]
    rest = [s for s in slot.spans if s not in close]
    return slot._replace(spans=sorted([*weighed, *rest], key=lambda s: -s.score))
