"""The status line: what it says at which width."""

import threading

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.app.widgets.palette import Palette
from tui.app.widgets.status import Fill, Status

TOKENS = "1204 in / 356 out 42 tok/s"


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Status()

    def on_mount(self) -> None:
        status = self.query_one(Status)
        status.model, status.state = "starter", "writing"
        status.input_tokens, status.output_tokens = 1204, 356
        status.tokens_per_second = 42.4


async def shown(width: int, **attributes: object) -> str:
    async with (app := Host()).run_test(size=(width, 5)) as pilot:
        for name, value in attributes.items():
            setattr(app.query_one(Status), name, value)
        await pilot.pause()
        row = app.query_one(Status).region.y
        return app.screen._compositor.render_strips()[row].text.strip()


async def test_says_everything_where_there_is_room():
    text = await shown(120)

    assert " ".join(text.split()) == (
        "starter writing 1204 in / 356 out 42 tok/s F1 help F2 tools F3 debug"
    )


@pytest.mark.parametrize(
    ("width", "right"),
    [
        (80, f"{TOKENS} F1 help F2 tools F3 debug"),
        (60, "F1 help F2 tools F3 debug"),
        (45, "F1 help F2 tools"),
        (30, "F1 help"),
        (20, ""),
    ],
)
async def test_leaves_out_what_does_not_fit_the_least_needed_first(
    width: int, right: str
):
    text = " ".join((await shown(width)).split())

    assert text == f"starter writing {right}".strip()


async def test_an_agent_that_is_not_the_usual_one_is_beside_the_model():
    assert (await shown(120, agent="react")).startswith("starter react  writing")


async def test_the_model_is_cut_before_the_state():
    assert await shown(20, model="a-very-long-name-of-a-model") == "a-very-l…  writing"


async def test_a_file_is_told_by_its_name():
    assert (await shown(45, model="/a/long/way/to/m.gguf")).startswith("m.gguf ")


async def test_next_to_no_room_leaves_the_state():
    assert await shown(10) == "writing"


@pytest.mark.parametrize("width", range(1, 130, 3))
async def test_never_wider_than_the_screen(width: int):
    status = Status()
    status.set_reactive(Status.model, "模型名字")
    status.set_reactive(Status.state, "running 查询天气")
    status.set_reactive(Status.input_tokens, 123_456)

    for hint in ("", "Press Ctrl+C again to quit"):
        status.set_reactive(Status.hint, hint)
        assert cell_len("".join(t for t, _ in status.spans(width))) <= width


async def test_a_hint_stands_in_the_place_of_all_on_the_right():
    text = await shown(80, hint="Press Ctrl+C again to quit")

    assert " ".join(text.split()) == "starter writing Press Ctrl+C again to quit"


async def test_unknown_numbers_are_not_shown():
    text = await shown(
        60, input_tokens=None, output_tokens=None, tokens_per_second=None, stream=False
    )

    assert " ".join(text.split()) == (
        "starter writing stream off F1 help F2 tools F3 debug"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(0, "0 in"), (9_999, "9999 in"), (12_345, "12k in"), (1_250_000, "1.2M in")],
)
async def test_token_counts_stay_short(tokens: int, text: str):
    assert text in await shown(90, input_tokens=tokens)


@pytest.mark.parametrize(
    ("state", "look"),
    [("ready", "ready"), ("error", "error"), ("running add", "busy")],
)
async def test_colour_of_the_state(state: str, look: str):
    async with (app := Host()).run_test() as pilot:
        status = app.query_one(Status)
        status.state = state
        await pilot.pause()
        row = app.screen._compositor.render_strips()[status.region.y]
        colours = [s.style.color for s in row if s.style and s.text.strip() == state]

        assert colours == [Palette(status, Status.LOOKS).style((look,)).color]


async def test_names_cannot_drive_the_terminal():
    text = await shown(80, model="\x1b[2J", state="running \x07", hint="\x9b")

    assert text.startswith("␛[2J  running ␇")
    assert text.endswith("\ufffd")


