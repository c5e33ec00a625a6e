"""The chat pane as its reader meets it: text, place, keys and mouse."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from time import monotonic

import pytest
from support.pilot import LIMIT, text_of
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot
from textual.scrollbar import ScrollDown, ScrollTo

from tui.app.chat.presenter import Presenter
from tui.app.transcript import pane as module
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.pane import FRAME, Transcript
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.requests import CopyRequested
from tui.app.widgets.status import Status
from tui.events import Event, MessageAdded, Record, SummaryAdded, TextDelta
from tui.messages import Message, Role

LONG = "\n\n".join(f"paragraph {number}" for number in range(60))


class Host(App[None]):
    """A transcript, into which records come as into that of the chat."""

    CSS = "Transcript { height: 1fr; }"
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []
        self.transcript = Transcript()
        self.presenter = Presenter(self.transcript, DebugPanel(), Status())

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_copy_requested(self, message: CopyRequested) -> None:
        self.copied.append(message.text)

    def show(self, *events: Event) -> None:
        self.presenter.show([Record(1, "c", None, 0.0, event) for event in events])


def said(
    message_id: str, role: Role, text: str, reasoning: str = "", ended: str = "stop"
) -> MessageAdded:
    message = Message(role, text, reasoning)
    return MessageAdded(message_id, message, finish_reason=ended)


def piece(message_id: str, text: str) -> TextDelta:
    return TextDelta(message_id, text)


async def until(pilot: Pilot[None], reached: Callable[[], bool]) -> None:
    limit = monotonic() + LIMIT
    while not reached():
        assert monotonic() < limit, "not reached in time"
        await pilot.pause(FRAME / 5)


def rows(transcript: Transcript) -> list[str]:
    """What is on the screen, without the scroll bar's column."""
    height = transcript.size.height
    return [transcript.render_line(y).text[:-1].rstrip() for y in range(height)]


def thumb(pilot: Pilot[None]) -> bool:
    """Whether anything is seen of the scroll bar."""
    bar = pilot.app.query_one(Transcript).vertical_scrollbar
    lines = bar.render_lines(Region(0, 0, 1, bar.size.height))
    styles = [segment.style for line in lines for segment in line if segment.style]
    return any(style.reverse or style.bgcolor != styles[0].bgcolor for style in styles)


async def settled(pilot: Pilot[None]) -> None:
    transcript = pilot.app.query_one(Transcript)
    await until(pilot, lambda: not transcript._frame_due)
    await pilot.pause()


