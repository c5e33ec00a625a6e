"""State that is stored beside the events: drafts, read markers.

Small values instead of functions that write: they are written to the store, to what
stands in for it, and into a journal from which another process writes them.
"""

import sqlite3
from collections.abc import Callable

import msgspec


class State(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all states; written in the transaction of the events beside it."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write it."""
        raise NotImplementedError

    def moved(self, number: Callable[[int], int]) -> "State":
        """Return it with each `seq` in it replaced by `number(seq)`."""
        return self


class Draft(State, frozen=True):
    """What the user is writing; "" forgets it."""

    conversation: str
    """A conversation, or any other key."""
    text: str
    time: float
    """Seconds since the epoch."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write it over the one before."""
        db.execute(
            "DELETE FROM main.draft WHERE conversation = ?", (self.conversation,)
        )
        if self.text:
            values = self.conversation, self.text, self.time
            db.execute("INSERT INTO main.draft VALUES (?, ?, ?)", values)


class Seen(State, frozen=True):
    """A screen has shown everything up to `seq`; it never goes back."""

    conversation: str
    seq: int

    def write(self, db: sqlite3.Connection) -> None:
        """Write it, unless more was seen already."""
        db.execute(
            "INSERT INTO main.seen VALUES (?, ?) ON CONFLICT(conversation) "
            "DO UPDATE SET seq = max(seq, excluded.seq)",
            (self.conversation, self.seq),
        )

    def moved(self, number: Callable[[int], int]) -> "Seen":
        """Return it with its `seq` renumbered."""
        return Seen(self.conversation, number(self.seq))


class Taken(State, frozen=True):
    """A journal is in the store, and is not to be written there once more."""

    journal: str
    """Its id."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write it. Raises `sqlite3.IntegrityError` for a second time."""
        db.execute("INSERT INTO main.taken VALUES (?)", (self.journal,))


class Imported(State, frozen=True):
    """How much of a conversation that is being imported is in the store."""

    source: str
    """A digest of what is imported."""
    conversation: str
    """The id that it has here."""
    done: int
    """How many of its records are stored; -1 when all are."""

    def write(self, db: sqlite3.Connection) -> None:
        """Write it over what was so before."""
        if self.done < 0:
            db.execute("DELETE FROM main.importing WHERE source = ?", (self.source,))
        else:
            db.execute(
                "INSERT OR REPLACE INTO main.importing VALUES (?, ?, ?)",
                (self.source, self.conversation, self.done),
            )


AnyState = Draft | Seen | Taken | Imported
