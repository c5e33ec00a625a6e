"""Implements `Model` for a GGUF file."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from operator import eq
from typing import Any, Protocol

import msgspec

from tui.errors import ContextOverflow
from tui.events import Event, NoticeGiven, UsageReported
from tui.i18n import _
from tui.messages import Message, Reply, ToolSchema
from tui.models import context_window
from tui.models.gate import Gate
from tui.models.llama.context import Context
from tui.models.llama.decode import StopText, TextDecoder
from tui.models.llama.dialogue import unreadable
from tui.models.llama.engine import LlamaEngine
from tui.models.llama.loaded import Loaded
from tui.models.llama.sampling import Sampler, Sampling, grammar_of
from tui.models.llama.saved import SavedPrompts
from tui.models.llama.template import (
    CHATML_STOPS,
    THINKING,
    reasoning_open,
)
from tui.models.llama.tokens import Prompt
from tui.models.llama.weights import Weights
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

_LEAST_ANSWER = 64
"""Tokens that stay free for the answer to the longest possible message."""

_AHEAD = 64
"""Tokens in each piece of reading ahead. Pieces are small because a question interrupts
one and keeps only complete pieces. Larger ones would not be faster."""


class TokenSource(Protocol):
    """The source of the tokens of an answer."""

    def start(
        self, context: Context, prompt: Sequence[int], cancel: Cancellation
    ) -> int:
        """Start an answer to `prompt`; return how many of its tokens were known."""
        ...

    def next(self) -> int:
        """Return the next token of the answer."""
        ...


class _Sampled:
    """Tokens that are sampled from the model."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def start(
        self, context: Context, prompt: Sequence[int], cancel: Cancellation
    ) -> int:
        self._context, self._cancel = context, cancel
        self._said: int | None = None
        self._sampler.reset()
        return context.read(prompt, cancel)

    def next(self) -> int:
        # Read a token only when the next one is needed, so that it is shown first.
        if self._said is not None:
            self._context.read_one(self._said, self._cancel)
        token = self._said = self._sampler.sample(self._context)
        return token


