"""Tabs: the open conversations, and switching between them.

A conversation that is left goes on: its turns run in the host, not in its screen. The
few screens seen last are kept with their place and draft, and follow the log no
further until they are shown again. One thread looks every half second at what runs and
what is unread in the open ones, and only while there is more than one.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from threading import Event

from textual.app import App

from tui import conversation
from tui.app import background
from tui.app.backend import Backend, Store
from tui.app.chat.screen import ChatScreen
from tui.app.transcript.find import Place
from tui.app.widgets.tab_bar import Tab
from tui.errors import LogError

KEPT = 3
"""How many screens stay as they are. Another is made anew, which takes 0.5 s of CPU
for 1,000 messages."""

SECONDS = 0.5
"""How often the marks of the open conversations are looked at."""


class Tabs:
    """The conversations that are open in one `app`, of which it shows one."""

    def __init__(self, app: App[None], backend: Backend) -> None:
        self._app = app
        self._backend = backend
        self.ids: list[str] = []
        """The open conversations, in the order of the row."""
        self.screens: list[ChatScreen] = []
        """Those that are kept, the one seen last at the end."""
        self._shown_tabs: tuple[Tab, ...] = ()
        self._watching = False
        self._look_again = Event()

    @property
    def current(self) -> ChatScreen | None:
        """The chat screen, whatever lies over it."""
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, ChatScreen):
                return screen
        return None

    def begin(self, id: str, is_new: bool) -> ChatScreen:
        """Open the conversation `id`, with which the program begins.

        It is the lowest screen: one of Textual's below it would be composed, styled
        and arranged too.
        """
        chat = self._new_screen(id, first=True, is_new=is_new)
        self.ids.append(id)
        # As `push_screen` does, which `switch_screen` undoes.
        chat._push_result_callback(self._app, None)  # pyright: ignore[reportPrivateUsage]: there is no other way
        return chat

    def open(
        self, id: str, place: Place | None = None, *, is_new: bool = False
    ) -> None:
        """Show the conversation `id`, at `place` when one is given.

        `is_new` tells that it begins here; else it is not known what is in it.
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
        """Take a conversation out of the row; what runs in it goes on."""
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
        """Begin a new conversation; the turns of this one go on."""
        chat = self.current
        if chat and chat.is_untouched:
            chat.composer.focus()
            chat.hint("This conversation is new")
        else:
            self.open(conversation.new_id(), is_new=True)

    def step(self, step: int) -> None:
        """Show the next open conversation (1) or the one before (-1)."""
        chat = self.current
        if chat is None:
            return
        if len(self.ids) < 2:
            chat.hint("No other conversation is open")
            return
        place = self.ids.index(chat.conversation) + step
        self.open(self.ids[place % len(self.ids)])

    def close_current(self) -> None:
        """Take this conversation out of the row; it stays in the list of all."""
        if self.current:
            self.close(self.current.conversation)

    def replace(self, gone: ChatScreen) -> ChatScreen:
        """Put a new conversation in the place of one that is no more; return it."""
        id = conversation.new_id()
        self.ids[self.ids.index(gone.conversation)] = id
        self._switch(self.screens[-1], id, is_new=True)
        return self.screens[-1]

    def look_again(self) -> None:
        """Have the marks of the row looked at now: something has changed."""
        self._look_again.set()

    def _switch(self, here: ChatScreen, id: str, is_new: bool = False) -> None:
        """Put the screen of `id` in the place of `here`."""
        here.pause()
        known = [s for s in self.screens if s.conversation == id]
        chat = known[0] if known else self._new_screen(id, is_new=is_new)
        self.screens.remove(chat)
        self.screens.append(chat)
        self._show_tabs()
        self._app.switch_screen(chat)
        if known:  # as a new one does by itself
            chat.routing.write()
        gone = [s for s in self.screens if s.conversation not in self.ids]
        kept = [s for s in self.screens if s.conversation in self.ids]
        self._forget([*gone, *kept[:-KEPT]], here)
        self._look_again.set()
        self._watch()

    def _new_screen(
        self, id: str, *, first: bool = False, is_new: bool = False
    ) -> ChatScreen:
        chat = ChatScreen(self._backend, id, first=first, is_new=is_new)
        self.screens.append(chat)
        self._app.install_screen(chat, f"chat-{id}")
        return chat

    def _forget(self, chats: list[ChatScreen], left: ChatScreen | None = None) -> None:
        """Give screens up; the one that is being `left` is removed by Textual."""
        for chat in chats:
            self.screens.remove(chat)
            self._app.uninstall_screen(chat)
            if chat is not left:
                self._app.call_later(chat.remove)

    # -- what the row shows

    def _show_tabs(self) -> None:
        """Show the row on the screen that is there, if there is more than one."""
        known = {tab.id: tab for tab in self._shown_tabs}
        self._shown_tabs = tuple(known.get(id, Tab(id, "")) for id in self.ids)
        if self.screens:
            self.screens[-1].show_tabs(self._shown_tabs)

    def _watch(self) -> None:
        """Have the marks looked at while more than one conversation is open."""
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
                    if asked:  # by one who may have just written what is to be read
                        store.flush()
                    tabs = _tabs(store, list(self.ids))
                    if tabs != shown or asked:
                        shown = tabs
                        self._app.call_later(self._mark, tabs)
                self._look_again.wait(SECONDS)
        except LogError:
            pass  # the log was closed, or its disk is gone: others tell
        finally:
            self._watching = False

    def _mark(self, tabs: tuple[Tab, ...]) -> None:
        # What ends on the screen is being marked as seen in this moment.
        here = self.current.conversation if self.current else ""
        self._shown_tabs = tuple(
            tab._replace(unread=False) if tab.id == here else tab for tab in tabs
        )
        self._show_tabs()


def _tabs(store: Store, ids: Sequence[str]) -> tuple[Tab, ...]:
    """Return what the row tells of the conversations `ids`. Raises `LogError`."""
    titles = store.titles(ids)
    runs, news = store.answering(ids), store.unread(ids)
    return tuple(Tab(id, titles.get(id, ""), id in runs, id in news) for id in ids)
