"""`lazychat rename`, `pin` and `delete`."""

import sys
from collections.abc import Sequence

from tui import conversation
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.errors import ConfigError
from tui.eventlog import EventLog
from tui.safe import safe


def rename(log: EventLog, prefix: str, title: str) -> int:
    """Give the conversation whose id begins with `prefix` another title."""
    conversation.rename(log, conversation.find(log, prefix), title).result()
    return DONE


def pin(log: EventLog, prefix: str, pinned: bool) -> int:
    """Keep the conversation at the top of lists, or no longer."""
    conversation.pin(log, conversation.find(log, prefix), pinned).result()
    return DONE


def delete(log: EventLog, prefixes: Sequence[str], sure: bool) -> int:
    """Delete conversations, all or none; asks first unless `sure`."""
    from tui.drive import end_if_gone

    ids = tuple(dict.fromkeys(conversation.find(log, prefix) for prefix in prefixes))
    if not sure and not _is_wanted(log, ids):
        return CANCELLED
    for id in ids:
        end_if_gone(log, id)
    deleted = conversation.delete(log, *ids)
    if deleted.traces:
        print(f"lazychat: {safe(deleted.traces, newlines=False)}", file=sys.stderr)
    return FAILED if deleted.traces else DONE


def _is_wanted(log: EventLog, ids: Sequence[str]) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            "delete asks before it deletes, which needs a terminal: add --yes."
        )
    shorts = conversation.short_ids(log, ids)
    for short, id in zip(shorts, ids, strict=True):
        found = conversation.get(log, id)
        title = safe(found.title, newlines=False) if found else ""
        print(f"{short}  {title}", file=sys.stderr)
    print("Delete for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
