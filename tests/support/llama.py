"""A tool, a question, and a token source that replaces llama.cpp's sampling."""

from collections.abc import Sequence

from tui.messages import Message, ToolSchema
from tui.models.llama import Context
from tui.turn import Cancellation

WEATHER = ToolSchema(
    "weather",
    "Tell the weather of a city",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)
QUESTION = Message("user", "How is the weather in Beijing?")


class Says:
    """A token source that produces `text`, and stores the prompt it was given."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.prompt = ""

    def start(
        self, context: Context, prompt: Sequence[int], cancel: Cancellation
    ) -> int:
        weights = context.weights
        self.prompt = b"".join(map(weights.piece, prompt)).decode()
        self._tokens = iter(weights.tokenize(self.text, special=True))
        return 0

    def next(self) -> int:
        return next(self._tokens)
