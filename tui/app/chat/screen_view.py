"""What the controller of a chat sees of the screen."""

from collections.abc import Callable
from typing import Any

from textual.content import Content

from tui.app.chat.drafts import Drafts
from tui.app.chat.follower import Follower
from tui.app.chat.hints import Hints
from tui.app.chat.view import Settings
from tui.app.transcript.note import NoteKind
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer


class ScreenView:
    """A `View` over the parts of one chat."""

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
        """Take the parts, and of the rest what a `View` and `Conversation` say."""
        self._transcript = transcript
        self._composer = composer
        self._mark_seen = mark_seen
        self._call_later = call_later
        self._hints = hints
        self._drafts = drafts
        self._follower = follower
        self._settings = settings

    def settings(self) -> Settings:
        """Return how the next question is asked."""
        return self._settings()

    def hint(self, text: str) -> None:
        """Say something that is soon forgotten."""
        self._hints.hint(text)

    def complain(self, text: str) -> None:
        """Say what is wrong with what was typed."""
        self._hints.complain(text)

    def note(self, text: str, kind: NoteKind) -> None:
        """Add a note to the conversation."""
        self._transcript.add_note(text, kind)

    def entitle(self, title: str) -> None:
        """Put a title above the composer, "" for none."""
        self._composer.border_title = Content(title) if title else None

    def follow_end(self) -> None:
        """Show the end of the conversation, and what comes there."""
        self._transcript.action_follow()

    def hurry(self) -> None:
        """Show each record as it comes: who has stopped an answer wants to see it."""
        self._follower.hurry()

    def take_draft(self) -> bool:
        """Return whether the draft of what is sent is stored; it is none any more."""
        return self._drafts.sent()

    def has_sent(self, request: int) -> None:
        """Keep that the user knows what is before the record `request`.

        Only of a conversation that was seen it can be told what of it is unread.
        """
        if request > 1:
            self._mark_seen(request - 1)

    def call_later(self, callback: Callable[..., object], *args: Any) -> object:
        """Call it in the UI's thread; from any thread."""
        return self._call_later(callback, *args)
