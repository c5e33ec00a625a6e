"""The tool sidebar in a small app: what it shows, and what it posts."""

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input

from tui.app.widgets.status import Fill
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.grants import Grant
from tui.messages import ToolSchema
from tui.tools import Tool


class Shown(Tool[..., object]):
    """A tool as it is shown, whatever its function is."""

    def __init__(self, schema: ToolSchema) -> None:
        self.name = schema.name
        self.function = lambda: None
        self.schema = schema
        self.origin = ""
        self._description = schema.description


def schema(name: str, description: str = "", **properties: Any) -> Shown:
    required = [n for n, p in properties.items() if "default" not in p]
    parameters = {"type": "object", "properties": properties, "required": required}
    return Shown(ToolSchema(name, description, parameters))


WEATHER = schema(
    "get_weather",
    "Get the weather.\n\nOf today only.",
    location={"type": "string", "description": "A city"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
)
TOOLS = [WEATHER, schema("add", "Add two numbers."), schema("查询", "查询天气")]


class Host(App[None]):
    CSS = "Screen { layout: horizontal; } Input { width: 1fr; }"

    def __init__(self, tools: list[Shown] = TOOLS) -> None:
        super().__init__()
        self.tools = tools
        self.posted: list[tuple[str, bool]] = []

    def compose(self) -> ComposeResult:
        yield ToolSidebar()
        yield Input()

    def on_mount(self) -> None:
        self.sidebar.set_tools(self.tools, {"get_weather"})
        self.sidebar.focus()

    def on_tool_sidebar_stream_toggled(
        self, message: ToolSidebar.StreamToggled
    ) -> None:
        self.posted.append(("stream", message.on))

    @property
    def sidebar(self) -> ToolSidebar:
        return self.query_one(ToolSidebar)

    @property
    def lines(self) -> list[str]:
        height = self.sidebar.content_size.height
        lines = [self.sidebar.render_line(y).text.rstrip() for y in range(height)]
        return [line[1:] for line in lines if line]


async def test_shows_model_stream_and_tools_with_their_switches():
    async with (app := Host()).run_test() as pilot:
        app.sidebar.model = "starter"
        app.sidebar.note = "Small, English only."
        app.sidebar.agent = "react"
        await pilot.pause()

        assert [" ".join(line.split()) for line in app.lines] == [
            "Model starter",
            "Small, English only.",
            "Agent react",
            "Stream ● on ctrl+t",
            "Tools 1/3",
            "● get_weather",
            "○ add",
            "○ 查询",
            "Space toggles · Enter details",
        ]


async def test_space_switches_the_selected_tool():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("down", "space", "down", "space")

        assert app.sidebar.switched == {"get_weather": False, "add": True}
        assert app.sidebar.enabled == {"add"}
        assert "○ get_weather" in app.lines
        assert "● add" in app.lines


@pytest.mark.parametrize("key", ["space", "enter"])
async def test_stream_switch_by_key(key: str):
    async with (app := Host()).run_test() as pilot:
        await pilot.press(key, key)

        assert app.posted == [("stream", False), ("stream", True)]


async def test_setting_the_stream_from_outside_posts_nothing():
    async with (app := Host()).run_test() as pilot:
        app.sidebar.stream = False
        await pilot.pause()

        assert any(
            line.split() == ["Stream", "○", "off", "ctrl+t"] for line in app.lines
        )
        assert app.posted == []


async def test_enter_unfolds_description_and_parameters_and_folds_again():
    async with (app := Host()).run_test() as pilot:
        folded = app.lines
        await pilot.press("down", "enter")
        lines = [" ".join(line.split()) for line in app.lines]
        start = lines.index("● get_weather")

        assert lines[start + 1 : start + 9] == [
            "Get the weather.",
            "Of today only.",
            "location string required",
            "A city",
            "unit string optional",
            "One of: celsius, fahrenheit",
            "Default: celsius",
            "○ add",
        ]

        await pilot.press("enter")
        assert app.lines == folded
        assert app.sidebar.switched == {}


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "array"}, "list"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": ["integer", "null"]}, "integer or null"),
        ({}, "any"),
    ],
)
async def test_types_in_words(parameter: dict[str, Any], words: str):
    async with (app := Host([schema("tool", x=parameter)])).run_test() as pilot:
        await pilot.press("down", "enter")

        assert any(line.split() == f"x {words} required".split() for line in app.lines)


async def test_a_type_too_long_for_its_line_gets_its_own():
    choices = {
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]
    }
    async with (app := Host([schema("tool", names=choices)])).run_test() as pilot:
        await pilot.press("down", "enter")

        assert app.lines[-3].split() == ["names", "required"]
        assert app.lines[-2].strip() == "List of string or null"


async def test_tool_without_parameters_says_so():
    async with (app := Host([schema("tool")])).run_test() as pilot:
        await pilot.press("down", "enter")

        assert app.lines[-2].strip() == "No parameters."


