"""Reads a tool's description and parameters from its docstring."""

import inspect
from typing import NamedTuple


class Described(NamedTuple):
    """The parts of a docstring that a model is told."""

    summary: str
    """Without the sections on arguments, results and errors."""
    parameters: dict[str, str]
    """Descriptions by name; each one is a single line."""


def describe(docstring: str) -> Described:
    """Read a docstring in Google's, NumPy's or reST style, or a mere summary."""
    # 30 ms, needed only when a model is about to be told of its tools.
    from docstring_parser import ParseError, parse

    docstring = inspect.cleandoc(docstring)
    try:
        parsed = parse(docstring)
    except ParseError:
        return Described(docstring, {})
    parameters = {
        param.arg_name.lstrip("*"): " ".join((param.description or "").split())
        for param in parsed.params
    }
    return Described((parsed.description or docstring).strip(), parameters)
