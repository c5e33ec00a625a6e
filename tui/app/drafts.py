"""Drafts: what stands in the composer outlives the program, however it ends.

A draft belongs to its conversation. One of a conversation that was never sent has
none to come back to, so it also names the process that holds it: when that is gone,
the next new conversation takes it over; while it lives, a second terminal does not.
"""

from textual.timer import Timer

from tui import process
from tui.app.widgets.composer import Composer
from tui.eventlog import EventLog
from tui.events import TurnStarted

SECONDS = 1.0
"""How much typing may be lost at most when the program is killed."""

_NEW = "new"
"""How the key of a draft begins whose conversation was never sent; no id does."""


class Drafts:
    """Keeps the draft of one composer. Used in the UI's thread."""

    def __init__(self, log: EventLog, conversation: str, composer: Composer) -> None:
        self._log = log
        self._conversation = conversation
        self._composer = composer
        self._sent = False
        """Whether the conversation is in the store, so that its id can be the key."""
        self._saved = ""
        self._dropped = False
        self._timer: Timer | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing has been sent in this conversation."""
        return not self._sent

    def restore(self, adopt: bool) -> None:
        """Put back what was being written here.

        With `adopt` a new conversation takes what was written last into one that was
        never sent. Raises `LogError`.
        """
        rows = self._log.query(
            "SELECT 1 FROM conversation WHERE id = ?", (self._conversation,)
        )
        self._sent = bool(rows)
        text = self._log.draft(self._conversation)
        if not text and not self._sent and adopt:
            text = self._adopted()
        if text and not self._composer.text:
            self._composer.load_text(text)
            self._saved = self._composer.draft

    def changed(self) -> None:
        """Save it soon."""
        if self._timer is None and self._composer.draft != self._saved:
            self._timer = self._composer.set_timer(SECONDS, self.save)

    def save(self) -> None:
        """Save it now, if it has changed."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        text = self._composer.draft
        if text != self._saved and not self._dropped:
            self._saved = text
            self._log.save_draft(self._key(), text)

    def sent(self) -> None:
        """Forget it at once: a kill must not bring back what has been sent.

        To be called before the message is appended: the log keeps the order.
        """
        if self._saved:
            self._log.save_draft(self._key(), "")
            self._saved = ""
        self._sent = True

    def drop(self) -> None:
        """Save no more: the conversation was deleted."""
        self._dropped = True

    def _key(self) -> str:
        if self._sent:
            return self._conversation
        own = process.claim()
        owner = own.boot_id, own.pid, own.process_start, own.host
        return " ".join(map(str, (_NEW, self._conversation, *owner)))

    def _adopted(self) -> str:
        """Return the newest draft that is nobody's, which becomes ours."""
        rows = self._log.query(
            "SELECT conversation, text FROM draft WHERE conversation LIKE ? "
            "ORDER BY time DESC",
            (f"{_NEW} %",),
        )
        for key, text in rows:
            if _is_nobodys(key):
                self._log.save_draft(self._key(), text)
                self._log.save_draft(key, "")
                return text
        return ""


def _is_nobodys(key: str) -> bool:
    # A host's name may hold anything, so it is the last; an unknown boot is "".
    try:
        _, _, boot_id, pid, start, host = key.split(" ", 5)
        return process.is_gone(TurnStarted(host, boot_id, int(pid), int(start)))
    except ValueError:  # another program has written it
        return False
