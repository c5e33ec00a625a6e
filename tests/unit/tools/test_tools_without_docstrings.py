"""Tools in a Python that keeps no docstrings (`-OO`, PYTHONOPTIMIZE=2)."""

import json
import subprocess
import sys

import pytest
from support import ROOT

SCHEMAS = """
import json
from tui.tools import bundled, weather
import sys
sys.path.insert(0, {folder!r})
import mine
found = [weather.get_current_weather, mine.greet, mine.Shop().prices]
from tui.tools.adapting import as_tools
tools = [t for each in found for t in as_tools(each)]
print(json.dumps([[t.name, t.schema.description, t.schema.parameters] for t in tools]))
"""
MINE = '''
from tui.tools import tool

@tool
def greet(name: str) -> str:
    """Greet a person.

    Args:
        name: of the person
    """
    return name

class Shop:
    @tool
    async def prices(self, product: str = "tea") -> str:
        "Tell a price."
        return product
'''


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_tools_are_described_all_the_same(tmp_path, flag: str):
    (tmp_path / "mine.py").write_text(MINE)
    code = SCHEMAS.format(folder=str(tmp_path))

    told = [
        subprocess.run(
            [sys.executable, *flags, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for flags in ([], [flag])
    ]

    assert told[0] == told[1]
    assert json.loads(told[0])[1][1] == "Greet a person."
