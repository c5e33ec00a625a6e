"""Defines how several models are asked the same question.

Each of them answers in a turn of its own. The turns are requested together and run one
after the other, and their answers are versions of each other.
"""

from collections.abc import Callable, Collection

import msgspec

from tui.events import TurnRequested

COMPARES = "compares"
"""The option of the request after whose turn a screen names the two answers."""


class AskedModel(msgspec.Struct, frozen=True):
    """One of the models that answer the question."""

    name: str
    """The model's name."""
    tools: Callable[[], Collection[str]]
    """Returns the names of the tools that it is offered; any thread."""


def compares(request: TurnRequested | None) -> bool:
    """Whether a request is the last one of a comparison."""
    return request is not None and request.options.get(COMPARES) is True
