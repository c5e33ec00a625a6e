"""Emoji of several characters in the composer, and characters that are not letters."""

import pytest
from support.composer import Host
from textual import events
from textual.app import App, ComposeResult

from tui.app.widgets.composer import Composer
from tui.app.widgets.field import Field

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
WHOLE = ["🇩🇪", "👍🏽", "❤️", "👩‍👩‍👧", "1️⃣", "👨🏽‍💻", ENGLAND, "🏳️‍🌈"]


def keys(text: str) -> list[events.Key]:
    return [events.Key(f"key_{ord(c):x}", c) for c in text]


@pytest.mark.parametrize(
    "text", ["می‌خواهم", "क्‍ष", "全\u3000角", "\U0001fae9\ue0b0", *WHOLE]
)
async def test_what_is_typed_arrives(text: str):
    async with (app := Host()).run_test() as pilot:
        for key in keys(text):
            app.post_message(key)
        await pilot.pause()
        assert app.composer.text == text

        await pilot.press("enter")
        assert app.submitted == [text]


@pytest.mark.parametrize(
    "character", ["\u202e", "\u200b", "\U000e0041", "\x85", "\x00"]
)
async def test_what_hides_or_turns_text_is_not_typed(character: str):
    async with (app := Host()).run_test() as pilot:
        app.post_message(events.Key("some", character))
        await pilot.pause()

        assert app.composer.text == ""


async def test_flags_of_regions_are_pasted_whole_and_other_tags_are_not():
    async with (app := Host()).run_test() as pilot:
        app.composer.post_message(events.Paste(f"a{ENGLAND}b\U000e0041\U000e0042\tc"))
        await pilot.pause()

        assert app.composer.text == f"a{ENGLAND}b\tc"


@pytest.mark.parametrize("emoji", WHOLE)
async def test_keys_take_an_emoji_whole(emoji: str):
    async with (app := Host()).run_test() as pilot:
        composer = app.composer
        composer.load_text(f"a{emoji}{emoji}b")
        size = len(emoji)
        columns = []
        for key in ["left", "left", "left", "right", "shift+right"]:
            await pilot.press(key)
            columns.append(composer.selection.end[1])
        assert columns == [1 + 2 * size, 1 + size, 1, 1 + size, 1 + 2 * size]
        assert composer.selected_text == emoji

        composer.load_text(f"a{emoji}{emoji}b")
        await pilot.press("left", "backspace")
        assert composer.text == f"a{emoji}b"
        await pilot.press("left", "delete")
        assert composer.text == "ab"


@pytest.mark.parametrize(
    ("text", "left"), [("क्षि", "क्ष"), ("e\u0301", "e"), ("12", "1"), ("🇩", "")]
)
async def test_backspace_takes_letters_by_the_character(text: str, left: str):
    async with (app := Host()).run_test() as pilot:
        app.composer.load_text(text)
        await pilot.press("backspace")

        assert app.composer.text == left


async def test_a_click_does_not_put_the_cursor_into_an_emoji():
    async with (app := Host()).run_test() as pilot:
        app.composer.load_text("👩‍👩‍👧" * 3)
        await pilot.pause()
        for x in range(10):
            await pilot.click(Composer, offset=(2 + x, 1))
            assert app.composer.cursor_location[1] % 5 == 0


class Fields(App[None]):
    """The line of the list of conversations, alone."""

    def compose(self) -> ComposeResult:
        yield Field()


@pytest.mark.parametrize(
    "text", ["می‌خواهم", "क्‍ष", "全\u3000角", "\U0001fae9\ue0b0", *WHOLE]
)
async def test_a_field_takes_what_the_composer_takes(text: str):
    async with (app := Fields()).run_test() as pilot:
        for key in keys(text):
            app.post_message(key)
        await pilot.pause()
        field = app.query_one(Field)
        assert field.value == text

        app.post_message(events.Paste(f"\n{text}\u202e\r\nb"))
        app.post_message(events.Key("some", "\u202e"))
        await pilot.pause()
        assert field.value == text + " ".join(f"{text}\nb".split())


@pytest.mark.parametrize("emoji", WHOLE)
async def test_keys_of_a_field_take_an_emoji_whole(emoji: str):
    async with (app := Fields()).run_test() as pilot:
        field = app.query_one(Field)
        field.value = f"a{emoji}{emoji}b"
        size = len(emoji)
        await pilot.press("left", "left")
        assert field.cursor_position == 1 + size
        await pilot.press("shift+right")
        assert field.selected_text == emoji
        await pilot.press("right", "backspace")
        assert field.value == f"a{emoji}b"
        await pilot.press("left", "delete")
        assert field.value == "ab"
