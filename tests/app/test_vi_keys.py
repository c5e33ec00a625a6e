"""Vi keys in the composer and the conversation."""

import pytest
from support.composer import Host
from support.pilot import opened
from textual import events

from tui.app.widgets.composer import Composer

pytestmark = pytest.mark.usefixtures("home")
VI = "vi_keys = true"
NAMES = {" ": "space", "$": "dollar_sign", "\x1b": "escape", "\n": "enter"}


def shown(composer: Composer) -> tuple[str, tuple[int, int], str]:
    return composer.text, composer.cursor_location, composer.vi.mode


async def keys(pilot, text: str) -> None:
    """Press keys; `\\x1b` is Esc and `\\x12` Ctrl+R."""
    for character in text:
        name = {"\x12": "ctrl+r"}.get(character) or NAMES.get(character, character)
        await pilot.press(name)


async def test_esc_goes_to_normal_mode_and_letters_are_commands() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "one two\x1bbdwiX\x1b")

        assert shown(app.composer) == ("oneX ", (0, 3), "normal")


async def test_without_vi_letters_are_typed() -> None:
    async with (app := Host()).run_test() as pilot:
        await keys(pilot, "dd\x1bdd")

        assert shown(app.composer) == ("dddd", (0, 4), "")
        assert app.keys == ["escape"]


async def test_enter_in_normal_mode_sends_and_the_next_text_is_inserted() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "hello\x1b\nnext")

        assert app.submitted == ["hello"]
        assert shown(app.composer) == ("next", (0, 4), "insert")


async def test_enter_in_visual_mode_does_not_send() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "hello\x1bv\n")

        assert app.submitted == []


async def test_esc_in_normal_mode_goes_to_the_app() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "a\x1b")
        assert app.keys == []
        await keys(pilot, "2d\x1b")
        assert app.keys == []  # it has only ended the command
        await keys(pilot, "v\x1b")
        assert app.keys == []  # and the selection
        await keys(pilot, "\x1b")

        assert app.keys == ["escape"]


async def test_an_insertion_is_undone_as_one_and_redone() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "start\x1bo")
        await pilot.press("o", "n", "e", "ctrl+j", "t", "w", "o", "escape")
        assert app.composer.text == "start\none\ntwo"

        await keys(pilot, "u")
        assert app.composer.text == "start"
        await keys(pilot, "\x12")
        assert app.composer.text == "start\none\ntwo"


async def test_each_command_is_undone_by_itself() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "abc def\x1b0xxdw")
        assert app.composer.text == "def"

        seen = []
        for _ in range(3):
            await keys(pilot, "u")
            seen.append(app.composer.text)
        assert seen == ["c def", "bc def", "abc def"]


async def test_a_repeated_change_is_undone_as_one() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "a b c\x1b0cwx\x1bw.w.")
        assert app.composer.text == "x x x"

        await keys(pilot, "u")
        assert app.composer.text == "x x c"


async def test_k_and_j_at_the_edges_walk_through_sent_messages() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        app.composer.set_history(["first", "second\nline"])
        await keys(pilot, "draft\x1bk")
        assert shown(app.composer) == ("second\nline", (0, 5), "normal")

        await keys(pilot, "k")
        assert app.composer.text == "first"
        await keys(pilot, "j")
        assert app.composer.text == "second\nline"
        await keys(pilot, "j")
        assert app.composer.text == "draft"


async def test_a_paste_in_normal_mode_is_text() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "ab\x1b")
        app.composer.post_message(events.Paste("ddu\nx"))
        await pilot.pause()

        assert shown(app.composer) == ("addu\nxb", (1, 1), "normal")


async def test_text_from_elsewhere_is_inserted() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "ab\x1b")
        app.composer.write("x")
        await keys(pilot, "d")

        assert shown(app.composer) == ("axdb", (0, 3), "insert")


async def test_a_visual_selection_is_shown_and_deleted() -> None:
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        await keys(pilot, "one two\x1b0vw")
        assert app.composer.selected_text == "one "  # and the sign at the cursor
        assert app.composer.vi.mode == "visual"

        await keys(pilot, "d")
        assert shown(app.composer) == ("wo", (0, 0), "normal")


