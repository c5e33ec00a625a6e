"""The app: chat screens over a backend, with themes, keys and dialogs.

The file is long because Textual looks up messages and actions as members of the app.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from tui.app import background, commands, faults
from tui.app.backend import Backend
from tui.app.chat import mouse, vi_switch
from tui.app.chat.attention import call_back
from tui.app.chat.next_model import BEGIN_SECONDS
from tui.app.chat.screen import ChatScreen
from tui.app.dialogs.controller import DialogController
from tui.app.exit import Exit, Left
from tui.app.gc_freeze import settle
from tui.app.history.controller import HistoryController
from tui.app.keys import multiplexers
from tui.app.keys.settling import settle_keys
from tui.app.mcp.controller import McpController
from tui.app.printed import Printed
from tui.app.setup.controller import SetupController
from tui.app.tabs import Tabs
from tui.app.terminal.textual_hook import OutputApp
from tui.app.themes import ThemeController
from tui.app.widgets.tab_bar import ChatBar
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.errors import ConfigError, LazychatError
from tui.i18n import _
from tui.messages import Attachment

if TYPE_CHECKING:  # imported when first shown
    from tui.app.history.screen import HistoryScreen

LOADED_SECONDS = 10.0
"""Seconds until the garbage collector runs again, even if the model is still
loading."""
QUIT_SECONDS = 2.0
"""Most seconds between two Ctrl+C that quit."""


class LazychatApp(OutputApp):
    """The full-screen chat over a `backend`, which the caller closes."""

    TITLE = "lazychat"
    # The file of the first screen too, so that Textual parses it once, not twice.
    CSS_PATH = "chat/screen.tcss"
    ENABLE_COMMAND_PALETTE = False  # ours is a command like the others
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Copy, stop or quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="quit"),
    ]

    def __init__(
        self,
        backend: Backend,
        conversation_id: str,
        tools: Sequence[str] = (),
        *,
        is_new: bool = False,
        files: Sequence[Attachment] = (),
    ) -> None:
        """Start with a conversation; `is_new` if nothing was ever written in it.

        `files` are attached to the next message in it.
        """
        super().__init__()
        self.backend = backend
        self._settled = settle_keys(backend.config.keys, vi=backend.config.vi_keys)
        backend.keys = self._settled.keys
        self.tabs = Tabs(self, backend)
        self.history = HistoryController(self, backend, self.tabs)
        self.themes = ThemeController(self, backend.config.theme, self._tell)
        self.exits = Exit(self, backend, lambda: self.chat)
        self._first_chat = conversation_id, is_new, tuple(files)
        self._only_tools = list(tools)
        self._interrupted = -QUIT_SECONDS
        self.setup = SetupController(self, backend, lambda: self.chat, self._choose)
        self.mcp = McpController(self, backend, lambda: self.chat)
        self.dialogs = DialogController(
            self, backend.keys, lambda: self.chat, self._run
        )
        self._printed = Printed(self.call_later, self._show_printed)
        # A frame costs bytes on a slow link, so there are no animations.
        self.animation_level = "none"

    @property
    def chat(self) -> ChatScreen | None:
        """The chat screen, even if another screen covers it."""
        return self.tabs.current

    def get_default_screen(self) -> ChatScreen:
        """Open the conversation with which the program starts."""
        return self.tabs.begin(*self._first_chat)

    def on_load(self) -> None:
        """Set the theme before anything is styled."""
        self.backend.problems.extend(self.themes.load())
        self.backend.problems.extend(self._settled.problems)
        self.set_keymap(self._settled.keymap)

    def on_unmount(self) -> None:
        """End what runs beside the screen."""
        self.themes.close()

    def on_mount(self) -> None:
        """Start the work that the first frame does not wait for."""
        self.call_after_refresh(self.themes.watch)
        if self._only_tools or self.backend.has_own_tools:
            self.backend.expect_tools()
            self.call_after_refresh(self._load_tools)
        else:  # only tools of packages, which are slow to find
            self.set_timer(BEGIN_SECONDS, self._load_tools)
        if self.backend.mcp:
            self.set_timer(BEGIN_SECONDS, self.mcp.begin)
        if self.backend.models.is_starter(self.backend.model):
            self.set_timer(BEGIN_SECONDS, self.setup.offer)
        if self.backend.config.keys:
            background.run("keys", self._look_for_taken_keys)
        # By then all modules are imported, or the user is waiting for a model.
        self.set_timer(LOADED_SECONDS, settle)
        if not self.is_headless:
            asyncio.get_running_loop().set_exception_handler(
                self._handle_loop_exception
            )
            self.exits.obey_signals()

    def refresh_css(self, animate: bool = True) -> None:
        """Restyle everything with the theme's colours."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:  # not parsed yet: setting the variables is enough
            self.stylesheet.set_variables(self.get_css_variables())

    def key_came(self, key: str) -> None:
        """Clear the hint, as the user has read it."""
        if self.chat:
            self.chat.hint("")
            self.chat.read_marker.look()
        if key != "ctrl+c":
            self._interrupted = -QUIT_SECONDS

    def takes_key(self, key: str) -> bool:
        """Do what a key does on the first screen."""
        return self.setup.takes(key) or self._reopens(key)

    def _reopens(self, key: str) -> bool:
        """Open the conversation of a key on the empty state, if it has one."""
        chat = self.chat
        id = chat.first_screen.recent(key) if chat and chat is self.screen else ""
        if id:
            self.tabs.open(id)
        return bool(id)

    def _look_for_taken_keys(self) -> None:  # in a thread, as tmux has to answer
        found = multiplexers.taken()
        lines = multiplexers.problems(self.backend.config.keys, found)
        self.backend.problems.extend(lines)

    # -- the user's own tools

    def _load_tools(self) -> None:
        """Load tools in a thread, as this runs the user's code."""
        background.run("tools", self._load_in_background)

    def _load_in_background(self) -> None:
        try:
            self.backend.load_tools(self._only_tools)
        except LazychatError as error:
            self.backend.problems.append(str(error))
        self.call_later(self.mcp.refresh)

    # -- commands

    @on(ChatScreen.Commanded)
    def _run_typed(self, typed: ChatScreen.Commanded) -> None:
        command, argument = typed.command, typed.argument
        chat = self.chat
        if chat is None:
            return
        complaints = chat.hints.complaints
        if problem := command.refuse(argument):
            chat.complain(problem)
        else:
            self.dialogs.used(command)
            self._run(command, argument)
        if argument and chat.hints.complaints != complaints:
            chat.give_back(f"{command.slash} {argument}")

    def _run(self, command: commands.Command, argument: str) -> None:
        if (chat := self.chat) and (why := self.backend.refused.get(command.name)):
            chat.complain(why)
        elif chat:
            command.run(self, chat, argument)

    def action_command(self, name: str) -> None:
        """Run the command `name` of `tui.app.commands` for its key."""
        self._run(commands.named(name), "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now; if not, it types."""
        if action != "command" or not isinstance(parameters[0], str):
            return super().check_action(action, parameters)
        return self.chat is None or commands.named(parameters[0]).live(self.chat)

    def switch_mouse(self, argument: str) -> None:
        """Give the mouse to the app or to the terminal: `on`, `off`, "" for other."""
        if chat := self.chat:
            mouse.switch(self._driver, argument, self.backend.config.mouse, chat.hint)

    def choose_theme(self, name: str) -> None:
        """Switch to the theme `name`, or ask for one if it is empty."""
        if not name:
            self.themes.pick()
        elif (problem := self.themes.choose(name)) and self.chat:
            self.chat.complain(problem)

    def set_vi(self, word: str) -> None:
        """Switch vi keys `on` or `off`, "" for the other; kept for later."""
        chat = self.chat
        if chat is None:
            return
        on = word == "on" if word else not chat.composer.vi.on
        vi_switch.keep(on)
        for each in {chat, *self.tabs.screens}:
            vi_switch.apply(each.composer, each.transcript, on=on)
        chat.hint(_("vi keys on: Esc for normal mode") if on else _("vi keys off"))

    def _tell(self, text: str) -> Callable[[], None]:
        return chat.hints.report(text) if (chat := self.chat) else lambda: None

    def show_written(self, line: str) -> None:
        """Show a line written by a tool's process in the debug panel."""
        if self.chat:
            self.chat.debug_panel.note(_("written by a tool: {line}").format(line=line))

    def _print(self, text: str, stderr: bool = False) -> None:
        """Show a tool's printed output with its call; Textual would drop it."""
        if self.is_headless:
            super()._print(text, stderr)
        self._printed.take(text)

    def _show_printed(self, call_id: str, text: str) -> None:
        if self.chat:
            self.chat.debug_panel.call_printed(call_id, text)

    @on(ToolSidebar.ReconnectWanted)
    def _reconnect(self, wanted: ToolSidebar.ReconnectWanted) -> None:
        self.mcp.reconnect(wanted.server)

    @on(ToolSidebar.Entered)
    def _check_servers(self) -> None:
        self.mcp.check()

    # -- other conversations

    @on(ChatBar.Chosen)
    def _choose_tab(self, chosen: ChatBar.Chosen) -> None:
        self.tabs.open(chosen.id)

    def on_history_screen_opened(self, opened: "HistoryScreen.Opened") -> None:
        """Open the chosen conversation."""
        self.history.open(opened.id, opened.place)

    def on_history_screen_wanted(self, wanted: "HistoryScreen.Wanted") -> None:
        """Run the requested action on a conversation."""
        self.history.start(wanted.act, wanted.id, wanted.argument)

    @on(ChatScreen.Answered)
    def _call_back(self, answered: ChatScreen.Answered) -> None:
        driver = self._driver
        if driver is not None and not self.is_headless:
            how, focused = self.backend.config.notify, self.app_focus
            call_back(how, answered.title, focused=focused, write=driver.write)

    @on(ChatScreen.Deleted)
    def _begin_anew(self, deleted: ChatScreen.Deleted) -> None:
        assert isinstance(deleted.screen, ChatScreen)
        self.history.begin_anew(deleted.screen)

    # -- models and help

    def choose_model(self, name: str) -> None:
        """Use the model `name` from now on, or ask for one if it is empty."""
        if name:
            self._choose(name)
        else:
            self.setup.begin(adding=False)

    def set_up(self) -> None:
        """Find or add a model."""
        self.setup.begin(adding=True)

    def _choose(self, name: str) -> None:
        if not self.chat:
            return
        try:
            self.backend.models.find(name)
        except ConfigError as error:
            self.chat.complain(str(error))
        else:
            self.backend.model = self.chat.model = name

    def choose_agent(self, name: str) -> None:
        """Use the agent `name` from now on, or ask for one if it is empty."""
        chat = self.chat
        if not chat:
            return
        if not name:
            from tui.app.dialogs.agents import AgentScreen

            self.push_screen(AgentScreen(chat.agents.current), self._choose_agent)
        elif problem := chat.agents.choose(name):
            chat.complain(problem)

    def _choose_agent(self, name: str | None) -> None:
        if name:
            self.choose_agent(name)

    def show_palette(self) -> None:
        """Show all commands."""
        self.dialogs.show_palette()

    def show_help(self) -> None:
        """Show keys and commands."""
        self.dialogs.show_help()

    # -- quitting

    def hang_up(self) -> None:
        """Quit because the terminal is gone; running turns continue."""
        self.exits.hang_up()

    async def action_quit(self) -> None:
        """Quit; if answers are running, ask what to do with them."""
        self.exits.quit()

    def action_suspend_process(self) -> None:
        """Give the terminal to the shell, unless there is none behind the screen."""
        if why := self.backend.refused.get("suspend"):
            if self.chat:
                self.chat.hint(why)
        else:
            super().action_suspend_process()

    def _handle_exception(self, error: Exception) -> None:
        """End the screen after an exception; running turns continue.

        Textual calls this for any exception of the app, a screen, a widget, a timer or
        a worker. Its own handler would print the values of all variables, including the
        user's text.
        """
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self.exits.fail(error)
            self._exit = True
            self._close_messages_no_wait()

    def _handle_loop_exception(
        self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        """Handle an exception that a callback of the event loop has raised.

        asyncio would print it over the screen.
        """
        error = context.get("exception")
        if isinstance(error, Exception) and "task" not in context:
            self._handle_exception(error)
        elif isinstance(error, Exception):  # no code awaits the task's result
            faults.note(error)

    def panic(self, *renderables: object) -> None:
        """End the screen as after an exception; nothing more is rendered."""
        self._handle_exception(RuntimeError("Textual has given up"))

    def end_by_fault(self, error: Exception) -> None:
        """Restore the terminal after an exception that `run` has raised."""
        self._handle_exception(error)
        if self._driver:
            self._driver.close()

    def action_interrupt(self) -> None:
        """Copy the selection, or stop the answer, or quit if pressed twice.

        In the quit dialog, it chooses "Stop and quit".
        """
        chat = self.chat
        if chat is None:
            return
        if self.exits.answer("cancel"):
            return
        if selected := self.screen.get_selected_text():
            chat.clipboard.copy(selected)
            self.screen.clear_selection()
            return
        if monotonic() - self._interrupted < QUIT_SECONDS:
            self.exits.quit()
            return
        self._interrupted = monotonic()
        busy = chat.presenter.running or chat.presenter.waiting
        if busy and not self.exits.stay():
            # Unlike Esc, it stops the answer at once, whichever pane has the focus.
            chat.cancel()
        chat.hint(_("Ctrl+C again quits"), QUIT_SECONDS)


def run_app(
    backend: Backend,
    conversation_id: str,
    tools: Sequence[str] = (),
    *,
    is_new: bool = False,
    files: Sequence[Attachment] = (),
) -> Left:
    """Run the app in this terminal until the user quits; return how it ended."""
    app = LazychatApp(backend, conversation_id, tools, is_new=is_new, files=files)
    try:
        app.run(mouse=mouse.wanted(backend.config.mouse))
    except Exception as error:  # raised while the app was ending
        app.end_by_fault(error)
    app.setup.close()
    # An exception of the app sets a return code too.
    return app.exits.left._replace(code=app.return_code or 0)
