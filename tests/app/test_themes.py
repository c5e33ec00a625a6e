"""Themes: the built-in ones can be read, bad ones are named and the rest load."""

from pathlib import Path

import pytest
from support.contrast import contrast, in_256_colours
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Horizontal, Vertical
from textual.theme import Theme

from tui.app import themes
from tui.app.themes import DARK, LIGHT, load_themes
from tui.app.widgets.composer import Composer
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.palette import Palette
from tui.app.widgets.status import Status
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.messages import ToolCall
from tui.tools import Tool

FOLDER = Path(themes.__file__).parents[3] / "themes"
NAMES = sorted(file.stem for file in FOLDER.glob("*.toml"))
TERMINAL = "terminal"
PAINTED = [name for name in NAMES if name != TERMINAL]
"""The themes with colours of their own; the others' contrast is the terminal's."""

GROUNDS = ("background", "surface", "panel")
TEXTS = (
    "foreground",
    "text",
    "text-muted",
    "text-primary",
    "text-secondary",
    "text-accent",
    "text-success",
    "text-warning",
    "text-error",
)
PAIRS = [(text, ground) for text in TEXTS for ground in GROUNDS] + [
    ("block-cursor-foreground", "block-cursor-background"),
    ("input-cursor-foreground", "input-cursor-background"),
    ("foreground", "input-selection-background"),
    ("screen-selection-foreground", "screen-selection-background"),
    ("footer-key-foreground", "panel"),
    ("link-color", "background"),
]


def built_in(name: str) -> Theme:
    return next(theme for theme in load_themes()[0] if theme.name == name)


def variables(name: str) -> dict[str, str]:
    theme = built_in(name)
    return {**theme.to_color_system().generate(), **theme.variables}


def test_contrast_of_known_colours():
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    # A grey that WCAG's examples name as the lightest that passes AA on white.
    assert contrast(Color.parse("#767676"), Color.parse("#fff")) == pytest.approx(
        4.54, abs=0.01
    )


def names(loaded: list[Theme]) -> list[str]:
    return [theme.name for theme in loaded]


def test_every_built_in_theme_loads():
    loaded, errors = load_themes()

    assert names(loaded) == NAMES
    assert errors == []


def test_there_are_themes_for_all_eyes_and_rooms():
    loaded = {theme.name: theme for theme in load_themes()[0]}

    assert len(PAINTED) >= 6
    assert {loaded[f"contrast-{kind}"].dark for kind in ("dark", "light")} == {
        True,
        False,
    }
    assert loaded[TERMINAL].ansi


def test_there_is_one_theme_for_dark_terminals_and_one_for_light_ones():
    assert built_in(DARK).dark
    assert not built_in(LIGHT).dark


@pytest.mark.parametrize("name", PAINTED)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_wcag_aa_contrast(name: str, text: str, ground: str):
    shown = variables(name)
    front, back = Color.parse(shown[text]), Color.parse(shown[ground])

    assert contrast(front, back) >= 4.5
    assert contrast(in_256_colours(front), in_256_colours(back)) >= 4.5


