"""Implements `Model` by requests to a child process."""

from collections.abc import Generator, Sequence

from tui import events
from tui.errors import Cancelled, ContextOverflow, ModelError
from tui.events import Event, NoticeGiven
from tui.messages import Message, Reply, ToolSchema
from tui.models import exchanges
from tui.models.attached import without_pictures
from tui.models.local.death import Death
from tui.models.local.process import Exchange, ModelProcess, died, process_for
from tui.models.local.wire import (
    Ask,
    Drop,
    Emitted,
    Exchanged,
    Failed,
    Finished,
    Load,
    Loaded,
    Spec,
    Warm,
)
from tui.turn import Turn


class LocalModel:
    """The model of `spec`, in the process for its file. Any thread may use it.

    The constructor starts no process. Models on one file share its process and, within
    it, the weights, so they answer one after the other. If the process dies, the
    running answers raise `ModelError` of kind `died`, and the next question starts a
    new process.
    """

    def __init__(self, spec: Spec, kept: exchanges.Exchanges | None = None) -> None:
        """Keep prompts and answers in `kept`, for the debug panel."""
        self.spec = spec
        self._kept = kept or exchanges.Exchanges()
        self.window = spec.context
        """Tokens of the context; 0 while that is unknown."""
        self.summarizes = not spec.starter
        """Whether the model can write useful summaries of conversations."""
        self._shared: ModelProcess | None = None

    @property
    def name(self) -> str:
        """The user's name for the model."""
        return self.spec.name

    @property
    def process(self) -> ModelProcess:
        """The process, which other models on the same file use too."""
        if self._shared is None:
            self._shared = process_for(self.spec.path, self)
        return self._shared

    def preload(self) -> None:
        """Load the file and wait for success or failure. Never raises."""
        try:
            child = self.process.child(self.spec)
        except ModelError:
            return  # the next question will raise it
        with child.exchange() as exchange:
            child.send(Load(exchange.id, self.spec))
            answer = exchange.next()
        if isinstance(answer, Loaded):
            self.window = answer.window

    def warm(self, tools: Sequence[ToolSchema], system: str = "") -> None:
        """Let it read the common start of prompts, until a question; return at once.

        `system` is the system prompt, "" for none.
        """
        if child := self.process.living():
            child.send(Warm(self.spec, list(tools), system))

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`: see `Model.generate`.

        A cancel takes effect at once. A process that does not stop within
        `process.OBEY_SECONDS` is killed, and the next answer begins with a notice.
        """
        turn.cancel.raise_if_requested()
        if death := self.process.note():
            yield NoticeGiven(str(self._died(death)))
        while True:
            child = self.process.child(self.spec)
            begun = False
            raw: exchanges.Exchange | None = None
            with child.exchange() as exchange, turn.cancel.on(exchange.wake):
                child.send(self._ask(exchange, messages, tools, turn))
                while True:
                    answer = exchange.next()
                    turn.cancel.raise_if_requested()
                    match answer:
                        case Emitted(_, kind, data):
                            begun = True
                            yield events.decode(kind, data)
                        case Exchanged():
                            raw = self._keep(answer, turn, raw)
                        case Finished():
                            self.window = answer.window
                            return answer.reply
                        case Failed():
                            raise self._error(answer)
                        case Death():
                            if not begun and answer.stuck and self.process.note():
                                # Killed because of an earlier, cancelled answer.
                                yield NoticeGiven(str(self._died(answer)))
                                break
                            raise self._died(answer)
                        case _:
                            pass

    def _keep(
        self, said: Exchanged, turn: Turn, begun: exchanges.Exchange | None
    ) -> exchanges.Exchange:
        """Keep a prompt, or the answer to the one that was `begun`."""
        if said.answer is not None and begun is not None:
            begun.heard(said.answer.encode("utf-8", "replace"))
            begun.outcome = "done"
            return begun
        begun = self._kept.begin(turn.id, turn.message_id, self.name, "")
        begun.asked(said.prompt)
        return begun

    def close(self) -> None:
        """Free its memory; end the process if no other model uses the file."""
        if self._shared is None:
            return
        shared, self._shared = self._shared, None
        if child := shared.living():
            child.send(Drop(self.spec))
        shared.leave(self)

    def _ask(
        self,
        exchange: Exchange,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        turn: Turn,
    ) -> Ask:
        ids = {id(message): known for known, message in turn.sources}
        return Ask(
            exchange.id,
            self.spec,
            list(map(without_pictures, messages)),
            [ids.get(id(message), "") for message in messages],
            list(tools),
            turn.id,
            turn.message_id,
            dict(turn.options),
            None if turn.schema is None else dict(turn.schema),
        )

    def _died(self, death: Death) -> ModelError:
        return died(death, self.name, self.spec.path)

    def _error(self, failed: Failed) -> Exception:
        match failed.what:
            case "cancelled":
                return Cancelled()
            case "overflow":
                return ContextOverflow(failed.text, failed.window, failed.tokens)
            case "fault":
                return RuntimeError(failed.text)
            case _:
                return ModelError(failed.text, failed.kind)
