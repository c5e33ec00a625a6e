"""Saves the text in the composer as it is typed, so that it survives a kill.

Until it is known what was being written here before, nothing is saved over it; then
what has been typed meanwhile counts, and what was offered is left for another time.
"""

from concurrent.futures import Future, wait

from textual.timer import Timer

from tui.app.backend import Conversation
from tui.app.widgets.composer import Composer
from tui.conversation.read_state import Opened

LONG = 20_000
"""Characters of a draft from which it is not saved with each key."""

SECONDS = 1.0
"""How much typing in a long one may be lost at most when the program is killed."""

KEPT_SECONDS = 0.5
"""How long a frame waits at most for what is typed to outlive a kill: a commit takes a
fraction of a millisecond, and longer only where another program has locked the store
(then it is in the journal after 0.15 s) or the machine has no time for us."""


class Drafts:
    """Keeps the draft of one composer. Used in the UI's thread."""

    def __init__(
        self, conversation: Conversation, composer: Composer, is_new: bool
    ) -> None:
        """Take a `conversation`, and whether it is known that it `is_new`."""
        self._conversation = conversation
        self._composer = composer
        self.is_new = is_new
        """Whether it is known that nothing has been sent in this conversation."""
        self._sent = False
        self._known = False
        """Whether it is known what was being written before."""
        self._saved = ""
        self._dropped = False
        self._sending: str | None = None
        """What is being sent, and stands in the composer until it is stored."""
        self._timer: Timer | None = None
        self._kept: Future[int] | None = None
        """What was saved or sent last, done when it outlives a kill."""
        self._late: Future[int] | None = None
        """What a frame has waited for in vain."""

    def restore(self, opened: Opened | None) -> None:
        """Put back what was being written here, unless something was typed since.

        None means that it cannot be known.
        """
        self._known = True
        if opened:
            self.is_new = not (opened.stored or self._sent)
        if opened and opened.draft and not self._composer.text and not self._sent:
            self._composer.load_text(opened.draft)
            self._saved = self._composer.draft
            if opened.offered:
                self._conversation.adopt_draft(self._saved)
            return
        if opened and not opened.offered:
            self._saved = opened.draft
        self.changed()

    def changed(self) -> None:
        """Save it: at once, or soon when it is long."""
        if self._composer.draft != self._sending:
            self._sending = None
        if not self._known:
            return
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
            self.wait_for(self._conversation.save_draft(text))

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

    def sent(self) -> bool:
        """Forget it; returns whether a draft is stored that goes with the message.

        In one transaction, so a kill neither takes what is being sent nor brings back
        what has been.
        """
        self._sending = self._composer.draft or None
        forgets, self._saved = bool(self._saved), ""
        self._sent, self.is_new = True, False
        return forgets

    def drop(self) -> None:
        """Save no more: the conversation was deleted."""
        self._dropped = True
