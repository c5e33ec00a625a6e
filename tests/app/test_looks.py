"""What is seen on every screen in every theme: contrast, and rows that are chosen."""

from collections.abc import Iterator

import pytest
from rich.style import Style
from support.contrast import contrast, in_256_colours
from support.pilot import Chat, opened
from textual.color import Color
from textual.geometry import Region

pytestmark = pytest.mark.usefixtures("home")

ANSWER = """\
# One

## Two

###### Six

**bold**, *italic*, ~~struck~~, `code`, a [link](https://example.org/a).

> quoted

- [x] done

| Name | Purpose |
|---|---|
| `timeout` | seconds |

```python
@decorated
def refill(self, now: float) -> None:
    raise ValueError(f"{now!r}", None, 0x1F)  # a comment
```
"""
SCREENS = {
    "conversation": ("", "Purpose"),
    "menu": ("/", "Choose a model"),
    "search": ("ctrl+s", "Search all conversations"),
    "help": ("f1", "Type to filter"),
    "palette": ("ctrl+p", "Type to filter"),
    "models": ("ctrl+l", "Type to filter"),
    "themes": ("/theme", "Choose a theme"),
    "agents": ("/agent", "Choose how answers"),
    "cost": ("/cost", "Tokens and cost"),
    "tools": ("f2", "current_time"),
    "debug": ("f3", "round 1"),
    "find": ("ctrl+f", "Find"),
    "reading": ("tab", "e edit"),
    "empty": ("ctrl+n", "all keys and commands"),
}
LISTS = ("menu", "search", "palette", "models", "themes", "agents", "tools")
Cell = tuple[str, Style]


async def show(chat: Chat, screen: str) -> None:
    """Bring a screen about, over a conversation."""
    await chat.ask("Show me Markdown")
    await chat.until("refill")
    await chat.ready()
    how, sign = SCREENS[screen]
    if how.startswith("/") and how != "/":
        await chat.ask(how)
    elif how:
        await chat.pilot.press(how)
    await chat.until(sign)
    await chat.pilot.pause(0.1)


def rows(chat: Chat) -> Iterator[list[Cell]]:
    """Return the cells of each row; of a dialog, without what it lies over."""
    screen = chat.app.screen
    region: Region = screen.region
    if screen.is_modal:
        region = screen.query(".dialog").first().region
    strips = screen._compositor.render_strips()
    for strip in strips[region.y : region.bottom]:
        cells = [
            (character, style or Style())
            for text, style, _ in strip
            for character in text
        ]
        yield cells[region.x : region.right]


def back(cell: Cell) -> Color:
    """Return the colour behind a cell."""
    assert cell[1].bgcolor
    return Color.from_rich_color(cell[1].bgcolor)


@pytest.mark.parametrize("screen", SCREENS)
async def test_all_text_has_wcag_aa_contrast_in_all_themes(screen: str) -> None:
    """In 256 colours too, as over ssh, which does not pass on COLORTERM."""
    async with opened([ANSWER], size=(100, 40)) as chat:
        await chat.until(lambda: "tide" in chat.app.available_themes)
        await show(chat, screen)
        painted = [
            name
            for name, theme in chat.app.available_themes.items()
            if not (theme.ansi or name.startswith("textual"))
        ]
        poor: set[tuple[str, str, float]] = set()
        seen = 0
        for theme in painted:
            chat.app.theme = theme
            await chat.pilot.pause()
            for row in rows(chat):
                for cell in row:
                    if not cell[0].isalnum():
                        continue
                    assert cell[1].color
                    front = Color.from_rich_color(cell[1].color)
                    reduced = in_256_colours(front), in_256_colours(back(cell))
                    found = min(contrast(front, back(cell)), contrast(*reduced))
                    seen += 1
                    if found < 4.5:
                        text = "".join(character for character, _ in row).strip()
                        poor.add((theme, text, round(found, 2)))

    assert poor == set()
    assert seen > 300


@pytest.mark.parametrize("screen", LISTS)
async def test_the_chosen_row_has_room_at_both_ends(screen: str) -> None:
    async with opened([ANSWER], size=(80, 24)) as chat:
        await show(chat, screen)
        chosen = Color.parse(chat.app.theme_variables["block-cursor-background"])
        await chat.until(
            lambda: any(
                back(c) == chosen and c[0] != " " for r in rows(chat) for c in r
            )
        )

        bands = [
            "".join(c[0] for c in row if back(c) == chosen)
            for row in rows(chat)
            if sum(back(c) == chosen for c in row) > 10
        ]
        assert len(bands) == 1
        assert bands[0][0] == bands[0][-1] == " "
