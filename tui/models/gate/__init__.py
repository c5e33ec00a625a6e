"""The gate: splits a model's text stream into text, reasoning and function calls.

Everything that a model says passes here, whatever the backend, before anybody
sees it.
"""

from collections.abc import Mapping
from typing import Any

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

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of the stream, of any length, "" too."""
        return [Text(text)] if text else []

    def finish(self) -> list[Piece]:
        """Take the end of the stream; called once."""
        return []
