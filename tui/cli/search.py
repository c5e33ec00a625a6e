"""`lazychat search`: finds messages in all conversations."""

import os
import sys

import msgspec

from tui import conversation
from tui.cli import streams
from tui.cli.codes import DONE, FAILED
from tui.cli.list import clock
from tui.conversation import Hit
from tui.eventlog import EventLog
from tui.i18n import _
from tui.safe import one_line, safe

_NO_LIMIT = 2**31


def show_hits(log: EventLog, words: str, limit: int, as_json: bool) -> int:
    """Print messages that contain `words`, `limit` at most (0: all).

    Returns the exit code: 1 if there are none, as grep does.
    """
    if not conversation.is_searchable(words):
        streams.talk(_("cannot search for punctuation alone."))
    hits = conversation.search(log, words, limit if limit > 0 else _NO_LIMIT)
    if not hits and conversation.is_searchable(words):
        streams.talk(_("nothing found."))
    if as_json:
        streams.print_json(msgspec.to_builtins(hits))
        return DONE if hits else FAILED
    out = sys.stdout
    bold = isinstance(out, streams.Clean) and not os.environ.get("NO_COLOR")
    ids = conversation.short_ids(log, [hit.conversation for hit in hits])
    for id, hit in zip(ids, hits, strict=True):
        print(f"{one_line(id)}  {clock(hit.time)}  {hit.role:9}  {one_line(hit.title)}")
        if bold and isinstance(out, streams.Clean):
            out.write_styled(f"    {_marked(hit)}\n")
        else:
            print(f"    {one_line(hit.excerpt)}")
    return DONE if hits else FAILED


def _marked(hit: Hit) -> str:
    pieces: list[str] = []
    after = 0
    for start, end in hit.marks:
        before, found = hit.excerpt[after:start], hit.excerpt[start:end]
        pieces += [_plain(before), f"\x1b[1m{_plain(found)}\x1b[22m"]
        after = end
    return "".join(pieces) + _plain(hit.excerpt[after:])


def _plain(text: str) -> str:
    return safe(text, newlines=False)
