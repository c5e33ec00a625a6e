"""The output stage in the app: its hook, every widget, and a real terminal."""

import ast
import asyncio
import inspect
import os
import select
import subprocess
import sys
import termios
from collections.abc import Callable
from typing import Any

import pytest
from rich.color import ColorSystem
from support.emulators import Emulator, Pyte, Vterm, find_vterm
from support.pilot import opened
from textual import _compositor
from textual._compositor import Compositor
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition, Key
from textual.geometry import Region

from tui.app.app import LazychatApp
from tui.app.chat.screen import ChatScreen
from tui.app.terminal import textual_hook
from tui.app.terminal.cells import CellMaker
from tui.app.terminal.driver import OutputDriver
from tui.app.terminal.painter import Abilities, Painter
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.surface import Surface, Update
from tui.events import Record, TextDelta
from tui.runtime import tty

ALL = Abilities(True, True, True)
ANSWER = """# A heading

Some *text* with `code`, 中文 and **more**, wrapped over lines: it is long enough.

| a | b |
|---|---|
| 1 | two words |

```python
def f(x: int) -> str:
    return "string"  # comment
```
- [x] done
- [ ] not done

> quoted
"""


# -- the size


async def test_driver_knows_the_size_of_its_terminal_before_the_first_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master, slave = os.openpty()
    try:
        termios.tcsetwinsize(slave, (33, 101))
        monkeypatch.setattr(tty, "screen", lambda: slave)

        assert OutputDriver(App())._size == (101, 33)
    finally:
        os.close(master)
        os.close(slave)


# -- the hook


def test_textual_still_has_the_parts_that_are_used() -> None:
    """If this fails, Textual has changed: the app runs, with Textual's own writer."""
    assert textual_hook.missing() == ""
    display = inspect.signature(App._display)
    assert list(display.parameters) == ["self", "screen", "renderable"]
    for name in ("_dirty_regions", "size", "_visible_widgets"):
        assert name in vars(_compositor.Compositor())
    for name in ("_full_map", "_cuts"):
        assert name in vars(_compositor.Compositor())
    assert issubclass(OutputDriver, LinuxDriver)
    assert {"feed", "tick"} <= set(dir(XTermParser))


@pytest.mark.usefixtures("home")
def test_a_changed_textual_keeps_its_own_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def _display(self: object, screen: object, what: object, more: object) -> None:
        pass

    monkeypatch.setattr(App, "_display", _display)

    assert "App._display" in textual_hook.missing()
    assert textual_hook.OutputApp().driver_class is LinuxDriver


def test_a_changed_screen_of_textual_is_left_as_it_is() -> None:
    program = """
from textual.screen import Screen

def _refresh_layout(self, size=None, scroll=False, more=None):
    raise AssertionError

Screen._refresh_layout = _refresh_layout
from tui.app.terminal import textual_hook as hook

print(hook.missing())
print([name for name in vars(hook.OutputScreen) if hasattr(Screen, name)])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    why, inherited = done.stdout.splitlines()
    assert "Screen._refresh_layout has other parameters" in why
    assert not {"_refresh_layout", "_on_layout"} & set(ast.literal_eval(inherited))


def test_the_environment_chooses_textuals_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert textual_hook.OutputApp().driver_class is OutputDriver

    monkeypatch.setenv(textual_hook.VARIABLE, "textual")

    assert textual_hook.OutputApp().driver_class is LinuxDriver


# -- every widget


class Mirror:
    """Draws what the app displays by way of the stage, on an emulator."""

    def __init__(self, make: Callable[[int, int], Emulator]) -> None:
        self.make = make
        self.pens = PenBook(ColorSystem.TRUECOLOR)
        self.maker = CellMaker(self.pens)
        self.size = (0, 0)
        self.updates = 0

    def take(self, screen: Any, update: Update) -> None:
        width, height = screen._compositor.size
        size = width, height
        if size != self.size:
            self.size = size
            self.surface = Surface(*size, self.maker)
            self.painter = Painter(*size, self.pens, ALL)
            self.ours = self.make(*size)
            if not isinstance(update, _compositor.LayoutUpdate):
                update = screen._compositor.render_full_update()
        self.surface.take(update)
        self.ours.feed(self.painter.paint(self.surface.rows, (0, 0)))
        self.updates += 1

    def check(self, app: LazychatApp) -> None:
        """Compare with a whole screen drawn by Textual's own code."""
        compositor = app.screen._compositor
        theirs = self.make(*self.size)
        lines = [[strip] for strip in compositor.render_strips()]
        update = _compositor.LayoutUpdate(lines, Region(0, 0, *self.size))  # type: ignore[arg-type]: as Textual's own
        theirs.feed(update.render_segments(app.console).replace("\n", ""))
        for y, (row, expected) in enumerate(
            zip(self.ours.rows(), theirs.rows(), strict=True)
        ):
            assert row == expected, f"row {y}"


