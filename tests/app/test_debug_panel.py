"""The debug panel in a small app: calls and their states, JSON, following."""

import json
import time

from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp
from textual.widgets import Input

from tui.app.widgets.debug_entries import Body
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.palette import Palette
from tui.app.widgets.requests import CopyRequested
from tui.messages import ToolCall


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []
        self.wanted: list[DebugPanel.BodiesWanted] = []

    def compose(self) -> ComposeResult:
        yield DebugPanel()
        yield Input()

    def on_mount(self) -> None:
        self.panel.focus()

    def on_copy_requested(self, message: CopyRequested) -> None:
        self.copied.append(message.text)

    def on_debug_panel_bodies_wanted(self, message: DebugPanel.BodiesWanted) -> None:
        self.wanted.append(message)

    @property
    def panel(self) -> DebugPanel:
        return self.query_one(DebugPanel)

    @property
    def lines(self) -> list[str]:
        height = self.panel.content_size.height
        lines = [self.panel.render_line(y).text.rstrip() for y in range(height)]
        return [line[1:] for line in lines if line]


def call(call_id: str = "c1", name: str = "add", **arguments: object) -> ToolCall:
    return ToolCall(call_id, name, arguments)


async def test_a_call_from_start_to_end():
    async with (app := Host()).run_test(size=(60, 24)) as pilot:
        app.panel.call_started(call(a=1, b="two"))
        await pilot.pause()
        running = app.lines
        app.panel.call_progressed("c1", "half way")
        await pilot.pause()
        progressed = app.lines
        app.panel.call_output("c1", "3\nand more")
        app.panel.call_finished("c1", 1.25)
        await pilot.pause()

        assert [line.split() for line in running] == [
            ["»", "add(a=1,", 'b="two")', "running"]
        ]
        assert progressed[1].strip() == "half way"
        assert app.lines[0].split()[-2:] == ["1.2", "s"]
        assert app.lines[0].startswith("√ add(")
        assert app.lines[1].strip() == "3 and more"


async def test_a_failed_call_shows_its_error_in_the_error_colour():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call())
        app.panel.call_finished("c1", 0.01, "division by zero")
        app.panel.call_output("c1", "Error: division by zero")
        await pilot.pause()

        assert app.lines[0].startswith("× add()")
        assert app.lines[0].endswith("failed 10 ms")
        assert app.lines[1].strip() == "division by zero"
        error = Palette(app.panel, DebugPanel.LOOKS).style(("error",)).color
        colours = [s.style.color for s in app.panel.render_line(1) if s.style]
        assert error in colours
        assert "1 failed" in str(app.panel.border_title)


async def test_enter_shows_arguments_and_result_laid_out_and_hides_them():
    async with (app := Host()).run_test(size=(60, 40)) as pilot:
        app.panel.styles.height = 30
        app.panel.call_started(call(place="巴黎", notes="one\ntwo", n=[1, {"a": None}]))
        app.panel.call_finished("c1", 0.5)
        app.panel.call_output("c1", '{"sky": ["blue"], "wet": false}')
        await pilot.pause()
        folded = app.lines
        await pilot.press("enter")

        assert app.lines[1:] == [
            "  arguments",
            "    place: 巴黎",
            "    notes:",
            "      one",
            "      two",
            "    n:",
            "      - 1",
            "      -",
            "        a: null",
            "  result",
            "    sky:",
            "      - blue",
            "    wet: false",
        ]

        await pilot.press("r")
        assert app.lines == folded


async def test_y_posts_the_json_of_the_selected_call():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call("c1", "first"))
        app.panel.call_started(call("c2", "second", raw="\x1b[2J"))
        app.panel.call_output("c2", "plain text")
        await pilot.press("y", "up", "c")

        second, first = map(json.loads, app.copied)
        assert second["call"]["arguments"] == {"raw": "\x1b[2J"}
        assert second["output"] == "plain text"
        assert first["call"]["name"] == "first"


async def test_arguments_that_are_no_object_are_shown_as_written():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(ToolCall("c1", "", "{broken"))
        await pilot.pause()

        assert app.lines[0].startswith("» unreadable call({broken)")


