"""Finds the user's own tools: in Python files, in modules, in installed packages.

One that is broken is one clear error; the others load.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast

from tui.errors import ConfigError
from tui.tools.tool import Tool

GROUP = "lazychat.tools"
"""The group of entry points: each names a tool, a function, a list of them, or a
module whose tools are all meant."""


class Loaded(NamedTuple):
    """What could be loaded, and why the rest could not."""

    tools: list[Tool[..., Any]]
    errors: list[ConfigError]


def load_tools(sources: Iterable[str | Path]) -> Loaded:
    """Load the tools of Python files, `module`s and `module:attribute`s.

    What ends in `.py` is a file and gives all its tools, in their order. Loading runs
    the code. Hints and docstrings are checked here too, so that an error is seen at
    the start and not at the first question.
    """
    return _load((str(source), lambda s=source: _open(s)) for source in sources)


def installed_tools() -> Loaded:
    """Load the tools that installed packages declare as entry points."""
    return _load(
        (f"{GROUP} {point.name}", point.load) for point in entry_points(group=GROUP)
    )


def _load(sources: Iterable[tuple[str, Callable[[], object]]]) -> Loaded:
    loaded = Loaded([], [])
    for source, find in sources:
        try:
            tools = _collect(find())
            if not tools:
                raise ConfigError(f"{source} has no tools: mark functions with @tool.")
        except ConfigError as error:
            loaded.errors.append(error)
            continue
        except (Exception, SystemExit) as error:
            loaded.errors.append(ConfigError(_says(source, error)))
            continue
        for tool in tools:
            try:
                assert tool.schema
                if tool not in loaded.tools:
                    loaded.tools.append(tool)
            except ConfigError as error:
                loaded.errors.append(error)
    return loaded


def _open(source: str | Path) -> object:
    if str(source).endswith(".py"):
        return _run_file(Path(source).expanduser())
    module, _, attribute = str(source).partition(":")
    found: object = importlib.import_module(module)
    for name in attribute.split(".") if attribute else ():
        found = getattr(found, name)
    return found


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigError(f"Tools {path} cannot be loaded: there is no such file.")
    # Two files of one name must not be one module; hints and dataclasses look
    # themselves up in sys.modules.
    digest = sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"lazychat_tools_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _collect(found: object) -> list[Tool[..., Any]]:
    if isinstance(found, ModuleType):
        values = cast(list[object], list(vars(found).values()))
        return [cast(Tool[..., Any], v) for v in values if isinstance(v, Tool)]
    if isinstance(found, Tool):
        return [cast(Tool[..., Any], found)]
    if callable(found):
        return [Tool(found)]
    if isinstance(found, Iterable):
        items = cast(Iterable[object], found)
        return [tool for item in items for tool in _collect(item)]
    raise ConfigError(f"{found!r} is no tool; give a function or a Tool.")


def _says(source: str, error: BaseException) -> str:
    """Say in one line what is wrong, and on which line of the source."""
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if line is None and Path(frame.filename).name == Path(source).name:
            line = frame.lineno
    what = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    place = f", line {line}" if line else ""
    name = type(error).__name__
    return f"Tools {source}{place}: {name}: {what}".rstrip(": ") + "."
