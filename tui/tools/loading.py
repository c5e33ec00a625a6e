"""Loads the user's tools from files, modules and installed packages.

Each broken tool gives one error; the others still load.
"""

import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast
from zlib import crc32

from tui import files
from tui.errors import ConfigError
from tui.i18n import _
from tui.tools.adapting import as_tools
from tui.tools.base import Tool
from tui.tools.wording import words

GROUP = "lazychat.tools"
"""The group of entry points. Each names a tool, a function, a list of them, or a
module of which all tools are loaded."""


class Loaded(NamedTuple):
    """The loaded tools, and the errors for the others."""

    tools: list[Tool[..., Any]]
    errors: list[ConfigError]


_IN_FILE = re.compile(r"(.+\.py):([^\W\d][\w.]*)", re.DOTALL)


def is_source(name: str) -> bool:
    """Return whether a name given for a tool is one that `load_tools` takes."""
    return name.endswith(".py") or ":" in name


def load_tools(sources: Iterable[str | Path], folder: Path | None = None) -> Loaded:
    """Load the tools of files, `module`s, `module:attribute`s and `FILE.py:attribute`s.

    A source that ends in `.py` is a file, of which all tools are loaded in order. What
    an attribute names need not be marked with `@tool`. Modules in `folder` are found
    too, after all others. Loading runs the code. Hints and docstrings are checked too,
    so that errors appear at the start and not at the first question.
    """
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
    return _load((s, lambda s=s: _open(s)) for s in map(_absolute, sources))


def installed_tools() -> Loaded:
    """Load the tools that installed packages declare as entry points."""
    from importlib.metadata import entry_points  # slow to import

    return _load(
        (f"{GROUP} {point.name}", point.load) for point in entry_points(group=GROUP)
    )


def _load(sources: Iterable[tuple[str, Callable[[], object]]]) -> Loaded:
    loaded = Loaded([], [])
    for source, find in sources:
        try:
            tools = _collect(source, find())
            if not tools:
                raise ConfigError(
                    _("Tools {source}: none found; mark functions with @tool.").format(
                        source=source
                    )
                )
        except ConfigError as error:
            loaded.errors.append(error)
            continue
        except (Exception, SystemExit) as error:
            loaded.errors.append(ConfigError(_describe(source, error)))
            continue
        for tool in tools:
            try:
                assert tool.schema
                if tool not in loaded.tools:
                    loaded.tools.append(tool)
            except ConfigError as error:
                loaded.errors.append(error)
    return loaded


def _absolute(source: str | Path) -> str:
    if str(source).endswith(".py"):
        return str(files.expanded(source).absolute())
    if inside := _IN_FILE.fullmatch(str(source)):
        return f"{_absolute(inside[1])}:{inside[2]}"
    return str(source)


def _open(source: str) -> object:
    if source.endswith(".py"):
        return _run_file(Path(source))
    if inside := _IN_FILE.fullmatch(source):
        found: object = _run_file(Path(inside[1]))
        attribute = inside[2]
    else:
        module, __, attribute = source.partition(":")
        if not module:
            raise ConfigError(
                _("Tools {source}: no module; write module:function.").format(
                    source=source
                )
            )
        found = importlib.import_module(module)
    for name in attribute.split(".") if attribute else ():
        found = getattr(found, name)
    return found


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        # Reading a pipe could block forever.
        what = _("it is not a regular file") if path.exists() else _("no such file")
        raise ConfigError(
            _("Tools {path} cannot be loaded: {what}.").format(path=path, what=what)
        )
    # Files of the same name need separate modules; hints and dataclasses look up
    # their module in sys.modules.
    digest = f"{crc32(str(path.resolve()).encode()):08x}"
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


def _collect(source: str, found: object) -> list[Tool[..., Any]]:
    if isinstance(found, ModuleType):
        values = cast(list[object], list(vars(found).values()))
        return [cast(Tool[..., Any], v) for v in values if isinstance(v, Tool)]
    if callable(found) or hasattr(found, "__public_apis__"):
        return as_tools(found)
    if isinstance(found, Iterable) and not isinstance(found, str):
        items = cast(Iterable[object], found)
        return [tool for item in items for tool in _collect(source, item)]
    raise ConfigError(
        _("Tools {source}: {found!r} is not a tool; give a function or a Tool.").format(
            source=source, found=found
        )
    )


def _describe(source: str, error: BaseException) -> str:
    """Describe an error in one line, with the line of the source."""
    line, what = None, " ".join(words(error).split())
    file = inside[1] if (inside := _IN_FILE.fullmatch(source)) else source
    for frame in traceback.extract_tb(error.__traceback__):
        if line is None and frame.filename == file:
            line = frame.lineno
    if isinstance(error, SyntaxError):
        what = error.msg
        if error.filename == file:
            line = error.lineno
    place = _(", line {line}").format(line=line) if line else ""
    name = type(error).__name__
    return (
        _("Tools {source}{place}: {name}: {what}")
        .format(source=source, place=place, name=name, what=what)
        .rstrip(": ")
        + "."
    )