async def test_a_note_is_one_line_unfolds_to_its_lines_and_is_copied():
    async with (app := Host()).run_test() as pilot:
        app.panel.note("A call could not be read:\n<tool_call>{")
        await pilot.pause()
        folded = app.lines
        await pilot.press("enter", "y")

        assert folded == ["! A call could not be read: <tool_call>{"]
        assert app.lines[1:] == ["  A call could not be read:", "  <tool_call>{"]
        assert app.copied == ["A call could not be read:\n<tool_call>{"]


async def test_the_same_id_in_a_later_turn_is_another_call():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call("1", "first"))
        app.panel.call_finished("1", 1)
        app.panel.call_started(call("1", "second"))
        app.panel.call_finished("1", 1, "broke")
        await pilot.pause()

        assert [line[:8] for line in app.lines] == ["√ first(", "× second", "    brok"]


async def test_a_call_without_end_does_not_run_for_ever():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call("1", "done"))
        app.panel.call_finished("1", 1)
        app.panel.call_started(call("2", "left"))
        app.panel.turn_finished("cancelled")
        await pilot.pause()
        assert app.lines[0].startswith("√ done()")
        assert app.lines[1].startswith("× left()")
        assert app.lines[2].strip() == "no result before the turn ended (cancelled)"
        assert "1 failed" in str(app.panel.border_title)

        app.panel.call_finished("2", 3)
        await pilot.pause()
        assert app.lines[1].startswith("√ left()")
        assert "· 1 failed" not in str(app.panel.border_title)


async def test_an_unfolded_call_grows():
    async with (app := Host()).run_test(size=(60, 40)) as pilot:
        app.panel.styles.height = 30
        app.panel.call_started(call())
        await pilot.press("enter")
        app.panel.call_progressed("c1", "half way")
        app.panel.call_progressed("c1", "almost")
        app.panel.call_printed("c1", "warning: slow\n")
        await pilot.pause()
        assert app.lines[1:] == [
            *("  progress", "    half way", "    almost"),
            *("  printed", "    warning: slow"),
        ]

        app.panel.call_finished("c1", 2)
        app.panel.call_output("c1", "late")
        await pilot.pause()
        assert app.lines[-2:] == ["  result", "    late"]


async def test_output_of_a_call_that_never_began_is_not_lost():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_output("x", "Error: no tool named x")
        await pilot.pause()

        assert app.lines[1].strip() == "Error: no tool named x"


async def test_text_of_tools_cannot_drive_the_terminal():
    async with (app := Host()).run_test(size=(60, 40)) as pilot:
        app.panel.styles.height = 30
        app.panel.call_started(call("c1", "a\x1b[2J", **{"\x1b]": "\x9b\x1b[0m"}))
        app.panel.call_progressed("c1", "\x1b[3J")
        app.panel.note("\x1b[4J")
        await pilot.pause()
        text = "".join(app.lines)
        app.panel.call_output("c1", "\x1b[5J")
        await pilot.press("up", "enter")
        text += "".join(app.lines)

        assert "␛[2J" in text
        assert "␛[4J" in text
        assert not {"\x1b", "\x9b"} & set(text)


async def test_follows_the_newest_until_the_reader_moves_and_again_at_the_end():
    async with (app := Host()).run_test() as pilot:
        for n in range(30):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        await pilot.pause()
        assert "tool_29" in app.lines[-1]

        await pilot.press("up")
        for n in range(30, 40):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        await pilot.pause()
        assert "tool_29" in app.lines[-1]

        await pilot.press("end")
        app.panel.call_started(call("c40", "tool_40"))
        app.panel.call_progressed("c40", "working")
        await pilot.pause()
        assert "working" in app.lines[-1]
        await pilot.press("y")
        assert json.loads(app.copied[-1])["call"]["name"] == "tool_40"


async def test_wheel_stops_following_and_resumes_it_at_the_bottom():
    async with (app := Host()).run_test() as pilot:
        for n in range(30):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        await pilot.pause()
        wheel = (app.panel, 1, 1, 0, 0, 0, False, False, False)
        app.panel.post_message(MouseScrollUp(*wheel))
        await pilot.pause()
        app.panel.call_started(call("c30", "tool_30"))
        await pilot.pause()
        assert "tool_30" not in "".join(app.lines)

        for _ in range(5):
            app.panel.post_message(MouseScrollDown(*wheel))
        await pilot.pause()
        app.panel.call_started(call("c31", "tool_31"))
        await pilot.pause()
        assert "tool_31" in app.lines[-1]


