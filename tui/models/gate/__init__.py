"""The gate: splits a model's text stream into text, reasoning and function calls.

Every backend passes a model's output through a Gate before anything else sees it.
Each format is a row in `dialects`. The caller names the dialect, since it knows the
model; `auto` looks for all common formats at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.models.gate.detect import (
    dialect_of_name,
    dialect_of_template,
    dropped_tokens,
    eager_dialect,
    find_dialect,
    reasoning_opener,
)
from tui.models.gate.names import meant
from tui.models.gate.patterns import BLANKS, Atoms, Lit, Opt, Run, part, whole
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
    """Compile the rules of `auto` before the first message; once per process."""
    probe = Splitter(find_dialect("auto"), {"probe": {}}, False)
    probe.prepare()
    for piece in (
        "a [",
        "`(` ",
        "b <",
        "c {",
        "\n\n```python\n",
        "# d\n",
        "def",
        " " * 200,
    ):
        probe.feed(piece)
    probe.prepare()
    probe = Splitter(find_dialect("auto"), {"probe": {}}, False)
    probe.feed('<tool_call>{"name": "probe", "arguments": {}}</tool_call>')


_FRAMED = "harmony"
_FRAMES: Atoms = (
    Opt((Lit("<|start|>"), Run("[^<]"))),
    Lit("<|channel|>"),
)
"""What a model of that dialect begins with, whatever its name: its server has no parser
for it. Nobody else begins so."""
_BEGINS = re.compile(whole(_FRAMES))
_MAY_BEGIN = re.compile(part(_FRAMES))


class Gate:
    """An incremental splitter; one for each message of a model.

    `dialect` is a dialect's id or "auto"; any other raises `ValueError`. `tools` maps
    the names of the offered tools to the JSON schemas of their parameters; None means
    that no tools were offered, so calls are text. `reasoning_open` says that the
    prompt has already opened the reasoning; `closers` close it beside those of the
    dialect, where only a guess tells the model. `eager`, with "auto", says that no call
    is run: then calls of every dialect are found, whatever follows them.

    However the stream is cut, the pieces add up to the same. Only text that may still
    become a marker is held back. Not thread-safe.
    """

    __slots__ = ("_begin", "_dialect", "_of_frames", "_splitter", "_tools", "feed")

    def __init__(
        self,
        dialect: str = "auto",
        tools: Mapping[str, dict[str, Any]] | None = None,
        reasoning_open: bool = False,
        eager: bool = False,
        closers: Sequence[str] = (),
    ) -> None:
        self._dialect = dialect
        self._tools = tools
        row = eager_dialect() if eager else find_dialect(dialect)
        self._splitter = Splitter(row, tools, reasoning_open, closers)
        self._begin = ""
        self._of_frames: Callable[[], Splitter] | None = None
        self.feed = self._splitter.feed
        """Take the next chunk of the stream, of any length, even ""."""
        if dialect == "auto" and not reasoning_open:
            self._of_frames = lambda: Splitter(find_dialect(_FRAMED), tools, False)
            self.feed = self._first

    def _first(self, text: str) -> list[Piece]:
        """Take the beginning of a stream, which alone tells a dialect of frames."""
        if self._of_frames is None:
            return self._splitter.feed(text)
        begin = self._begin + text
        start = begin.lstrip(BLANKS)
        if _BEGINS.match(start):
            self._splitter = self._of_frames()
        elif _MAY_BEGIN.match(start):
            self._begin = begin
            return []
        self._begin, self._of_frames = "", None
        self.feed = self._splitter.feed
        return self.feed(begin)

    def finish(self) -> list[Piece]:
        """End the stream and return what was held back; call it once."""
        begin, self._begin = self._begin, ""
        return [*self._splitter.feed(begin), *self._splitter.finish()]

    def tool(self, name: str) -> str:
        """Return the offered tool that a name means; the name itself for none."""
        return meant(name, self._tools or ())

    def calls_in(self, thoughts: str) -> tuple[str, list[Call]]:
        """Return the calls that end reasoning which was told apart, and what is before.

        That is as if the reasoning had never been closed; a call that anything but
        white space follows is only thought about.
        """
        again = Gate(self._dialect, self._tools, reasoning_open=True)
        came = [*again.feed(thoughts), *again.finish()]
        calls = [piece for piece in came if isinstance(piece, Call)]
        text = "".join(piece.text for piece in came if isinstance(piece, Text))
        if not calls or text.strip() or any(isinstance(p, Broken) for p in came):
            return thoughts, []
        return "".join(p.text for p in came if isinstance(p, Reasoning)), calls

    @property
    def in_reasoning(self) -> bool:
        """Whether reasoning is open; at the end, that means the answer was cut off."""
        return self._splitter.in_reasoning
