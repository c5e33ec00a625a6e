"""Implements the store of `tui.app.backend` for a screen in the same process."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui import conversation, process_identity
from tui.config import Price
from tui.conversation import (
    Summary,
    approvals,
    read_state,
    store,
)
from tui.eventlog import EventLog
from tui.runtime import turn_driver

if TYPE_CHECKING:  # imported at first use, to keep startup fast
    from tui.conversation import Hit, Trashed
    from tui.conversation.costs import Tally
    from tui.conversation.preview import Spoken


class LocalStore:
    """The conversations of `log`."""

    def __init__(
        self, log: EventLog, wait: Callable[[], object] = lambda: None
    ) -> None:
        """Use `wait` to wait until earlier writes have been passed to the log."""
        self._log = log
        self._wait = wait

    @property
    def keeps(self) -> bool:
        """Whether changes survive the end of the program."""
        return self._log.keeps

    @property
    def refusal(self) -> str:
        """Why the store cannot be changed now, "" if it can."""
        return self._log.refusal

    def tail(self) -> int:
        """Return the largest `seq` written so far."""
        return self._log.tail()

    def flush(self) -> None:
        """Wait until all earlier writes of this program can be read."""
        self._wait()
        self._log.flush()

    def get(self, id: str) -> Summary | None:
        """Return the summary of a conversation, None if it is not stored."""
        return conversation.get(self._log, id)

    def recent(self, limit: int = -1) -> Sequence[Summary]:
        """Return the conversations for a list."""
        return conversation.recent(self._log, limit)

    def search(self, query: str, limit: int) -> "Sequence[Hit]":
        """Return the newest messages that match `query`."""
        return conversation.search(self._log, query, limit)

    def spent(self, since: float, price: Callable[[str], Price | None]) -> "Tally":
        """Add up what all conversations have spent since a time, by any program."""
        self.flush()
        from tui.conversation import costs

        return costs.spent(self._log, price, since=since)

    def preview(self, id: str, seq: int = 0) -> "Sequence[Spoken]":
        """Return the last messages of a conversation, or those around `Hit.seq`."""
        from tui.conversation.preview import preview

        return preview(self._log, id, seq)

    def questions(self, besides: str) -> Sequence[str]:
        """Return the user's questions in other conversations, oldest first."""
        return conversation.questions(self._log, besides=besides)

    def titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of the stored conversations among `ids`."""
        return store.titles(self._log, ids)

    def answering(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return the conversations among `ids` (None: all) with a running turn."""
        if ids is not None:
            return read_state.answering(self._log, ids)
        running = conversation.running_anywhere(self._log)
        gone = process_identity.is_gone
        return {id for id, owners in running.items() if not all(map(gone, owners))}

    def waiting(self) -> set[str]:
        """Return the conversations that wait for the user's permission."""
        return approvals.waiting(self._log)

    def unread(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return the conversations among `ids` (None: all) with an unseen answer."""
        return read_state.unread(self._log, ids)

    def is_answering(self, id: str) -> bool:
        """End turns of exited processes; return whether a turn is still running."""
        turn_driver.end_if_gone(self._log, id)
        return bool(conversation.running(self._log, id))

    def rename(self, id: str, title: str) -> None:
        """Give a conversation a title."""
        conversation.rename(self._log, id, title).result()

    def pin(self, id: str, pinned: bool) -> None:
        """Pin a conversation to the top of lists, or unpin it."""
        conversation.pin(self._log, id, pinned).result()

    def fork(self, id: str, message_id: str, title: str) -> str:
        """Copy a conversation up to a message; return the id of the copy."""
        self.flush()
        return conversation.fork(self._log, id, message_id, title)

    def trash(self, id: str) -> None:
        """Delete a conversation and its latest draft so that they can be restored."""
        self._wait()
        conversation.trash(self._log, id)

    def trashed(self) -> "Sequence[Trashed]":
        """Return the conversations that can be restored, last deleted first."""
        return conversation.trashed(self._log)

    def restore(self, deleted: "Trashed") -> str:
        """Restore a conversation; return its id."""
        return conversation.restore(self._log, deleted)

    def wipe(self, deleted: "Sequence[Trashed]") -> str:
        """Permanently delete conversations; return a warning about traces, or ""."""
        return conversation.wipe(self._log, deleted)

    def export_json(self, id: str) -> str:
        """Return a conversation in the format that `import_json` reads."""
        return conversation.export_json(self._log, id)

    def export_markdown(self, id: str, folder: str = "") -> str:
        """Return a conversation as a readable page, with pictures from `folder`."""
        return conversation.export_markdown(self._log, id, folder)

    def pictures(self, id: str) -> Mapping[str, bytes]:
        """Return the pictures of that page by their names in the folder."""
        from tui.conversation.markdown_export import pictures

        return pictures(self._log, id)

    def import_json(self, text: str) -> Sequence[str]:
        """Store the conversations of an exported file; return their ids."""
        return conversation.import_json(self._log, text)
