"""State that is stored beside the events: drafts, read markers.

States are small values rather than functions that write, because they are written to
the store, to its fallback, and to a journal from which another process stores them.
"""

import sqlite3
from collections.abc import Callable

import msgspec


class State(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all states; written in the transaction of the events appended with it."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write this state to `db`."""
        raise NotImplementedError

    def moved(self, number: Callable[[int], int]) -> "State":
        """Return this state with each `seq` in it replaced by `number(seq)`."""
        return self


class Draft(State, frozen=True):
    """An unsent message in the composer; an empty text deletes the draft."""

    conversation: str
    """The id of a conversation, or any other key."""
    text: str
    time: float
    """Seconds since the epoch."""

    def write(self, db: sqlite3.Connection) -> None:
        """Replace the previous draft."""
        db.execute(
            "DELETE FROM main.draft WHERE conversation = ?", (self.conversation,)
        )
        if self.text:
            values = self.conversation, self.text, self.time
            db.execute("INSERT INTO main.draft VALUES (?, ?, ?)", values)


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


AnyState = Draft | Seen | Taken | Imported
