"""`lazychat search`: messages of all conversations, with the words in their place."""

import json
import os
import sys
from collections.abc import Callable

import msgspec

from tui import conversation
from tui.cli import streams
from tui.cli.codes import DONE, FAILED
from tui.cli.list import clock
from tui.conversation import Hit
from tui.eventlog import EventLog
from tui.safe import safe

_NO_LIMIT = 2**31


def show_hits(log: EventLog, words: str, limit: int, as_json: bool) -> int:
    """Print the messages that have `words`, `limit` at most (0: all); return the code.

    1 when there is none, as with grep.
    """
    if not conversation.is_searchable(words):
        streams.talk("punctuation alone is not searched.")
    hits = conversation.search(log, words, limit if limit > 0 else _NO_LIMIT)
    if as_json:
        json.dump(msgspec.to_builtins(hits), sys.stdout, ensure_ascii=False, indent=1)
        print()
        return DONE if hits else FAILED
    terminal = sys.stdout.isatty()
    clean: Callable[[str], str] = safe if terminal else str
    bold = terminal and not os.environ.get("NO_COLOR")
    ids = conversation.short_ids(log, [hit.conversation for hit in hits])
    for id, hit in zip(ids, hits, strict=True):
        print(f"{id}  {clock(hit.time)}  {hit.role:9}  {clean(hit.title)}")
        print(f"    {_marked(hit) if bold else hit.excerpt}")
    if not hits and conversation.is_searchable(words):
        streams.talk("nothing was found.")
    return DONE if hits else FAILED


def _marked(hit: Hit) -> str:
    pieces: list[str] = []
    after = 0
    for start, end in hit.marks:
        pieces += [hit.excerpt[after:start], f"\x1b[1m{hit.excerpt[start:end]}\x1b[22m"]
        after = end
    return "".join(pieces) + hit.excerpt[after:]
