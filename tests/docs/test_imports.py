"""What is imported when: a start must not wait for what it does not need."""

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.fakes.lazychat import Home, needs_starter

import tui

HEAVY = ["textual", "rich", "openai", "llama_cpp", "pydantic", "mcp", "numpy", "httpx"]

RUN = """
import json, sys
from tui.cli import main
try:
    main({arguments})
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


def modules_after(home, code):
    """Return the top packages that are imported when `code` has run."""
    done = home.python("-c", code)
    assert done.code == 0, done.err
    return json.loads(done.err.splitlines()[-1]), done.out


def heavy(modules):
    return sorted({m.partition(".")[0] for m in modules} & set(HEAVY))


def test_help_loads_nothing_that_it_does_not_need(home):
    modules, out = modules_after(home, RUN.format(arguments=["--help"]))

    assert "usage: lazychat" in out
    assert heavy(modules) == []
    assert [
        m for m in ("msgspec", "logging", "sqlite3", "asyncio") if m in modules
    ] == []


def test_ask_loads_only_its_own_models_library(home):
    home.scripted([{"call": "get_current_weather"}], "Fine.")

    modules, out = modules_after(home, RUN.format(arguments=["ask", "hi"]))

    assert out == "Fine.\n"
    assert heavy(modules) == []
    assert "asyncio" not in modules


@pytest.mark.parametrize(
    "arguments", [["list"], ["search", "x"], ["delete", "-y", "x"], ["export", "--all"]]
)
def test_commands_for_what_is_there_load_no_library(home, arguments):
    modules, _ = modules_after(home, RUN.format(arguments=arguments))

    assert heavy(modules) == []
    assert "asyncio" not in modules


@needs_starter
def test_the_starter_loads_no_other_library(home):
    modules, out = modules_after(
        home, RUN.format(arguments=["ask", "-T", "none", "Hi"])
    )

    assert out
    assert set(heavy(modules)) <= {"llama_cpp", "numpy"}


def test_the_app_loads_no_model_library(home):
    modules, _ = modules_after(
        home,
        "import json, sys, tui.app.app\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)",
    )

    assert "textual" in modules
    assert set(heavy(modules)) <= {"textual", "rich"}


def names(package=tui):
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return sorted(m.name for m in found if not m.name.endswith("__main__"))


def test_importing_any_module_does_nothing(home):
    """No file is made or read, no thread started, nothing printed."""
    code = f"""
import sys, threading
from pathlib import Path

home = {str(home.folder)!r}
def look(event, arguments):
    touched = event in ("open", "os.mkdir", "os.listdir", "sqlite3.connect")
    if touched and str(arguments[0]).startswith(home):
        raise SystemExit(f"{{event}} of {{arguments}} at import")
    if event == "subprocess.Popen" or event == "socket.connect":
        raise SystemExit(f"{{event}} of {{arguments}} at import")
sys.addaudithook(look)
import importlib
for name in {names()!r}:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
"""
    assert home.python("-c", code) == (0, "", "")
    assert list(home.folder.iterdir()) == []


def test_there_are_modules_to_import():
    assert {"tui.cli.ask", "tui.app.app", "tui.models.llama.model"} <= set(names())


def test_import_tui_imports_nothing_else(home):
    code = """
import json, sys
before = set(sys.modules)
import tui
assert "FunctionCallAgent" in dir(tui)
print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
    modules, _ = modules_after(home, code)

    assert [m for m in modules if m.startswith("tui")] == ["tui"]
    assert "msgspec" not in modules


@pytest.mark.parametrize("name", tui.__all__)
def test_each_public_name_is_there_and_documented(name):
    found = getattr(tui, name)

    assert found.__name__ == name
    assert found.__doc__


def test_public_names_load_no_library(home):
    code = """
import json, sys, tui
for name in tui.__all__:
    getattr(tui, name)
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    assert heavy(modules_after(home, code)[0]) == []


def test_a_name_that_is_not_public_is_no_attribute():
    with pytest.raises(AttributeError, match="'tui' has no attribute 'Nothing'"):
        _ = tui.Nothing  # pyright: ignore[reportAttributeAccessIssue] # on purpose


def test_the_table_of_names_is_the_one_that_checkers_see():
    """Names stand three times in the file, since a checker reads only literals."""
    source = Path(tui.__file__).read_text()
    shown = {
        name: module
        for module, block in _imports(source)
        for name in block.replace("(", "").replace(")", "").replace(",", " ").split()
    }

    assert shown == tui._HOMES
    assert sorted(tui.__all__) == sorted(tui._HOMES)


def _imports(source):
    # The first is the example in the docstring.
    return re.findall(r"    from (\S+) import (\([^)]*\)|[^\n]*)", source)[1:]


def test_the_console_script_is_the_module(home):
    """`lazychat` as installed and `python -m tui` are the same program."""
    script = Path(sys.executable).with_name("lazychat")
    if not script.exists():
        pytest.skip("lazychat is not installed beside this Python")

    done = subprocess.run(
        [script, "--version"], env=home.env, capture_output=True, text=True, check=True
    )

    assert done.stdout == home.run("--version").out
