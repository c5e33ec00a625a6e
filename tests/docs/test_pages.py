"""The pages for users: generated parts, links, commands, configuration, examples."""

import ast
import io
import json
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import configuration_page
import keys_page
import msgspec
import pytest
from support import ROOT
from support.pages import FENCE, NAMES, PAGES, blocks, commands, text

from tui import config
from tui.app import commands as slash_commands
from tui.app.themes import load_themes
from tui.cli import options
from tui.errors import ConfigError
from tui.models.catalog import ModelCatalog
from tui.tools import load_tools


@pytest.mark.parametrize("module", [configuration_page, keys_page])
def test_generated_tables_are_up_to_date(module) -> None:
    assert module.PAGE.read_text("utf-8") == module.page()


def test_each_variable_of_ours_is_on_the_page() -> None:
    source = "".join(p.read_text("utf-8") for p in (ROOT / "tui").rglob("*.py"))
    ours = set(re.findall(r"\bLAZYCHAT_[A-Z]+\b", source))

    assert {"LAZYCHAT_HOME", "LAZYCHAT_OUTPUT"} <= ours
    assert ours <= set(re.findall(r"LAZYCHAT_[A-Z]+", text("docs/configuration.md")))


# -- links


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are called in links, as GitHub names them."""
    plain = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    titles = re.findall(r"^#+ (.*)$", plain, re.M)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


@pytest.mark.parametrize("name", NAMES)
def test_each_link_leads_to_a_page_and_a_heading(name: str) -> None:
    page = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if ":" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_each_page_can_be_reached_from_the_readme() -> None:
    seen, to_do = set[Path](), [ROOT / "README.md"]
    while to_do:
        page = to_do.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for link in re.findall(r"\]\(([^)#\s:]+)", page.read_text("utf-8")):
            to_do.append((page.parent / link).resolve())

    assert set(PAGES) - seen == {ROOT / "CHANGELOG.md"}


# -- commands


def test_the_examples_are_found() -> None:
    found = {name: list(commands(name)) for name in NAMES}

    assert "lazychat -m ollama/llama3.2" in found["docs/getting-started.md"]
    assert 'lazychat ask "Review this."' in found["docs/getting-started.md"]
    assert sum(map(len, found.values())) > 50


@pytest.mark.parametrize("name", NAMES)
def test_each_command_line_is_accepted(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in commands(name):
        arguments = shlex.split(line, comments=True)[1:]
        if any("=" in word for word in arguments[:1]):
            continue
        try:
            found = options.parse(arguments)
        except SystemExit as end:
            said = capsys.readouterr().err
            raise AssertionError(f"{line}: {said}") from end
        if model := getattr(found, "model", None):
            assert_known(line, model)


def assert_known(line: str, model: str) -> None:
    """Check that `-m` names a service, a file, or a model that the pages configure."""
    service, slash, _ = model.partition("/")
    if model.endswith(".gguf") or service in ("NAME", "SUPPLIER"):
        return
    if slash:
        ModelCatalog(config.Config()).find(model)
    else:
        assert any(f"[models.{model}]" in text(name) for name in NAMES), line


# -- blocks


def is_theme(block: str) -> bool:
    return bool(re.search(r"^primary\b", block, re.M))


CONFIGS = [
    (name, block)
    for name in NAMES
    for block in blocks(name, "toml")
    if not is_theme(block)
]


@pytest.mark.parametrize(
    ("name", "block"), CONFIGS, ids=lambda it: it.partition("\n")[0]
)
def test_each_configuration_is_accepted(
    name: str, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.app.commands import checked

    settings = config.parse(block, name)

    assert checked(settings.keys)[1] == []
    catalog = ModelCatalog(settings)
    if settings.model and settings.model not in settings.models:
        catalog.find(settings.model)
    for model in settings.models:
        catalog.get(model)
    catalog.close()


def test_the_example_of_the_defaults_is_accepted() -> None:
    example = (ROOT / "config.example.toml").read_text("utf-8")
    plain = config.parse(example)
    commented = re.sub(r"^# (?=\[models|\[mcp|\w+ = )", "", example, flags=re.M)

    assert plain == config.Config()
    assert {"deepseek", "qwen"} <= set(config.parse(commented).models)
    assert set(config.parse(commented).mcp) == {"time"}


def test_each_theme_is_accepted(tmp_path: Path) -> None:
    found = [
        block for name in NAMES for block in blocks(name, "toml") if is_theme(block)
    ]
    for block in found:
        (tmp_path / "night.toml").write_text(block, "utf-8")

        themes, errors = load_themes(tmp_path)

        assert errors == []
        assert "night" in [theme.name for theme in themes]
    assert found


def test_each_tool_is_accepted(tmp_path: Path) -> None:
    found = [b for n in NAMES for b in blocks(n, "python") if "@tool" in b]
    for number, block in enumerate(found):
        file = tmp_path / f"tool_{number}.py"
        file.write_text(block, "utf-8")

        loaded = load_tools([file])

        assert loaded.errors == []
        assert len(loaded.tools) == 1
        assert loaded.tools[0].schema.description
    assert len(found) >= 3


def test_the_tool_of_the_page_on_tools_works(tmp_path: Path) -> None:
    file = tmp_path / "convert.py"
    file.write_text(blocks("docs/tools.md", "python")[0], "utf-8")
    (convert,) = load_tools([file]).tools

    assert convert(10, "km") == "6.21 miles"
    assert convert(**convert.bind({"amount": 1, "unit": "miles"})) == "1.61 km"
    schema = convert.schema.parameters
    assert schema["properties"]["unit"]["enum"] == ["km", "miles"]
    assert schema["properties"]["amount"]["description"] == "the distance."


def test_the_sample_of_the_doctor_has_its_form() -> None:
    (sample,) = blocks("docs/getting-started.md", "text")

    for line in sample.splitlines():
        assert re.match(r"(ok|warning|error) +[a-z]+ +\S", line)


# -- names in backticks


EXAMPLES = {"review", "count"}
"""Commands of prompts, and of a contributor, that the pages only imagine."""
PLACES = {"proc", "dev", "bin", "usr", "v"}
"""Paths look like commands."""


def named(name: str, pattern: str) -> list[str]:
    """Return what is in backticks and fits a pattern, outside of blocks."""
    return re.findall(rf"(?<!`)`{pattern}`", FENCE.sub("", text(name)))


@pytest.mark.parametrize("name", NAMES)
def test_each_slash_command_is_one(name: str) -> None:
    for command in named(name, r"(/[a-z][a-z-]*(?: [^`\n]*)?)"):
        if not {command[1:].split()[0], command[1:4]} & (EXAMPLES | PLACES):
            assert slash_commands.parse(command), command


@pytest.mark.parametrize("name", [it for it in NAMES if it != "CHANGELOG.md"])
def test_each_option_is_one(name: str) -> None:
    known = set[str]()
    for command in ["", *options.COMMANDS]:
        known |= options_of(command)
    for option in named(name, r"(--[a-z][a-z-]*)(?: [^`\n]*)?"):
        assert option in known | OTHERS, option


OTHERS = {"--api-key", "--force"}
"""Options of other programs, of which the changelog has many more."""


def options_of(command: str) -> set[str]:
    """Return the options that the help of a command names."""
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit):
        options.parse([*filter(None, [command]), "--help"])
    return set(re.findall(r"--[a-z][a-z-]*", said.getvalue()))


@pytest.mark.parametrize("name", NAMES)
def test_each_key_of_the_configuration_is_one(name: str) -> None:
    known = {
        field.name
        for section in configuration_page.SECTIONS.values()
        for field in msgspec.structs.fields(section)
    }
    keys = {command.name for command in slash_commands.COMMANDS}
    for key in named(name, r"([a-z_]+) = [^`\n]+"):
        assert key in {"provider", "ansi"} | known | keys, key


@pytest.mark.parametrize("name", NAMES)
def test_each_block_of_a_known_form_can_be_read(name: str) -> None:
    for block in blocks(name, "json"):
        json.loads(block)
    for block in blocks(name, "python"):
        ast.parse(block)


def test_a_wrong_example_would_be_found() -> None:
    with pytest.raises(ConfigError):
        config.parse('[models.x]\nprovider = "openai"\nbase = "x"')
    with pytest.raises(SystemExit):
        options.parse(["ask", "--nothing"])
