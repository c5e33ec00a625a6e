"""Saves the text in the composer as it is typed, so that it survives a kill.

Until the stored draft is known, an empty composer is not saved, so that it does not
overwrite it. If the user has typed something by then, the new text wins, and a draft
offered from another conversation stays available.
"""

from concurrent.futures import Future, wait

from textual.timer import Timer

from tui.app.backend import Conversation
from tui.app.widgets.composer import Composer
from tui.conversation.read_state import Opened
from tui.messages import Attachment

LONG = 20_000
"""Characters above which a draft is no longer saved at every key."""

SECONDS = 1.0
"""The most seconds of typing in a long draft that a kill may lose."""

KEPT_SECONDS = 0.5
"""The most seconds that a frame waits for typed text to survive a kill.

A commit takes a fraction of a millisecond unless the machine is overloaded or another
program has locked the store; then the text is in the journal after 0.15 s.
"""


Written = tuple[str, tuple[Attachment, ...]]
"""A text, and the files that are sent with it."""
NOTHING: Written = ("", ())


class Drafts:
    """Saves and restores the draft of one composer. Call it in the UI thread."""

    def __init__(
        self, conversation: Conversation, composer: Composer, is_new: bool
    ) -> None:
        """Set up for `conversation`; `is_new` if it is known to be unused."""
        self._conversation = conversation
        self._composer = composer
        self.is_new = is_new
        """Whether it is known that nothing has been sent in this conversation."""
        self._sent = False
        self._known = False
        """Whether the stored draft is known."""
        self._saved = NOTHING
        self._dropped = False
        self._sending: Written | None = None
        """What is being sent; it stays in the composer until it is stored."""
        self._timer: Timer | None = None
        self._kept: Future[int] | None = None
        """The last save or send; done once it survives a kill."""
        self._late: Future[int] | None = None
        """The write that a frame waited for until the time limit."""

    @property
    def _written(self) -> "Written":
        return self._composer.draft, self._composer.files

    def restore(self, opened: Opened | None) -> None:
        """Put the stored draft into the composer, unless the user has typed since.

        `opened` is None when the stored draft could not be read.
        """
        self._known = True
        if opened:
            self.is_new = not (opened.stored or self._sent)
        left = bool(opened and (opened.draft or opened.files))
        if opened and left and not self._composer.text and not self._sent:
            # Files that were given at the start come to those of the draft.
            files = (*opened.files, *self._composer.files)
            self._composer.load_text(opened.draft, files)
            self._saved = self._composer.draft, opened.files
            if opened.offered:
                self._conversation.adopt_draft(*self._saved)
            self.changed()
            return
        if opened and not opened.offered:
            self._saved = opened.draft, opened.files
        self.changed()

    def changed(self) -> None:
        """Save the draft: at once, or within `SECONDS` when it is long."""
        written = self._written
        if written != self._sending:
            self._sending = None
        if not (self._known or any(written) or any(self._saved)):
            return
        if self._timer or written in (self._saved, self._sending):
            return
        if len(self._composer.draft) > LONG:
            self._timer = self._composer.set_timer(SECONDS, self.save)
        else:  # the log commits a burst of keys together
            self.save()

    def save(self) -> None:
        """Save the draft now, if it has changed."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        written = self._written
        if written not in (self._saved, self._sending) and not self._dropped:
            self._saved = written
            self.wait_for(self._conversation.save_draft(*written))

    def wait_for(self, kept: "Future[int]") -> None:
        """Make the next frame wait for the write `kept`."""
        self._kept = kept

    def before_frame(self) -> None:
        """Save the text that is about to be drawn, and wait until it survives a kill.

        A frame may be drawn between a key and its `Changed` message. Blocks for
        `KEPT_SECONDS` at most; if the store is locked, only once and not at every key.
        """
        self.changed()
        kept, self._kept = self._kept, None
        if kept and (self._late is None or self._late.done()):
            self._late = None if wait([kept], KEPT_SECONDS).done else kept

    def sent(self) -> bool:
        """Forget the draft; return whether the message must remove a stored one.

        The log does both in one transaction, so a kill neither loses the message nor
        restores its draft.
        """
        written = self._written
        self._sending = written if any(written) else None
        forgets, self._saved = any(self._saved), NOTHING
        self._sent, self.is_new = True, False
        return forgets

    def drop(self) -> None:
        """Stop saving: the conversation was deleted."""
        self._dropped = True
