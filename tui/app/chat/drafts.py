"""Drafts: what stands in the composer outlives the program, however it ends.

A draft belongs to its conversation. One of a conversation that was never sent has
none to come back to, so it also names the process that holds it: when that is gone,
the next new conversation takes it over; while it lives, a second terminal does not.
"""

from concurrent.futures import Future, wait

import msgspec
from textual.timer import Timer

from tui import conversation, process_identity
from tui.app.widgets.composer import Composer
from tui.conversation import read_state
from tui.eventlog import Draft, EventLog
from tui.events import TurnStarted

LONG = 20_000
"""Characters of a draft from which it is not saved with each key."""

SECONDS = 1.0
"""How much typing in a long one may be lost at most when the program is killed."""

KEPT_SECONDS = 0.1
"""How long a frame waits at most for what is typed to outlive a kill: a commit takes a
fraction of a millisecond, and longer only where another program has locked the store or
the machine has no time for us."""

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
        self._sending: str | None = None
        """What is being sent, and stands in the composer until it is stored."""
        self._timer: Timer | None = None
        self._kept: Future[int] | None = None
        """What was saved or sent last, done when it outlives a kill."""
        self._late: Future[int] | None = None
        """What a frame has waited for in vain."""

    @property
    def is_new(self) -> bool:
        """Whether nothing has been sent in this conversation."""
        return not self._sent

    def restore(self, adopt: bool) -> None:
        """Put back what was being written here.

        With `adopt` a new conversation takes what was written last into one that was
        never sent. Raises `LogError`.
        """
        self._sent = conversation.get(self._log, self._conversation) is not None
        text = read_state.draft(self._log, self._conversation)
        if not text and not self._sent and adopt:
            text = self._adopted()
        if text and not self._composer.text:
            self._composer.load_text(text)
            self._saved = self._composer.draft

    def changed(self) -> None:
        """Save it: at once, or soon when it is long."""
        if self._composer.draft != self._sending:
            self._sending = None
        if self._timer or self._composer.draft in (self._saved, self._sending):
            return
        if len(self._composer.draft) > LONG:
            self._timer = self._composer.set_timer(SECONDS, self.save)
        else:  # the log makes one commit of a burst of keys
            self.save()

    def save(self) -> None:
        """Save it now, if it has changed."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        text = self._composer.draft
        if text not in (self._saved, self._sending) and not self._dropped:
            self._saved = text
            self.wait_for(read_state.save_draft(self._log, self._key(), text))

    def wait_for(self, kept: "Future[int]") -> None:
        """Have the next frame wait for what was saved or sent."""
        self._kept = kept

    def before_frame(self) -> None:
        """Save what is about to be shown, and wait until it outlives a kill.

        A frame may come between a key and the message that tells of it. Blocks for
        `KEPT_SECONDS` at most; for a store that is locked once, and not with each key.
        """
        self.changed()
        kept, self._kept = self._kept, None
        if kept and (self._late is None or self._late.done()):
            self._late = None if wait([kept], KEPT_SECONDS).done else kept

    def sent(self) -> tuple[Draft, ...]:
        """Forget it; returns what is to be stored in the transaction of the message.

        So a kill neither takes what is being sent nor brings back what has been.
        """
        forgotten: tuple[Draft, ...] = ()
        self._sending = self._composer.draft or None
        if self._saved:
            forgotten = (Draft(self._key(), "", 0.0),)
            self._saved = ""
        self._sent = True
        return forgotten

    def drop(self) -> None:
        """Save no more: the conversation was deleted."""
        self._dropped = True

    def _key(self) -> str:
        if self._sent:
            return self._conversation
        owner = msgspec.json.encode(process_identity.claim()).decode()
        return f"{_NEW} {self._conversation} {owner}"

    def _adopted(self) -> str:
        """Return the newest draft that is nobody's, which becomes ours."""
        for key, text in read_state.drafts(self._log, f"{_NEW} "):
            if _is_nobodys(key):
                read_state.save_draft(self._log, self._key(), text)
                read_state.save_draft(self._log, key, "")
                return text
        return ""


def _is_nobodys(key: str) -> bool:
    try:
        owner = key.split(" ", 2)[2]
        if owner.startswith("{"):
            return process_identity.is_gone(
                msgspec.json.decode(owner, type=TurnStarted)
            )
        # As earlier versions wrote it. A host's name may hold anything: it is last.
        boot_id, pid, start, host = owner.split(" ", 3)
        return process_identity.is_gone(
            TurnStarted(host, boot_id, int(pid), int(start))
        )
    except (IndexError, ValueError):  # another program has written it
        return False
