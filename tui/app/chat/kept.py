"""What lets a conversation be left and come back to.

The draft, what has been seen, the place that a search has found, and the pause of a
screen that is not shown: a part of the chat screen, in a file of its own.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from contextlib import suppress

from textual import on
from textual.message import Message

from tui import conversation
from tui.app import background
from tui.app.chat.drafts import Drafts
from tui.app.chat.follower import Follower
from tui.app.chat.presenter import Presenter
from tui.app.chat.read_marker import ReadMarker
from tui.app.chat.versions import MessageVersions
from tui.app.seen import mark_seen
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer
from tui.app.widgets.tab_bar import ChatBar, Tab
from tui.errors import LogError
from tui.events import Record
from tui.runtime.host import Host


class KeptScreen(OutputScreen):
    """A screen of one conversation; `first`: the program begins with it."""

    presenter: Presenter
    versions: MessageVersions
    follower: Follower

    class Deleted(Message):
        """The conversation of `screen` was deleted, and the screen is to go."""

        def __init__(self, screen: "KeptScreen") -> None:
            super().__init__()
            self.screen = screen

    def __init__(self, host: Host, conversation: str, first: bool) -> None:
        super().__init__()
        self.host = host
        self.conversation = conversation
        self.transcript = Transcript()
        self.composer = Composer()
        self.chat_bar = ChatBar()
        self.drafts = Drafts(host.log, conversation, self.composer)
        self.read_marker = ReadMarker(host.log, conversation)
        self._first = first
        self._place: Place | None = None
        """What is to be shown as soon as it has been read."""
        self._place_end = 0
        """The last record that could bring it."""

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was ever written into this conversation."""
        return self.drafts.is_new and not self.composer.text

    @property
    def is_deleted(self) -> bool:
        """Whether what is shown is no more in the store."""
        return self.presenter.deleted

    def on_mount(self) -> None:
        """Put back what was being written."""
        self.chat_bar.current = self.conversation
        # Until what is sent outlives a kill.
        self.composer.holds = True
        with suppress(LogError):
            self.drafts.restore(adopt=self._first)

    def on_unmount(self) -> None:
        """Keep what is being written, and end the poller."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.close()

    def pause(self) -> None:
        """Follow no further until this screen is shown again."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.pause()

    def on_screen_resume(self) -> None:
        """Go on following where it was paused."""
        self.follower.resume()
        if self.is_deleted:
            self.post_message(self.Deleted(self))

    def show_tabs(self, tabs: Sequence[Tab]) -> None:
        """Show which conversations are open, if it is more than one."""
        self.chat_bar.tabs = tuple(tabs)
        self.set_class(len(tabs) > 1, "-several")

    def show_place(self, place: Place) -> None:
        """Show a place of the conversation, as soon as it has been read."""
        self._place = place
        with suppress(LogError):
            rows = self.host.log.query(
                "SELECT max(seq) FROM event WHERE conversation = ?",
                (self.conversation,),
            )
            self._place_end = rows[0][0] or 0
        self.call_after_refresh(self._go_to_place)

    def has_sent(self, request: int) -> None:
        """Keep that the user knows what is before the record `request`.

        Only of a conversation that was seen it can be told what of it is unread.
        """
        mark_seen(self.host.log, self.conversation, request - 1)

    def _has_shown(self, records: Sequence[Record]) -> None:
        """Do what is to be done when records are on the screen."""
        self.read_marker.show(records)
        if self.is_deleted:
            self.post_message(self.Deleted(self))
        if self._place:
            all_read = records[-1].seq >= self._place_end
            self.call_after_refresh(self._go_to_place, all_read)

    def _go_to_place(self, give_up: bool = False) -> None:
        """Go there if it is there by now; later it would be a surprise."""
        if self._place is None:
            return
        self.show_version(self._place.message_id)
        if self.transcript.go_to(self._place) or give_up:
            self._place = None

    def show_version(self, message_id: str) -> None:
        """Show the version of the conversation that a message is in."""
        self.versions.show(message_id)

    @on(Composer.Changed)
    def _keep_draft(self) -> None:
        self.drafts.changed()

    @on(Composer.HistoryWanted)
    def _fetch_history(self) -> None:
        background.run("questions", self._find_questions)

    def _find_questions(self) -> None:
        with suppress(LogError):
            found = conversation.questions(self.host.log, besides=self.conversation)
            self.call_later(self.composer.add_older, found)
