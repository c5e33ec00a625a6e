"""Configures, starts and asks the app in a terminal."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from support.terminal import Terminal

Start = Callable[..., Terminal]
"""Starts the app in a terminal; see the fixture `start`."""


def write_config(
    home: Path,
    script: list[dict[str, Any]] | dict[str, Any] | None,
    config: Mapping[str, Any] | str = {},
) -> Path:
    """Write config.toml with a scripted model, called `scripted`, as the default."""
    file = home / "config.toml"
    if isinstance(config, str):
        file.write_text(config, "utf-8")
        return file
    settings = dict(config)
    if script is not None:
        played = {"reply": script} if isinstance(script, list) else script
        plays = home / "script.toml"
        plays.write_text(tomli_w.dumps(played), "utf-8")
        model = {"provider": "scripted", "path": str(plays)}
        settings["models"] = {"scripted": model, **settings.get("models", {})}
        settings.setdefault("model", "scripted")
    file.write_text(tomli_w.dumps(settings), "utf-8")
    return file


def ask(terminal: Terminal, question: str, answer: str = "") -> None:
    """Type a message and send it; with `answer`, wait until it is complete."""
    terminal.type(question)
    terminal.press("enter")
    if answer:
        terminal.wait_for(answer)
        terminal.wait_for(lambda t: "ready" in t.row(-1))
