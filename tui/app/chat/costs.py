"""Counts what a conversation spends, and shows it: in the sidebar, and for /cost."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from tui.app import background
from tui.app.backend import Backend
from tui.conversation.costs import Counter, Tally, spell_cost, spell_tokens
from tui.errors import LogError
from tui.events import Record
from tui.i18n import _

if TYPE_CHECKING:
    from tui.app.dialogs.costs import CostScreen

STARTED = time.time()
"""When the program began."""


class _Sidebar(Protocol):
    spent: Any


class Costs:
    """The figures of one chat. Call it in the UI thread."""

    def __init__(
        self,
        backend: Backend,
        sidebar: _Sidebar,
        push: Callable[["CostScreen"], object],
        complain: Callable[[str], object],
        call_later: Callable[..., object],
        hold_keys: Callable[[], Callable[[], None]],
    ) -> None:
        """`push` shows a screen over the chat; see `OutputApp.hold_keys`."""
        self._backend = backend
        self._sidebar = sidebar
        self._push = push
        self._complain = complain
        self._call_later = call_later
        self._hold_keys = hold_keys
        self._counter = Counter(backend.price)

    @property
    def tally(self) -> Tally:
        """What the conversation has spent so far."""
        return self._counter.tally

    def take(self, records: Iterable[Record]) -> None:
        """Take the next records of the conversation."""
        if sum(map(self._counter.take, records)):
            total = self.tally.total
            tokens = spell_tokens(total.input + total.output)
            text = _("{tokens} tokens · {total}")
            if total.unknown and not any(total.costs.values()):
                text = _("{tokens} tokens")  # no price, and so no cost to show
            cost = spell_cost(total)
            self._sidebar.spent = text.format(tokens=tokens, total=cost)

    def show(self) -> None:
        """Show the conversation's figures, and those of all since the program began."""
        backend = self._backend
        release = self._hold_keys()  # what is typed now is typed over the dialog

        def work() -> None:
            try:
                everywhere = backend.store.spent(STARTED, backend.price)
            except LogError as error:
                self._call_later(self._complain, str(error))
            else:
                self._call_later(self._open, everywhere)
            finally:
                self._call_later(release)

        background.run("costs", work)

    def _open(self, everywhere: Tally) -> None:
        from tui.app.dialogs.costs import CostScreen

        self._push(CostScreen(self.tally, everywhere, STARTED))
