"""The gate: splits a model's text stream into text, reasoning and function calls.

Everything that a model says passes here, whatever the backend, before anybody sees
it. What the gate knows of a format is a row in `formats`; a Gate is told the dialect
by whoever knows the model, and `auto` guards the common ones at once.
"""

from collections.abc import Mapping
from typing import Any

from tui.models.gate.detect import (
    dialect_of_name,
    dialect_of_template,
    dropped_tokens,
    find_dialect,
    reasoning_opener,
)
from tui.models.gate.pieces import Broken, Call, CallOpened, Piece, Reasoning, Text
from tui.models.gate.splitter import Splitter

__all__ = [
    "Broken",
    "Call",
    "CallOpened",
    "Gate",
    "Piece",
    "Reasoning",
    "Text",
    "dialect_of_name",
    "dialect_of_template",
    "dropped_tokens",
    "preload",
    "reasoning_opener",
]


def preload() -> None:
    """Compile the rules of `auto`, which takes 30 ms of CPU once a process."""
    probe = Gate("auto", {"probe": {"type": "object", "properties": {}}})
    for piece in ("a [", "`(` ", "b <", "c {", "\n\n```python\n", "# d\n", "def"):
        probe.feed(piece)


class Gate:
    """An incremental splitter; one for each message of a model.

    `dialect` is a format's id or "auto"; another one raises `ValueError`. `tools`
    maps the names of the offered tools to the JSON schemas of their parameters; None
    means that none were offered, and then calls are text. `reasoning_open` says that
    the prompt has opened the reasoning already.

    Together the pieces are the same for every way of cutting the stream. Nothing is
    held back but what may still become a marker. Not for use by several threads.
    """

    __slots__ = ("_splitter", "feed")

    def __init__(
        self,
        dialect: str = "auto",
        tools: Mapping[str, dict[str, Any]] | None = None,
        reasoning_open: bool = False,
    ) -> None:
        self._splitter = Splitter(find_dialect(dialect), tools, reasoning_open)
        self.feed = self._splitter.feed
        """Take the next piece of the stream, of any length, "" too."""

    def finish(self) -> list[Piece]:
        """Take the end of the stream; called once."""
        return self._splitter.finish()

    @property
    def in_reasoning(self) -> bool:
        """Reasoning is open; at the end it means that the answer was cut off."""
        return self._splitter.in_reasoning
