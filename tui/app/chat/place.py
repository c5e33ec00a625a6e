"""Scrolls to a search hit once the conversation has been read that far."""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background
from tui.app.backend import Conversation
from tui.app.transcript.find import Place
from tui.errors import LogError


class PlaceToShow:
    """What is to be shown as soon as it is there. Runs in the UI's thread."""

    def __init__(
        self,
        conversation: Conversation,
        go_to: Callable[[Place], bool],
        *,
        call_later: Callable[..., object],
        after_refresh: Callable[[Callable[[], None]], object],
    ) -> None:
        """Take how to `go_to` a place, which is False where it is not there.

        `call_later` brings a call from any thread into the UI's; `after_refresh` has
        it wait for what has come to be laid out.
        """
        self._conversation = conversation
        self._go_to = go_to
        self._call_later = call_later
        self._after_refresh = after_refresh
        self._place: Place | None = None
        self._end: int | None = None
        """The last record that could bring it; None until that is known."""
        self._read = 0

    def show(self, place: Place) -> None:
        """Show `place` as soon as it has been read."""
        self._place, self._end = place, None
        background.run("place", lambda: self._find_end(place))
        self._after_refresh(self._go)

    def read(self, seq: int) -> None:
        """Note that the records up to `seq` are in the transcript."""
        self._read = seq
        if self._place:
            self._after_refresh(self._go)

    def _find_end(self, place: Place) -> None:  # in a thread of its own
        end = 0
        with suppress(LogError):
            end = self._conversation.last_seq()
        self._call_later(self._found_end, place, end)

    def _found_end(self, place: Place, end: int) -> None:
        if place is self._place:
            self._end = end
            self._after_refresh(self._go)

    def _go(self) -> None:
        """Go there if it is there by now; later it would be a surprise."""
        if self._place is None:
            return
        all_read = self._end is not None and self._read >= self._end
        if self._go_to(self._place) or all_read:
            self._place = None
