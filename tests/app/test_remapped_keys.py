"""Every key remapped: each screen shows the new keys, and they work."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import asking_tool
from support.pilot import Chat, opened

from tui.app.commands import COMMANDS, spelled_key
from tui.app.keys import sendable
from tui.messages import ToolCall

LETTERS = [
    f"alt+{letter}"
    for letter in "acdeghijklmnopqrstuvwxyzACDEGHIJKLMNPQRSTUVWXYZ"
    if sendable.is_sent(f"alt+{letter}")
]
NEW = {
    command.name: "KLMPQRSU"[[c for c in COMMANDS if c.reading].index(command)]
    if command.reading
    else LETTERS[[c for c in COMMANDS if not c.reading].index(command)]
    for command in COMMANDS
}
TOML = "[keys]\n" + "\n".join(f'{name} = "{key}"' for name, key in NEW.items())
OLD = {
    spelled_key(key)
    for command in COMMANDS
    for key in command.key.split(",")
    if len(key) > 1 and key not in ("left", "right")
}.difference(map(spelled_key, NEW.values()))


def old_names(text: str, besides: Sequence[str] = ()) -> list[str]:
    """Return the default keys that a text still shows."""
    return sorted(
        name
        for name in OLD.difference(besides)
        if re.search(rf"(?<![\w+]){re.escape(name)}(?![\w+])", text)
    )


def shown(chat: Chat, name: str) -> bool:
    return spelled_key(NEW[name]) in chat.text


async def press(chat: Chat, name: str) -> None:
    await chat.pilot.press(NEW[name])


def test_a_default_key_in_a_text_is_found() -> None:
    assert old_names("F1 help  Ctrl+S  F10  Shift+F2 Escape") == ["Ctrl+S", "F1"]


async def test_the_chat_shows_only_the_new_keys(home: Path) -> None:
    asking_tool.add(home)
    call = ToolCall("a", "run_it", {"command": "git status"})
    async with opened([[call], "Done."], TOML, size=(140, 44)) as chat:
        assert chat.app.backend.problems == []
        await chat.until(lambda: "run_it" in chat.host.enabled)
        assert shown(chat, "help")
        assert old_names(chat.text) == []

        await press(chat, "tools")
        await chat.until("current_time")
        assert old_names(chat.text) == []
        await press(chat, "tools")

        await chat.type("/")
        await chat.until("/model")
        assert old_names(chat.text) == []
        chat.screen.composer.text = ""

        await chat.ask("What has changed?")
        await chat.until("Allow run_it?")
        assert f"{spelled_key(NEW['cancel'])} stop" in chat.text
        assert old_names(chat.text) == []
        await chat.until(lambda: chat.screen.dialog.armed)
        await chat.pilot.press("y")
        await chat.until("Done.")

        await press(chat, "debug")
        await chat.pilot.press("tab")
        await chat.until(f"{NEW['revise']} edit")
        assert old_names(chat.text) == []
        await chat.pilot.press("up", "up", NEW["revise"])
        await chat.until("diting")
        assert old_names(chat.text) == []


async def test_a_narrow_screen_shows_only_the_new_keys(home: Path) -> None:
    async with opened(["One."], TOML, size=(80, 24)) as chat:
        await press(chat, "tools")
        await chat.until("closes the tools")

        assert old_names(chat.text) == []
        await press(chat, "cancel")
        await chat.until(lambda: "current_time" not in chat.text)


@pytest.mark.parametrize(
    ("name", "there", "own"),
    [
        # The list of conversations has keys of its own, which stay what they are.
        ("help", "Keys and commands", ["Esc", "F2", "F4", "F9"]),
        ("palette", "/history", ["Esc"]),
        ("model", "starter", ["Esc"]),
        ("agent", "react", ["Esc"]),
        ("theme", "lazychat-light", ["Esc"]),
        ("setup", "Needs a key", ["Esc"]),
        ("history", "Search", ["Esc", "F2", "F4", "F9"]),
    ],
)
async def test_other_screens_show_only_the_new_keys(
    home: Path, name: str, there: str, own: list[str]
) -> None:
    async with opened(["One."], TOML, size=(140, 60)) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.ready()

        await press(chat, name)

        await chat.until(lambda: chat.app.screen is not chat.screen)
        await chat.until(there)
        assert old_names(chat.text, own) == []


@pytest.mark.parametrize("name", ["help", "history"])
async def test_the_key_that_opens_a_screen_closes_it(home: Path, name: str) -> None:
    async with opened([], TOML) as chat:
        await press(chat, name)
        await chat.until(lambda: chat.app.screen is not chat.screen)

        await press(chat, name)

        await chat.until(lambda: chat.app.screen is chat.screen)


async def test_old_keys_do_nothing(home: Path) -> None:
    async with opened(["One."], TOML) as chat:
        await chat.pilot.press("ctrl+t", "f1", "f2", "f3", "ctrl+s", "ctrl+l", "ctrl+p")
        await chat.pilot.press("ctrl+q", "f9")

        assert chat.app.screen is chat.screen
        assert chat.screen.stream
        assert not chat.screen.has_class("-debug")


async def test_a_command_without_a_key_has_none(home: Path) -> None:
    async with opened([], '[keys]\nhelp = ""\ndebug = ""') as chat:
        assert not re.search(r"F[13]\b", chat.text)
        assert "/help help" in chat.text

        await chat.pilot.press("f1", "f3")

        assert chat.app.screen is chat.screen
        assert not chat.screen.has_class("-debug")


async def test_problems_with_keys_are_told_at_the_start(home: Path) -> None:
    toml = '[keys]\nstream = "ctrl+l"\nhelp = "hyper+x"\nnew = "t"'
    async with opened([], toml) as chat:
        await chat.until("takes that key from model")
        await chat.until("few terminals send that key")
        await chat.until("that key is for typing")

        await chat.pilot.press("ctrl+l")
        assert not chat.screen.stream
        await chat.pilot.press("f1")
        await chat.until("Keys and commands")


async def test_f6_selects_a_line_unless_a_command_has_it(home: Path) -> None:
    async with opened([], '[keys]\nstream = "f6"') as chat:
        await chat.type("some text")
        await chat.pilot.press("f6")

        assert not chat.screen.stream
        assert chat.screen.composer.selected_text == ""
    async with opened([]) as chat:
        await chat.type("some text")
        await chat.pilot.press("f6")

        assert chat.screen.composer.selected_text == "some text"
