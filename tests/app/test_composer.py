"""The composer in a small app: what it sends, keeps and leaves to others."""

import pytest
from support.composer import APP_KEYS, Host
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Button

from tui.app.widgets.composer import Composer


async def write(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*({"\n": "ctrl+j", " ": "space"}.get(c, c) for c in text))


def screen_text(app: App[None]) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in lines)


async def test_enter_sends_the_text_and_empties():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "hello there")
        await pilot.press("enter")

        assert app.submitted == ["hello there"]
        assert app.composer.text == ""


async def test_blank_text_is_not_sent():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("enter")
        await write(pilot, "  \n ")
        await pilot.press("enter")

        assert app.submitted == []
        assert app.composer.text == "  \n "


async def test_blank_lines_around_the_text_are_not_sent_but_its_indent_is():
    async with (app := Host()).run_test() as pilot:
        app.composer.text = "\n \n  def f():\n    pass\n\n"
        await pilot.press("enter")

        assert app.submitted == ["  def f():\n    pass"]


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter", "shift+\r"])
async def test_newline_keys(key: str):
    async with (app := Host()).run_test() as pilot:
        await pilot.press("a", key, "b")

        assert app.composer.text == "a\nb"
        assert app.submitted == []


async def test_alt_enter_as_most_terminals_send_it_is_a_new_line():
    """They send ESC CR; see `tell_alt_enter_apart`."""
    async with Host().run_test():
        keys = [
            event.key
            for event in XTermParser(False).feed("a\x1b\rb\r")
            if isinstance(event, events.Key)
        ]

    assert keys == ["a", "ctrl+j", "b", "enter"]


async def test_backslash_before_enter_makes_a_new_line():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "a\\")
        await pilot.press("enter", "b")

        assert app.composer.text == "a\nb"
        assert app.submitted == []


async def test_backslash_elsewhere_is_sent():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "a\\b")
        await pilot.press("enter")

        assert app.submitted == ["a\\b"]


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
async def test_pasted_lines_are_inserted_and_not_sent(line_end: str):
    async with (app := Host()).run_test() as pilot:
        app.composer.post_message(events.Paste(line_end.join(["a", "\tb", "c", ""])))
        await pilot.pause()

        assert app.composer.text == "a\n\tb\nc\n"
        assert app.submitted == []


async def test_pasted_escape_sequences_become_visible():
    async with (app := Host()).run_test() as pilot:
        app.composer.post_message(events.Paste("\x1b[2Jx"))
        await pilot.pause()

        assert app.composer.text == "␛[2Jx"


async def test_paste_replaces_the_selection():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "old")
        app.composer.select_all()
        app.composer.post_message(events.Paste("new"))
        await write(pilot, "!")

        assert app.composer.text == "new!"


async def test_placeholder_is_on_the_screen_until_something_is_written():
    async with (app := Host()).run_test() as pilot:
        assert "Message (Enter sends" in screen_text(app)

        await write(pilot, "x")

        assert "Message" not in screen_text(app)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (80, "Message (Enter sends, Ctrl+J new line, @ adds a file, F1 help)"),
        (60, "Message (Enter sends, Ctrl+J new line, F1 help)"),
        (40, "Message (Enter sends, F1 help)"),
        (20, "Message"),
    ],
)
async def test_placeholder_is_as_long_as_there_is_room(columns: int, told: str):
    async with (app := Host()).run_test(size=(columns, 10)):
        rows = [row for row in screen_text(app).split("\n") if "Mess" in row]

        assert [row.strip("│ ") for row in rows] == [told]


async def test_ctrl_u_and_ctrl_k_delete_to_the_ends_of_a_line_that_wraps():
    async with (app := Host()).run_test(size=(30, 12)) as pilot:
        line = "one two three four five six seven eight nine ten"
        app.composer.load_text(f"above\n{line}\nbelow")
        await pilot.pause()
        app.composer.move_cursor((1, line.index("nine")))

        await pilot.press("ctrl+u")
        assert app.composer.text == "above\nnine ten\nbelow"
        await pilot.press("ctrl+z")
        assert app.composer.text == f"above\n{line}\nbelow"

        app.composer.move_cursor((1, line.index("two")))
        await pilot.press("ctrl+k")
        assert app.composer.text == "above\none \nbelow"


