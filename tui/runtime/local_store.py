"""All conversations, as a screen in the same process sees them."""

from collections.abc import Callable, Sequence

from tui import conversation, process_identity
from tui.conversation import Hit, Summary, Trashed, read_state, store
from tui.eventlog import EventLog
from tui.runtime import turn_driver


class LocalStore:
    """The conversations of `log`."""

    def __init__(
        self, log: EventLog, wait: Callable[[], object] = lambda: None
    ) -> None:
        """Take how to `wait` for what has still to be given to the log."""
        self._log = log
        self._wait = wait

    @property
    def keeps(self) -> bool:
        """Whether what is changed outlives the program."""
        return self._log.keeps

    @property
    def refusal(self) -> str:
        """Why what is stored cannot be changed now, "" when it can."""
        return self._log.refusal

    def tail(self) -> int:
        """Return the largest `seq` that was written."""
        return self._log.tail()

    def flush(self) -> None:
        """Wait until all that was written here can be read."""
        self._wait()
        self._log.flush()

    def get(self, id: str) -> Summary | None:
        """Return the summary of a conversation; None when it is not stored."""
        return conversation.get(self._log, id)

    def recent(self, limit: int = -1) -> Sequence[Summary]:
        """Return the conversations for a list."""
        return conversation.recent(self._log, limit)

    def search(self, query: str, limit: int) -> Sequence[Hit]:
        """Return the newest messages that `query` finds."""
        return conversation.search(self._log, query, limit)

    def questions(self, besides: str) -> Sequence[str]:
        """Return what the user asked in other conversations."""
        return conversation.questions(self._log, besides=besides)

    def titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of those of `ids` that are stored."""
        return store.titles(self._log, ids)

    def answering(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return those of `ids`, None for all, in which a turn runs."""
        if ids is not None:
            return read_state.answering(self._log, ids)
        running = conversation.running_anywhere(self._log)
        gone = process_identity.is_gone
        return {id for id, owners in running.items() if not all(map(gone, owners))}

    def unread(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return those of `ids`, None for all, with an answer that nobody has seen."""
        return read_state.unread(self._log, ids)

    def is_answering(self, id: str) -> bool:
        """End what nobody runs any more; return whether a turn still runs."""
        turn_driver.end_if_gone(self._log, id)
        return bool(conversation.running(self._log, id))

    def rename(self, id: str, title: str) -> None:
        """Give a conversation a title."""
        conversation.rename(self._log, id, title).result()

    def pin(self, id: str, pinned: bool) -> None:
        """Keep a conversation at the top of lists, or no longer."""
        conversation.pin(self._log, id, pinned).result()

    def trash(self, id: str) -> None:
        """Delete a conversation, with the draft that was saved last."""
        self._wait()
        conversation.trash(self._log, id)

    def trashed(self) -> Sequence[Trashed]:
        """Return what can be brought back, the last deleted first."""
        return conversation.trashed(self._log)

    def restore(self, deleted: Trashed) -> str:
        """Bring a conversation back; return its id."""
        return conversation.restore(self._log, deleted)

    def wipe(self, deleted: Sequence[Trashed]) -> str:
        """Wipe what was deleted; return what is to be said of traces, or ""."""
        return conversation.wipe(self._log, deleted)

    def export_json(self, id: str) -> str:
        """Return a conversation as a file that `import_json` reads."""
        return conversation.export_json(self._log, id)

    def export_markdown(self, id: str) -> str:
        """Return a conversation as a page to be read."""
        return conversation.export_markdown(self._log, id)

    def import_json(self, text: str) -> Sequence[str]:
        """Store the conversations of a file; return their ids."""
        return conversation.import_json(self._log, text)
