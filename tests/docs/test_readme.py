"""What the README shows does what it says."""

import re
from pathlib import Path

import pytest
from support import ROOT

from tui import config
from tui.models.catalog import ModelCatalog
from tui.tools import load_tools

README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)


def test_its_tool_is_found_in_a_file_of_five_lines(tmp_path: Path) -> None:
    text = blocks("python")[0]
    (tmp_path / "dice.py").write_text(text)

    loaded = load_tools([tmp_path / "dice.py"])

    assert not loaded.errors
    (dice,) = loaded.tools
    assert dice.schema.description.startswith("Roll a die.")
    assert len([line for line in text.splitlines() if line]) == 5


def test_its_configuration_names_models_that_can_be_found() -> None:
    models = ModelCatalog(config.parse(blocks("toml")[0]))

    assert {"qwen", "deepseek", "home"} < set(models.names)


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_its_figures_are_those_of_the_pages_that_have_the_measurements(
    page: str,
) -> None:
    measured = "".join(
        (ROOT / "docs" / name).read_text() for name in ("performance.md", "faults.md")
    )

    rows = re.findall(r"^\| (.+) \| (\d.*) \|$", (ROOT / page).read_text(), re.M)

    assert len(rows) == 9
    for figure, value in rows:
        for number in re.findall(r"\d[\d.]*", value):
            there = re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])", measured)
            assert there, f"{figure}: {value}"


@pytest.mark.outside
@pytest.mark.usefixtures("home")
def test_its_program_answers(capsys: pytest.CaptureFixture[str]) -> None:
    program = compile(blocks("python")[1], "README.md", "exec")

    names: dict[str, object] = {}
    try:
        exec(program, names)
    finally:
        model = names.get("model")
        if model is not None:
            model.close()  # type: ignore[attr-defined]  # what the program made

    assert "Tokyo" in capsys.readouterr().out