async def test_grows_to_eight_rows_and_then_scrolls():
    async with (app := Host()).run_test() as pilot:
        heights = []
        for _ in range(10):
            heights.append(app.composer.content_size.height)
            await pilot.press("x", "ctrl+j")
            await pilot.pause()

        assert heights == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
        assert app.composer.scroll_offset.y == app.composer.max_scroll_y == 3


async def test_wide_characters_wrap_and_count_as_two_cells():
    async with (app := Host()).run_test(size=(24, 10)) as pilot:
        app.composer.text = "你好" * 6
        await pilot.pause()

        rows = [line for line in screen_text(app).split("\n") if "你" in line]
        assert len(rows) == app.composer.content_size.height == 2
        # 24 columns less border, padding and one for the cursor: nine in a row.
        assert app.cursor_position == (8, app.composer.content_region.bottom - 1)


async def test_cursor_follows_when_only_the_layout_moves():
    async with (app := Host()).run_test(size=(40, 12)) as pilot:
        before = app.cursor_position
        app.query_one(Button).styles.display = "none"
        await pilot.pause()

        assert app.cursor_position == app.composer.content_region.offset
        assert app.cursor_position != before


async def test_history_walks_back_and_forth_and_keeps_the_draft():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["one", "two\nlines"])
        await write(pilot, "draft")
        seen = []
        for key in ["up", "up", "up", "down", "down", "down", "down"]:
            await pilot.press(key)
            seen.append(app.composer.text)

        two = "two\nlines"
        # Up at the oldest and Down at the newest stay; the second Down moves in `two`.
        assert seen == [two, "one", "one", two, "draft", "draft", "draft"]


async def test_walking_back_needs_one_key_an_entry_whatever_its_rows():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["a", "1\n2\n3", "x\ny"])
        await pilot.press("up", "up", "up")

        assert app.composer.text == "a"


async def test_up_moves_within_the_text_before_it_leaves_it():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["old"])
        await write(pilot, "a\nb")
        await pilot.press("up")
        assert app.composer.text == "a\nb"

        await pilot.press("up")
        assert app.composer.text == "old"


async def test_up_moves_within_a_wrapped_line_before_it_leaves_it():
    async with (app := Host()).run_test(size=(24, 10)) as pilot:
        app.composer.set_history(["old"])
        app.composer.text = "word " * 6
        await pilot.pause()
        await pilot.press("up")
        assert app.composer.text == "word " * 6

        await pilot.press("up")
        assert app.composer.text == "old"


async def test_a_changed_entry_is_kept_while_walking_and_forgotten_after_sending():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["one", "two"])
        await pilot.press("up", "!", "up", "down")
        assert app.composer.text == "two!"

        await pilot.press("up", "enter", "up", "up", "up")
        assert app.submitted == ["one"]
        assert app.composer.text == "one"
        await pilot.press("down")
        assert app.composer.text == "two"


async def test_what_is_sent_joins_the_history():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "first")
        await pilot.press("enter")
        await write(pilot, "second")
        await pilot.press("enter", "up", "up")

        assert app.composer.text == "first"


async def test_new_history_does_not_lose_the_draft_of_one_who_walks():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["one"])
        await write(pilot, "draft")
        await pilot.press("up")
        app.composer.set_history(["one", "two"])
        await pilot.press("down", "down")

        assert app.composer.text == "draft"


async def test_older_entries_go_before_the_others_and_the_place_stays():
    async with (app := Host()).run_test() as pilot:
        app.composer.set_history(["one", "two"])
        await write(pilot, "draft")
        await pilot.press("up", "!", "up")
        app.composer.add_older(["old", "older"])
        seen = []
        for key in ["up", "up", "down", "down", "down", "down"]:
            await pilot.press(key)
            seen.append(app.composer.text)

        assert seen == ["older", "old", "older", "one", "two!", "draft"]


