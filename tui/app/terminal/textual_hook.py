"""Hooks the order of keys and the output stage into Textual.

Keys come through `App.on_event`, which is public. Between compositor and driver there
is no public interface. The least private one is `App._display`, which gets each update
of the screen and writes it to the driver. If Textual changes it, `missing` reports
that, a test fails, and Textual's own writer is used. That writer is also used when
$LAZYCHAT_OUTPUT is `textual`, and after the stage has failed.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportUnknownVariableType=false

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App
from textual.events import Event, Key, Paste, ScreenResume
from textual.geometry import Size
from textual.message import Message
from textual.messages import Layout
from textual.screen import Screen
from textual.widget import Widget

from tui.app.terminal.key_order import KeyOrder

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver

    from tui.app.terminal.stage import Stage

VARIABLE = "LAZYCHAT_OUTPUT"
"""An environment variable; the value `textual` selects Textual's own writer."""


def missing() -> str:
    """Return which private part of Textual has changed, or ""."""
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
        "Screen._compose": (
            getattr(Screen, "_compose", None),
            "self",
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
    """An app that takes keys in their order, and draws through the output stage."""

    def __init__(self) -> None:
        super().__init__()
        self._key_order = KeyOrder(self, self._handle_key)

    async def on_event(self, event: Event) -> None:
        """Take a key or a paste of the terminal when it is its turn."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            if isinstance(event, Key):
                self.key_came(event.key)
            await self._key_order.take(event)
        else:
            await super().on_event(event)

    async def _handle_key(self, event: Event) -> None:
        if not (isinstance(event, Key) and self.takes_key(event.key)):
            await super().on_event(event)

    def key_came(self, key: str) -> None:
        """Note a key before it is its turn. For subclasses."""

    def takes_key(self, key: str) -> bool:
        """Do what a key does before any widget gets it; return whether that was all.

        Letters that were typed before it are in the composer by then. For subclasses.
        """
        return False

    def hold_keys(self) -> Callable[[], None]:
        """Keep the keys that come now until the returned function is called.

        For a screen that is about to give way to another; see `KeyOrder.hold`.
        """
        return self._key_order.hold()

    def get_driver_class(self) -> "type[Driver]":
        """Return the driver with the output stage if Textual's would be Linux's."""
        chosen = super().get_driver_class()
        if os.environ.get(VARIABLE) == "textual" or os.name != "posix" or missing():
            return chosen
        from textual.drivers.linux_driver import LinuxDriver

        from tui.app.terminal.driver import OutputDriver

        return OutputDriver if chosen is LinuxDriver else chosen

    def hang_up(self) -> None:
        """Exit, because the terminal is gone. Called in the event loop's thread."""
        self.exit()

    def show_written(self, line: str) -> None:
        """Show a line written to stdout or stderr; this base class ignores it."""

    @property
    def shapes_cursor(self) -> bool:
        """Whether the terminal's own cursor can be shown, in a shape."""
        return getattr(self._driver, "shapes_cursor", False)

    def draws(self, screen: Screen) -> bool:
        """Return whether `screen` is on top and its updates are not batched."""
        return screen.is_current and not self._batch_count

    def _display(self, screen: Screen, renderable: "RenderableType | None") -> None:
        """Pass an update to the stage instead of writing it."""
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
        # Do not use the screen's size, which differs during a resize.
        compositor: Compositor = screen._compositor  # pyright: ignore[reportPrivateUsage]: see above
        width, height = compositor.size
        if stage.size != (width, height) and not isinstance(renderable, LayoutUpdate):
            renderable = compositor.render_full_update()
        cursor = compositor.size.clamp_offset(self.cursor_position)
        stage.show(renderable, (width, height), cursor)
        shape: int = getattr(screen.focused, "cursor_shape", 0)
        if shape or self.shapes_cursor:
            self._driver.shape_cursor(shape)  # pyright: ignore
        self.post_display_hook()


class OutputScreen(Screen[None]):
    """A screen that renders only its changed parts."""

    def __init__(self) -> None:
        super().__init__()
        self._arranged = 0.0
        """When the layout was last computed, by the clock of messages."""
        self._styled = False
        """Whether the parts were styled by the screen's CSS when they were composed."""
        if not missing():
            from tui.app.terminal.compositor import DirectCompositor

            self._compositor = DirectCompositor()

    def _compositor_refresh(self) -> None:
        """Show the changed parts, and place the cursor.

        While updates are batched, Textual renders without showing the result and
        forgets the changes, so it must render the whole screen at the end. Here the
        changes wait.
        """
        if self.app._batch_count:  # pyright: ignore[reportPrivateUsage]: as above
            return
        self.before_frame()
        # Textual's inputs update the cursor when it moves within them, but not when
        # they move themselves.
        cursor = getattr(self.focused, "cursor_screen_offset", None)
        if cursor is not None:
            self.app.cursor_position = cursor
        super()._compositor_refresh()

    def hold_keys(self) -> Callable[[], None]:
        """Keep the keys that come now until the returned function is called."""
        app: object = self.app
        return app.hold_keys() if isinstance(app, OutputApp) else lambda: None

    def before_frame(self) -> None:
        """Prepare a frame before the changed parts are shown. For subclasses."""

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """Compute the layout and show it, which serves all earlier layout requests.

        It also serves the requests that it causes itself: widgets request a layout when
        their size changes.
        """
        if not scroll:
            self._arranged = Message().time
        super()._refresh_layout(size, scroll)
        self._layout_required = self._layout_required and scroll

    async def _on_layout(self, message: Layout) -> None:
        """Compute the layout for a widget, unless that was done after its request."""
        if message.time > self._arranged:
            await super()._on_layout(message)
        else:
            message.stop()
            message.prevent_default()  # Textual calls what is overridden too

    def _screen_resized(self, size: Size) -> None:
        """Compute the layout for a new size.

        Textual reports the same size three times at startup.
        """
        if self._layout_required or size != self._compositor.size:
            super()._screen_resized(size)

    async def _compose(self) -> None:
        """Compose the parts, which styles them."""
        known = self.app.stylesheet.has_source
        self._styled = all(known(str(path), "") for path in self.css_path)
        await super()._compose()

    def _on_screen_resume(self, event: ScreenResume) -> None:
        """Show the screen once: a new layout has already drawn it."""
        event.prevent_default()  # Textual calls what is overridden too
        arranged = self._compositor.size
        if not arranged and self._styled:
            # Shown for the first time. From Python 3.12 on, where tasks start eagerly,
            # a screen is composed before its CSS is read.
            event.refresh_styles = False
        super()._on_screen_resume(event)
        if self._compositor.size != arranged and not self.app._batch_count:  # pyright: ignore[reportPrivateUsage]: as above
            self._repaint_required = False

    def draw(self, *widgets: Widget) -> None:
        """Show the changes of `widgets` at once.

        Textual would show them some messages and a timer tick later, which costs half
        of a frame's time and adds a delay. Does nothing if Textual must show them, for
        example when another screen covers this one.
        """
        waiting = self._layout_required or self._scroll_required
        app = self.app
        if waiting or not (isinstance(app, OutputApp) and app.draws(self)):
            return
        for widget in widgets:
            widget._repaint_required = False
        # Include widgets that wait for the timer, because the refresh forgets them.
        self._compositor.update_widgets({*widgets, *self._dirty_widgets})
        self._compositor_refresh()


if missing():  # Textual has changed, so use its own methods
    for name in (
        "_compositor_refresh",
        "_refresh_layout",
        "_on_layout",
        "_screen_resized",
        "_compose",
        "_on_screen_resume",
    ):
        delattr(OutputScreen, name)