@pytest.mark.parametrize(
    ("width", "right"),
    [
        (120, f"{TOKENS} ■■□□□ 3.2k/8.2k F1 help F2 tools F3 debug"),
        (80, "■■□□□ 3.2k/8.2k F1 help F2 tools F3 debug"),
        (60, "39% F1 help F2 tools F3 debug"),
        (45, "F1 help F2 tools"),
        (30, "F1 help"),
        (20, ""),
    ],
)
async def test_the_meter_is_short_where_there_is_little_room(width: int, right: str):
    text = " ".join((await shown(width, context=Fill(3200, 8192))).split())

    assert text == f"starter writing {right}".strip()


@pytest.mark.parametrize(
    ("fill", "text"),
    [
        (Fill(0, 8000), "■□□□□ 0/8k"),
        (Fill(999, 8000), "■□□□□ 999/8k"),
        (Fill(4000, 8000, True), "■■□□□ ~4k/8k"),
        (Fill(131_072, 131_072), "■■■■■ 131k/131k"),
        (Fill(99_960, 1_047_576), "■□□□□ 100k/1M"),
        (Fill(9_000, 8_000), "■■■■■ 9k/8k"),
    ],
)
async def test_the_meter_counts_in_thousands(fill: Fill, text: str):
    assert f"  {text}  " in await shown(120, context=fill)


@pytest.mark.parametrize(
    ("used", "look"), [(79, "muted"), (80, "high"), (94, "high"), (95, "full")]
)
async def test_the_meter_takes_on_colours_as_it_fills(used: int, look: str):
    async with (app := Host()).run_test(size=(120, 5)) as pilot:
        status = app.query_one(Status)
        status.context = Fill(used, 100)
        await pilot.pause()
        row = app.screen._compositor.render_strips()[status.region.y]
        colours = [s.style.color for s in row if s.style and "■" in s.text]

        assert colours == [Palette(status, Status.LOOKS).style((look,)).color]


async def test_what_the_meter_says_already_is_not_drawn_again():
    async with (app := Host()).run_test(size=(120, 5)) as pilot:
        status = app.query_one(Status)
        status.context = Fill(50, 100)
        await pilot.pause()
        drawn: list[object] = []
        status.refresh = lambda *_, **__: drawn.append(None)  # type: ignore[assignment]

        status.context = Fill(50, 100)
        assert drawn == []
        status.context = Fill(51, 100)
        assert drawn


@pytest.mark.usefixtures("home")
async def test_the_model_that_answers_stands_beside_its_state() -> None:
    from support.pilot import opened

    gate = threading.Event()
    toml = '[models.mine]\nprovider = "openai"\nbase_url = "http://127.0.0.1:9/v1"'
    async with opened([["One", gate, " more."]], toml) as chat:
        await chat.ask("Hi")
        await chat.until("One")
        chat.app.choose_model("mine")
        await chat.until(lambda: chat.screen.status.model == "mine")
        assert " starter  writing" in chat.text.splitlines()[-1]

        gate.set()
        await chat.until(lambda: " mine  ready" in chat.text.splitlines()[-1])


@pytest.mark.parametrize(
    ("width", "state"),
    [(120, "running get_n_day_weather_forecast"), (80, "running get_n_day_weathe…")],
)
async def test_keys_stay_while_a_tool_with_a_long_name_runs(width: int, state: str):
    keys = (("Esc", "stop"), ("F1", "help"), ("F2", "tools"), ("F3", "debug"))
    text = await shown(
        width,
        state="running get_n_day_weather_forecast",
        waited=12,
        stream=False,
        context=Fill(3200, 8200),
        keys=keys,
    )

    words = " ".join(text.split())
    assert words.startswith(f"starter {state} 12 s")
    assert words.endswith("Esc stop F1 help F2 tools F3 debug")


async def test_a_retry_is_spelled_out():
    pause = "rate-limited, retry in 4 s (1/2)"
    assert pause in await shown(60, model="a-model-with-a-long-name", pause=pause)


async def test_only_streaming_that_is_off_is_mentioned():
    assert "stream" not in await shown(120)
    assert "stream off" in await shown(80, stream=False)
