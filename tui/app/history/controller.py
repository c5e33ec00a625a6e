"""Opens the history screen and runs actions on conversations for the app.

An action runs in a thread; its outcome appears on the screen that is open by then.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from tui import conversation
from tui.app import commands
from tui.app.backend import Backend
from tui.app.chat.screen import ChatScreen
from tui.app.tabs import Tabs
from tui.app.terminal.textual_hook import OutputApp
from tui.app.transcript.find import Place
from tui.i18n import _

if TYPE_CHECKING:  # imported at first use, to keep startup fast
    from tui.app.history.actions import Library, Outcome
    from tui.app.history.screen import HistoryScreen


_OPENS = ("delete", "fork", "import", "undo")
"""The actions that show another conversation when they are done."""


class HistoryController:
    """Opens the history screen of `app` and runs its actions."""

    def __init__(self, app: OutputApp, backend: Backend, tabs: Tabs) -> None:
        self._app = app
        self._backend = backend
        self._tabs = tabs
        self._library: Library | None = None
        self._history: HistoryScreen | None = None
        self._deleting: set[str] = set()
        """The conversations that this app is deleting."""

    def show(self, words: str = "") -> None:
        """Show all conversations, and search them for `words`."""
        from tui.app.history.screen import HistoryScreen

        chat = self._tabs.current
        if chat and not self._lists:
            chat.pause()  # a hidden chat need not be drawn
            self._history = HistoryScreen(self._backend.store, chat.conversation, words)
            self._app.push_screen(self._history)

    @property
    def _lists(self) -> bool:
        """Whether the history screen is on top."""
        return self._history is not None and self._history.is_active

    def act(self, act: str, argument: str) -> None:
        """Run an action of `Library.do` on the current conversation."""
        chat = self._tabs.current
        if chat is None:
            return
        if not argument and act in ("rename", "import"):
            # Called from the palette: let the user type the argument.
            if not chat.composer.text:
                chat.composer.load_text(f"/{act} ")
            chat.composer.focus()
            chat.hint(f"/{act} {'TITLE' if act == 'rename' else 'FILE'}")
        else:
            self.start(act, chat.conversation, argument)

    def fork(self, title: str) -> None:
        """Copy the current conversation up to the selected message, and open the copy.

        Without a selected message, up to the last one on the screen.
        """
        if chat := self._tabs.current:
            presenter = chat.presenter
            selected = presenter.timeline.at_cursor()
            shown = selected or next(reversed(presenter.fold.entries), "")
            self.start("fork", chat.conversation, title, shown)

    def open(self, id: str, place: Place | None) -> None:
        """Close the history screen, if it is open, and open a conversation."""
        if self._lists:
            self._app.pop_screen()
        self._tabs.open(id, place)

    def start(self, act: str, id: str, argument: str, message_id: str = "") -> None:
        """Run an action of `Library.do` on the conversation `id` in a thread."""
        from tui.app.history.actions import Library, Outcome

        if why := self._backend.refused.get(act):
            self._ended(act, id, Outcome(why, id, failed=True))
            return
        if act == "delete":
            self._deleting.add(id)
        for chat in self._tabs.screens:
            if chat.conversation == id:
                chat.drafts.save()
        self._library = library = self._library or Library(self._backend.store)
        # What is typed meanwhile is meant for the conversation that is shown then.
        release = self._app.hold_keys() if act in _OPENS else lambda: None

        def work() -> None:
            try:
                outcome = library.do(act, id, argument, message_id)
                self._app.call_later(self._ended, act, id, outcome, argument)
            finally:
                self._app.call_later(release)

        # A worker, since quitting waits for it: a deletion must not be cut short.
        self._app.run_worker(work, thread=True, group="library")

    def _ended(self, act: str, id: str, outcome: "Outcome", argument: str = "") -> None:
        listed = self._lists
        text = outcome.text
        if act == "delete":
            self._deleting.discard(id)
        if not outcome.failed:
            if act == "delete":
                self._drop(outcome.id)
                keys = _(" or ").join(filter(None, [self._undo_key(), "/undo"]))
                text += _(". {keys} restores it for {days} days").format(
                    keys=keys, days=conversation.DAYS
                )
                text += "" if self._backend.store.keeps else _(", or until you quit")
            elif act == "fork":
                self.open(outcome.id, None)
                listed = False
            elif not listed and act in ("undo", "import"):
                self._tabs.open(outcome.id)
            self._tabs.look_again()
        if self._history and listed:
            self._history.report(text, outcome.failed)
        elif (chat := self._tabs.current) and outcome.failed:
            chat.complain(text)
            if argument:
                chat.give_back(f"/{act} {argument}")
        elif chat:
            chat.hint(text)

    def _undo_key(self) -> str:
        if self._lists:  # the list has its own keys
            return "F9"
        return commands.spelled(commands.named("undo"), self._backend.keys)

    def _drop(self, id: str) -> None:
        """Close the chat of a conversation that was deleted."""
        for chat in self._tabs.screens:
            if chat.conversation == id:
                chat.drafts.drop()
        history = self._history if self._lists else None
        if history:
            # switch_screen replaces only the top screen, so pop the history screen and
            # push it back. Textual keeps an installed screen; from Python 3.12 on it
            # would otherwise remove this one at once, as its tasks start eagerly.
            self._app.install_screen(history, "history")
            self._app.pop_screen()
        self._tabs.close(id)
        if history:
            self._app.uninstall_screen(history)
            self._app.push_screen(history)
            if chat := self._tabs.current:
                chat.pause()

    def begin_anew(self, gone: ChatScreen) -> None:
        """Open a new conversation after another program deleted this one.

        New messages must not be stored under the deleted id.
        """
        if gone.conversation in self._deleting or gone is not self._app.screen:
            return  # `_drop` handles it, or `Deleted` is posted again on resume
        draft = gone.composer.draft
        gone.drafts.drop()
        chat = self._tabs.replace(gone)

        def show_note() -> None:
            chat.transcript.add_note(_("Another program deleted this conversation"))
            if draft:
                chat.composer.load_text(draft)

        chat.call_later(show_note)
