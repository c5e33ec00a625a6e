"""Presents the gate as a plain splitter that any conformance checker can drive."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text

Event = tuple[str, Any]


def make_splitter(
    family: str, tools: Mapping[str, dict[str, Any]] | None, reasoning_open: bool
) -> "Adapter":
    return Adapter(Gate(family, tools, reasoning_open))


class Adapter:
    """Yields events: ("text" | "reasoning", str), ("call", dict), ("error", kind)."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        split = gate.feed

        def feed(text: str) -> Iterable[Event]:
            pieces = split(text)
            # Fast path: most pieces of a stream give one piece of text.
            if len(pieces) == 1:
                piece = pieces[0]
                if type(piece) is Text:
                    return (("text", piece.text),)
            return [_event(piece) for piece in pieces]

        self.feed = feed

    def finish(self) -> Iterator[Event]:
        for piece in self._gate.finish():
            yield _event(piece)
        if self._gate.in_reasoning:
            yield ("error", "truncated")


def _event(piece: Piece) -> Event:
    match piece:
        case Text(text):
            return ("text", text)
        case Reasoning(text):
            return ("reasoning", text)
        case Call(name, arguments, id):
            return ("call", {"name": name, "arguments": arguments, "id": id})
        case Broken(kind, _):
            return ("error", kind)
        case CallOpened():
            return ("call_started", None)