class LlamaModel:
    """A `Model` that uses a `LlamaEngine`.

    `max_tokens` limits an answer; None means only the context window does. `dialect` is
    the gate's name of the format in which the model writes calls; None detects it from
    the template. `source` replaces sampling, in tests. The model answers one request at
    a time; others wait for the engine's lock.
    """

    def __init__(
        self,
        engine: LlamaEngine,
        name: str = "",
        sampling: Sampling | None = None,
        max_tokens: int | None = None,
        dialect: str | None = None,
        source: TokenSource | None = None,
    ) -> None:
        self.engine = engine
        self._name = name or engine.path.stem
        self._sampling = sampling or Sampling()
        self._max_tokens = max_tokens
        self._dialect = dialect
        self._source = source
        self._loaded: Loaded | None = None
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        """The user's name for the model."""
        return self._name

    @property
    def window(self) -> int:
        """Tokens of the context; 0 while that is unknown."""
        return self.engine.window

    def preload(self) -> None:
        """Load in a thread, so that the first answer need not wait for it."""
        self.engine.preload(lambda context: self._loaded_for(context.weights))

    def load(self) -> None:
        """Load the file and wait for it. Raises `ModelError`.

        Does not wait for an answer that has begun: then the file is loaded.
        """
        self.engine.load()
        if not self.engine.busy:
            with self.engine.hold() as context:
                self._loaded_for(context.weights)

    def read(
        self,
        messages: Sequence[Message],
        cancel: Cancellation,
        saved: SavedPrompts | None = None,
    ) -> None:
        """Read a prompt in advance, so that prompts with the same start are faster.

        With `saved`, stores the result there. Raises `ModelError` and `Cancelled`; the
        context keeps the part that was read by then.
        """
        with self.engine.hold(cancel) as context:
            tokens = self._loaded_for(context.weights).prompt(messages, ()).tokens
            known = context.read(tokens[-context.size :], cancel, _AHEAD)
            if saved and known < len(tokens) - 1:
                saved.save(context)

    def warm(
        self, tools: Sequence[ToolSchema], system: str, cancel: Cancellation
    ) -> None:
        """Read what the first answer's prompt begins with: `system` and the tools.

        The schemas of a dozen tools are some 1,500 tokens, which a model of seven
        billion parameters reads for a minute without a graphics card. Does nothing when
        the context already holds a conversation. Raises `ModelError` and `Cancelled`;
        the context keeps the part that was read by then.
        """
        with self.engine.hold(cancel) as context:
            if context.tokens:
                return
            loaded = self._loaded_for(context.weights)
            begin = [Message("system", system)] if system else []
            one, other = (
                loaded.prompt([*begin, Message("user", text)], tools).tokens
                for text in ("a", "b")
            )
            both = zip(one, other, strict=False)
            common = [token for token, _ in takewhile(lambda pair: eq(*pair), both)]
            if 0 < len(common) < context.size:
                context.read(common, cancel, _AHEAD)

    def recall(
        self, messages: Sequence[Message], cancel: Cancellation, saved: SavedPrompts
    ) -> None:
        """Restore a prompt from `saved`, if it is there and nothing was read yet.

        Raises `ModelError` and `Cancelled`.
        """
        with self.engine.hold(cancel) as context:
            if not context.tokens:
                tokens = self._loaded_for(context.weights).prompt(messages, ()).tokens
                saved.restore(context, tokens[-context.size :])

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`: see `Model.generate`."""
        with self.engine.hold(turn.cancel) as context:
            loaded = self._loaded_for(context.weights)
            if loaded.fallback:
                yield from self._notice(
                    _(
                        "{name} has no chat template. ChatML is used, which may "
                        "not be the format that the model was trained on."
                    ).format(name=self._name)
                )
            for file in unreadable(messages):
                yield from self._notice(
                    _("{name} reads text only: {name2} is left out.").format(
                        name=self._name, name2=file.name
                    )
                )
            variables = loaded.template(bool(tools)).variables(turn.options)
            prompt, fitted = self._fit(loaded, messages, tools, context, variables)
            if fitted.left_out:
                yield context_window.notice(fitted, self._name, context.size, turn)
            gate = Gate(
                self._dialect or loaded.dialect(bool(tools)),
                {tool.name: tool.parameters for tool in tools} or None,
                reasoning_open(prompt.text),
            )
            builder = ReplyBuilder(turn, gate)
            turn.exchanged(prompt.text)
            sampling, unknown = _own_sampling(self._sampling, turn.options)
            if not variables and any(name in unknown for name in THINKING):
                yield from self._notice(
                    _("{name} has no reasoning effort").format(name=self._name)
                )
            unknown = [name for name in unknown if name not in THINKING]
            if unknown:
                yield from self._notice(
                    _(
                        "{name} has no option {unknown}. It has {struct_fields} "
                        "and max_tokens."
                    ).format(
                        name=self._name,
                        unknown=", ".join(unknown),
                        struct_fields=", ".join(Sampling.__struct_fields__),
                    )
                )
            # A grammar leaves no room for a call, nor for reasoning.
            free = bool(tools) or turn.schema is None or reasoning_open(prompt.text)
            grammar = "" if free else grammar_of(turn.schema or {})
            own = self._own_sampler(loaded, sampling, grammar)
            try:
                source = self._source or _Sampled(own or loaded.sampler)
                answer = self._answer(loaded, prompt, builder, context, turn, source)
                return (yield from answer)
            finally:
                if own is not None:
                    own.close()

    def close(self) -> None:
        """Free the memory of sampler and engine. The next use loads the file again."""
        if self.engine.close() and self._loaded is not None:
            self._loaded.sampler.close()
            self._loaded = None

    def _own_sampler(
        self, loaded: Loaded, sampling: Sampling | None, grammar: str
    ) -> Sampler | None:
        """Return a sampler for one answer, None if the model's own will do.

        A `grammar` that llama.cpp cannot follow is left out.
        """
        settings = sampling or self._sampling
        if grammar:
            with suppress(ValueError):
                return Sampler(loaded.weights, settings, grammar)
        return Sampler(loaded.weights, settings) if sampling else None

    def _answer(
        self,
        loaded: Loaded,
        prompt: Prompt,
        builder: ReplyBuilder,
        context: Context,
        turn: Turn,
        source: TokenSource,
    ) -> Generator[Event, None, Reply]:
        cancel = turn.cancel
        weights = loaded.weights
        decode = TextDecoder().feed
        stop = StopText(CHATML_STOPS if loaded.fallback else ())
        room = context.size - len(prompt.tokens)
        longest = turn.options.get("max_tokens", self._max_tokens)
        limit = min(room, longest if isinstance(longest, int) and longest > 0 else room)
        said: list[int] = []
        written: list[str] = []
        finish_reason = "length"
        cached = source.start(context, prompt.tokens, cancel)
        began = last = time.perf_counter()
        try:
            while len(said) < limit:
                cancel.raise_if_requested()
                token = source.next()
                last = time.perf_counter()
                if not said:
                    began = last
                if weights.is_eog(token):
                    finish_reason = "stop"
                    break
                said.append(token)
                if token in loaded.silent:
                    continue
                text = stop.feed(decode(weights.piece(token)))
                if text:
                    written.append(text)
                    yield from builder.text(text)
                if stop.stopped:
                    finish_reason = "stop"
                    break
            if held := stop.finish():
                yield from builder.text(held)
            yield from builder.end_text()
        finally:
            loaded.tokenizer.remember(prompt, said)
            turn.exchanged(prompt.text, "".join(written))
        yield UsageReported(
            len(prompt.tokens), len(said), last - began, cached, context.size
        )
        return builder.reply(finish_reason)

    def _fit(
        self,
        loaded: Loaded,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        context: Context,
        variables: Mapping[str, Any],
    ) -> tuple[Prompt, context_window.Fitted]:
        """Return the prompt, and which messages it contains."""
        size = context.size
        prompt: Prompt | None = None

        def count(messages: Sequence[Message]) -> int:
            nonlocal prompt
            prompt = loaded.prompt(messages, tools, variables)
            return len(prompt.tokens)

        kept_free = context_window.reserved(size, self._max_tokens)
        fitted = context_window.fit(messages, count, loaded.size, size - kept_free)
        # If no more messages can be left out, reserve less room for the answer.
        if prompt and fitted.tokens + min(_LEAST_ANSWER, kept_free) <= size:
            return prompt, fitted
        trained = loaded.weights.context_trained
        advice = (
            _(" or set a larger `context` for {name} (up to {trained})").format(
                name=self._name, trained=trained
            )
            if trained > size
            else ""
        )
        raise ContextOverflow(
            _(
                "The last message, with what must be sent with it, needs {tokens} "
                "tokens, but the window of {name} has {size}. Send less{advice}."
            ).format(tokens=fitted.tokens, name=self._name, size=size, advice=advice),
            size,
            fitted.tokens,
        )

    def _loaded_for(self, weights: Weights) -> Loaded:
        if self._loaded is None or self._loaded.weights is not weights:
            if self._loaded is not None:
                self._loaded.sampler.close()
            self._loaded = Loaded(weights, self._sampling)
        return self._loaded

    def _notice(self, text: str) -> Iterator[Event]:
        """Yield a notice, unless it was given before."""
        if text not in self._told:
            self._told.add(text)
            yield NoticeGiven(text)


def _own_sampling(
    settings: Sampling, options: Mapping[str, Any]
) -> tuple[Sampling | None, list[str]]:
    """Return `settings` with a turn's `options`, None for no change, and unknown ones.

    An option of the wrong type counts as unknown.
    """
    own = {k: v for k, v in options.items() if k in Sampling.__struct_fields__}
    unknown = [k for k in options if k not in own and k != "max_tokens"]
    try:
        changed = msgspec.convert(msgspec.structs.asdict(settings) | own, Sampling)
    except msgspec.ValidationError:
        return None, [*unknown, *own]
    return (changed if own else None), unknown