async def test_a_frame_that_is_due_in_next_to_no_time_is_drawn_too(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    async with (app := Host()).run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", "It "))
        for number in range(20):
            transcript._drawn = 100.0 - FRAME + 1e-9
            app.show(piece("a", f"{number} "))
            await settled(pilot)

        assert "19" in "".join(rows(transcript))


async def test_messages_and_notes_are_shown_in_order():
    async with (app := Host()).run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        again = Message("user", "go on")
        app.show(
            said("u", "user", "what *is* it?"),
            MessageAdded("c", again, purpose="continue"),
            said("a", "assistant", "It is **bold**."),
        )
        transcript.add_note("the tool failed\nbadly", "error")
        await settled(pilot)

        assert rows(transcript)[:9] == [
            "▌ what *is* it?",
            "",
            "▌ continue",
            "▌ go on",
            "",
            "  It is bold.",
            "",
            "  × the tool failed badly",
            "",
        ]


async def test_text_that_streams_in_is_drawn_and_settled_without_a_change():
    async with (app := Host()).run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        for text in ["It ", "is **bo", "ld**", ".\n"]:
            app.show(piece("a", text))
        await until(pilot, lambda: "  It is bold." in rows(transcript))
        before = rows(transcript)

        app.show(said("a", "assistant", "It is **bold**.\n"))
        await settled(pilot)

        assert rows(transcript) == before


async def test_a_settled_message_replaces_what_was_streamed():
    async with (app := Host()).run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", "half an ans"))
        await settled(pilot)

        app.show(said("a", "assistant", "the whole answer", ended="cancelled"))

        await settled(pilot)
        assert rows(transcript)[:3] == [
            "  the whole answer",
            "  ■ Cancelled",
            "",
        ]
        app.show(said("b", "assistant", "never streamed"))
        assert "never streamed" in text_of(transcript)


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
async def test_nothing_shown_can_drive_the_terminal(role: str):
    evil = "a\x1b[2Jb \x9b2J \u202ec"
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        text = f"{evil}\n\n```{evil}\n{evil}\n```"
        transcript.append(MessageView("m", role, text, evil, label=evil))
        transcript.add_note(evil)
        transcript.cursor = 0
        transcript.action_fold()
        await settled(pilot)

        shown = text_of(transcript) + "".join(rows(transcript))

    assert "␛[2J" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


async def test_it_follows_the_bottom_until_the_reader_scrolls_up():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", LONG))
        await settled(pilot)
        assert rows(transcript)[-1] == "  paragraph 59"

        transcript.focus()
        await pilot.press("pageup")
        place = rows(transcript)
        app.show(piece("a", "\n\nnewest text" * 30))
        await until(pilot, lambda: "more below" in rows(transcript)[-1])

        assert rows(transcript)[:-1] == place[:-1]
        await pilot.press("end")
        assert rows(transcript)[-1] == "▌ newest text"
        app.show(piece("a", "\n\nthe last"))
        await until(pilot, lambda: "▌ the last" in rows(transcript))


async def test_text_that_runs_over_the_bottom_leaps_and_then_stands_still():
    async with (app := Host()).run_test(size=(40, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", "line 0"))
        await settled(pilot)
        places: list[int] = []

        for number in range(1, 60):
            app.show(piece("a", f"  \nline {number}"))
            await settled(pilot)
            shown = rows(transcript)
            assert f"  line {number}" in shown
            places.append(shown.index(f"  line {number}"))

        leaps = [a - b for a, b in pairwise(places) if b < a]
        # Two thirds of the screen when it comes too fast to be read.
        assert leaps
        assert set(leaps) <= {5, 15}


async def rush(app: Host, pilot: Pilot[None]) -> list[str]:
    """Write lines until the text has just leapt far; return them."""
    transcript = app.transcript
    app.show(piece("a", "line 0"))
    await settled(pilot)
    lines = ["line 0"]
    while len(lines) < 61 or rows(transcript)[-6]:
        lines.append(f"line {len(lines)}")
        app.show(piece("a", f"  \n{lines[-1]}"))
        await settled(pilot)
        assert len(lines) < 500
    return lines


async def test_text_that_came_too_fast_stays_where_it_is_when_it_has_ended():
    async with (app := Host()).run_test(size=(40, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        lines = await rush(app, pilot)
        shown = rows(transcript)

        app.show(said("a", "assistant", "  \n".join(lines)))
        await settled(pilot)
        assert rows(transcript) == shown
        app.show(said("b", "user", "What comes next"))
        await settled(pilot)

        room = shown.index("")
        assert rows(transcript)[:room] == shown[:room]
        assert any("What comes next" in row for row in rows(transcript)[room:])


async def test_an_answer_that_has_ended_fills_the_pane():
    async with (app := Host()).run_test(size=(40, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        lines = await rush(app, pilot)
        app.show(said("a", "assistant", "  \n".join(lines)))
        await settled(pilot)

        transcript.rest()
        await settled(pilot)
        assert rows(transcript)[-1] == f"  {lines[-1]}"

        app.show(piece("b", "another answer"))
        await settled(pilot)
        assert "" in rows(transcript)[-8:], "text to come has no room"


async def test_the_end_of_an_answer_does_not_move_who_reads_above():
    async with (app := Host()).run_test(size=(40, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        await rush(app, pilot)
        transcript.focus()
        await pilot.press("pageup")
        shown = rows(transcript)

        transcript.rest()
        await settled(pilot)

        assert rows(transcript) == shown


async def test_who_comes_back_to_the_bottom_sees_it_filled():
    async with (app := Host()).run_test(size=(40, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        lines = await rush(app, pilot)
        app.show(said("a", "assistant", "  \n".join(lines)))
        transcript.focus()

        await pilot.press("pageup", "end")
        await settled(pilot)

        assert rows(transcript)[-1] == f"▌ {lines[-1]}"


async def test_an_end_that_comes_with_the_whole_is_laid_out_like_the_rest():
    table = "| a | b |\n|---|---|\n" + "".join(f"| {n} | x |\n" for n in range(40))
    async with (app := Host()).run_test(size=(40, 60)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", table))
        await settled(pilot)
        view = app.presenter.timeline.by_id["a"]
        laid_out = view._body

        whole = f"{table}| 40 | x |\n\nThe end."
        app.show(said("a", "assistant", whole))
        await settled(pilot)

        assert view._body is laid_out
        shown = [row for row in rows(transcript) if row]
        assert shown[-1] == "  The end."
        transcript.show_items([MessageView("b", "assistant", whole)])
        await settled(pilot)
        assert [row for row in rows(transcript) if row] == shown


async def test_the_scroll_bar_shows_only_where_one_reads_above():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(said("a", "assistant", LONG))
        transcript.focus()
        await settled(pilot)
        assert not thumb(pilot)

        await pilot.press("pageup")
        assert thumb(pilot)

        await pilot.press("end")
        assert not thumb(pilot)


async def test_scrolling_down_to_the_bottom_follows_again():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", LONG))
        transcript.focus()
        await settled(pilot)

        await pilot.press("home")
        assert rows(transcript)[0] == "▌ paragraph 0"
        assert not transcript.following
        for _ in range(20):
            await pilot.press("pagedown")

        assert transcript.following
        assert rows(transcript)[-1] == "▌ paragraph 59"


async def test_the_wheel_and_the_scroll_bar_move_at_once():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(said("a", "assistant", LONG))
        await settled(pilot)
        end = transcript.scroll_offset.y

        await pilot._post_mouse_events([MouseScrollUp], Transcript, button=0)
        assert transcript.scroll_offset.y == end - 3
        assert transcript.vertical_scrollbar.position == end - 3

        transcript.post_message(ScrollTo(y=10, animate=True))
        await pilot.pause()
        assert rows(transcript)[0] == "  paragraph 5"
        transcript.post_message(ScrollDown())
        await pilot.pause()
        assert rows(transcript)[0] == "  paragraph 9"


async def test_a_click_on_the_hint_goes_to_the_newest_text():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(piece("a", LONG))
        transcript.focus()
        await settled(pilot)
        await pilot.press("home")
        app.show(piece("a", "\n\nnew"))
        await until(pilot, lambda: "more below" in rows(transcript)[-1])

        await pilot.click(Transcript, offset=(30, 9))

        assert rows(transcript)[-1] == "▌ new"


async def test_the_readers_place_stays_when_estimates_turn_out_wrong():
    async with (app := Host()).run_test(size=(40, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        texts = [f"message {number}\n\n- x\n" * 3 for number in range(200)]
        app.show(*(said(f"m{n}", "assistant", text) for n, text in enumerate(texts)))
        transcript.focus()
        await settled(pilot)

        seen: list[str] = []
        for _ in range(40):
            above = rows(transcript)
            await pilot.press("pageup")
            now = rows(transcript)
            # two rows of the page before stay in view
            assert now[-2:] == above[:2]
            seen += now

        assert any("message 160" in row for row in seen)


async def test_opening_many_messages_lays_out_only_the_last_page():
    async with (app := Host()).run_test(size=(80, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        texts = [f"# {number}\n\n{LONG}" for number in range(1000)]
        app.show(*(said(f"m{n}", "assistant", text) for n, text in enumerate(texts)))
        await settled(pilot)

        laid_out = sum(item.exact for item in transcript._items)

    assert 1 <= laid_out <= 3


async def test_the_readers_place_stays_when_the_width_changes():
    async with (app := Host()).run_test(size=(80, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        texts = [f"number {number} " + "word " * 40 for number in range(50)]
        app.show(*(said(f"m{n}", "user", text) for n, text in enumerate(texts)))
        transcript.focus()
        await settled(pilot)
        for _ in range(5):
            await pilot.press("pageup")
        first = next(row for row in rows(transcript) if "number" in row).split()[2]

        await pilot.resize_terminal(44, 12)
        await until(pilot, lambda: transcript.size.width == 44)
        await settled(pilot)

        assert any(row.startswith(f"▌ number {first} ") for row in rows(transcript))


async def test_thoughts_are_folded_and_unfold_by_key_and_by_mouse():
    async with (app := Host()).run_test(size=(40, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        app.show(said("a", "assistant", "answer", "think one\nthink two"))
        transcript.focus()
        await settled(pilot)
        folded = rows(transcript)[:3]

        await pilot.press("enter")
        unfolded = rows(transcript)[:5]
        await pilot.click(Transcript, offset=(5, 0))

        assert folded == ["▌ ► Reasoning: 4 words", "▌", "▌ answer"]
        assert unfolded == [
            "▌ ▼ Reasoning: 4 words",
            "▌ │ think one",
            "▌ │ think two",
            "▌",
            "▌ answer",
        ]
        assert rows(transcript)[:3] == folded


async def test_the_cursor_walks_over_messages_and_copies_their_source():
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        source = "**b**\n\n```\ncode 1\n```\n\n    code 2\n"
        app.show(said("u", "user", "a question"))
        app.transcript.add_note("in between")
        app.show(said("a", "assistant", source))
        app.transcript.focus()
        await settled(pilot)

        at: list[str | None] = []
        for key in ("y", "Y", "up", "y", "up", "down", "down"):
            await pilot.press(key)
            at.append(app.transcript.message_at_cursor())
        await pilot.pause()

        assert app.copied == [source, "code 2\n", "a question"]
        assert at == [None, None, "u", "u", "u", "a", None]


async def test_a_selection_is_copied_without_wraps_and_decoration():
    app = Host()
    async with app.run_test(size=(30, 20)) as pilot:
        text = (
            "one two three four five six seven eight\n\n"
            "- item with some more words to wrap\n\n"
            "> quoted words that are wrapped as well\n\n"
            "```\nlong_code(argument_one, argument_two)\n```\n\n中文段落"
        )
        app.show(said("a", "assistant", text))
        await settled(pilot)

        app.screen.selections = {}
        app.transcript.text_select_all()

        assert app.screen.get_selected_text() == (
            "one two three four five six seven eight\n\n"
            "• item with some more words to wrap\n\n"
            "quoted words that are wrapped as well\n\n"
            "long_code(argument_one, argument_two)\n\n中文段落"
        )


async def test_the_mouse_selects_text():
    app = Host()
    async with app.run_test(size=(30, 10)) as pilot:
        app.show(said("a", "assistant", "first line\n\nsecond 中文 line"))
        await settled(pilot)

        await pilot.mouse_down(Transcript, offset=(8, 0))
        await pilot.hover(Transcript, offset=(11, 2))
        await pilot.mouse_up(Transcript, offset=(11, 2))

        assert app.screen.get_selected_text() == "line\n\nsecond 中文"


async def test_a_double_click_selects_a_word():
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.show(said("a", "assistant", "see /usr/lib/x.py, please"))
        await settled(pilot)

        await pilot.click(Transcript, offset=(10, 0), times=2)

        assert app.screen.get_selected_text() == "/usr/lib/x.py"


async def test_colours_follow_the_theme():
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.show(said("a", "assistant", "plain `code`"))
        await settled(pilot)

        def colours() -> list[tuple[object, object]]:
            strip = app.transcript.render_line(0)
            return [(s.style.color, s.style.bgcolor) for s in strip if s.style]

        dark = colours()
        app.theme = "textual-light"
        await until(pilot, lambda: colours() != dark)

        assert all(a != b for a, b in zip(dark, colours(), strict=True))


async def test_idle_draws_nothing():
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.show(piece("a", LONG))
        app.transcript.focus()
        await settled(pilot)
        drawn: list[int] = []
        render_line = app.transcript.render_line
        app.transcript.render_line = lambda y: drawn.append(y) or render_line(y)

        await pilot.pause(FRAME * 4)

        assert drawn == []
        assert not app.transcript._timers


async def test_pieces_are_drawn_at_most_20_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
):
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        frames: list[float] = []
        frame = app.transcript._frame
        app.transcript._frame = lambda: frames.append(monotonic()) or frame()
        waits: list[float] = []
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def later(wait: float, call: Callable[..., object], *more: object):
            if call is app.transcript._frame:
                waits.append(wait)
            return call_later(wait, call, *more)

        monkeypatch.setattr(loop, "call_later", later)

        app.transcript._drawn = monotonic() - FRAME  # the last frame is long ago
        while len(frames) < 5:
            app.show(piece("a", "word "))
            await asyncio.sleep(FRAME / 20)
        app.show(piece("a", "end"))
        await until(pilot, lambda: "end" in text_of(app.transcript))
        await settled(pilot)

        assert waits[0] == 0
        gaps = [b - a for a, b in pairwise(frames)]
        assert min(gaps) >= FRAME * 0.9


async def test_nothing_is_left_of_what_another_path_has_no_part_in():
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.show(said("a", "assistant", LONG))
        await settled(pilot)

        app.transcript.show_items([MessageView("b", "user", "anew")])
        await settled(pilot)

        assert rows(app.transcript) == ["▌ anew"] + [""] * 9


async def test_a_rule_stands_above_one_message_at_a_time():
    async with (app := Host()).run_test(size=(40, 20)) as pilot:
        app.show(*(said(f"m{n}", "user", f"message {n}") for n in range(3)))

        app.transcript.mark("m1", "from here on")
        await settled(pilot)
        first = rows(app.transcript)
        app.transcript.mark("m2", "now from here on")
        app.transcript.mark("m2", "really from here on")
        await settled(pilot)
        second = rows(app.transcript)
        app.transcript.mark("", "")
        await settled(pilot)

        assert first[:7] == [
            "▌ message 0", "", "  ── from here on ─────────────────────",
            "", "▌ message 1", "", "▌ message 2",
        ]  # fmt: skip
        assert second[:7] == [
            "▌ message 0", "", "▌ message 1", "",
            "  ── really from here on ──────────────", "", "▌ message 2",
        ]  # fmt: skip
        assert rows(app.transcript)[:5] == [
            "▌ message 0", "", "▌ message 1", "", "▌ message 2"
        ]  # fmt: skip


async def test_a_rule_is_wrapped_and_not_copied():
    async with (app := Host()).run_test(size=(24, 20)) as pilot:
        app.show(said("m0", "user", "hello"))
        app.transcript.mark("m0", "above here is no longer sent")
        await settled(pilot)

        assert rows(app.transcript)[:4] == [
            "  ── above here is no ─", "     longer sent", "", "▌ hello"
        ]  # fmt: skip
        app.transcript.focus()
        await pilot.press("up", "y")
        assert app.copied == ["hello"]


async def test_a_rule_far_above_does_not_move_the_reader():
    async with (app := Host()).run_test(size=(40, 10)) as pilot:
        app.show(*(said(f"m{n}", "user", f"message {n}") for n in range(300)))
        await settled(pilot)
        before = rows(app.transcript)

        app.transcript.mark("m100", "from here on")
        await settled(pilot)

        assert rows(app.transcript) == before
        assert "message 99\n\n  ── from here on ─" in text_of(app.transcript)


async def test_a_summary_is_one_line_that_unfolds_and_is_copied():
    async with (app := Host()).run_test(size=(60, 20)) as pilot:
        app.show(
            *(said(f"m{n}", "user", f"message {n}") for n in range(4)),
            SummaryAdded("m0", "m3", "They like tea."),
        )
        app.transcript.focus()
        await settled(pilot)

        title = "Summary of 4 messages, sent in their place: 3 words"
        assert rows(app.transcript)[8:10] == [f"  ► {title}", ""]
        await pilot.press("up", "enter", "y")
        await settled(pilot)
        assert [row.strip("▌ ") for row in rows(app.transcript)[8:10]] == [
            f"▼ {title}",
            "│ They like tea.",
        ]
        assert app.copied == ["They like tea."]


# -- other versions


def views(*texts: str) -> list[MessageView]:
    return [MessageView(text, "assistant", text) for text in texts]


async def test_what_is_above_another_version_stays_and_passing_notes_below_go():
    async with Host().run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        a, b, c, d = views("a", "b", "c", "d")
        transcript.add_note("at first")
        transcript.show_items([a, b])
        transcript.add_note("in passing")
        transcript.append(c)
        await settled(pilot)

        transcript.show_items([a, b, d])
        await settled(pilot)
        assert [row for row in rows(transcript) if row] == [
            "  · at first",
            "  a",
            "  b",
            "  · in passing",
            "  d",
        ]

        transcript.show_items([a, c, d])
        await settled(pilot)
        assert [row for row in rows(transcript) if row] == [
            "  · at first",
            "  a",
            "  c",
            "  d",
        ]


async def test_reader_keeps_the_place_above_another_version_and_within_it():
    async with Host().run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        first = MessageView("first", "assistant", LONG)
        one = MessageView("one", "assistant", LONG.replace("paragraph", "line"))
        two = MessageView("two", "assistant", LONG.replace("paragraph", "row"))
        transcript.show_items([first, one])
        await settled(pilot)
        transcript.scroll_to(y=30)
        before = rows(transcript)

        transcript.show_items([first, two])
        await settled(pilot)
        assert rows(transcript)[:-1] == before[:-1]

        transcript.scroll_to(y=130)
        before = rows(transcript)
        transcript.show_items([first, one], stay=True)
        await settled(pilot)
        assert "row" in "".join(before)
        assert rows(transcript)[:-1] == [
            row.replace("row", "line") for row in before[:-1]
        ]
        assert not transcript.following


async def test_version_that_grew_unseen_is_laid_out_when_it_is_shown():
    async with Host().run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        a, b = views("a", "b")
        b.done = False
        transcript.show_items([b])
        await settled(pilot)
        transcript.show_items([a])
        b.append_text("\n\nmore")
        transcript.changed(b)
        await settled(pilot)
        assert "more" not in "".join(rows(transcript))

        transcript.show_items([b])
        assert rows(transcript)[:3] == ["  b", "", "  more"]

        transcript.show_items([a])
        await pilot.resize_terminal(8, 20)
        b.append_text(" and still more")
        transcript.show_items([b])
        await settled(pilot)
        assert rows(transcript)[2:6] == ["  more", "  and", "  still", "  more"]


async def test_cursor_is_never_left_on_what_is_gone():
    async with Host().run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        a, b, c = views("a", "b", "c")
        transcript.show_items([a, b])
        transcript.focus()
        await pilot.press("up", "down")
        assert transcript.message_at_cursor() == "b"

        transcript.show_items([a, c], stay=True)
        assert transcript.message_at_cursor() == "c"
        transcript.show_items([a])
        assert transcript.message_at_cursor() == "a"
        transcript.show_items([])
        assert transcript.message_at_cursor() is None


async def test_versions_are_counted_in_the_first_row_and_found_by_a_click():
    async with Host().run_test(size=(40, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        view = MessageView("a", "assistant", "text", "hm")
        transcript.append(view)
        await settled(pilot)
        assert view.version_step(0, 2) == 0
        assert view.fold_line == 0

        view.versions = 2, 3
        transcript.changed(view)
        await settled(pilot)

        assert rows(transcript)[0] == "  ‹ 2/3 ›  ► Reasoning: 1 word"
        steps = [view.version_step(0, column) for column in range(11)]
        assert steps == [0, 0, -1, -1, -1, -1, 1, 1, 1, 0, 0]
        assert view.version_step(1, 2) == 0
