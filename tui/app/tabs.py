"""Tabs: the open conversations, and switching between them.

A conversation keeps running when the user leaves it: its turns run in the host, not in
its screen. The last few screens are kept with their scroll position and draft, and stop
following the log until they are shown again. While several conversations are open, one
thread checks every half second which are running or unread.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from threading import Event

from textual.app import App

from tui import conversation
from tui.app import background
from tui.app.backend import Backend, Store
from tui.app.chat.screen import ChatScreen
from tui.app.terminal import page
from tui.app.transcript.find import Place
from tui.app.widgets.tab_bar import Tab
from tui.errors import LogError
from tui.i18n import _
from tui.messages import Attachment

KEPT = 3
"""Number of screens that are kept; others are rebuilt, which is slow for long
conversations."""

SECONDS = 0.5
"""Seconds between two checks of the tabs' marks."""


class Tabs:
    """Manages the open conversations of one `app`, which shows one of them."""

    def __init__(self, app: App[None], backend: Backend) -> None:
        self._app = app
        self._backend = backend
        self.ids: list[str] = []
        """The open conversations, in the order of the tab bar."""
        self.screens: list[ChatScreen] = []
        """The kept screens, the last shown at the end."""
        self._shown_tabs: tuple[Tab, ...] = ()
        self._watching = False
        self._look_again = Event()

    @property
    def current(self) -> ChatScreen | None:
        """The chat screen, even if another screen covers it."""
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, ChatScreen):
                return screen
        return None

    def begin(
        self, id: str, is_new: bool, files: tuple[Attachment, ...] = ()
    ) -> ChatScreen:
        """Open the conversation `id` when the program starts, with files attached.

        Its screen is at the bottom of the stack: a default screen of Textual's below it
        would be composed, styled and arranged too.
        """
        chat = self._new_screen(id, first=True, is_new=is_new, files=files)
        self.ids.append(id)
        # `push_screen` does the same, and `switch_screen` expects it.
        chat._push_result_callback(self._app, None)  # pyright: ignore[reportPrivateUsage]: there is no other way
        return chat

    def open(
        self, id: str, place: Place | None = None, *, is_new: bool = False
    ) -> None:
        """Show the conversation `id`, at `place` if given.

        `is_new` if it is a new conversation; otherwise its content is unknown.
        """
        here = self.current
        if here is None:
            return
        if here.conversation != id:
            if id not in self.ids:
                self.ids.insert(self.ids.index(here.conversation) + 1, id)
            if here.is_untouched:
                self.ids.remove(here.conversation)
            self._switch(here, id, is_new)
        if place and self.current:
            self.current.show_place(place)

    def close(self, id: str) -> None:
        """Remove a conversation from the tab bar; its turns continue."""
        if id not in self.ids:
            return
        here = self.current
        if here and here.conversation == id:
            place = self.ids.index(id)
            others = self.ids[:place] + self.ids[place + 1 :]
            self.ids.remove(id)
            if others:
                self._switch(here, others[min(place, len(others) - 1)])
            else:
                self.ids.append(new := conversation.new_id())
                self._switch(here, new, is_new=True)
        else:
            self.ids.remove(id)
            self._forget([s for s in self.screens if s.conversation == id])
            self._show_tabs()

    def new(self) -> None:
        """Open a new conversation; turns of the current one continue."""
        chat = self.current
        if chat and chat.is_untouched:
            chat.composer.focus()
            chat.hint(_("This is already a new conversation"))
        else:
            self.open(conversation.new_id(), is_new=True)

    def step(self, step: int) -> None:
        """Show the next (1) or previous (-1) open conversation."""
        chat = self.current
        if chat is None:
            return
        if len(self.ids) < 2:
            chat.hint(_("No other conversation is open"))
            return
        place = self.ids.index(chat.conversation) + step
        self.open(self.ids[place % len(self.ids)])

    def close_current(self) -> None:
        """Close the current conversation; it stays in the list of all."""
        if self.current:
            self.close(self.current.conversation)

    def replace(self, gone: ChatScreen) -> ChatScreen:
        """Replace a deleted conversation with a new one; return its screen."""
        id = conversation.new_id()
        self.ids[self.ids.index(gone.conversation)] = id
        self._switch(self.screens[-1], id, is_new=True)
        return self.screens[-1]

    def look_again(self) -> None:
        """Update the marks of the tabs now."""
        self._look_again.set()

    def _switch(self, here: ChatScreen, id: str, is_new: bool = False) -> None:
        """Replace the screen `here` with that of `id`."""
        here.pause()
        known = [s for s in self.screens if s.conversation == id]
        chat = known[0] if known else self._new_screen(id, is_new=is_new)
        self.screens.remove(chat)
        self.screens.append(chat)
        self._show_tabs()
        self._app.switch_screen(chat)
        if self._backend.is_page:
            page.tell(self._app, id)
        if known:  # a new screen focuses its composer by itself
            chat.routing.write()
        gone = [s for s in self.screens if s.conversation not in self.ids]
        kept = [s for s in self.screens if s.conversation in self.ids]
        self._forget([*gone, *kept[:-KEPT]], here)
        self._look_again.set()
        self._watch()

    def _new_screen(
        self,
        id: str,
        *,
        first: bool = False,
        is_new: bool = False,
        files: tuple[Attachment, ...] = (),
    ) -> ChatScreen:
        chat = ChatScreen(self._backend, id, first=first, is_new=is_new, files=files)
        self.screens.append(chat)
        self._app.install_screen(chat, f"chat-{id}")
        return chat

    def _forget(self, chats: list[ChatScreen], left: ChatScreen | None = None) -> None:
        """Drop screens; Textual removes the one that is being `left`."""
        for chat in chats:
            self.screens.remove(chat)
            self._app.uninstall_screen(chat)
            if chat is not left:
                self._app.call_later(chat.remove)

    # -- the tab bar

    def _show_tabs(self) -> None:
        """Show the tabs on the current screen, if there are several."""
        known = {tab.id: tab for tab in self._shown_tabs}
        self._shown_tabs = tuple(known.get(id, Tab(id, "")) for id in self.ids)
        if self.screens:
            self.screens[-1].show_tabs(self._shown_tabs)

    def _watch(self) -> None:
        """Start the thread that updates the marks, if several are open."""
        if len(self.ids) > 1 and not self._watching:
            self._watching = True
            background.run("marks", self._watch_marks)

    def _watch_marks(self) -> None:  # in a thread of its own
        shown: tuple[Tab, ...] = ()
        tail, store = -1, self._backend.store
        try:
            while len(self.ids) > 1:
                last, asked = store.tail(), self._look_again.is_set()
                if last != tail or asked:
                    self._look_again.clear()
                    tail = last
                    if asked:  # the requester may have unflushed writes
                        store.flush()
                    tabs = _tabs(store, list(self.ids))
                    if tabs != shown or asked:
                        shown = tabs
                        self._app.call_later(self._mark, tabs)
                self._look_again.wait(SECONDS)
        except LogError:
            pass  # the log was closed or its disk is gone; other parts report it
        finally:
            self._watching = False

    def _mark(self, tabs: tuple[Tab, ...]) -> None:
        # An answer that ends on the screen is being marked as seen right now.
        here = self.current.conversation if self.current else ""
        ran = {tab.id for tab in self._shown_tabs if tab.running}
        for tab in tabs:
            if tab.id in ran and tab.unread and not tab.running and tab.id != here:
                self._app.post_message(ChatScreen.Answered(tab.title))
        self._shown_tabs = tuple(
            tab._replace(unread=False) if tab.id == here else tab for tab in tabs
        )
        self._show_tabs()


def _tabs(store: Store, ids: Sequence[str]) -> tuple[Tab, ...]:
    """Return the tabs of the conversations `ids`. Raises `LogError`."""
    titles = store.titles(ids)
    runs, news = store.answering(ids), store.unread(ids)
    asks = store.waiting() if runs else set[str]()
    return tuple(
        Tab(id, titles.get(id, ""), id in runs, id in news, id in asks) for id in ids
    )
