"""Decides whether a message asks for a tool, and for which.

Words and grammar decide first, and most messages at once:

    points(tool)    = words shared with the tool + what the message has for its
                      parameters
    points(purpose) = phrases typical of what needs no tool: small talk, a remark,
                      a request for an explanation ...

Only where the best tool is neither clearly ahead of the best purpose nor clearly
behind it, the model is asked how likely the message is *if* the user wants what the
tool does, against the likelihoods that the user wants the purposes. That evidence is
weak (a language model is overconfident, so it is scaled down) and dear, but it is
independent of the words. Nothing is generated: asked to write a call, a model that
has not learnt to write one is right in at most 60 of 100 cases.
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

MOST_WEIGHED = 3
"""Tools whose likelihood is asked for in doubt; words and arguments choose them."""
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
_UNSURE = (-0.6, 2.55)
"""How far words and grammar put a tool ahead of the purposes where the model is asked.

On the tuning prompts (2026-11-27, 684 decisions) rules choose the right tool, or
rightly none, in 98 of 100 cases outside of it, in 65 inside.
"""
_MARGIN = 0.1
"""What a tool must be ahead of the best purpose."""
_DOUBT, _MOST_PIECES = 1.2, 3
"""Pieces of the message whose scores are closer than this are put to the model."""
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

    Takes no computation of the model's where the rules are sure, else about
    `(MOST_WEIGHED + 6) * n` tokens at most, n those of the message, however many tools
    there are. Raises `Cancelled`.
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
    chosen = max(candidates, key=lambda c: c.points)
    ahead = chosen.points - max(_against(text, chosen.tool, hinted))
    if _UNSURE[0] < ahead < _UNSURE[1]:
        chosen, ahead = _weighed(text, candidates, hinted, scorer, cancel)
    if ahead < _MARGIN:
        return []
    return _fill(text, chosen.tool, chosen.draft, scorer, cancel)


def _against(text: str, tool: ToolSchema, hinted: Sequence[int]) -> list[float]:
    """Return for each of `PURPOSES` the points of its phrases and grammar."""
    words = {*vocabulary(tool), *map(stem, tool.keywords)}
    counts = [
        hint if speaks_for(purpose, text, words) else hint - 1
        for hint, purpose in zip(hinted, PURPOSES, strict=True)
    ]
    more = _SECOND_PHRASE * (sum(counts) - 1)
    return [_PHRASE + more if count else 0.0 for count in counts]


def _weighed(
    text: str,
    candidates: Sequence[_Candidate],
    hinted: Sequence[int],
    scorer: Scorer,
    cancel: Cancellation,
) -> tuple[_Candidate, float]:
    """Return the likeliest tool, and what it is ahead of the likeliest purpose."""
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
    against = _against(text, candidates[best].tool, hinted)
    most = max(
        scale * likelihood + against[i]
        for i, likelihood in zip(purposes, found[len(candidates) :], strict=True)
    )
    return candidates[best], scores[best] - most


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
    """Return at most `MOST_WEIGHED` tools, chosen by words and arguments."""
    chinese, arithmetic = has_han(text), is_sum(text)
    worded: list[tuple[ToolSchema, list[str]]] = []
    for tool in tools:
        worded.append((tool, shared(text, vocabulary(tool), tool.keywords)))
    worded.sort(key=lambda pair: -len(pair[1]))  # stable: earlier tools first
    found: list[_Candidate] = []
    for tool, hits in worded[:_MOST_DRAFTS]:
        drafted = draft(tool, text)
        if not drafted.possible:
            continue
        if arithmetic and any(slot.parameter.is_sum for slot in drafted.slots):
            hits.append("arithmetic")
        elif arithmetic and not hits:
            continue  # the numbers of "17% of 2340" are no days of a forecast
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
    return found[:MOST_WEIGHED]


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
    close = [s for s in slot.spans if top - s.score < _DOUBT][:_MOST_PIECES]
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