async def test_calls_made_while_hidden_are_there_when_it_is_shown():
    async with (app := Host()).run_test() as pilot:
        app.panel.display = False
        await pilot.pause()
        for n in range(30):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        await pilot.pause()
        app.panel.display = True
        await pilot.pause()

        assert "tool_29" in app.lines[-1]


async def test_clear_forgets_everything():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call())
        await pilot.pause()
        app.panel.clear()
        await pilot.pause()
        await pilot.press("y", "enter", "up", "down", "pageup", "pagedown", "end")

        assert app.lines == []
        assert app.copied == []
        assert "no calls yet" in str(app.panel.border_title)


async def test_ten_thousand_calls_are_quick():
    async with (app := Host()).run_test() as pilot:
        start = time.process_time()
        for n in range(10_000):
            app.panel.call_started(call(f"c{n}", "tool", text="x" * 1_000))
            app.panel.call_finished(f"c{n}", 0.1)
            app.panel.call_output(f"c{n}", "y" * 10_000)
        await pilot.pause()
        await pilot.press("home", "end", "up")
        seconds = time.process_time() - start

        assert app.panel.virtual_size.height == 20_000
        # 0.4 s where it was written; a widget a call would take minutes.
        assert seconds < 5


async def test_click_selects_and_unfolds():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call("c1", "first", a=1))
        app.panel.call_started(call("c2", "second"))
        await pilot.pause()
        await pilot.click(DebugPanel, offset=(5, 1))
        await pilot.press("y")

        assert json.loads(app.copied[0])["call"]["name"] == "first"
        assert app.panel.entries[0].unfolded


async def test_a_round_tells_its_tokens_its_seconds_and_its_model():
    async with (app := Host()).run_test(size=(80, 24)) as pilot:
        round = app.panel.round_started("t", 1, "qwen3-8b")
        await pilot.pause()
        asking = app.lines[0]
        round.tokens, round.cached, round.speed = (1412, 63), 400, 70.0
        round.seconds = 0.9
        app.panel.round_changed(round, tokens=round.tokens)
        await pilot.pause()

        assert asking.startswith("── round 1 · asking ──")
        assert app.lines[0].startswith(
            "── round 1 · 1,412→63 tok (400 cached) · 0.9 s · 70 tok/s ──"
        )
        assert app.lines[0].endswith("── qwen3-8b")
        assert "no calls yet · 1,412→63 tok" in str(app.panel.border_title) or (
            app.panel.has_focus
        )


async def test_a_narrow_round_leaves_figures_out_and_cuts_none():
    async with (app := Host()).run_test(size=(50, 24)) as pilot:
        round = app.panel.round_started("t", 1, "qwen3-8b")
        round.tokens, round.speed, round.seconds = (1412, 63), 70.0, 0.9
        app.panel.round_changed(round, tokens=round.tokens)
        await pilot.pause()

        assert "…" not in app.lines[0]
        assert app.lines[0].startswith("── round 1 · 1,412→63 tok · 0.9 s ─")
        assert app.lines[0].endswith(" qwen3-8b")


async def test_failed_only_shows_failures_as_they_come_and_everything_again():
    async with (app := Host()).run_test() as pilot:
        for n in range(6):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        app.panel.call_finished("c1", 1, "broke")
        app.panel.note("the server is down", failed=True)
        await pilot.press("f")
        first = app.lines
        app.panel.call_finished("c4", 1, "broke too")
        app.panel.call_finished("c5", 1)
        await pilot.pause()
        later = app.lines
        app.panel.call_finished("c1", 1)  # after all
        await pilot.pause()
        mended = app.lines
        await pilot.press("f")

        def names(lines: list[str]) -> list[str]:
            return [line.split("(")[0] for line in lines if line[:1].strip()]

        assert names(first) == ["× tool_1", "× the server is down"]
        assert names(later) == ["× tool_1", "× tool_4", "× the server is down"]
        assert names(mended) == ["× tool_4", "× the server is down"]
        assert len(app.panel.entries) == 7


