"""What was sent before, and where among it one is who walks through it."""

from collections.abc import Iterable

from tui.app.widgets.input_text import clean


class SentHistory:
    """Entries, the oldest first, and behind the newest the draft: what is written now.

    What stood at a place when it was left is found there again, as in a shell.
    """

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._older: list[str] = []
        """The first of the entries, which `add_older` has brought."""
        self._place: int | None = None
        """Index of the entry that is shown; None while it is the draft."""
        self._changed: dict[int | None, str] = {}
        """What stood at a place when it was left; at None, the draft."""

    def __bool__(self) -> bool:
        """Whether there is an entry."""
        return bool(self._entries)

    def draft(self, text: str) -> str:
        """Return what is being written when `text` is shown."""
        place = self._place
        if place is None or text != self._entries[place]:
            return text
        return self._changed.get(None, "")

    def replace(self, entries: Iterable[str]) -> None:
        """Have these entries behind the older ones."""
        kept = _entries([*self._older, *entries])
        if self._place is not None and kept[: len(self._entries)] != self._entries:
            self.leave()
        self._entries = kept

    def add_older(self, entries: Iterable[str]) -> None:
        """Put entries before all others; the place stays."""
        self._older = _entries(entries)
        known = len(self._entries)
        self._entries = _entries([*self._older, *self._entries])
        shift = len(self._entries) - known
        if self._place is not None:
            self._place += shift
        self._changed = {
            place if place is None else place + shift: text
            for place, text in self._changed.items()
        }

    def add(self, text: str) -> None:
        """Add what is sent, unless it was sent just before."""
        if self._entries[-1:] != [text]:
            self._entries.append(text)

    def walk(self, step: int, text: str) -> str | None:
        """Go to the place `step` away from where `text` is shown; return what is there.

        None, and nothing is changed, when there is no such place.
        """
        here = len(self._entries) if self._place is None else self._place
        there = here + step
        if not 0 <= there <= len(self._entries):
            return None
        self._changed[self._place] = text
        self._place = there if there < len(self._entries) else None
        entry = "" if self._place is None else self._entries[there]
        return self._changed.get(self._place, entry)

    def leave(self) -> None:
        """Be at the draft again, with nothing changed."""
        self._place = None
        self._changed = {}


def _entries(texts: Iterable[str]) -> list[str]:
    """Return them without the blank ones and those equal to the one before."""
    kept: list[str] = []
    for entry in map(clean, texts):
        if entry.strip() and kept[-1:] != [entry]:
            kept.append(entry)
    return kept
