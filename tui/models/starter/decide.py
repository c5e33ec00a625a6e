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
    keywords,
    parameter_words,
    several,
    vocabulary,
)
from tui.models.starter.mood import PURPOSES, against, declines, goes_on, requests
from tui.models.starter.scorer import Scorer
from tui.models.starter.words import has_han, in_symbols, is_sum, shared, stem
from tui.turn import Cancellation

MOST_WEIGHED = 3
"""Tools whose likelihood is asked for in doubt; words and arguments choose them."""
_MOST_CHARACTERS = 240
"""Of a longer message only its end is looked at: requests stand there, or are short."""
_MOST_DRAFTS = 16
"""Tools for which arguments are sought, chosen by words alone: 1 ms each."""
_ENGLISH, _CHINESE = 0.6, 0.3
"""How much a nat of likelihood counts: the tokenizer has few Chinese words."""
_WORD, _MOST_WORDS = 2.0, 2
_PARAMETER_WORD = 0.5
_NOTHING_SHARED = 2.0
"""Against a tool that takes nothing from the message and shares no word with it."""
_NO_KEYWORD = 3.0
"""Against a tool that has Chinese keywords when none is in the Chinese message."""
_UNSURE = (0.3, 2.55)
_MARGIN = 0.1
"""What a tool must be ahead of the best purpose."""
_DOUBT, _MOST_PIECES = 1.2, 3
"""Pieces of the message whose scores are closer than this are put to the model."""
_PIECE = 0.35
"""How much a nat counts there."""
_ALWAYS = (2, 3)
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


class Candidate(NamedTuple):
    """A tool that may be meant, and what speaks for it."""

    tool: ToolSchema
    draft: Draft
    points: float
    hits: int
    """Words that it shares with the message."""


def decide(
    text: str, tools: Sequence[ToolSchema], scorer: Scorer, cancel: Cancellation
) -> list[Choice]:
    """Return the calls that `text`, the user's message, asks for; mostly none or one.

    Takes no computation of the model's where the rules are sure, and else as much for
    a hundred tools as for a few. Raises `Cancelled`.
    """
    text = text[-_MOST_CHARACTERS:]
    parts = requests(text)
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
    if not candidates or (sure and not candidates[0].hits):
        return []
    if not any(c.hits for c in candidates) and any(against(text, ())):
        return []  # small talk need not wait for the likelihoods
    chosen = candidates[0]
    ahead = chosen.points - max(against(text, _words(chosen.tool)))
    if _UNSURE[0] < ahead < _UNSURE[1]:
        chosen, ahead = _weighed(text, candidates, scorer, cancel)
    if ahead < _MARGIN:
        return []
    return _fill(text, chosen.tool, chosen.draft, scorer, cancel)


def _words(tool: ToolSchema) -> set[str]:
    return {*vocabulary(tool), *map(stem, keywords(tool))}


def _weighed(
    text: str,
    candidates: Sequence[Candidate],
    scorer: Scorer,
    cancel: Cancellation,
) -> tuple[Candidate, float]:
    """Return the likeliest tool, and what it is ahead of the likeliest purpose."""
    hinted = against(text, ())
    purposes = [i for i in range(len(PURPOSES)) if i in _ALWAYS or hinted[i]]
    wishes = [_wish(c.tool) for c in candidates] + [PURPOSES[i].wish for i in purposes]
    pairs = [(_beginning(wish), text) for wish in wishes]
    found = scorer.likelihoods(pairs, "<|im_end|>", cancel)
    scale = _CHINESE if has_han(text) else _ENGLISH
    tools = [
        (c.points + scale * likelihood, c)
        for c, likelihood in zip(candidates, found, strict=False)
    ]
    points, best = max(tools, key=lambda pair: pair[0])
    speaking = against(text, _words(best.tool))
    most = max(
        scale * likelihood + speaking[i]
        for i, likelihood in zip(purposes, found[len(candidates) :], strict=True)
    )
    return best, points - most


def beginnings(tools: Sequence[ToolSchema]) -> list[str]:
    """Return what `decide` has the model read in doubt, as far as known before."""
    wishes = [PURPOSES[i].wish for i in _ALWAYS] + [
        _wish(t) for t in tools[:_MOST_DRAFTS]
    ]
    return [*map(_beginning, wishes), *([_EXTRACT] if tools else [])]


def shortlist(text: str, tools: Sequence[ToolSchema]) -> list[Candidate]:
    """Return at most `MOST_WEIGHED` tools, chosen by words and arguments."""
    chinese, arithmetic = has_han(text), is_sum(text)
    worded = [(t, shared(text, vocabulary(t), keywords(t))) for t in tools]
    worded.sort(key=lambda pair: -len(pair[1]))  # stable: earlier tools first
    found: list[Candidate] = []
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
        if chinese and not hits and any(map(has_han, keywords(tool))):
            points -= _NO_KEYWORD
        found.append(Candidate(tool, drafted, points, len(hits)))
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
    required = [slot.parameter.name for slot in slots if slot.required]
    lists: list[str] = []
    for slot in slots:
        name = slot.parameter.name
        if name not in spans:
            continue
        values[name] = text[spans[name].start : spans[name].end]
        if slot.parameter.is_sum:
            values[name] = in_symbols(values[name])
        items = list(several(text, spans[name]))
        if slot.is_list:
            values[name] = items
        elif required == [name]:
            lists = items
    if any(name not in values for name in required):
        return []
    if len(lists) > 1:
        return [Choice(tool.name, {**values, required[0]: item}) for item in lists]
    return [Choice(tool.name, values)]


def _settled(text: str, slot: Slot, scorer: Scorer, cancel: Cancellation) -> Slot:
    """Have the model weigh the best pieces where the rules leave a doubt."""
    close = [s for s in slot.spans if slot.spans[0].score - s.score < _DOUBT]
    close = close[:_MOST_PIECES]
    if len(close) < 2 or not slot.required:
        return slot
    description = slot.parameter.description
    about = f" ({description.rstrip('.')})" if description else ""
    before = f"{_EXTRACT}Message: {text}\n{slot.parameter.name}{about}:"
    pairs = [(before, " " + text[s.start : s.end]) for s in close]
    found = scorer.likelihoods(pairs, "\n", cancel)
    weighed = [
        s._replace(score=s.score + _PIECE * max(-10.0, likelihood - max(found)))
        for s, likelihood in zip(close, found, strict=True)
    ]
    rest = [s for s in slot.spans if s not in close]
    return slot._replace(spans=sorted([*weighed, *rest], key=lambda s: -s.score))


def followed_up(
    text: str, last: Choice | None, tools: Sequence[ToolSchema]
) -> Choice | None:
    """Return `last`, the call before, with what `text` changes in it: "And in Paris?".

    None when `text` is no short continuation, or the call was of no known tool.
    """
    tool = next((t for t in tools if last and t.name == last.tool), None)
    if last is None or tool is None or not goes_on(text):
        return None
    found = draft(tool, text)
    spans = assign(found.slots[:1])
    changed = {
        **found.values,
        **{name: text[s.start : s.end] for name, s in spans.items()},
    }
    return Choice(last.tool, {**last.arguments, **changed}) if changed else None
