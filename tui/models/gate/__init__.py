"""The gate: splits a model's text stream into text, reasoning and function calls.

Everything that a model says passes here, whatever the backend, before anybody
sees it.
"""

from collections.abc import Mapping
from typing import Any

from tui.models.gate.engine import Splitter
from tui.models.gate.formats import DIALECTS
from tui.models.gate.pieces import Broken, Call, CallOpened, Piece, Reasoning, Text

__all__ = ["Broken", "Call", "CallOpened", "Gate", "Piece", "Reasoning", "Text"]


class Gate:
    """An incremental splitter; one for each message of a model."""

    def __init__(
        self,
        dialect: str = "auto",
        tools: Mapping[str, dict[str, Any]] | None = None,
        reasoning_open: bool = False,
    ) -> None:
        self.dialect = dialect
        self.tools = tools
        self.reasoning_open = reasoning_open
        known = DIALECTS.get(dialect) or DIALECTS["hermes"]
        self._splitter = Splitter(known, tools, reasoning_open)
        self.feed = self._splitter.feed
        self.ended_in_reasoning = False

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of the stream, of any length, "" too."""
        return self._splitter.feed(text)

    def finish(self) -> list[Piece]:
        """Take the end of the stream; called once."""
        pieces = self._splitter.finish()
        self.ended_in_reasoning = self._splitter.thinking
        return pieces
