"""The command palette: groups, recent commands, filter, arguments."""

import pytest
from support.pilot import Chat, opened

from tui import paths
from tui.app import state
from tui.app.commands import COMMANDS
from tui.app.dialogs.command_palette import CommandRow, CommandRows, PaletteScreen
from tui.app.widgets.completion import best

pytestmark = pytest.mark.usefixtures("home")


def listed(chat: Chat) -> list[str]:
    """The commands of the list in their order."""
    screen = chat.app.screen
    assert isinstance(screen, PaletteScreen)
    entries = screen.rows.entries
    return [it.command.slash for it in entries if isinstance(it, CommandRow)]


async def open_palette(chat: Chat) -> None:
    await chat.pilot.press("ctrl+p")
    await chat.until("Type to filter")


def test_the_best_match_comes_first() -> None:
    for typed, name in (
        ("mo", "model"),
        ("exit", "quit"),
        ("quit", "quit"),
        ("sessions", "history"),
        ("last delete", "undo"),
    ):
        assert best(typed, COMMANDS)[0].name == name, typed
    assert best("zzz", COMMANDS) == []


async def test_every_command_is_listed_with_its_key() -> None:
    async with opened(size=(80, 24)) as chat:
        await open_palette(chat)

        slashes = {c.slash for c in COMMANDS if c.slash} - {"/commands"}
        assert set(listed(chat)) == slashes
        row = next(row for row in chat.text.splitlines() if "/new" in row)
        assert row.rstrip("│ ").endswith("Ctrl+N")


async def test_commands_used_last_come_first_also_next_time() -> None:
    async with opened() as chat:
        await open_palette(chat)
        await chat.pilot.press(*"debug", "enter")
        await chat.until("Debug · ")
        await chat.until(lambda: state.load(paths.state_file()).commands == ("debug",))
    async with opened() as chat:
        await open_palette(chat)
        await chat.until("Recent")
        assert listed(chat)[0] == "/debug"


async def test_a_command_that_needs_an_argument_is_written_into_the_composer() -> None:
    async with opened() as chat:
        await open_palette(chat)
        await chat.pilot.press(*"rename", "enter")
        await chat.until(lambda: chat.screen.composer.text == "/rename ")
        await chat.pilot.press(*"x")
        await chat.until(lambda: chat.screen.composer.text == "/rename x")

        await open_palette(chat)
        await chat.pilot.press(*"system", "tab")
        await chat.until("Send or clear the message first")
        assert chat.screen.composer.text == "/rename x"


async def test_tab_writes_a_command_that_would_run_without_an_argument() -> None:
    async with opened() as chat:
        await open_palette(chat)
        await chat.pilot.press(*"theme", "tab")

        await chat.until(lambda: chat.screen.composer.text == "/theme ")
        assert chat.screen.composer.has_focus


async def test_the_palette_has_a_key_of_the_users_choice() -> None:
    async with opened(toml='[keys]\npalette = "f8"') as chat:
        await chat.pilot.press("f8")
        await chat.until("Type to filter")
        await chat.pilot.press("f8")
        await chat.until(lambda: "Type to filter" not in chat.text)


async def test_the_chosen_row_is_one_colour_where_colours_do_not_mix() -> None:
    async with opened() as chat:
        assert chat.app.themes.use("terminal") == ""
        await open_palette(chat)
        rows = chat.app.screen.query_one(CommandRows)

        await chat.until(lambda: rows.cursor is not None)
        strip = rows.render_line(1)
        chosen = {
            (segment.style.color, segment.style.bgcolor)
            for segment in strip
            if segment.style and segment.text.strip()
        }

        assert "Ctrl+" in strip.text
        assert len(chosen) == 1
