"""Opens help and the command palette, and remembers the commands used last."""

# Textual leaves the type parameter of App unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.app import App

from tui import paths
from tui.app import background, state
from tui.app.chat.screen import ChatScreen
from tui.app.commands import Command
from tui.i18n import _

if TYPE_CHECKING:  # imported when first shown
    from tui.app.dialogs.command_palette import Chosen
    from tui.app.dialogs.help import Place


class DialogController:
    """Opens dialogs over the screen of `app`. Call it in the UI thread."""

    def __init__(
        self,
        app: App[None],
        keys: Mapping[str, str],
        chat: Callable[[], ChatScreen | None],
        run: Callable[[Command, str], object],
    ) -> None:
        """`keys` are those changed in the configuration; `run` runs a command."""
        self._app = app
        self._keys = keys
        self._chat = chat
        self._run = run
        self._recent: list[str] | None = None
        """Names of the commands used last; None until they are asked for."""

    def show_help(self) -> None:
        """Show keys and commands, those of the focused pane first."""
        from tui.app.dialogs.help import HelpScreen

        screen = self._app.screen
        if isinstance(screen, HelpScreen):
            return
        chat = self._chat()
        more = chat.composer.menu.more() if chat else ()
        vi = chat is not None and chat.transcript.vi
        self._app.push_screen(HelpScreen(self._keys, self._place(), more, vi=vi))

    def _place(self) -> "Place":
        chat, screen = self._chat(), self._app.screen
        if chat is None or screen is not chat:
            return "history" if "History" in type(screen).__name__ else "writing"
        if chat.dialog.question:
            return "asking"
        focused = screen.focused
        places: dict[object, Place] = {
            chat.transcript: "reading",
            chat.debug_panel: "debug",
            chat.sidebar: "tools",
        }
        return places.get(focused, "writing")

    def show_palette(self) -> None:
        """Let the user find a command by its name or by what it does."""
        from tui.app.dialogs.command_palette import PaletteScreen

        chat = self._chat()
        if chat is None or self._app.screen is not chat:
            return
        recent, more = self._used(), chat.composer.menu.more()
        self._app.push_screen(PaletteScreen(self._keys, recent, more), self._chosen)

    def _chosen(self, chosen: "Chosen | None") -> None:
        if chosen is None or (chat := self._chat()) is None:
            return
        command = chosen.command
        if not chosen.write:
            self.used(command)
            self._run(command, "")
        elif chat.composer.text:
            chat.hint(
                _("Send or clear the message first, then type {slash}").format(
                    slash=command.slash
                )
            )
        else:
            chat.composer.load_text(f"{command.slash} ")
            chat.composer.focus()
            chat.hint(_(command.help))

    def used(self, command: Command) -> None:
        """Remember that a command was used, for the palette."""
        from tui.app.dialogs.command_palette import after

        used = after(before := self._used(), command.name)
        if used != before:
            self._recent = used
            path = paths.state_file()
            background.run("state", lambda: state.save(path, commands=used))

    def _used(self) -> list[str]:
        if self._recent is None:
            self._recent = list(state.load(paths.state_file()).commands)
        return self._recent