async def test_click_on_the_mark_switches_and_on_the_name_unfolds():
    async with (app := Host()).run_test() as pilot:
        row = next(
            y for y in range(20) if "add" in app.sidebar.render_line(y).text
        )  # fmt: skip
        left = app.sidebar.content_region.x
        await pilot.click(offset=(left + 1, row))
        assert app.sidebar.switched == {"add": True}

        await pilot.click(offset=(left + 6, row))
        await pilot.pause()
        assert app.sidebar.switched == {"add": True}
        assert any("No parameters" in line for line in app.lines)


async def test_no_tools_says_how_to_add_one():
    async with (app := Host([])).run_test() as pilot:
        app.sidebar.tools_folder = "/home/me/tools"
        await pilot.pause()
        text = " ".join(" ".join(app.lines).split())

        assert "Put a Python file with @tool functions in this folder:" in text
        assert "/home/me/tools" in text


async def test_new_tools_keep_cursor_and_unfolding_by_name():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("down", "enter")
        app.sidebar.set_tools([schema("new"), WEATHER], {"new"})
        await pilot.pause()
        await pilot.press("space")

        assert app.sidebar.switched == {"get_weather": True}
        assert any("Of today only." in line for line in app.lines)


async def test_a_frame_right_after_a_change_shows_it():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("down", "enter")
        app.sidebar.set_tools([schema("new", "About it.")], set())
        fewer = app.lines
        app.sidebar.set_tools(TOOLS, set())

        assert fewer[-2].strip() == "○ new"
        assert app.lines[-2].strip() == "○ 查询"


async def test_text_of_tools_cannot_drive_the_terminal():
    evil = schema("a\x1b]0;title\x07", "\x1b[2J", **{"p\x1b": {"type": "\x1b[m"}})
    async with (app := Host([evil])).run_test() as pilot:
        app.sidebar.model = "m\x1b"
        await pilot.press("down", "enter")
        text = "".join(app.lines)

        assert "\x1b" not in text
        assert "a␛]0;title␇" in text


async def test_keys_before_the_first_layout_move_the_cursor_and_unfold():
    async with (app := Host()).run_test() as pilot:
        sidebar = ToolSidebar()
        sidebar.display = False
        await app.screen.mount(sidebar)
        sidebar.set_tools(TOOLS, {"get_weather"})
        await pilot.pause()

        sidebar.action_cursor_down()
        sidebar.action_unfold()
        sidebar.action_page(1)
        sidebar.action_cursor_first()
        sidebar.action_cursor_down()
        sidebar.action_switch()
        sidebar.set_tools(TOOLS[1:], set())
        sidebar.action_cursor_last()
        sidebar.action_switch()

        assert sidebar.switched == {"get_weather": False, "查询": True}


async def test_cursor_stays_in_view_when_there_are_many():
    tools = [schema(f"tool_{n}", "About it.") for n in range(40)]
    async with (app := Host(tools)).run_test(size=(80, 24)) as pilot:
        await pilot.press("end")
        assert any("tool_39" in line for line in app.lines)

        await pilot.press("home")
        assert app.lines[0].split() == ["Model", "No", "model"]

        await pilot.press("pagedown", "pagedown", "space")
        (toggled,) = app.sidebar.switched
        assert any(toggled in line for line in app.lines)


async def test_a_long_unfolded_tool_is_read_line_by_line():
    about = "\n".join(f"line {n}" for n in range(40))
    async with (app := Host([schema("tool", about)])).run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "enter")
        assert not any("line 39" in line for line in app.lines)

        await pilot.press(*["down"] * 40)
        assert any("line 39" in line for line in app.lines)

        await pilot.press(*["up"] * 41)
        assert app.lines[0].split() == ["Model", "No", "model"]


async def test_tab_leaves_it():
    async with (app := Host()).run_test() as pilot:
        await pilot.press("tab")

        assert isinstance(app.focused, Input)


async def test_shows_context_prompt_effort_and_uses():
    async with (app := Host()).run_test() as pilot:
        app.sidebar.model = "qwen3-8b"
        app.sidebar.model_key = "Ctrl+L"
        app.sidebar.context = Fill(4100, 32_000)
        app.sidebar.system = "Be brief, " * 30
        app.sidebar.effort = "low"
        app.sidebar.options = ("temperature = 0.2",)
        app.sidebar.uses = {"get_weather": 3}
        app.sidebar.set_tools(TOOLS, {"get_weather"}, {"add": "ask"})
        await pilot.pause()

        assert [" ".join(line.split()) for line in app.lines] == [
            "Model qwen3-8b Ctrl+L",
            "Context ■□□□□ 4.1k/32k",
            "Stream ● on ctrl+t",
            "System “Be brief, Be /system",
            "brief, Be",
            "brief, Be bri…",
            "Effort low /effort",
            "Options temperature = 0.2",
            "Tools 1/3",
            "● get_weather 3×",
            "○ add asks first",
            "○ 查询",
            "Space toggles · Enter details",
        ]


async def test_grants_are_last():
    async with (app := Host()).run_test() as pilot:
        app.sidebar.set_grants([Grant("add", "", "", "")], [])
        await pilot.pause()

        assert app.lines[-2].split()[:1] == ["Allowed"]
        assert app.lines[-1].split() == ["add", "always"]
