"""Draws every screen of the app in every theme at several sizes, to be looked at.

Usage: PYTHONPATH=tests python docs/pictures.py FOLDER [SCREEN ...]

The app is real, on real logs in a store of its own; only the models play scripts. Each
picture is FOLDER/SCREEN.WIDTHxHEIGHT.THEME.svg, and FOLDER/index.html shows all of
them. Clock and ids are fixed, so a second run changes only what the app has changed.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from html import escape
from pathlib import Path
from unittest.mock import patch

import staged
from dialogs import DIALOGS
from outputs import PROGRAMS
from screens import SCREENS, Scene, history
from support.pilot import Chat

from tui import i18n

SIZES = ((120, 40), (80, 24), (60, 20))
LARGE = (200, 60)
"""The size of the main screens only."""
TERMINAL = "terminal"
"""The theme of what has none: the colours are the terminal's."""
COLOURLESS = "no-color"
"""Stands for a theme where NO_COLOR is set."""


def names(scene: Scene, themes: list[str]) -> list[str]:
    """Return the themes in which a screen is drawn; Chinese is not about colours."""
    return themes[:2] if scene.language == "zh" else themes


async def draw(scene: Scene, folder: Path, *, colour: bool = True) -> None:
    """Draw one screen at all its sizes, in all themes or without colours."""
    i18n.choose(scene.language)
    async with staged.opened(scene.script, size=SIZES[0]) as chat:
        await scene.play(chat)
        themes = sorted(chat.app.available_themes, key=lambda n: "lazychat" not in n)
        for size in (*SIZES, *([LARGE] if scene.main else [])):
            await chat.pilot.resize_terminal(*size)
            await scene.settle(chat)
            for theme in names(scene, themes) if colour else [COLOURLESS]:
                await _paint(chat, theme)
                name = f"{scene.name}.{size[0]}x{size[1]}.{theme}.svg"
                (folder / name).write_text(staged.picture(chat.app), "utf-8")
        await scene.end(chat)


async def _paint(chat: Chat, theme: str) -> None:
    if theme != COLOURLESS and theme != chat.app.theme:
        chat.app.theme = theme
        await chat.pilot.pause()
        await chat.pilot.pause()


@contextmanager
def fresh(kept: Path | None, language: str) -> Iterator[Path]:
    """A home and a working folder of their own, with a copy of the store `kept`.

    Paths are in some pictures, so they are the same each time.
    """
    place = Path(tempfile.gettempdir(), "lazychat-pictures")
    place.mkdir()  # fails if another run has it
    try:
        home, work = place / "home", place / "project"
        if kept:
            shutil.copytree(kept, home)
        home.mkdir(exist_ok=True)
        staged.furnish(home, work)
        env = {"LAZYCHAT_HOME": str(home), "LAZYCHAT_LANGUAGE": language}
        with patch.dict(os.environ, env), chdir(work):
            yield home
    finally:
        shutil.rmtree(place)


def sheet(folder: Path) -> str:
    """Return a page of all pictures: a part for each screen, a row for each theme."""
    parts: dict[str, dict[str, list[str]]] = {}
    for file in sorted(folder.glob("*.svg")):
        screen, size, theme, _ = file.name.split(".")
        wide = int(size.partition("x")[0])
        image = (
            f'<img loading="lazy" src="{file.name}" width="{wide * 5}" alt="{size}">'
        )
        parts.setdefault(screen, {}).setdefault(theme, []).append(image)
    body = "\n".join(
        f"<h2>{escape(screen)}</h2>"
        + "".join(
            f"<h3>{escape(theme)}</h3><div>{''.join(images)}</div>"
            for theme, images in themes.items()
        )
        for screen, themes in parts.items()
    )
    return (
        "<!doctype html><meta charset=utf-8><title>lazychat: all screens</title>"
        "<style>body{font-family:system-ui,sans-serif;background:#777;margin:1em}"
        "h3{margin:.5em 0;font-weight:400}div{display:flex;flex-wrap:wrap;gap:8px;"
        f"align-items:start}}</style>\n{body}\n"
    )


def main(folder: Path, wanted: list[str]) -> None:
    """Draw the screens `wanted`, or all, into `folder`."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    stores: dict[str, Path] = {}
    with tempfile.TemporaryDirectory(prefix="pictures-") as keeping:
        for scene in (*DIALOGS, *SCREENS):
            if wanted and scene.name not in wanted:
                continue
            if scene.language not in stores:
                with fresh(None, scene.language) as home:
                    i18n.choose(scene.language)
                    asyncio.run(history(scene.language))
                    stores[scene.language] = Path(keeping, scene.language)
                    shutil.copytree(home, stores[scene.language])
            print(scene.name, flush=True)
            kept = stores[scene.language] if scene.kept else None
            with fresh(kept, scene.language):
                asyncio.run(draw(scene, folder))
            if scene.main:
                with (
                    fresh(kept, scene.language),
                    patch.dict(os.environ, {"NO_COLOR": "1"}),
                ):
                    asyncio.run(draw(scene, folder, colour=False))
        for program in PROGRAMS:
            if wanted and program.name not in wanted:
                continue
            print(program.name, flush=True)
            for columns, rows in SIZES:
                with fresh(None, "en") as home:
                    svg = program.draw(home, columns, rows)
                name = f"{program.name}.{columns}x{rows}.{TERMINAL}.svg"
                (folder / name).write_text(svg, "utf-8")
    (folder / "index.html").write_text(sheet(folder), "utf-8")


if __name__ == "__main__":
    staged.still()
    main(Path(sys.argv[1]), sys.argv[2:])