async def test_bodies_are_asked_for_once_shown_and_copied():
    async with (app := Host()).run_test(size=(60, 40)) as pilot:
        app.panel.styles.height = 30
        round = app.panel.round_started("t", 1, "m")
        app.panel.call_started(call())
        await pilot.press("b")
        await pilot.pause()
        asked = [it.round for it in app.wanted]
        body = Body(0, "http://x/v1", "200", '{\n  "a": 1\n}', "data: \x1b[2J")
        app.panel.show_bodies(round, [body])
        await pilot.press("c")

        assert asked == [round]
        assert app.lines[1:] == [
            *("  request http://x/v1", "    {", '      "a": 1', "    }"),
            *("  response 200", "    data: ␛[2J", "» add()" + app.lines[-1][7:]),
        ]
        assert '"a": 1' in app.copied[0]
        await pilot.press("b")
        assert len(app.lines) == 2


async def test_a_call_shows_who_decided():
    async with (app := Host()).run_test(size=(80, 24)) as pilot:
        app.panel.approval_requested(call("c1", "remove"))
        await pilot.pause()
        asked = app.lines
        app.panel.call_decided(call("c1", "remove"), "allowed by you")
        app.panel.call_started(call("c1", "remove"))
        app.panel.call_finished("c1", 0.002)
        app.panel.call_decided(call("c2", "write"), "denied: not there", denied=True)
        app.panel.call_finished("c2", 0.0, "denied")
        await pilot.pause()

        assert asked[0].startswith("? remove()")
        assert asked[0].endswith("waits for you")
        assert app.lines[0].startswith("√ remove()")
        assert app.lines[0].endswith("allowed by you · 2 ms")
        assert "denied: not there" in app.lines[1]
        assert app.lines[1].startswith("Ø write()")
        assert "2 calls ·" in str(app.panel.border_title)


async def test_what_stands_at_the_top_stays_there_when_a_call_above_grows():
    async with (app := Host()).run_test() as pilot:
        for n in range(40):
            app.panel.call_started(call(f"c{n}", f"tool_{n}"))
        await pilot.press(*("up",) * 20)
        top = app.lines[0]
        for n in range(10):
            app.panel.call_output(f"c{n}", "done")
        await pilot.pause()

        assert app.lines[0] == top


async def test_a_huge_result_is_drawn_at_once_and_only_its_beginning():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call(text="z" * 2_000_000))
        app.panel.call_output("c1", "\n".join(map(str, range(100_000))))
        start = time.process_time()
        await pilot.press("enter")
        await pilot.pause()

        assert app.panel.virtual_size.height == 2_002
        assert time.process_time() - start < 5


async def test_a_denied_call_has_not_failed():
    async with (app := Host()).run_test() as pilot:
        app.panel.call_started(call())
        app.panel.call_decided(call(), "denied by you", denied=True)
        app.panel.call_finished("c1", 0.01, "the user denied this call.")
        await pilot.pause()

        assert app.lines[0].startswith("Ø add()")
        assert "denied 10 ms" in app.lines[0]
        assert "failed" not in str(app.panel.border_title)


async def test_title_says_once_how_many_calls_there_are_and_what_closes_it():
    async with (app := Host()).run_test(size=(80, 24)) as pilot:
        app.panel.key = "F3"
        app.panel.call_started(ToolCall("1", "add", {}))
        app.panel.call_started(ToolCall("2", "add", {}))
        app.panel.call_finished("2", 0.1, "broken")
        await pilot.press("tab")

        title = str(app.panel.border_title).strip()
        assert title == "Debug · 2 calls · 1 failed · F3 closes"


async def test_a_narrow_title_keeps_the_counts_and_the_key():
    async with (app := Host()).run_test(size=(43, 24)) as pilot:
        app.panel.key = "F3"
        app.panel.round_changed(
            app.panel.round_started("t", 1, "m"), tokens=(14_120, 630)
        )
        app.panel.call_started(ToolCall("1", "add", {}))
        await pilot.pause()

        title = str(app.panel.border_title).strip()
        assert title == "Debug · 1 call · F3 closes"
