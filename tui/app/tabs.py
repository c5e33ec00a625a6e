"""Several conversations at once: which are open, and going from one to another.

A conversation that is left goes on: its turns run in the host, not in its screen. The
few screens seen last are kept with their place and draft, and follow the log no
further until they are shown again. One thread looks every half second at what runs and
what is unread in the open ones, and only while there is more than one.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from threading import Event

from textual import on
from textual.app import App

from tui import conversation
from tui.app import background, marks
from tui.app.chat.screen import ChatScreen
from tui.app.transcript.find import Place
from tui.app.widgets.tab_bar import ChatBar, Tab
from tui.errors import LogError
from tui.runtime.host import Host

KEPT = 3
"""How many screens stay as they are. Another is made anew, which takes 0.5 s of CPU
for 1,000 messages."""

SECONDS = 0.5
"""How often the marks of the open conversations are looked at."""


class SwitchingApp(App[None]):
    """An app that shows one of several conversations.

    `host` and `first_chat` are set by its heir.
    """

    host: Host
    first_chat: str
    """The id of the conversation that the program begins with."""

    def __init__(self) -> None:
        super().__init__()
        self._tabs: list[str] = []
        """The open conversations, in the order of the row."""
        self._screens: list[ChatScreen] = []
        """Those that are kept, the one seen last at the end."""
        self._shown_tabs: tuple[Tab, ...] = ()
        self._watching = False
        self._look_again = Event()

    @property
    def chat(self) -> ChatScreen | None:
        """The chat screen, whatever lies over it."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ChatScreen):
                return screen
        return None

    def get_default_screen(self) -> ChatScreen:
        """Open the conversation that the program begins with.

        It is the lowest screen: one of Textual's below it would be composed, styled
        and arranged too.
        """
        chat = self._new_screen(self.first_chat, first=True)
        self._tabs.append(self.first_chat)
        # As `push_screen` does, which `switch_screen` undoes.
        chat._push_result_callback(self, None)  # pyright: ignore[reportPrivateUsage]: there is no other way
        return chat

    def open_chat(self, id: str, place: Place | None = None) -> None:
        """Show the conversation `id`, at `place` when one is given."""
        here = self.chat
        if here is None:
            return
        if here.conversation != id:
            if id not in self._tabs:
                self._tabs.insert(self._tabs.index(here.conversation) + 1, id)
            if here.is_untouched:
                self._tabs.remove(here.conversation)
            self._switch(here, id)
        if place and self.chat:
            self.chat.show_place(place)

    def close_chat(self, id: str) -> None:
        """Take a conversation out of the row; what runs in it goes on."""
        if id not in self._tabs:
            return
        here = self.chat
        if here and here.conversation == id:
            place = self._tabs.index(id)
            others = self._tabs[:place] + self._tabs[place + 1 :]
            self._tabs.remove(id)
            after = others[min(place, len(others) - 1)] if others else None
            if after is None:
                after = conversation.new_id()
                self._tabs.append(after)
            self._switch(here, after)
        else:
            self._tabs.remove(id)
            self._forget([s for s in self._screens if s.conversation == id])
            self._show_tabs()

    @property
    def open_chats(self) -> tuple[str, ...]:
        """The ids of the open conversations."""
        return tuple(self._tabs)

    def action_new_conversation(self) -> None:
        """Begin a new conversation; the turns of this one go on."""
        chat = self.chat
        if chat and chat.is_untouched:
            chat.composer.focus()
            chat.hint("This conversation is new")
        else:
            self.open_chat(conversation.new_id())

    def action_switch_conversation(self, step: int) -> None:
        """Show the next open conversation (1) or the one before (-1)."""
        chat = self.chat
        if chat is None:
            return
        if len(self._tabs) < 2:
            chat.hint("No other conversation is open")
            return
        place = self._tabs.index(chat.conversation) + step
        self.open_chat(self._tabs[place % len(self._tabs)])

    def action_close_conversation(self) -> None:
        """Take this conversation out of the row; it stays in the list of all."""
        if self.chat:
            self.close_chat(self.chat.conversation)

    @on(ChatBar.Chosen)
    def _choose_tab(self, chosen: ChatBar.Chosen) -> None:
        self.open_chat(chosen.id)

    def _switch(self, here: ChatScreen, id: str) -> None:
        """Put the screen of `id` in the place of `here`."""
        here.pause()
        known = [s for s in self._screens if s.conversation == id]
        chat = known[0] if known else self._new_screen(id)
        self._screens.remove(chat)
        self._screens.append(chat)
        self._show_tabs()
        self.switch_screen(chat)
        if known:  # as a new one does by itself
            chat.write()
        gone = [s for s in self._screens if s.conversation not in self._tabs]
        kept = [s for s in self._screens if s.conversation in self._tabs]
        self._forget([*gone, *kept[:-KEPT]], here)
        self._look_again.set()
        self._watch()

    def _new_screen(self, id: str, first: bool = False) -> ChatScreen:
        chat = ChatScreen(self.host, id, first)
        self._screens.append(chat)
        self.install_screen(chat, f"chat-{id}")
        return chat

    def _forget(self, chats: list[ChatScreen], left: ChatScreen | None = None) -> None:
        """Give screens up; the one that is being `left` is removed by Textual."""
        for chat in chats:
            self._screens.remove(chat)
            self.uninstall_screen(chat)
            if chat is not left:
                self.call_later(chat.remove)

    # -- what the row shows

    def _show_tabs(self) -> None:
        """Show the row on the screen that is there, if there is more than one."""
        known = {tab.id: tab for tab in self._shown_tabs}
        self._shown_tabs = tuple(known.get(id, Tab(id, "")) for id in self._tabs)
        if self._screens:
            self._screens[-1].show_tabs(self._shown_tabs)

    def _watch(self) -> None:
        """Have the marks looked at while more than one conversation is open."""
        if len(self._tabs) > 1 and not self._watching:
            self._watching = True
            background.run("marks", self._watch_marks)

    def _watch_marks(self) -> None:  # in a thread of its own
        shown: tuple[Tab, ...] = ()
        tail = -1
        try:
            while len(self._tabs) > 1:
                last, asked = self.host.log.tail(), self._look_again.is_set()
                if last != tail or asked:
                    self._look_again.clear()
                    tail = last
                    if asked:  # by one who may have just written what is to be read
                        self.host.log.flush()
                    tabs = marks.of(self.host.log, list(self._tabs))
                    if tabs != shown or asked:
                        shown = tabs
                        self.call_later(self._mark, tabs)
                self._look_again.wait(SECONDS)
        except LogError:
            pass  # the log was closed, or its disk is gone: others tell
        finally:
            self._watching = False

    def _mark(self, tabs: tuple[Tab, ...]) -> None:
        # What ends on the screen is being marked as seen in this moment.
        here = self.chat.conversation if self.chat else ""
        self._shown_tabs = tuple(
            tab._replace(unread=False) if tab.id == here else tab for tab in tabs
        )
        self._show_tabs()
