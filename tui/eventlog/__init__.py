"""The log: append-only typed events in one SQLite file.

It is the file queue and the conversation store at once: a queue is the log plus a
cursor. Reading has no effect, so any number of readers, in any number of
processes, may follow from wherever they are; `seq` is commit order, because
SQLite has one writer, and is never reused.

Deltas are provisional. The event that makes their message whole removes them in
the same transaction, so whoever attaches before, during or after a turn ends with
the same transcript.

While the file cannot be written (the disk is full, another program has locked it, it
is damaged) the log goes on in memory and catches up when it can: see `fallback`.
Where a write-ahead log is unsafe it does without: see `sqlite.network_mounts`.

What it deliberately does not do: it knows nothing of screens, models or what a
turn means; `tui.conversation` folds events into messages.
"""

from tui.eventlog.follow import Follow
from tui.eventlog.log import EventLog
from tui.eventlog.open import open_log, open_to_read
from tui.eventlog.states import Draft, Imported

__all__ = [
    "Draft",
    "EventLog",
    "Follow",
    "Imported",
    "open_log",
    "open_to_read",
]
