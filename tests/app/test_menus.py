"""The menus above the composer: what shows that a list goes on."""

from pathlib import Path

import pytest
from support.pilot import opened

from tui.app.widgets.command_menu import more_marks

pytestmark = pytest.mark.usefixtures("home")


def test_a_list_that_goes_on_is_marked_at_its_edges() -> None:
    assert more_marks(0, 8, 8) == {}
    assert more_marks(0, 8, 9) == {7: "↓"}
    assert more_marks(1, 8, 9) == {1: "↑"}
    assert more_marks(1, 8, 10) == {1: "↑", 8: "↓"}


async def test_the_menu_of_commands_shows_that_there_are_more() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("/")
        await chat.until(lambda: chat.screen.composer.menu.is_open)
        await chat.until("↓")
        assert "↑" not in chat.text

        await chat.pilot.press("up")

        await chat.until("↑")
        assert "↓" not in chat.text


async def test_the_mark_that_there_are_more_commands_stands_clear_of_the_keys() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press(*"/co")

        await chat.until("↓")

        (row,) = (row for row in chat.text.splitlines() if row.endswith("↓"))
        assert row.endswith("Ctrl+S ↓")


async def test_the_chosen_file_is_highlighted_to_the_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").touch()
    (tmp_path / "notes2.md").touch()
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("@", "n", "o")
        await chat.until("notes2.md")
        y = chat.text.split("\n").index(" notes.md")

        strip = chat.app.screen._compositor.render_strips()[y]

        assert len({s.style.bgcolor for s in strip if s.style}) == 1
