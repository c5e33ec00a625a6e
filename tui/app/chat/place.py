"""Scrolls to a search hit once the conversation has been read that far."""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background
from tui.app.backend import Conversation
from tui.app.transcript.find import Place
from tui.errors import LogError


class PlaceToShow:
    """Keeps a place to scroll to until it has been loaded. Call it in the UI thread."""

    def __init__(
        self,
        conversation: Conversation,
        go_to: Callable[[Place], bool],
        *,
        call_later: Callable[..., object],
        after_refresh: Callable[[Callable[[], None]], object],
    ) -> None:
        """Use `go_to` to scroll; it returns False while the place is not loaded.

        `call_later` passes a call from any thread to the UI thread; `after_refresh`
        runs a call once new records are laid out.
        """
        self._conversation = conversation
        self._go_to = go_to
        self._call_later = call_later
        self._after_refresh = after_refresh
        self._place: Place | None = None
        self._end: int | None = None
        """The last record that may contain the place; None until it is known."""
        self._read = 0

    def show(self, place: Place) -> None:
        """Scroll to `place` as soon as it has been loaded."""
        self._place, self._end = place, None
        background.run("place", lambda: self._find_end(place))
        self._after_refresh(self._go)

    def read(self, seq: int) -> None:
        """Note that the transcript contains the records up to `seq`."""
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
        """Scroll to the place if it is loaded; give up once all is read.

        Scrolling any later would surprise the user.
        """
        if self._place is None:
            return
        all_read = self._end is not None and self._read >= self._end
        if self._go_to(self._place) or all_read:
            self._place = None
