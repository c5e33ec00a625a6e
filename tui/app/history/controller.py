"""Opens the history screen and runs actions on conversations for the app.

An action runs in a thread; its outcome is shown on the screen the user is at by then.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from textual.app import App

from tui import conversation
from tui.app.backend import Backend
from tui.app.chat.screen import ChatScreen
from tui.app.tabs import Tabs
from tui.app.transcript.find import Place

if TYPE_CHECKING:  # they are imported when they are needed first, after the start
    from tui.app.history.actions import Library, Outcome
    from tui.app.history.screen import HistoryScreen


class HistoryController:
    """The list of all conversations in one `app`, and what is done from there."""

    def __init__(self, app: App[None], backend: Backend, tabs: Tabs) -> None:
        self._app = app
        self._backend = backend
        self._tabs = tabs
        self._library: Library | None = None
        self._history: HistoryScreen | None = None
        self._deleting: set[str] = set()
        """What is being deleted from here."""

    def show(self, words: str = "") -> None:
        """Show all conversations, and search them for `words`."""
        from tui.app.history.screen import HistoryScreen

        chat = self._tabs.current
        if chat and not self._lists:
            chat.pause()  # what is not seen need not be drawn
            self._history = HistoryScreen(self._backend.store, chat.conversation, words)
            self._app.push_screen(self._history)

    @property
    def _lists(self) -> bool:
        """Whether the list is what is on the screen."""
        return self._history is not None and self._history.is_active

    def act(self, act: str, argument: str) -> None:
        """Do `act` of `Library.do` to the conversation that is shown."""
        chat = self._tabs.current
        if chat is None:
            return
        if not argument and act in ("rename", "import"):
            # From the palette: the rest is typed where commands are.
            if not chat.composer.text:
                chat.composer.load_text(f"/{act} ")
            chat.composer.focus()
            chat.hint(f"/{act} {'TITLE' if act == 'rename' else 'FILE'}")
        else:
            self.start(act, chat.conversation, argument)

    def open(self, id: str, place: Place | None) -> None:
        """Leave the list, if it is there, and open a conversation at `place`."""
        if self._lists:
            self._app.pop_screen()
        self._tabs.open(id, place)

    def start(self, act: str, id: str, argument: str) -> None:
        """Do `act` of `Library.do` to the conversation `id`, beside the screen."""
        from tui.app.history.actions import Library

        if act == "delete":
            self._deleting.add(id)
        for chat in self._tabs.screens:
            if chat.conversation == id:
                chat.drafts.save()
        self._library = library = self._library or Library(self._backend.store)

        def work() -> None:
            outcome = library.do(act, id, argument)
            self._app.call_later(self._ended, act, id, outcome)

        # Unlike other work, leaving waits for it: a deletion is to be a whole one.
        self._app.run_worker(work, thread=True, group="library")

    def _ended(self, act: str, id: str, outcome: "Outcome") -> None:
        listed = self._lists
        text = outcome.text
        if act == "delete":
            self._deleting.discard(id)
        if not outcome.failed:
            if act == "delete":
                self._drop(outcome.id)
                text += f". F9 or /undo brings it back for {conversation.DAYS} days"
                text += "" if self._backend.store.keeps else ", or until you leave"
                text += ", /purge wipes it now."
            elif not listed and act in ("undo", "import"):
                self._tabs.open(outcome.id)
            self._tabs.look_again()
        if self._history and listed:
            self._history.tell(text, outcome.failed)
        elif (chat := self._tabs.current) and outcome.failed:
            chat.complain(text)
        elif chat:
            chat.hint(text)

    def _drop(self, id: str) -> None:
        """Take a conversation off the screen that is no more."""
        for chat in self._tabs.screens:
            if chat.conversation == id:
                chat.drafts.drop()
        history = self._history if self._lists else None
        if history:
            # switch_screen replaces the topmost screen only, so the list goes first and
            # is back before Textual looks whether it may be removed.
            self._app.pop_screen()
        self._tabs.close(id)
        if history:
            self._app.push_screen(history)
            if chat := self._tabs.current:
                chat.pause()

    def begin_anew(self, gone: ChatScreen) -> None:
        """Go on in a new conversation when another program has deleted this one.

        What is written next must not be under the id of the deleted one.
        """
        if gone.conversation in self._deleting or gone is not self._app.screen:
            return  # we drop it ourselves; or it says so again when it is back on top
        draft = gone.composer.draft
        gone.drafts.drop()
        chat = self._tabs.replace(gone)

        def tell() -> None:
            chat.transcript.add_note("This conversation was deleted elsewhere.")
            if draft:
                chat.composer.load_text(draft)

        chat.call_later(tell)
