"""Scores how likely the model finds a text after another.

What was read is kept in sequences of one small context, apart from the one that holds
the conversation, and whatever begins like it goes on from there. So a message costs
its own tokens once for each beginning and nothing else: about 150 tokens for one
second of CPU.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

from tui.errors import ModelError
from tui.models.llama import Context, LlamaEngine
from tui.turn import Cancellation

_SEQUENCES, _KEPT = 48, 24
"""Sequences of the context, and how many of them keep a beginning."""
_CELLS = 2560
"""Tokens of all sequences together: beginnings of some 30 tokens, and the texts."""
_BATCH = 512
_LONGEST = 20
"""Tokens of a text, from its end, that are scored."""


class _Item(NamedTuple):
    token: int
    position: int
    sequence: int
    wanted: int = -1
    """The token that comes next, if its likelihood is to be known."""


class Scorer:
    """Scores texts on `engine`; one thread at a time, within `engine.hold`."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine = engine
        self._context: Context | None = None
        self._batch: Any = None
        self._known: dict[str, tuple[int, list[int]]] = {}
        self._free: list[int] = []
        self.tokens_read = 0
        """Tokens computed so far, for those who measure."""

    def close(self) -> None:
        """Free the batch; the engine frees the context."""
        if self._batch is not None and self._context is not None:
            self._context.weights.lib.llama_batch_free(self._batch)
        self._batch = self._context = None

    def likelihoods(
        self, pairs: Sequence[tuple[str, str]], end: str, cancel: Cancellation
    ) -> list[float]:
        """Return log P(second + end | first) of each of `pairs`, in nats; at most 24.

        `end` may be markup. Of a long text the last 20 tokens are scored. What was
        read of the beginnings is kept. Raises `Cancelled` within about 20 ms.
        """
        context = self._ready()
        borrowed: list[int] = []
        items: list[_Item] = []
        lengths: list[int] = []
        try:
            with context.running(cancel):
                for beginning, text in pairs:
                    source, read = self._read(context, beginning, cancel)
                    tokens = context.weights.tokenize(text)[-_LONGEST:]
                    tokens += context.weights.tokenize(end, special=True)
                    borrowed.append(self._free.pop())
                    self._copy(context, source, borrowed[-1], len(read) - 1)
                    items += [
                        _Item(token, len(read) - 1 + i, borrowed[-1], tokens[i])
                        for i, token in enumerate([read[-1], *tokens[:-1]])
                    ]
                    lengths.append(len(tokens))
                found = iter(self._decode(context, items, cancel))
        except BaseException:
            self._forget(context)  # sequences may be half read
            raise
        for sequence in borrowed:
            self._release(context, sequence)
        return [sum(next(found) for _ in range(n)) for n in lengths]

    def read(self, beginning: str, cancel: Cancellation) -> None:
        """Read one of the beginnings ahead; within `engine.hold`.

        Raises `Cancelled` within about 20 ms.
        """
        context = self._ready()
        try:
            with context.running(cancel):
                self._read(context, beginning, cancel)
        except BaseException:
            self._forget(context)
            raise

    def _ready(self) -> Context:
        weights = self._engine.weights
        if self._context is None or self._context.weights is not weights:
            self._context = self._engine.new_context(_CELLS, _SEQUENCES)
            self._batch = weights.lib.llama_batch_init(_BATCH, 0, 1)
            self._forget(self._context)
        return self._context

    def _forget(self, context: Context) -> None:
        context.forget()
        self._known.clear()
        self._free = list(range(_SEQUENCES))

    def _read(
        self, context: Context, text: str, cancel: Cancellation
    ) -> tuple[int, list[int]]:
        """Return the sequence that has read `text` but for its last token."""
        known = self._known.pop(text, None)  # and in again, as the last one used
        if known is None:
            while len(self._known) >= _KEPT:
                old = next(iter(self._known))
                self._release(context, self._known.pop(old)[0])
            tokens = context.weights.tokenize(text, special=True)
            sequence, at = self._free.pop(), 0
            for source, read in self._known.values():
                if (same := _common(read[:-1], tokens[:-1])) > at:
                    at = same
                    self._release(context, sequence, taken=True)
                    self._copy(context, source, sequence, at)
            rest = enumerate(tokens[at:-1], at)
            self._decode(context, [_Item(t, i, sequence) for i, t in rest], cancel)
            known = sequence, tokens
        self._known[text] = known
        return known

    def _copy(self, context: Context, source: int, target: int, end: int) -> None:
        lib = context.weights.lib
        lib.llama_memory_seq_cp(context.memory, source, target, 0, end)

    def _release(self, context: Context, sequence: int, taken: bool = False) -> None:
        context.weights.lib.llama_memory_seq_rm(context.memory, sequence, -1, -1)
        if not taken:
            self._free.append(sequence)

    def _decode(
        self, context: Context, items: Sequence[_Item], cancel: Cancellation
    ) -> list[float]:
        """Read `items`; return the log probability of each token that is wanted."""
        found: list[float] = []
        batch = self._batch
        for start in range(0, len(items), _BATCH):
            cancel.raise_if_requested()
            part = items[start : start + _BATCH]
            batch.n_tokens = len(part)
            for i, item in enumerate(part):
                batch.token[i] = item.token
                batch.pos[i] = item.position
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = item.sequence
                batch.logits[i] = item.wanted >= 0
            code = context.weights.lib.llama_decode(context.pointer, batch)
            self.tokens_read += len(part)
            if code:
                cancel.raise_if_requested()
                raise ModelError(
                    f"llama.cpp failed on {context.weights.path.name} (llama_decode "
                    f"returned {code})."
                )
            wanted = [item.wanted for item in part if item.wanted >= 0]
            found += _log_probabilities(context, wanted) if wanted else []
        return found


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many tokens `a` and `b` begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def _log_probabilities(context: Context, wanted: Sequence[int]) -> list[float]:
    import numpy as np  # comes with llama-cpp-python

    lib, weights = context.weights.lib, context.weights
    size = lib.llama_vocab_n_tokens(weights.vocab)
    pointer = lib.llama_get_logits(context.pointer)
    address = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float))
    logits = np.ctypeslib.as_array(address, shape=(len(wanted), size))
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    chosen = logits[np.arange(len(wanted)), np.asarray(wanted)]
    return [float(x) for x in chosen - total]
