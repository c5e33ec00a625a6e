"""Reads a tool's description and parameters from its docstring."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple


class Described(NamedTuple):
    """The parts of a docstring that are sent to a model."""

    summary: str
    """Without the sections about arguments, results and errors."""
    parameters: dict[str, str]
    """Descriptions by name; each is a single line."""
    types: dict[str, str]
    """The types by name, as they stand there; see `docstring_types`."""


def docstring_of(function: Callable[..., Any]) -> str:
    """Return a function's docstring, "" if it has none.

    Python with `-OO` or PYTHONOPTIMIZE=2 keeps none: then it is read from the source.
    """
    found = inspect.getdoc(function) or ""
    if found or sys.flags.optimize < 2:
        return found
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # no file, or no function of Python's
        return ""
    first = tree.body[0] if tree.body else None
    if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ast.get_docstring(first) or ""
    return ""


def describe(docstring: str) -> Described:
    """Parse a docstring in Google, NumPy or reST style, or a plain summary."""
    # Slow to import, and needed only when tools are sent to a model.
    from docstring_parser import ParseError, parse

    docstring = inspect.cleandoc(docstring)
    try:
        parsed = parse(docstring)
    except ParseError:
        return Described(docstring, {}, {})
    parameters = {
        param.arg_name.lstrip("*"): " ".join((param.description or "").split())
        for param in parsed.params
    }
    types = {p.arg_name: p.type_name for p in parsed.params if p.type_name}
    return Described((parsed.description or docstring).strip(), parameters, types)