async def test_emoji_and_combining_marks_are_taken_whole() -> None:
    family = "👨‍👩‍👧"
    async with (app := Host()).run_test() as pilot:
        app.composer.vi.on = True
        app.composer.text = f"a{family}e\u0301你b"
        app.composer.move_cursor(app.composer.document.end)
        await keys(pilot, "\x1bhhx")
        assert app.composer.text == f"a{family}你b"
        await keys(pilot, "hx")
        assert app.composer.text == "a你b"


async def test_a_slash_in_normal_mode_begins_a_command() -> None:
    async with opened([], VI) as chat:
        await keys(chat.pilot, "\x1b/new")

        assert shown(chat.screen.composer) == ("/new", (0, 4), "insert")


async def test_the_mode_is_shown_and_kept_for_the_next_run() -> None:
    async with opened([]) as chat:
        await chat.type("/vi on")
        await chat.pilot.press("enter")
        await chat.until("─ insert ─")
        await chat.pilot.press("a", "escape")
        await chat.until("─ normal ─")
        await chat.pilot.press("v")
        await chat.until("─ visual ─")
        await chat.pilot.press("V")
        await chat.until("─ visual line ─")
    async with opened([]) as chat:
        await chat.until("─ insert ─")
        await chat.type("/vi off")
        await chat.pilot.press("enter")
        await chat.until(lambda: "─ insert ─" not in chat.text)
    async with opened([], VI) as chat:
        assert not chat.screen.composer.vi.on  # the last choice counts


async def test_the_configuration_switches_them_on() -> None:
    async with opened([], VI) as chat:
        assert chat.screen.composer.vi.on
        await chat.type("/vi maybe")
        await chat.pilot.press("enter")
        await chat.until("/vi takes on or off")


async def test_the_conversation_has_keys_of_vi() -> None:
    answer = "\n\n".join(f"Line {n}." for n in range(100))
    async with opened([answer], VI, size=(80, 24)) as chat:
        await chat.ask("Count")
        await chat.until("Line 99.")
        await chat.ready()
        await chat.pilot.press("tab", "g")
        await chat.until("▌ Count")
        pane = chat.screen.transcript
        await chat.pilot.press("j", "j", "k")
        assert pane.scroll_offset.y == 1
        await chat.pilot.press("ctrl+d")
        half = pane.scroll_offset.y
        assert 5 < half < 12
        await chat.pilot.press("ctrl+u")
        assert pane.scroll_offset.y == 1
        await chat.pilot.press("G")
        await chat.until("Line 99.")
        assert chat.screen.composer.text == ""

        await chat.pilot.press("i", "h", "i")
        await chat.until(lambda: chat.screen.composer.text == "hi")


async def test_without_vi_letters_in_the_conversation_are_typed() -> None:
    async with opened(["One."]) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("tab", "j", "k", "g", "G", "i")

        await chat.until(lambda: chat.screen.composer.text == "jkgGi")


async def test_half_pages_scroll_the_conversation_from_normal_mode() -> None:
    answer = "\n\n".join(f"Line {n}." for n in range(100))
    async with opened([answer], VI, size=(80, 24)) as chat:
        await chat.ask("Count")
        await chat.until("Line 99.")
        await chat.ready()
        await chat.pilot.press("escape", "ctrl+u", "ctrl+u")

        await chat.until(lambda: not chat.screen.transcript.following)
        await chat.pilot.press("ctrl+d", "ctrl+d")
        await chat.until(lambda: chat.screen.transcript.following)


@pytest.mark.parametrize("text", ["/mo", "see @no"])
async def test_one_esc_leaves_insert_mode_while_a_menu_is_open(text: str) -> None:
    async with opened([], VI) as chat:
        composer = chat.screen.composer
        await keys(chat.pilot, text)
        if text.startswith("/"):
            await chat.until(lambda: composer.menu.is_open)

        await chat.pilot.press("escape")

        assert composer.vi.mode == "normal"
        assert not composer.menu.is_open
        assert composer.text == text


async def test_help_has_the_keys_of_vi_while_they_are_on() -> None:
    async with opened([], VI) as chat:
        await chat.pilot.press("f1")
        await chat.until("Vi keys in normal mode")
        await chat.pilot.press("escape")
        await chat.ask("/vi off")
        await chat.until(lambda: not chat.screen.composer.vi.on)
        await chat.pilot.press("f1")
        await chat.until("here: writing")
        assert "Vi keys in normal mode" not in chat.text