@pytest.fixture(
    params=[
        pytest.param(Pyte, id="pyte"),
        pytest.param(
            Vterm,
            id="libvterm",
            marks=pytest.mark.skipif(
                not find_vterm(), reason="libvterm is not installed"
            ),
        ),
    ]
)
def mirror(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: object
) -> Mirror:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    mirror = Mirror(request.param)

    def display(self: Any, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, Update) and not self._batch_count:
            mirror.take(screen, renderable)

    monkeypatch.setattr(LazychatApp, "_display", display)
    return mirror


async def test_every_widget_looks_as_textual_draws_it(mirror: Mirror) -> None:
    async with opened([ANSWER * 3, ANSWER]) as chat:

        async def check() -> None:
            await chat.pilot.pause()
            await chat.pilot.pause(0.05)
            mirror.check(chat.app)

        await check()
        await chat.ask("First *question*")
        await chat.until("not done")
        await chat.ready()
        await check()
        for keys in (
            ["f3"],  # debug panel
            ["f3", "f1"],  # help, over the chat
            ["escape", "ctrl+p"],  # palette
            ["escape", "pageup", "pageup"],
            ["down"],
            ["end", "f2"],  # sidebar
            ["f2"],
        ):
            await chat.pilot.press(*keys)
            await check()
        for size in ((80, 24), (50, 12), (120, 40)):
            await chat.pilot.resize_terminal(*size)
            await check()
        await chat.type("several\nlines of\ntext 中文")
        await check()
    assert mirror.updates > 20


def piece(text: str) -> Record:
    return Record(1, "c", None, 0.0, TextDelta("answer", text))


async def test_each_frame_of_a_streamed_answer_is_right(mirror: Mirror) -> None:
    async with opened([]) as chat:
        transcript = chat.screen.transcript
        for at in range(0, len(ANSWER) * 2, 17):
            chat.screen.presenter.show([piece((ANSWER * 2)[at : at + 17])])
            transcript._frame()
            await asyncio.sleep(0)
            if chat.screen._layout_required:
                await chat.pilot.pause()
        await chat.pilot.pause(0.05)

        mirror.check(chat.app)


# -- keys and answers


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ((5, 3), True),
        ((0, 0), True),
        ((40, 0), True),
        ((1, 0), False),  # CSI 1;2 R: Shift+F3
        ((4, 0), False),  # CSI 1;5 R: Ctrl+F3
    ],
)
async def test_answers_are_told_from_function_keys(
    answer: tuple[int, int], taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[object] = []
    monkeypatch.setattr(
        LinuxDriver, "process_message", lambda _, message: passed.append(message)
    )
    driver = OutputDriver(App())

    driver.process_message(CursorPosition(*answer))
    driver.process_message(Key("a", "a"))

    assert len(passed) == (1 if taken else 2)


async def test_a_lone_esc_waits_for_no_longer_than_its_delay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyboard, typed = os.pipe()
    waits: list[float] = []
    held: list[float] = []
    keys: list[str] = []
    real = select.select

    def counted(*arguments: Any) -> object:
        waits.append(arguments[-1])
        return real(*arguments)

    def take(_: object, message: Key) -> None:
        keys.append(message.key)
        held.extend(filter(None, waits[1:]))
        os.close(typed)  # which ends the thread

    monkeypatch.setattr(select, "select", counted)
    monkeypatch.setattr("tui.app.terminal.driver.ESCAPE_DELAY", 0.03)
    monkeypatch.setattr(LinuxDriver, "process_message", take)
    driver = OutputDriver(App())
    driver.fileno = keyboard
    os.write(typed, b"\x1b")
    await asyncio.to_thread(driver.run_input_thread)
    os.close(keyboard)

    assert keys == ["escape"]
    # The delay, less what has passed since the byte was read.
    assert 0.02 < sum(held) <= 0.03


def test_the_chat_screen_is_one_that_draws_directly() -> None:
    assert issubclass(ChatScreen, textual_hook.OutputScreen)


async def test_the_first_frame_is_styled_and_rendered_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def count(part: type[object], name: str) -> None:
        does = getattr(part, name)

        def counted(*args: object, **options: object) -> object:
            done.append(name)
            return does(*args, **options)

        monkeypatch.setattr(part, name, counted)

    count(Compositor, "render_full_update")
    count(Stylesheet, "reparse")
    async with opened([]) as chat:
        await chat.ready()
        screen = chat.screen
        await chat.until(
            lambda: not (screen._repaint_required or screen._layout_required)
        )

        assert done == ["render_full_update"]
        assert chat.app.screen_stack == [chat.screen]


async def test_a_frame_of_the_transcript_forgets_no_other_change(
    mirror: Mirror,
) -> None:
    async with opened([]) as chat:
        screen = chat.screen
        # A layout that is still to come would be waited for.
        for _ in range(100):
            await chat.pilot.pause(0.02)
            if not (screen._layout_required or screen._scroll_required):
                break
        chat.screen.status._set_dirty()
        chat.screen.status.set_reactive(type(chat.screen.status).hint, "Look here")
        chat.screen._dirty_widgets.add(chat.screen.status)

        chat.screen.presenter.show([piece("Text")])
        chat.screen.transcript._frame()

        shown = "".join(cell.text for cell in mirror.ours.rows()[-1])
        assert "Look here" in shown
