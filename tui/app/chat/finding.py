"""Finds text in the open conversation: the field, the marks in the pane, n and N."""

from collections.abc import Callable
from typing import Protocol

from tui.app.transcript.finder import MOST
from tui.app.transcript.pane import Transcript
from tui.app.transcript.reading_pane import Bookmark
from tui.i18n import N_, _


class _Bar(Protocol):
    @property
    def word(self) -> str: ...
    @word.setter
    def word(self, text: str) -> None: ...
    @property
    def is_open(self) -> bool: ...
    def ask(self, asker: "Finding", label: str, text: str) -> object: ...
    def close(self) -> object: ...


class Finding:
    """The search of one chat. Call it in the UI thread.

    While the field is open, each letter searches; Enter goes to the pane, where the
    marks stay until `end`.
    """

    def __init__(
        self,
        transcript: Transcript,
        bar: _Bar,
        *,
        hint: Callable[[str], object],
        spell: Callable[[str], str],
        show_bar: Callable[[bool], object],
        leave: Callable[[], object],
    ) -> None:
        """`show_bar` exchanges status line and field; `leave` focuses the composer.

        `spell` returns the printed key of a command.
        """
        self._transcript = transcript
        self._finder = transcript.finder
        self._finder.report = self._progress
        self._bar = bar
        self._hint = hint
        self._spell = spell
        self._show_bar = show_bar
        self._leave = leave
        self._back: Bookmark | None = None
        self._words = ""
        self._from_pane = False
        self._late = False  # whether the last report was of an unfinished search

    @property
    def active(self) -> bool:
        """Whether matches are marked in the pane."""
        return self._finder.active

    def find(self, words: str = "") -> None:
        """Search for `words`, or else for what is then typed."""
        if not (self._finder.active and self._back):
            self._back = self._transcript.bookmark()
            pane = self._transcript
            self._from_pane = pane.screen.focused is pane
        if words:
            self._words = words
            self._search(words)
            if self._may_match:
                self._read()
        else:
            self._bar.ask(self, _("Find"), self._words)
            self._show_bar(True)
            self._search(self._words)

    def step(self, step: int) -> None:
        """Go to the next (1) or previous (-1) match."""
        self._finder.step(step)
        self._report()

    def end(self) -> None:
        """Remove the marks; the conversation stays where it is."""
        self._finder.search("", (None, 0))
        self._back = None
        self._close()

    def blurred(self) -> None:
        """Keep the marks: the focus has moved away from the field."""
        if self._bar.is_open:
            self._close()
            self._report()

    @property
    def _may_match(self) -> bool:
        """Whether there is a match, or may be one in what is not yet searched."""
        state = self._finder.state
        return state.total > 0 or not state.complete

    # -- what the field asks

    def changed(self, text: str) -> None:
        """Search for the text so far."""
        self._search(text)

    def entered(self, text: str) -> None:
        """Go to the pane, at the match."""
        self._search(text)
        if not text:
            self.left()
        elif self._may_match:
            self._read()

    def stepped(self, step: int) -> None:
        """Go to the next match."""
        self.step(step)

    def left(self) -> None:
        """Go back to where the search began."""
        back, from_pane = self._back, self._from_pane
        self.end()
        if back:
            self._transcript.return_to(back)
        if from_pane:
            self._transcript.focus(scroll_visible=False)
        else:
            self._leave()

    def _search(self, text: str) -> None:
        if text:
            self._words = text
        back = self._back or self._transcript.bookmark()
        self._finder.search(text, (back.item, back.line))
        self._report()

    def _read(self) -> None:
        self._close()
        self._transcript.screen.set_focus(self._transcript)
        self._report()

    def _close(self) -> None:
        if self._bar.is_open:
            self._bar.close()
            self._show_bar(False)

    def _progress(self) -> None:
        if self._bar.is_open or self._late:
            self._report()

    def _report(self) -> None:
        """Say which match is current, in the field or in the status line."""
        if not self._finder.active:
            self._bar.word = ""
            return
        state = self._finder.state
        self._late = state.growing or not state.complete
        if self._bar.is_open:
            self._bar.word = self._said()
        else:
            # The composer's border says what Esc does.
            keys = [
                f"{key} {_(does)}"
                for name, does in _KEYS.items()
                if self._may_match and (key := self._spell(name))
            ]
            self._hint("  ".join([self._said(), *keys]))

    def _said(self) -> str:
        number, count, complete, growing = self._finder.state
        if not count and complete:
            return _("no match yet") if growing else _("no match")
        if not count:
            return _("searching…")
        total = f"{MOST:,}+" if count > MOST else f"{count:,}"
        return (
            _("{number:,} of {total}").format(number=number, total=total)
            if complete
            else _("searching… {total} so far").format(total=total)
        )


_KEYS = {
    "find_next": N_("next"),
    "find_previous": N_("previous"),
}
