"""The menu of slash commands: what it lists, and what each key does in it."""

import pytest
from support.pilot import Chat, opened

from tui.app.widgets.completion import matching

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("/", ["/model", "/new", "/history"]),
        ("/ren", ["/rename"]),
        ("/new", ["/new", "/newer"]),
        ("/ne", ["/new", "/next", "/newer"]),
        ("/NE", ["/new", "/next", "/newer"]),
        ("/cle", ["/new"]),
        ("/clear", ["/new"]),
        ("/exit", ["/quit"]),
        ("/search", ["/history"]),
        ("/mdl", ["/model"]),
        ("/streaming", ["/stream"]),
    ],
)
def test_best_match_comes_first(typed: str, first: list[str]):
    assert [command.slash for command in matching(typed)][: len(first)] == first


@pytest.mark.parametrize("text", ["", "no", "/xyz", "/etc/hosts", "/model qwen", "a /"])
def test_other_text_matches_nothing(text: str):
    assert matching(text) == []


def listed(chat: Chat) -> list[str]:
    return [command.slash for command in chat.screen.composer.menu.found]


async def test_the_menu_filters_while_one_types():
    async with opened() as chat:
        composer, menu = chat.screen.composer, chat.screen.composer.menu
        await chat.pilot.press("slash")
        await chat.until("Choose a model")
        assert menu.size.height == 8

        await chat.pilot.press("r", "e", "n")
        await chat.until(lambda: "/rename" in listed(chat))
        assert "/stream" not in listed(chat)
        await chat.until(lambda: menu.size.height == len(menu.found))

        await chat.pilot.press("ctrl+u")
        await chat.until(lambda: not menu.is_open)
        assert not menu.display
        assert composer.has_focus


async def test_arrows_choose_and_tab_completes():
    async with opened() as chat:
        composer = chat.screen.composer
        await chat.pilot.press("slash", "r", "e")
        await chat.until(lambda: "/rename" in listed(chat))
        names = listed(chat)

        await chat.pilot.press("down", "down", "up", "tab")

        await chat.until(lambda: composer.text.rstrip() == names[1])
        assert composer.has_focus


async def test_enter_runs_the_chosen_command():
    async with opened() as chat:
        await chat.pilot.press("slash", "s", "t", "r", "enter")

        await chat.until(lambda: not chat.screen.stream)
        assert chat.screen.composer.text == ""


@pytest.mark.parametrize(
    ("typed", "written"), [("/purg", "/purge"), ("/rena", "/rename ")]
)
async def test_enter_only_writes_what_is_permanent_or_takes_words(
    typed: str, written: str
):
    async with opened() as chat:
        await chat.pilot.press(*("slash" if c == "/" else c for c in typed), "enter")

        await chat.until(lambda: chat.screen.composer.text == written)


async def test_escape_closes_the_menu_and_keeps_the_text():
    async with opened() as chat:
        menu = chat.screen.composer.menu
        await chat.pilot.press("slash", "m")
        await chat.until(lambda: menu.is_open)

        await chat.pilot.press("escape", "o")
        await chat.until(lambda: chat.screen.composer.text == "/mo")
        assert not menu.is_open

        await chat.pilot.press("ctrl+u", "slash")
        await chat.until(lambda: menu.is_open)


async def test_tab_says_what_a_command_does_and_elsewhere_moves_the_focus():
    async with opened() as chat:
        await chat.type("/theme dusk")
        await chat.pilot.press("tab")
        await chat.until("Choose a theme")
        await chat.pilot.press("ctrl+u")
        await chat.type("/xyz")
        await chat.pilot.press("tab")
        await chat.until("No command starts with /xyz")

        await chat.pilot.press("ctrl+u", "h", "i", "tab")

        await chat.until(lambda: not chat.screen.composer.has_focus)
        assert chat.screen.composer.text == "hi"
