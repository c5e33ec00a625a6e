"""Asks models for the titles of conversations, in the background.

Once a conversation has its first answer, its model is asked for a title, unless the
user has given one. That is one short request, which gives way to every question and
whose failure is not reported. The title comes as an event, so that every screen and
list gets it.

A server is sent the beginnings of question and answer only. A local model gets the
conversation as it knows it: it keeps what it has read, and would otherwise have to read
it again for the next question.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from tui import agent_names
from tui.config import LlamaModelConfig, ModelConfig
from tui.conversation import Transcript, fold
from tui.conversation.attached import filled
from tui.conversation.titles import cleaned, is_kept, is_untitled, wants_title
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    ConversationRenamed,
    Record,
    TextDelta,
    TurnRequested,
    UsageReported,
)
from tui.messages import Message, ToolSchema
from tui.models.catalog import ModelCatalog
from tui.turn import Turn

SECONDS = 60.0
"""Seconds after which a request is abandoned."""
_TOKENS = 400
"""Most tokens of the model's reply; some models think before they write."""
_LONGEST = 400
"""Characters of a reply that is not a title."""
_SENT = 1_500
"""Characters of question and answer that a server is sent."""

_ASK = (
    "Write a title for this conversation: at most six words, in its language, on one "
    "line, without quotes and without a full stop. Write nothing but the title."
)

Prefix = Callable[[TurnRequested], tuple[str, Sequence[ToolSchema]]]
"""Returns the system prompt and the tools with which a turn was answered."""


class Titler:
    """Titles the conversations of `log`; the runner's `Background`. Any thread."""

    def __init__(
        self,
        log: EventLog,
        models: ModelCatalog,
        is_idle: Callable[[str], bool],
        prefix: Prefix,
    ) -> None:
        """`is_idle` returns whether no turn runs in a conversation ("": anywhere)."""
        self._log = log
        self._models = models
        self._is_idle = is_idle
        self._prefix = prefix
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[Turn, threading.Thread]] = {}
        """The requests in progress, by conversation."""
        self._done: set[str] = set()
        """The conversations whose request was not cancelled, whatever it gave."""
        self._closed = False

    def turn_requested(self) -> None:
        """Stop all requests: the model may take only one at a time."""
        with self._lock:
            turns = [turn for turn, _ in self._turns.values()]
        for turn in turns:
            turn.cancel.request()

    def turn_ended(self, request: Record) -> None:
        """Ask for a title, if the conversation of a turn that has ended needs one."""
        id = request.conversation
        with self._lock:
            if self._closed or id in self._done or id in self._turns:
                return
            turn = Turn()
            thread = threading.Thread(
                target=self._work, args=(request, turn), name="lazychat-title"
            )
            thread.daemon = True
            self._turns[id] = turn, thread
            thread.start()

    def close(self) -> None:
        """Stop all requests, and wait a moment until they have stopped."""
        with self._lock:
            self._closed = True
            working = list(self._turns.values())
        for turn, _ in working:
            turn.cancel.request()
        for _, thread in working:
            thread.join(2.0)

    def _work(self, request: Record, turn: Turn) -> None:
        id = request.conversation
        limit = threading.Timer(SECONDS, turn.cancel.request)
        limit.daemon = True
        limit.start()
        try:
            # Nobody waits for a title, and nobody can do anything about its failure.
            with suppress(Exception):
                self._entitle(request, turn)
        finally:
            limit.cancel()
            with self._lock:
                del self._turns[id]
                if not turn.cancel.requested:
                    self._done.add(id)

    def _entitle(self, request: Record, turn: Turn) -> None:
        id, asked = request.conversation, request.event
        assert isinstance(asked, TurnRequested)
        if self._models.is_demo(asked.model) or not wants_title(self._log, id):
            return
        settings = self._models.find(asked.model)
        local = isinstance(settings, LlamaModelConfig)
        if not self._is_idle("" if local else id):
            turn.cancel.request()  # there may be time after the next answer
            return
        view = fold(self._log.read(id))
        if local and asked.agent == agent_names.DEFAULT:
            messages, tools = self._whole(view, request.turn or "", asked)
        elif local:
            return  # it was answered with another prompt, which it would forget
        else:
            messages, tools = _beginning(view), ()
        if not messages:
            return
        turn.options = _options(settings, view.configured.options)
        title = self._ask(id, asked.model, messages, tools, turn)
        if title and not turn.cancel.requested:
            renamed = ConversationRenamed(title, "model")
            self._log.append(id, renamed, guard=is_untitled(id)).result()

    def _ask(
        self,
        id: str,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        turn: Turn,
    ) -> str:
        reply = self._models.get(model).generate(messages, tools, turn)
        length = 0
        while True:
            try:
                event = next(reply)
            except StopIteration as end:
                message = end.value.message
                title = "" if message.tool_calls else cleaned(message.text)
                return "" if _repeats(title) else title
            if isinstance(event, TextDelta):
                length += len(event.text)
            elif isinstance(event, UsageReported):
                usage = msgspec.structs.replace(event, purpose="title", model=model)
                with suppress(LogError):
                    self._log.append(id, usage, guard=is_kept(id))
            if length > _LONGEST:
                reply.close()
                return ""

    def _whole(
        self, view: Transcript, turn: str, asked: TurnRequested
    ) -> tuple[list[Message], Sequence[ToolSchema]]:
        """Return the conversation as the model has read it, and the request below."""
        entries = view.sent(turn)
        if not entries or entries[-1].finish_reason not in ("stop", "length"):
            return [], ()
        system, tools = self._prefix(asked)
        messages = [filled(self._log, entry.message) for entry in entries]
        if system := view.configured.system or system:
            messages.insert(0, Message("system", system))
        return [*messages, Message("user", _ASK)], tools


def _repeats(title: str) -> bool:
    """Whether it is a part of the request: small models repeat what they are told."""
    return len(title) > 8 and title.rstrip("…").casefold() in _ASK.casefold()


def _beginning(view: Transcript) -> list[Message]:
    """Return a message with the first question and its answer; [] without an answer."""
    entries = list(view.entries.values())
    question = next((e.message for e in entries if e.message.role == "user"), None)
    answers = [
        e.message.text.strip()
        for e in entries
        if e.message.role == "assistant" and e.finish_reason in ("stop", "length")
    ]
    answer = next(filter(None, answers), "")
    if question is None or not answer:
        return []
    files = ", ".join(file.title for file in question.attachments)
    parts = (
        _ASK,
        f"<question>\n{question.text[:_SENT] or files[:_SENT]}\n</question>",
        f"<answer>\n{answer[:_SENT]}\n</answer>",
    )
    return [Message("user", "\n\n".join(parts))]


def _options(settings: ModelConfig, own: dict[str, object]) -> dict[str, object]:
    """Return the options of the request: as in the conversation, but short."""
    known: dict[str, object] = getattr(settings, "options", {})
    newer = "max_completion_tokens"
    name = newer if newer in known or newer in own else "max_tokens"
    return {**own, name: _TOKENS}
