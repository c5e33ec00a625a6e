"""Gives the controller of a chat its view of the screen."""

from collections.abc import Callable
from typing import Any

from tui.app.chat.drafts import Drafts
from tui.app.chat.follower import Follower
from tui.app.chat.hints import Hints
from tui.app.chat.view import Settings
from tui.app.transcript.note import NoteKind
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer


class ScreenView:
    """Implements `View` with the parts of one chat screen."""

    def __init__(
        self,
        hints: Hints,
        transcript: Transcript,
        composer: Composer,
        drafts: Drafts,
        follower: Follower,
        *,
        settings: Callable[[], Settings],
        mark_seen: Callable[[int], object],
        call_later: Callable[..., object],
    ) -> None:
        """Set the parts and callbacks; see `View` and `Conversation` for them."""
        self._transcript = transcript
        self._composer = composer
        self._mark_seen = mark_seen
        self._call_later = call_later
        self._hints = hints
        self._drafts = drafts
        self._follower = follower
        self._settings = settings

    def settings(self) -> Settings:
        """Return the settings for the next question."""
        return self._settings()

    def hint(self, text: str) -> None:
        """Show a short-lived hint."""
        self._hints.hint(text)

    def complain(self, text: str) -> None:
        """Report a problem with what was typed."""
        self._hints.complain(text)

    def note(self, text: str, kind: NoteKind) -> None:
        """Add a note to the conversation."""
        self._transcript.add_note(text, kind)

    def entitle(self, words: str, more: str) -> None:
        """Set the title above the composer; "" removes it."""
        self._composer.entitle(words, more)

    def follow_end(self) -> None:
        """Scroll to the end of the conversation and follow it."""
        self._transcript.action_follow()

    def hurry(self) -> None:
        """Show each record at once, so that a stop is seen quickly."""
        self._follower.hurry()

    def take_draft(self) -> bool:
        """Forget the draft of the message; return whether one was stored."""
        return self._drafts.sent()

    def has_sent(self, request: int) -> None:
        """Mark all records before `request` as seen.

        Unread records can only be counted in a conversation that was seen once.
        """
        if request > 1:
            self._mark_seen(request - 1)

    def call_later(self, callback: Callable[..., object], *args: Any) -> object:
        """Call `callback` in the UI thread; may be called from any thread."""
        return self._call_later(callback, *args)
