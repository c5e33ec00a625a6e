"""Help: the keys of where the user is come first, and letters filter."""

import pytest
from support.pilot import Chat, opened

pytestmark = pytest.mark.usefixtures("home")


def rows(chat: Chat) -> list[str]:
    """The rows of the dialog without its border."""
    return [row.strip().strip("│").rstrip() for row in chat.text.splitlines()]


@pytest.mark.parametrize(
    ("keys", "place", "key"),
    [
        ([], "writing", "Ctrl+J"),
        (["tab"], "reading", "y, Y"),
        (["f3", "shift+tab"], "debug panel", "c, y"),
        (["f2"], "tools", "Space"),
        (["ctrl+s"], "conversations", "F4"),
    ],
)
async def test_the_keys_of_where_the_user_is_come_first(keys, place, key) -> None:
    async with opened(["Fine."], size=(80, 24)) as chat:
        await chat.ask("Well?")
        await chat.until("Fine.")
        await chat.ready()
        if keys:
            await chat.pilot.press(*keys)
        await chat.pilot.press("f1")

        await chat.until(f"You are here: {place}")
        first = rows(chat)
        here = next(n for n, row in enumerate(first) if "You are here" in row)
        assert here <= 4
        assert any(row.strip().startswith(key) for row in first[here : here + 14])


async def test_letters_filter_by_key_effect_and_other_names() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("f1")
        await chat.until("You are here")

        for typed, found in (("clear", "/new"), ("f3", "/debug"), ("stop ans", "Esc")):
            keys = ["space" if key == " " else key for key in typed]
            await chat.pilot.press("ctrl+u", *keys)
            await chat.until(lambda: "Undo, redo typing" not in chat.text)
            assert found in chat.text
        await chat.pilot.press(*"zzz")
        await chat.until("Nothing found")

        await chat.pilot.press("escape")
        await chat.until("Message (")


async def test_wide_screens_have_two_columns_that_touch_nothing() -> None:
    async with opened(size=(120, 40)) as chat:
        await chat.pilot.press("f1")
        await chat.until("You are here")

        page = rows(chat)
        assert any("You are here" in row and "Reading" in row[60:] for row in page)
        text = [row for row in chat.text.splitlines() if row.startswith("│")]
        assert {row[116] for row in text} == {" "}


async def test_help_of_every_width_shows_whole_words() -> None:
    async with opened(size=(60, 20)) as chat:
        await chat.pilot.press("f1")
        await chat.until("You are here")

        for width in (60, 80, 119, 120, 200, 40):
            await chat.pilot.resize_terminal(width, 60)
            await chat.until(lambda w=width: len(chat.text.splitlines()[0]) <= w)
            await chat.until("Previous, next message")
            told = " ".join(chat.text.split())
            assert "Ctrl+J, Alt+Enter, \\ Enter" in told
