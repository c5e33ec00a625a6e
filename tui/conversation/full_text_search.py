"""Full-text search over all conversations.

The newest come first: a search costs the hits that it shows, however many there
are, and what was said lately is what one looks for.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from tui.bounds import moment
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text as text_of
from tui.eventlog.sqlite.projections import SAID, said
from tui.eventlog.sqlite.search_terms import Needle, fold, needles, normal
from tui.safe import safe

BEFORE, AFTER = 40, 120
"""Characters of a message that are shown before and after where it was hit."""


class Hit(msgspec.Struct, frozen=True):
    """A message that has what was looked for."""

    conversation: str
    title: str
    message_id: str
    role: str
    """`user` or `assistant`."""
    time: float
    """Seconds since the epoch."""
    excerpt: str
    """One line of the message around the hit, safe for a terminal."""
    marks: tuple[tuple[int, int], ...]
    """Where in `excerpt` the hits are: first character and the one after the last,
    in order and apart."""


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
"""The messages that the index does not have yet: those are looked through."""
STORED = "SELECT 1 FROM stored.sqlite_master WHERE name = 'message_text'"
"""An older store has no index."""
_ALL = 2**62
LARGEST = 1000
"""Messages that are asked for at a time, at most."""
WORTH = 0.1
"""The share of hits below which it pays to have the index gather what begins with a
word, rather than to look at all messages that have its first characters."""


def is_searchable(query: str) -> bool:
    """Return whether there is anything in `query` to look for.

    Blanks, and single punctuation marks, are not looked for.
    """
    return bool(needles(query))


class _Identified(msgspec.Struct):
    message_id: str


_identify = msgspec.json.Decoder(_Identified).decode


def search(log: EventLog, query: str, limit: int = 50) -> list[Hit]:
    """Return at most `limit` messages that have all of `query`, the newest first.

    What the user and models have said is searched. Words may stand in any order;
    "in quotes" side by side; names and operators of code as they are typed or by
    their parts; Chinese by any characters that stand together. The last word may be
    the beginning of a longer one. Nothing in `query` is an operator; [] when there
    is nothing in it to look for.
    """
    wanted = needles(query)
    if not wanted:
        return []
    hits = list(islice(_found(log, log.query(LATE), wanted, wanted), limit))
    late = {hit.message_id for hit in hits}  # the index may have a part of them
    hits += _hits(log, SEARCH, wanted, limit)
    # While the log is in memory only what is new stands in its own index.
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
    """Yield the hits among the rows of a search: those that have all `unsure`."""
    for seq, conversation, title, at, data in rows:
        message = said(data)
        if not message.role:
            log.note_unreadable(seq)
            continue
        text = normal(message.text)
        folded = fold(text)
        if all(needle.stands_in(text, folded) for needle in unsure):
            yield Hit(
                text_of(conversation),
                text_of(title),
                _identify(data).message_id,
                message.role,
                moment(at),
                *_excerpt(text, folded, wanted),
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
    cut = " ".join(safe(text[start:end], newlines=False).split())
    excerpt = f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"
    return excerpt, _marks(excerpt, wanted)


def _best(folded: str, wanted: Sequence[Needle]) -> int:
    """Return where an excerpt should begin to show most of what is wanted."""
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
    """Return where in `text` stands what `folded` has at `at`."""
    if len(text) == len(folded):  # folding moves nothing, but for the rarest of cases
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
