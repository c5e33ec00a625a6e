"""Keeps sent messages, and the position of the user who walks through them."""

from collections.abc import Iterable

from tui.app.widgets.input_text import clean


class SentHistory:
    """Holds entries, oldest first, followed by the draft that is being written.

    An edited entry keeps its edits when the user returns to it, as in a shell.
    """

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._older: list[str] = []
        """The first entries, which came from `add_older`."""
        self._place: int | None = None
        """Index of the entry that is shown; None for the draft."""
        self._changed: dict[int | None, str] = {}
        """The edited text of each visited entry; None is the key of the draft."""

    def __bool__(self) -> bool:
        """Whether there is an entry."""
        return bool(self._entries)

    def draft(self, text: str) -> str:
        """Return the draft, where `text` is what is shown now."""
        place = self._place
        if place is None or text != self._entries[place]:
            return text
        return self._changed.get(None, "")

    def replace(self, entries: Iterable[str]) -> None:
        """Set the entries that follow the older ones."""
        kept = _entries([*self._older, *entries])
        if self._place is not None and kept[: len(self._entries)] != self._entries:
            self.leave()
        self._entries = kept

    def add_older(self, entries: Iterable[str]) -> None:
        """Insert entries before all others; the position stays."""
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
        """Add a sent text, unless it equals the last one."""
        if self._entries[-1:] != [text]:
            self._entries.append(text)

    def walk(self, step: int, text: str) -> str | None:
        """Move by `step` from the entry shown as `text`; return the new text.

        Returns None, and changes nothing, when there is no such entry.
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
        """Return to the draft and drop all edits."""
        self._place = None
        self._changed = {}


def _entries(texts: Iterable[str]) -> list[str]:
    """Return the texts without blank ones and consecutive duplicates."""
    kept: list[str] = []
    for entry in map(clean, texts):
        if entry.strip() and kept[-1:] != [entry]:
            kept.append(entry)
    return kept
