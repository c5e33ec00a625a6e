"""The app's side of the store: the screen of all conversations, and acts by command.

An act runs in a thread; how it ended is told where the user is by then.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from textual import on

from tui import conversation
from tui.app.chat.screen import ChatScreen
from tui.app.tabs import SwitchingApp

if TYPE_CHECKING:  # they are imported when they are needed first, after the start
    from tui.app.history.actions import Library, Outcome
    from tui.app.history.screen import HistoryScreen


ACTS = ("rename", "pin", "delete", "undo", "purge", "export", "import")
"""The commands that are acts of `Library.do`."""


class ShelfApp(SwitchingApp):
    """An app with a list of all conversations."""

    def __init__(self) -> None:
        super().__init__()
        self._library: Library | None = None
        self._history: HistoryScreen | None = None
        self._deleting: set[str] = set()
        """What is being deleted from here."""

    def action_show_history(self, words: str = "") -> None:
        """Show all conversations, and search them for `words`."""
        from tui.app.history.screen import HistoryScreen

        if self.chat and not self._lists:
            here = self.chat.conversation
            self.chat.pause()  # what is not seen need not be drawn
            self._history = HistoryScreen(self.host.log, here, words)
            self.push_screen(self._history)

    @property
    def _lists(self) -> bool:
        """Whether the list is what is on the screen."""
        return self._history is not None and self._history.is_active

    def action_act(self, act: str, argument: str) -> None:
        """Do `act` of `Library.do` to the conversation that is shown."""
        chat = self.chat
        if chat is None:
            return
        if not argument and act in ("rename", "import"):
            # From the palette: the rest is typed where commands are.
            if not chat.composer.text:
                chat.composer.load_text(f"/{act} ")
            chat.composer.focus()
            chat.hint(f"/{act} {'TITLE' if act == 'rename' else 'FILE'}")
        else:
            self._start(act, chat.conversation, argument)

    def on_history_screen_opened(self, opened: "HistoryScreen.Opened") -> None:
        """Open the conversation that was chosen."""
        if self._lists:
            self.pop_screen()
        self.open_chat(opened.id, opened.place)

    def on_history_screen_wanted(self, wanted: "HistoryScreen.Wanted") -> None:
        """Do to a conversation what was asked for in the list."""
        self._start(wanted.act, wanted.id, wanted.argument)

    def _start(self, act: str, id: str, argument: str) -> None:
        from tui.app.history.actions import Library

        if act == "delete":
            self._deleting.add(id)
        for chat in self._screens:
            if chat.conversation == id:
                chat.drafts.save()
        self._library = library = self._library or Library(self.host.log)

        def work() -> None:
            outcome = library.do(act, id, argument)
            self.call_later(self._ended, act, id, outcome)

        # Unlike other work, leaving waits for it: a deletion is to be a whole one.
        self.run_worker(work, thread=True, group="library")

    def _ended(self, act: str, id: str, outcome: "Outcome") -> None:
        listed = self._lists
        text = outcome.text
        if act == "delete":
            self._deleting.discard(id)
        if not outcome.failed:
            if act == "delete":
                self._drop(outcome.id)
                text += f". F9 or /undo brings it back for {conversation.DAYS} days"
                text += "" if self.host.log.keeps else ", or until you leave"
                text += ", /purge wipes it now."
            elif not listed and act in ("undo", "import"):
                self.open_chat(outcome.id)
            self._look_again.set()
        if self._history and listed:
            self._history.tell(text, outcome.failed)
        elif self.chat and outcome.failed:
            self.chat.complain(text)
        elif self.chat:
            self.chat.hint(text)

    def _drop(self, id: str) -> None:
        """Take a conversation off the screen that is no more."""
        for chat in self._screens:
            if chat.conversation == id:
                chat.drafts.drop()
        history = self._history if self._lists else None
        if history:
            # The screen below is to be another: Textual exchanges the topmost only. It
            # looks later whether this one may go, and by then it is back.
            self.pop_screen()
        self.close_chat(id)
        if history:
            self.push_screen(history)
            if self.chat:
                self.chat.pause()

    @on(ChatScreen.Deleted)
    def _begin_anew(self, deleted: ChatScreen.Deleted) -> None:
        """Go on in a new conversation when another program has deleted this one.

        What is written next must not be under the id of the deleted one.
        """
        gone = deleted.screen
        if gone.conversation in self._deleting or gone is not self.screen:
            return  # we drop it ourselves; or it says so again when it is back on top
        draft, id = gone.composer.draft, conversation.new_id()
        gone.drafts.drop()
        self._tabs[self._tabs.index(gone.conversation)] = id
        self._switch(self._screens[-1], id)
        chat = self._screens[-1]

        def tell() -> None:
            chat.transcript.add_note("This conversation was deleted elsewhere.")
            if draft:
                chat.composer.load_text(draft)

        chat.call_later(tell)
