"""The log: append-only typed events in one SQLite file.

The log is both the file queue and the conversation store: a queue is the log plus a
cursor. Reading has no side effects, so any number of readers, in any number of
processes, can follow the log from any position. `seq` is the commit order, because
SQLite has one writer; a `seq` is never reused.

Deltas are provisional. The event that completes their message deletes them in the
same transaction, so a reader that attaches before, during or after a turn ends up
with the same transcript.

While the file cannot be written (the disk is full, another program has locked the
file, or it is damaged) the log continues in memory and writes the events later: see
`fallback`. Where a write-ahead log is unsafe, the log uses a rollback journal: see
`sqlite.network_mounts`.

The log deliberately knows nothing about screens, models or the meaning of a turn;
`tui.conversation` folds events into messages.
"""

from tui.eventlog.follow import Follow
from tui.eventlog.log import EventLog
from tui.eventlog.open import open_log, open_to_read
from tui.eventlog.states import Blob, Draft, Imported

__all__ = [
    "Blob",
    "Draft",
    "EventLog",
    "Follow",
    "Imported",
    "open_log",
    "open_to_read",
]
