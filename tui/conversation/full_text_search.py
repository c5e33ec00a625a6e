"""Searches the text of all conversations.

The newest hits come first. Users mostly look for recent messages, and so a search only
costs as much as the hits that it shows, however many there are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from tui.bounds import moment
from tui.conversation.hit import Hit
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text as text_of
from tui.eventlog.sqlite.projections import SAID, said
from tui.eventlog.sqlite.search_terms import Needle, fold, needles, normal
from tui.safe import safe

BEFORE, AFTER = 40, 120
"""Characters of an excerpt before and after the start of the hit."""


SEARCH = (
    f"SELECT event.seq, event.conversation, conversation.title, event.time, {SAID} "
    "FROM message_text CROSS JOIN event ON event.seq = message_text.rowid "
    "CROSS JOIN conversation ON conversation.id = event.conversation "
    "WHERE message_text MATCH :wanted AND message_text.rowid < :before "
    "ORDER BY message_text.rowid DESC LIMIT :limit"
)
SEARCH_STORED = SEARCH.replace("FROM ", "FROM stored.", 1)
LATE = (
    f"SELECT event.seq, event.conversation, conversation.title, event.time, {SAID} "
    "FROM unindexed CROSS JOIN event ON event.seq = unindexed.seq "
    "CROSS JOIN conversation ON conversation.id = event.conversation "
    "ORDER BY event.seq DESC"
)
"""Finds messages that are not completely indexed yet; they are searched directly."""
STORED = "SELECT 1 FROM stored.sqlite_master WHERE name = 'message_text'"
"""Finds out whether the store has an index; an older one has none."""
_ALL = 2**62
LARGEST = 1000
"""The most messages to query at a time."""
WORTH = 0.1
"""If fewer than this share of the messages found by `Needle.quick` are hits, the search
switches to the precise query: FTS5's merging of long prefixes then costs less than
checking all those messages."""


def is_searchable(query: str) -> bool:
    """Return whether `query` contains anything to search for.

    White space and single punctuation marks do not count.
    """
    return bool(needles(query))


class _Identified(msgspec.Struct):
    message_id: str


_identify = msgspec.json.Decoder(_Identified).decode


def search(log: EventLog, query: str, limit: int = 50) -> list[Hit]:
    """Return at most `limit` messages that match all of `query`, newest first.

    Searches the messages of the user and the models. Words match in any order; words
    "in quotes" only side by side; names and operators of code as typed or by their
    parts; Chinese by any adjacent characters. The last word also matches as a prefix.
    `query` has no operators. Returns [] when it contains nothing to search for.
    """
    wanted = needles(query)
    if not wanted:
        return []
    hits = list(islice(_found(log, log.query(LATE), wanted, wanted), limit))
    late = {hit.message_id for hit in hits}  # the index may contain parts of them
    hits += _hits(log, SEARCH, wanted, limit)
    # While the fallback is active, its index has only the new messages.
    if len(hits) < limit and log.refusal and log.query(STORED):
        hits += _hits(log, SEARCH_STORED, wanted, limit - len(hits))
    last = len(late)
    return [*hits[:last], *(it for it in hits[last:] if it.message_id not in late)][
        :limit
    ]


def _hits(log: EventLog, sql: str, wanted: Sequence[Needle], limit: int) -> list[Hit]:
    precise = " AND ".join(needle.expression for needle in wanted)
    asked = " AND ".join(needle.quick for needle in wanted)
    hits: list[Hit] = []
    before, page = _ALL, min(limit, LARGEST)
    while len(hits) < limit:
        unsure = [it for it in wanted if asked != precise or not it.certain]
        rows = log.query(sql, {"wanted": asked, "before": before, "limit": page})
        found = list(islice(_found(log, rows, wanted, unsure), limit - len(hits)))
        hits += found
        if len(rows) < page:
            break
        before = rows[-1][0]
        if len(found) < page * WORTH:
            asked = precise
        page = min(2 * page, LARGEST)
    return hits


def _found(
    log: EventLog,
    rows: Sequence[tuple[Any, ...]],
    wanted: Sequence[Needle],
    unsure: Sequence[Needle],
) -> Iterator[Hit]:
    """Yield the rows whose text really contains all the `unsure` needles."""
    for seq, conversation, title, at, data in rows:
        message = said(data)
        if not message.role:
            log.note_unreadable(seq)
            continue
        text = normal(message.searched)
        folded = fold(text)
        if all(needle.stands_in(text, folded) for needle in unsure):
            yield Hit(
                text_of(conversation),
                text_of(title),
                _identify(data).message_id,
                message.role,
                moment(at),
                *_excerpt(text, folded, wanted),
                seq,
            )


def _excerpt(
    text: str, folded: str, wanted: Sequence[Needle]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    at = _place(text, folded, _best(folded, wanted))
    start, end = max(0, at - BEFORE), min(len(text), at + AFTER)
    if start and (space := re.search(r"\s", text[start:at])):
        start += space.end()
    if end < len(text) and (space := re.search(r"\s\S*$", text[at:end])):
        end = at + space.start() if space.start() else end
    ends = "…" if start else "", "…" if end < len(text) else ""
    piece = text[start:end]
    for shown in (_without_markdown(piece), piece):
        cut = " ".join(safe(shown, newlines=False).split())
        excerpt = cut.join(ends)
        if marks := _marks(excerpt, wanted):
            return excerpt, marks
    return excerpt, ()  # of a match that spans what is not shown


def _without_markdown(text: str) -> str:
    """Return an excerpt without the signs of headings, tables, lists and emphasis."""
    for pattern, instead in _MARKDOWN:
        text = pattern.sub(instead, text)
    return text


_MARKDOWN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"^\s*\|?[\s|:-]*-{3}[\s|:-]*$", re.M), ""),  # rules of tables
    (re.compile(r"^\s*```.*$", re.M), ""),
    (re.compile(r"^\s*(?:#{1,6}|>|[-*+]|\d+[.)]) +", re.M), ""),
    (re.compile(r"^\s*\|", re.M), ""),
    (re.compile(r"^.*\|\s*$", re.M), lambda row: row[0].rstrip(" |").replace("|", "·")),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"\*\*|(?<![\w`])`|`(?![\w`])"), ""),
    (re.compile(r"(?<!!)\[([^\]\n]+)\]\([^)\s]+\)"), r"\1"),
)
"""What is removed from an excerpt, in this order, and what stands there instead."""


def _best(folded: str, wanted: Sequence[Needle]) -> int:
    """Return where an excerpt should start to show the most needles."""
    found = sorted(
        (at, number)
        for number, needle in enumerate(wanted)
        for at, _ in _spans(needle, folded, limit=20)
    )
    if len(wanted) == 1 or not found:
        return found[0][0] if found else 0

    def shown(start: int) -> int:
        return len({number for at, number in found if 0 <= at - start < AFTER})

    return max((at for at, _ in found), key=lambda at: (shown(at), -at))


def _spans(needle: Needle, folded: str, limit: int) -> list[tuple[int, int]]:
    for pattern in (needle.pattern, needle.loose):
        matches = pattern.finditer(folded)
        if spans := [match.span() for match, _ in zip(matches, range(limit))]:  # noqa: B905 # the shorter one ends it
            return spans
    return []


def _place(text: str, folded: str, at: int) -> int:
    """Return the place in `text` that corresponds to `at` in `folded`."""
    if len(text) == len(folded):  # the usual case: folding has moved nothing
        return at
    for place, character in enumerate(text):
        if at <= 0:
            return place
        at -= len(fold(character))
    return len(text)


def _marks(excerpt: str, wanted: Sequence[Needle]) -> tuple[tuple[int, int], ...]:
    pieces = [fold(character) for character in excerpt]
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    folded = "".join(pieces)
    spans = sorted(
        (places[start], places[end - 1] + 1)
        for needle in wanted
        for start, end in _spans(needle, folded, limit=len(excerpt))
        if end > start
    )
    marks: list[tuple[int, int]] = []
    for start, end in spans:
        if marks and start <= marks[-1][1]:
            marks[-1] = (marks[-1][0], max(end, marks[-1][1]))
        else:
            marks.append((start, end))
    return tuple(marks)