async def test_first_up_waits_for_what_is_older_when_there_is_nothing_else():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("up", "up")
        app.composer.add_older(["old", "older"])

        assert app.wanted == 1
        assert app.composer.text == "older"
        app.composer.set_history(["new"])
        await pilot.press("up", "down", "down")
        assert app.composer.text == "new"


@pytest.mark.parametrize("key", APP_KEYS)
async def test_keys_of_the_app_reach_it(key: str):
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "text")
        await pilot.press(key)

        assert app.keys == [key]
        assert app.composer.text == "text"


async def test_ctrl_c_copies_a_selection_and_else_reaches_the_app():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "text")
        app.composer.select_all()
        await pilot.press("ctrl+c")
        assert app.clipboard == "text"
        assert app.keys == []

        await pilot.press("right", "ctrl+c")
        assert app.keys == ["ctrl+c"]


async def test_tab_leaves_it():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("a", "tab")

        assert isinstance(app.focused, Button)
        assert app.composer.text == "a"


async def test_drafts_are_posted():
    async with (app := Host()).run_test() as pilot:
        await write(pilot, "ab")
        await pilot.pause()

        assert app.drafts[-2:] == ["a", "ab"]

        await pilot.press("enter")
        await pilot.pause()
        assert app.drafts[-1] == ""


async def test_loaded_text_has_the_cursor_at_its_end():
    async with (app := Host()).run_test() as pilot:
        app.composer.text = "one\ntwo"
        await pilot.press("!")

        assert app.composer.text == "one\ntwo!"


@pytest.mark.parametrize(
    ("undo", "redo"),
    [
        ("\x1f", "\x19"),  # Ctrl+_, Ctrl+/ and Ctrl+7 of most terminals; Ctrl+Y
        ("\x1b[47;5u", "\x1b[121;5u"),  # Ctrl+/, with the keyboard protocol
        ("\x1b[95;5u", "\x19"),  # Ctrl+_, with it
        ("\x1b[45;6u", "\x1b[122;6u"),  # Ctrl+Shift+-, Ctrl+Shift+Z, with it
    ],
)
async def test_what_was_typed_is_undone_and_redone_by_what_terminals_send(
    undo: str, redo: str
):
    def keys(sent: str) -> list[str]:
        return [e.key for e in XTermParser().feed(sent) if isinstance(e, events.Key)]

    async with (app := Host()).run_test() as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        await pilot.press(*"one", *keys(undo))
        undone = composer.text
        await pilot.press(*keys(redo))

        assert (undone, composer.text) == ("", "one")


@pytest.mark.parametrize("line", ["x" * 99 + "\n", "x"])
async def test_a_huge_paste_is_cut_and_that_is_said(line: str):
    async with (app := Host()).run_test() as pilot:
        text = line * (2_000_000 // len(line))
        app.composer.post_message(events.Paste(text[:1_000_000]))
        app.composer.post_message(events.Paste(text[1_000_000:]))
        app.composer.post_message(events.Key("a", "a"))
        await pilot.pause()

        kept = app.composer.text[:-1]
        assert text.startswith(kept)
        assert max(map(len, kept.split("\n"))) <= 50_000
        assert len(kept) == (50_000 if line == "x" else 500_000)
        left_out = [int(told.split()[2].replace(",", "")) for told in app.told]
        assert len(kept) + sum(left_out) == len(text)


async def test_a_large_paste_is_inserted_whole_at_its_place():
    async with (app := Host()).run_test() as pilot:
        app.composer.load_text("ab")
        await pilot.press("left")
        text = "line of text\n" * 5_000
        app.composer.post_message(events.Paste(text))
        await pilot.pause()

        assert app.composer.text == f"a{text}b"
        assert app.told == []
