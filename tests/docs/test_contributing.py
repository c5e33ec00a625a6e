"""The steps of CONTRIBUTING.md, taken in a copy of the code."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

# Runs in the copy, and prints what it has found wanting.
LOOK = """
from pathlib import Path

from tui.app.commands import parse
from tui.app.themes import load_themes
from tui.config import Config
from tui.models import gate
from tui.models.catalog import ModelCatalog
from tui.tools import ToolBox, builtin

assert gate.dialect_of_name("acme-7b") == "acme"
written = '<acme_call>{"name": "f", "arguments": {}}</acme_call>'
splits = gate.Gate("acme", {"f": {"type": "object"}})
pieces = [*splits.feed(written), *splits.finish()]
assert "f" in [piece.name for piece in pieces if isinstance(piece, gate.Call)], pieces
assert not any(isinstance(piece, gate.Text) for piece in pieces), pieces

command, argument = parse("/count")
assert (command.name, command.help) == ("count", "Count the messages")

themes, errors = load_themes()
assert not errors
assert "sunset" in [theme.name for theme in themes]

model = ModelCatalog(Config()).find("acme/large")
assert (model.supplier, model.model) == ("acme", "large")

(schema,) = ToolBox([builtin()["flip_coin"]]).schemas()
assert schema.parameters["properties"]["times"]["default"] == 1
assert Path("tui/tools/bundled/coin.py").exists()
print("as described")
"""


def block(begin: str) -> str:
    """Return the block of code that begins with `begin`."""
    for found in re.finditer(r"^( *)```\w*\n(.*?)^\1```$", TEXT, re.S | re.M):
        if (code := textwrap.dedent(found[2])).startswith(begin):
            return code
    raise AssertionError(f"there is no block that begins with {begin}")


def insert(file: Path, before: str, code: str, indent: int) -> None:
    """Insert a row into a table, before the row that begins with `before`."""
    text = file.read_text("utf-8")
    assert text.count(before) == 1, before
    row = textwrap.indent(code, " " * indent)
    file.write_text(text.replace(before, row + before), "utf-8")


@pytest.mark.outside
def test_what_the_steps_add_is_there(tmp_path: Path) -> None:
    skipped = shutil.ignore_patterns("__pycache__")
    for folder in ("tui", "themes"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skipped)
    tui = tmp_path / "tui"

    json = tui / "models" / "gate" / "dialects" / "json.py"
    insert(json, '    row(\n        "hermes",', block("row("), 4)
    insert(
        tui / "app" / "commands.py",
        '    Command(\n        "cancel",',
        block("Command("),
        4,
    )
    theme = (tmp_path / "themes" / "lazychat-dark.toml").read_text("utf-8")
    theme = theme.replace('name = "lazychat-dark"', 'name = "sunset"')
    (tmp_path / "themes" / "sunset.toml").write_text(theme, "utf-8")
    suppliers = tui / "models" / "suppliers.py"
    insert(suppliers, '        "ollama": Supplier(', block('"acme": Supplier'), 8)
    bundled = tui / "tools" / "bundled"
    (bundled / "coin.py").write_text(block('"""Coins."""'), "utf-8")
    text = (bundled / "__init__.py").read_text("utf-8")
    imported = "from tui.tools.bundled.coin import flip_coin\n"
    behind = "from tui.tools.bundled.commands"
    text = text.replace(behind, f"{imported}{behind}")
    text = text.replace(
        "        roll_dice,\n", "        roll_dice,\n        flip_coin,\n"
    )
    (bundled / "__init__.py").write_text(text, "utf-8")

    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, '.'){LOOK}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout, done.returncode) == ("as described\n", 0), done.stderr


@pytest.mark.parametrize("script", sorted(set(re.findall(r"tests/\w+\.py", TEXT))))
def test_the_programs_that_it_names_are_there(script: str) -> None:
    assert (ROOT / script).is_file()
