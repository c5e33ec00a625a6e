"""What is seen on every screen in every theme: contrast, and rows that are chosen."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from rich.style import Style
from support.contrast import contrast, in_256_colours
from support.pilot import Chat, opened
from textual.color import Color
from textual.geometry import Region

from tui.mcp.values import Field, Question
from tui.messages import ToolCall
from tui.models.scripted import Pause, Step

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
CLIENT = "".join(f"LINE_{n} = {n}\n" for n in range(20)) + "TIMEOUT = 5\n"
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
    "approval": ("", "Allow edit_file?"),
    "quit": ("", "Stop and quit"),
    "question": ("", "days must be"),
    "setup": ("/setup", "Needs a key"),
    "key": ("", "Key for OpenAI"),
    "files": ("@", "client.py"),
    "attached": ("/attach client.py", "Backspace removes"),
    "overwriting": ("/save-code client.py", "Enter overwrites"),
    "queued": ("", "takes it back"),
}
SCRIPTS: dict[str, Iterable[Step]] = {
    "approval": [
        ToolCall(
            "1",
            "edit_file",
            {"path": "client.py", "old": "TIMEOUT = 5", "new": "TIMEOUT = 30"},
        )
    ],
    "quit": ["Slowly", Pause(600)],
    "queued": ["Slowly", Pause(600)],
}
"""What the model does when it is asked once more."""
REAL = """
model = "real"
[models.real]
provider = "openai"
base_url = "http://127.0.0.1:9"
"""
"""A model that the starter does not stand for, as it has no tools that ask."""
QUESTION = Question(
    "1",
    "tickets",
    "What is it about?",
    (Field("days", "integer", description="how long"), Field("name", required=True)),
)
LISTS = ("menu", "search", "palette", "models", "themes", "agents", "tools")
Cell = tuple[str, Style]


async def show(chat: Chat, screen: str) -> None:
    """Bring a screen about, over a conversation."""
    await chat.ask("Show me Markdown")
    await chat.until("refill")
    await chat.ready()
    how, sign = SCREENS[screen]
    if screen in SCRIPTS:
        await chat.ask("And now?")
    match screen:
        case "quit":
            await chat.until("Slowly")
            await chat.pilot.press("ctrl+q")
        case "queued":
            await chat.until("Slowly")
            await chat.ask("And then?")
        case "question":
            asked = QUESTION, asyncio.get_running_loop().create_future()
            chat.host.mcp._asking._open["1"] = asked
            chat.app.mcp.refresh()
            await chat.until("What is it about?")
            await chat.pilot.press("x", "enter")
        case "key":
            await chat.pilot.press("ctrl+l")
            await chat.until("Type to filter")
            await chat.pilot.press(*"openai", "down", "up", "enter")
        case _:
            pass
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
async def test_all_text_has_wcag_aa_contrast_in_all_themes(
    screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 256 colours too, as over ssh, which does not pass on COLORTERM."""
    (tmp_path / "client.py").write_text(CLIENT)
    script = [ANSWER, *([SCRIPTS[screen]] if screen in SCRIPTS else [])]
    monkeypatch.chdir(tmp_path)
    async with opened(script, REAL, size=(100, 40)) as chat:
        chat.host.models._models["real"] = chat.model
        await chat.until(lambda: "edit_file" in chat.host.enabled)
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
