"""Hooks the output stage into Textual, and falls back to Textual's own writer.

Textual has no public place between compositor and driver. The least private one is
`App._display`, which is given each update of the screen and writes it to the driver.
If Textual changes it, `missing` says so, a test fails, and Textual's own writer is
used; also when $LAZYCHAT_OUTPUT is `textual`, and from the moment the stage fails.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportUnknownVariableType=false

import inspect
import os
from typing import TYPE_CHECKING

from textual.app import App
from textual.events import ScreenResume
from textual.geometry import Size
from textual.message import Message
from textual.messages import Layout
from textual.screen import Screen
from textual.widget import Widget

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver

    from tui.app.terminal.stage import Stage

VARIABLE = "LAZYCHAT_OUTPUT"
"""Environment variable; `textual` chooses Textual's own writer."""


def missing() -> str:
    """Return which private part of Textual is not what it was, or ""."""
    try:
        from textual import _compositor
        from textual.drivers.linux_driver import LinuxDriver
    except ImportError as error:
        return str(error)
    parts = {
        "App._display": (getattr(App, "_display", None), "self screen renderable"),
        "LayoutUpdate": (getattr(_compositor, "LayoutUpdate", None), "strips region"),
        "ChopsUpdate": (
            getattr(_compositor, "ChopsUpdate", None),
            "chops spans chop_ends",
        ),
        "Screen._compositor_refresh": (
            getattr(Screen, "_compositor_refresh", None),
            "self",
        ),
        "Screen._refresh_layout": (
            getattr(Screen, "_refresh_layout", None),
            "self size scroll",
        ),
        "Screen._on_layout": (
            getattr(Screen, "_on_layout", None),
            "self message",
        ),
        "Screen._screen_resized": (
            getattr(Screen, "_screen_resized", None),
            "self size",
        ),
        "Screen._on_screen_resume": (
            getattr(Screen, "_on_screen_resume", None),
            "self event",
        ),
        "LinuxDriver.process_message": (
            getattr(LinuxDriver, "process_message", None),
            "self message",
        ),
        "LinuxDriver.disable_input": (
            getattr(LinuxDriver, "disable_input", None),
            "self",
        ),
        "LinuxDriver.run_input_thread": (
            getattr(LinuxDriver, "run_input_thread", None),
            "self",
        ),
    }
    for name, (part, parameters) in parts.items():
        if part is None:
            return f"{name} is gone"
        if " ".join(inspect.signature(part).parameters) != parameters:
            return f"{name} has other parameters than {parameters}"
    return ""


class OutputApp(App[None]):
    """An app whose frames go through the output stage, where that can be."""

    def get_driver_class(self) -> "type[Driver]":
        """Return the driver with the output stage in place of Textual's for a tty."""
        chosen = super().get_driver_class()
        if os.environ.get(VARIABLE) == "textual" or os.name != "posix" or missing():
            return chosen
        from textual.drivers.linux_driver import LinuxDriver

        from tui.app.terminal.driver import OutputDriver

        return OutputDriver if chosen is LinuxDriver else chosen

    def hang_up(self) -> None:
        """Leave: the terminal has gone. In the event loop's thread."""
        self.exit()

    def show_written(self, line: str) -> None:
        """Show a line that was written to the terminal beside the screen: nowhere."""

    def draws(self, screen: Screen) -> bool:
        """Return whether `screen` is on top, and nobody gathers its changes."""
        return screen.is_current and not self._batch_count

    def _display(self, screen: Screen, renderable: "RenderableType | None") -> None:
        """Give an update to the stage instead of writing it."""
        from textual._compositor import Compositor, LayoutUpdate

        from tui.app.terminal.surface import Update

        stage: Stage | None = getattr(self._driver, "stage", None)
        if (
            stage is None
            or stage.failed
            or self._batch_count
            or not self._running
            or not isinstance(renderable, Update)
        ):
            super()._display(screen, renderable)
            return
        # Not the screen's size: that is another one while a resize is under way.
        compositor: Compositor = screen._compositor  # pyright: ignore[reportPrivateUsage]: see above
        width, height = compositor.size
        if stage.size != (width, height) and not isinstance(renderable, LayoutUpdate):
            renderable = compositor.render_full_update()
        cursor = compositor.size.clamp_offset(self.cursor_position)
        stage.show(renderable, (width, height), cursor)
        self.post_display_hook()


class OutputScreen(Screen[None]):
    """A screen of which only what has changed is rendered."""

    def __init__(
        self,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name, id, classes)
        self._arranged = 0.0
        """When all was arranged last, by the clock of messages."""
        if not missing():
            from tui.app.terminal.compositor import DirectCompositor

            self._compositor = DirectCompositor()

    def _compositor_refresh(self) -> None:
        """Show what has changed, and the cursor in its place.

        While changes are gathered Textual renders, does not show, and forgets what had
        changed, to render all of the screen in the end. Here what has changed waits.
        """
        if self.app._batch_count:  # pyright: ignore[reportPrivateUsage]: as above
            return
        self.before_frame()
        # Textual's fields tell of its moves in them, and not of their own.
        cursor = getattr(self.focused, "cursor_screen_offset", None)
        if cursor is not None:
            self.app.cursor_position = cursor
        super()._compositor_refresh()

    def before_frame(self) -> None:
        """Do what has to be done before what has changed is shown. For subclasses."""

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """Arrange all and show it; it need not be done again for what asked before.

        Nor for itself: widgets ask for it when they have been given another size.
        """
        if not scroll:
            self._arranged = Message().time
        super()._refresh_layout(size, scroll)
        self._layout_required = self._layout_required and scroll

    async def _on_layout(self, message: Layout) -> None:
        """Arrange all for a widget, unless that was done since it asked."""
        if message.time > self._arranged:
            await super()._on_layout(message)
        else:
            message.stop()
            message.prevent_default()  # Textual calls what is overridden too

    def _screen_resized(self, size: Size) -> None:
        """Arrange for another size; Textual tells of the same one thrice at a start."""
        if self._layout_required or size != self._compositor.size:
            super()._screen_resized(size)

    def _on_screen_resume(self, event: ScreenResume) -> None:
        """Show it, once: what was arranged anew is drawn already."""
        event.prevent_default()  # Textual calls what is overridden too
        arranged = self._compositor.size
        if not arranged:  # it is shown first, and styled as it was composed
            event.refresh_styles = False
        super()._on_screen_resume(event)
        if self._compositor.size != arranged and not self.app._batch_count:  # pyright: ignore[reportPrivateUsage]: as above
            self._repaint_required = False

    def draw(self, *widgets: Widget) -> None:
        """Show at once what `widgets` have marked as changed.

        It would be shown a few messages and a tick of a timer later: half of the cost
        of a frame, and up to 16 ms. Does nothing when it must be shown by Textual,
        as when another screen lies over this one.
        """
        waiting = self._layout_required or self._scroll_required
        app = self.app
        if waiting or not (isinstance(app, OutputApp) and app.draws(self)):
            return
        for widget in widgets:
            widget._repaint_required = False
        # The refresh forgets those that wait for the timer, so they go with it.
        self._compositor.update_widgets({*widgets, *self._dirty_widgets})
        self._compositor_refresh()


if missing():  # Textual has changed, so its own are left alone
    for name in (
        "_compositor_refresh",
        "_refresh_layout",
        "_on_layout",
        "_screen_resized",
        "_on_screen_resume",
    ):
        delattr(OutputScreen, name)
