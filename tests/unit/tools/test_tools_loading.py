"""The user's own tools, in files, modules and installed packages."""

import os
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from tui.tools import installed_tools, load_tools
from tui.tools.weather import get_current_weather

GOOD = '''
"""My tools."""
from dataclasses import dataclass
from tui.tools import tool

@dataclass
class Place:
    name: str

@tool
def second(place: "Place") -> str:
    """Tell."""
    return place.name

@tool(name="first")
def other() -> int:
    """Count."""
    return 1

def helper():
    """Not a tool."""
'''


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


def names(loaded):
    return [tool.name for tool in loaded.tools]


def test_a_file_gives_its_tools_in_their_order(write):
    loaded = load_tools([write("mine.py", GOOD)])

    assert loaded.errors == []
    assert names(loaded) == ["second", "first"]
    assert loaded.tools[0].bind({"place": {"name": "Ulm"}})["place"].name == "Ulm"


def test_two_files_of_one_name_are_two_modules(write):
    one = write("a/mine.py", GOOD)
    two = write("b/mine.py", GOOD.replace("second", "third"))

    loaded = load_tools([one, two])

    assert names(loaded) == ["second", "first", "third", "first"]
    assert len({tool.function.__module__ for tool in loaded.tools}) == 2


def test_a_module_and_its_attributes_can_be_named(write):
    write(
        "shed.py", GOOD + "\nboth = [second, other]\n\nclass Box:\n    tool = other\n"
    )

    assert names(load_tools(["shed"])) == ["second", "first"]
    assert names(load_tools(["shed:other"])) == ["first"]
    assert names(load_tools(["shed:helper"])) == ["helper"]
    assert names(load_tools(["shed:both"])) == ["second", "first"]
    assert names(load_tools(["shed:Box.tool"])) == ["first"]


def test_a_tool_that_is_found_twice_is_loaded_once():
    source = "tui.tools.weather:get_current_weather"

    assert load_tools([source, source]).tools == [get_current_weather]


def test_a_pipe_is_not_waited_for_and_the_rest_load(write, tmp_path):
    good = write("good.py", GOOD)
    os.mkfifo(tmp_path / "pipe.py")

    loaded = load_tools([tmp_path / "pipe.py", good])

    assert names(loaded) == ["second", "first"]
    assert "pipe.py cannot be loaded: it is not a regular file" in str(loaded.errors[0])


BROKEN = [
    ("def f(:\n", r"mine\.py, line 1: SyntaxError: invalid syntax\.$"),
    ("x = 1\ny = x / 0\n", r"mine\.py, line 2: ZeroDivisionError: division by zero"),
    ("\n\nimport no_such_thing\n", r"mine\.py, line 3: ModuleNotFoundError: No module"),
    ("import sys\nsys.exit(3)\n", r"mine\.py, line 2: SystemExit: 3"),
    ("x = 1\n", r"mine\.py: none found; mark functions with @tool"),
    (
        "from tui.tools import tool\n@tool\ndef f(): ...\n",
        r"Tool f \(.*mine\.py, line 2\) has no description",
    ),
    (
        "from tui.tools import tool\n@tool\ndef f(x: complex):\n    'Do.'\n",
        r"Tool f \(.*mine\.py, line 2\): JSON cannot represent parameter x",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_file_is_one_error_and_the_rest_load(write, text, message):
    broken, good = write("mine.py", text), write("good.py", GOOD)

    loaded = load_tools([broken, good])

    assert names(loaded) == ["second", "first"]
    assert len(loaded.errors) == 1
    assert "\n" not in str(loaded.errors[0])
    with pytest.raises(type(loaded.errors[0]), match=message):
        raise loaded.errors[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no_such_module", "Tools no_such_module: ModuleNotFoundError"),
        ("tui.tools.weather:nothing", "has no attribute 'nothing'"),
        ("tui.tools.loading:GROUP", "'lazychat.tools' is not a tool"),
        ("none.py", "none.py cannot be loaded: no such file"),
    ],
)
def test_a_source_that_is_not_there_is_an_error(source, message):
    loaded = load_tools([source])

    assert loaded.tools == []
    assert [message in str(error) for error in loaded.errors] == [True]


def test_installed_packages_declare_tools(monkeypatch):
    declared = EntryPoints(
        [
            EntryPoint("w", "tui.tools.weather:get_current_weather", "lazychat.tools"),
            EntryPoint("bad", "tui.nothing:x", "lazychat.tools"),
            EntryPoint("other", "tui.nothing:x", "somebody.else"),
        ]
    )
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda **of: declared.select(**of)
    )

    loaded = installed_tools()

    assert loaded.tools == [get_current_weather]
    assert [str(e) for e in loaded.errors] == [
        "Tools lazychat.tools bad: ModuleNotFoundError: No module named 'tui.nothing'."
    ]