@pytest.mark.parametrize("name", ["contrast-dark", "contrast-light"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_of_the_high_contrast_themes_has_wcag_aaa_contrast(
    name: str, text: str, ground: str
):
    shown = variables(name)

    assert contrast(Color.parse(shown[text]), Color.parse(shown[ground])) >= 7


@pytest.mark.parametrize("name", PAINTED)
def test_grounds_differ_in_256_colours(name: str):
    shown = variables(name)
    grounds = [in_256_colours(Color.parse(shown[ground])) for ground in GROUNDS]

    assert len(set(grounds)) == len(grounds)


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_grounds_of_the_default_themes_are_grey_in_256_colours(name: str):
    """Not the nearest blue or yellow of the colour cube; other themes may be tinted."""
    shown = variables(name)
    grounds = [in_256_colours(Color.parse(shown[ground])) for ground in GROUNDS]

    assert all(c.r == c.g == c.b for c in grounds)


@pytest.mark.parametrize("name", PAINTED)
def test_colours_with_a_meaning_differ_in_256_colours(name: str):
    shown = variables(name)
    names = [
        "text-primary",
        "text-accent",
        "text-success",
        "text-warning",
        "text-error",
    ]
    colours = [in_256_colours(Color.parse(shown[text])) for text in names]

    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("name", NAMES)
async def test_an_app_takes_the_theme(name: str):
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.register_theme(built_in(name))
        app.theme = name
        await pilot.pause()

        assert app.screen.styles.background == Color.parse(
            variables(name)["background"]
        )
        assert app.theme_variables["text-muted"] == variables(name)["text-muted"]


class Scene(App[None]):
    """All widgets with something of everything in them."""

    CSS = "#left { width: 1fr; } DebugPanel { height: 1fr; }"

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                yield DebugPanel()
                yield Composer()
            yield ToolSidebar()
        yield Status()

    def show(self, theme: str, state: str) -> None:
        self.register_theme(built_in(theme))
        self.theme = theme
        sidebar, panel = self.query_one(ToolSidebar), self.query_one(DebugPanel)
        sidebar.model, sidebar.note = "starter", "A note."

        def about(x: str = "y") -> object: ...

        names = ("one", "two")
        tools = [Tool(about, name=name, description="About it.") for name in names]
        sidebar.set_tools(tools, {"two"})
        panel.round_started("t", 1, "starter", 1.0)
        panel.note("A server has written this", failed=True)
        panel.call_started(ToolCall("1", "one", {"x": 1}))
        panel.call_started(ToolCall("2", "two", "{broken"))
        panel.call_started(ToolCall("3", "three", {}))
        panel.call_output("1", "output")
        panel.call_finished("1", 1)
        panel.call_finished("2", 1, "failed")
        panel.note("A note.")
        status = self.query_one(Status)
        status.model, status.state, status.input_tokens = "starter", state, 7


@pytest.mark.parametrize("name", PAINTED)
@pytest.mark.parametrize("state", ["ready", "error", "writing"])
async def test_all_that_the_widgets_write_has_wcag_aa_contrast(name: str, state: str):
    poor: set[tuple[str, float]] = set()
    seen = 0
    async with (app := Scene()).run_test(size=(110, 40)) as pilot:
        app.show(name, state)
        for focused in (Composer, ToolSidebar, DebugPanel):
            app.query_one(focused).focus()
            for keys in (["home"], ["down", "enter"], ["down", "enter"], ["down"]):
                await pilot.press(*keys)
                await pilot.pause()
                for strip in app.screen._compositor.render_strips():
                    for text, style, _ in strip:
                        if not (style and any(c.isalnum() for c in text)):
                            continue
                        assert style.color
                        assert style.bgcolor
                        front = Color.from_rich_color(style.color)
                        back = Color.from_rich_color(style.bgcolor)
                        seen += 1
                        if (found := contrast(front, back)) < 4.5:
                            poor.add((text, found))

    assert poor == set()
    assert seen > 500


async def test_muted_text_is_muted_in_a_theme_that_does_not_say_how():
    async with (app := Scene()).run_test():
        app.theme = "textual-dark"
        status = app.query_one(Status)
        palette = Palette(status, {"muted": "$text-muted", "plain": "$text"})

        assert app.theme_variables["text-muted"] == "auto 60%"
        ground, _ = status.background_colors
        muted = Color.from_rich_color(palette.style(("muted",)).color)
        plain = Color.from_rich_color(palette.style(("plain",)).color)

        assert contrast(muted, ground) < contrast(plain, ground)


def test_a_users_theme_joins_the_built_in_ones(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        'primary = "teal"\ndark = false\n[variables]\ntext-muted = "auto 70%"\n'
        'block-cursor-text-style = "bold underline"\n'
    )

    loaded, errors = load_themes(tmp_path)

    assert errors == []
    assert names(loaded) == [*NAMES, "mine"]
    assert loaded[-1].primary == "teal"
    assert loaded[-1].variables["text-muted"] == "auto 70%"
    assert not loaded[-1].dark


def test_a_users_theme_may_replace_a_built_in_one(tmp_path: Path):
    (tmp_path / "a.toml").write_text(f'name = "{DARK}"\nprimary = "#123456"\n')

    loaded, _ = load_themes(tmp_path)

    assert names(loaded) == NAMES
    assert loaded[NAMES.index(DARK)].primary == "#123456"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('primari = "red"', 'unknown key "primari". Did you mean "primary"?'),
        ('primary = "reed"', "primary cannot be 'reed', which is not a colour."),
        ("primary = 3", "primary must be a colour, not 3."),
        ('accent = "#123456"', 'a theme needs at least "primary", a colour'),
        ('primary = "red"\ndark = "yes"', "dark must be true or false, not 'yes'."),
        ('primary = "red"\ntext_alpha = 9', "text_alpha must be a number from 0 to 1"),
        ('primary = "red"\nname = ""', "name must be a word"),
        ('primary = "red"\nvariables = 1', "variables must be a table: [variables]."),
        (
            'primary = "red"\n[variables]\ntext-mutet = "red"',
            'unknown variable "text-mutet". Did you mean "text-muted"?',
        ),
        (
            'primary = "red"\n[variables]\ntext-muted = "ret"',
            "variables.text-muted cannot be 'ret', which is not a colour.",
        ),
        (
            'primary = "red"\n[variables]\nlink-style = "loud"',
            "variables.link-style cannot be 'loud'. Known: bold,",
        ),
        ("primary =", "this is not TOML"),
        (b"\xff", "this is not UTF-8 text"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_theme_is_named_and_the_rest_load(
    tmp_path: Path, text: str | bytes | None, complaint: str
):
    bad = tmp_path / "bad.toml"
    if text is None:
        bad.mkdir()
    else:
        bad.write_bytes(text.encode() if isinstance(text, str) else text)
    (tmp_path / "good.toml").write_text('primary = "red"')

    loaded, errors = load_themes(tmp_path)

    assert names(loaded) == [*NAMES, "good"]
    assert len(errors) == 1
    assert errors[0].startswith(f"{bad}")
    assert complaint in errors[0]


def test_no_folder_is_no_theme(tmp_path: Path):
    loaded, errors = load_themes(tmp_path / "none")

    assert names(loaded) == NAMES
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
def test_the_built_in_themes_bear_looking_at(name: str) -> None:
    file = FOLDER / f"{name}.toml"

    theme = themes.parse(file.read_text(), name, str(file))

    assert theme.name == name
    assert theme.variables
