"""State that is stored beside the events: drafts, read markers.

States are small values rather than functions that write, because they are written to
the store, to its fallback, and to a journal from which another process stores them.
"""

import sqlite3
from collections.abc import Callable

import msgspec

from tui.eventlog.sqlite import blobs
from tui.messages import Attachment


class State(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all states; written in the transaction of the events appended with it."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write this state to `db`."""
        raise NotImplementedError

    def moved(self, number: Callable[[int], int]) -> "State":
        """Return this state with each `seq` in it replaced by `number(seq)`."""
        return self


class Draft(State, frozen=True):
    """An unsent message in the composer; an empty one deletes the draft."""

    conversation: str
    """The id of a conversation, or any other key."""
    text: str
    time: float
    """Seconds since the epoch."""
    attachments: tuple[Attachment, ...] = ()
    """References; a `Blob` has the bytes of each."""

    def write(self, db: sqlite3.Connection) -> None:
        """Replace the previous draft."""
        where = "conversation = ?", (self.conversation,)
        before = db.execute(
            f"SELECT attachments FROM main.draft WHERE {where[0]}", where[1]
        ).fetchone()
        db.execute(f"DELETE FROM main.draft WHERE {where[0]}", where[1])
        files = ""
        if self.attachments:
            files = msgspec.json.encode(self.attachments).decode()
        if self.text or files:
            db.execute(
                "INSERT INTO main.draft(conversation, text, time, attachments) "
                "VALUES (?, ?, ?, ?)",
                (self.conversation, self.text, self.time, files),
            )
        if before and before[0] and before[0] != files:
            self._leave(db, str(before[0]), files)

    def _leave(self, db: sqlite3.Connection, before: str, files: str) -> None:
        """Have the next purge free a file that was taken out and not sent."""
        gone = blobs.referred(before) - blobs.referred(files)
        if all(blobs.is_referred(db, it) for it in gone):
            return
        db.execute(
            "INSERT OR IGNORE INTO main.purge SELECT "
            "coalesce(max(CAST(seq AS INTEGER)), 0) FROM main.sqlite_sequence "
            "WHERE name = 'event'"
        )


class Seen(State, frozen=True):
    """A read marker: a screen has shown everything up to `seq`. It never moves back."""

    conversation: str
    seq: int

    def write(self, db: sqlite3.Connection) -> None:
        """Write it, unless the stored marker is further ahead."""
        db.execute(
            "INSERT INTO main.seen VALUES (?, ?) ON CONFLICT(conversation) "
            "DO UPDATE SET seq = max(seq, excluded.seq)",
            (self.conversation, self.seq),
        )

    def moved(self, number: Callable[[int], int]) -> "Seen":
        """Return this marker with its `seq` renumbered."""
        return Seen(self.conversation, number(self.seq))


class Blob(State, frozen=True):
    """The bytes of an attached file, kept once for all that refer to them."""

    digest: str
    data: bytes

    def write(self, db: sqlite3.Connection) -> None:
        """Keep the bytes, unless they are there already."""
        blobs.put(db, self.digest, self.data)


class Taken(State, frozen=True):
    """A note that a journal is in the store and must not be stored a second time."""

    journal: str
    """The id of the journal."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write it. Raises `sqlite3.IntegrityError` if the journal is noted already."""
        db.execute("INSERT INTO main.taken VALUES (?)", (self.journal,))


class Imported(State, frozen=True):
    """How much of a conversation that is being imported is in the store."""

    source: str
    """A digest of the imported conversation."""
    conversation: str
    """The id of the conversation in this store."""
    done: int
    """How many of its records are stored; -1 when all are."""

    def write(self, db: sqlite3.Connection) -> None:
        """Replace the progress stored before; delete it when the import is complete."""
        if self.done < 0:
            db.execute("DELETE FROM main.importing WHERE source = ?", (self.source,))
        else:
            db.execute(
                "INSERT OR REPLACE INTO main.importing VALUES (?, ?, ?)",
                (self.source, self.conversation, self.done),
            )


AnyState = Draft | Seen | Taken | Imported | Blob
