"""Scores how likely the model finds a text after several prefixes.

The beginnings are kept as sequences of one small context, apart from the one that
holds the conversation, so a message costs its own tokens once for each beginning and
nothing else: about 150 tokens for one second of CPU.
"""

import ctypes
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tui.errors import ModelError
from tui.models.llama import Context, LlamaEngine, Weights
from tui.turn import Cancellation

_SEQUENCES = 48
_CELLS = 2560
"""Tokens of all sequences together: 40 beginnings of 32 tokens, and the texts."""
_KEPT = 32
"""Beginnings that are kept; the rest of the sequences is for one call's texts."""
_BATCH = 512


class Scorer:
    """Scores texts on `engine`; one thread at a time, within `engine.hold`."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine = engine
        self._context: Context | None = None
        self._batch: Any = None
        self._known: OrderedDict[str, tuple[int, list[int]]] = OrderedDict()
        self._free: list[int] = []
        self.tokens_read = 0
        """Tokens computed so far, for those who measure."""

    def close(self) -> None:
        """Free the batch; the engine frees the context."""
        if self._batch is not None and self._context is not None:
            self._context.weights.lib.llama_batch_free(self._batch)
        self._batch = self._context = None

    def likelihoods(
        self,
        beginnings: Sequence[str],
        text: str,
        end: str,
        cancel: Cancellation,
        longest: int,
    ) -> list[float]:
        """Return log P(text | beginning) for each of `beginnings`, in nats.

        `end` is markup that ends `text`. Of a text of more than `longest` tokens the
        last that many are scored. Raises `Cancelled` within about 20 ms.
        """
        context = self._ready()
        weights = context.weights
        tokens = weights.tokenize(text)[-longest:] + weights.tokenize(end, special=True)
        result: list[float] = []
        with self._undisturbed(context, cancel):
            keep = set(beginnings)
            for group in _groups(beginnings, max(1, _BATCH // (len(tokens) + 1))):
                items: list[tuple[int, int, int, bool]] = []
                places: list[tuple[int, int]] = []
                for beginning in group:
                    sequence, read = self._beginning(context, beginning, keep, cancel)
                    at = len(read) - 1
                    said = [read[-1], *tokens[:-1]]
                    items += [(t, at + i, sequence, True) for i, t in enumerate(said)]
                    places.append((sequence, at))
                found = self._decode(context, items, tokens * len(group), cancel)
                n = len(tokens)
                result += [sum(found[i * n : i * n + n]) for i in range(len(group))]
                for sequence, at in places:
                    self._remove(context, sequence, at)
        return result

    def read(self, beginning: str, cancel: Cancellation) -> None:
        """Read one of the beginnings ahead; within `engine.hold`.

        Raises `Cancelled` within about 20 ms; the others are kept then.
        """
        context = self._ready()
        with context.running(cancel):
            self._beginning(context, beginning, {beginning}, cancel)

    def choices(
        self,
        fixed: str,
        rest: str,
        texts: Sequence[str],
        cancel: Cancellation,
    ) -> list[float]:
        """Return log P(text + newline | fixed + rest) for each of `texts`, in nats.

        `fixed` is kept for the next call, `rest` is not.
        """
        context = self._ready()
        weights = context.weights
        lib = weights.lib
        with self._undisturbed(context, cancel):
            source, read = self._beginning(context, fixed, {fixed}, cancel)
            tail = weights.tokenize(rest)
            begin = [read[-1], *tail]
            at = len(read) - 1
            borrowed: list[int] = []
            try:
                trunk = self._borrow(context, borrowed)
                lib.llama_memory_seq_cp(context.memory, source, trunk, -1, -1)
                self._decode(
                    context,
                    [(t, at + i, trunk, False) for i, t in enumerate(begin[:-1])],
                    [],
                    cancel,
                )
                at += len(begin) - 1
                items: list[tuple[int, int, int, bool]] = []
                wanted: list[int] = []
                lengths: list[int] = []
                for text in texts:
                    sequence = self._borrow(context, borrowed)
                    lib.llama_memory_seq_cp(context.memory, trunk, sequence, -1, -1)
                    tokens = weights.tokenize(text + "\n")
                    said = [begin[-1], *tokens[:-1]]
                    items += [(t, at + i, sequence, True) for i, t in enumerate(said)]
                    wanted += tokens
                    lengths.append(len(tokens))
                found = iter(self._decode(context, items, wanted, cancel))
                return [sum(next(found) for _ in range(n)) for n in lengths]
            finally:
                for sequence in borrowed:
                    self._remove(context, sequence, -1)
                    self._free.append(sequence)

    def _ready(self) -> Context:
        weights: Weights = self._engine.weights
        if self._context is None or self._context.weights is not weights:
            self._context = self._engine.new_context(_CELLS, _SEQUENCES)
            self._batch = weights.lib.llama_batch_init(_BATCH, 0, 1)
            self._forget(self._context)
        return self._context

    def _forget(self, context: Context) -> None:
        context.forget()
        self._known.clear()
        self._free = list(range(_SEQUENCES))

    @contextmanager
    def _undisturbed(self, context: Context, cancel: Cancellation) -> Generator[None]:
        """Drop everything when the block is broken off: sequences may be half read."""
        try:
            with context.running(cancel):
                yield
        except BaseException:
            self._forget(context)
            raise

    def _beginning(
        self, context: Context, text: str, keep: set[str], cancel: Cancellation
    ) -> tuple[int, list[int]]:
        """Return the sequence that has read `text` but for its last token."""
        if text in self._known:
            self._known.move_to_end(text)
            return self._known[text]
        while len(self._known) >= _KEPT:
            old = next((k for k in self._known if k not in keep), None)
            if old is None:
                break
            self._drop(context, old)
        tokens = context.weights.tokenize(text, special=True)
        sequence = self._free.pop()
        items = [(t, i, sequence, False) for i, t in enumerate(tokens[:-1])]
        try:
            self._decode(context, items, [], cancel)
        except BaseException:
            self._remove(context, sequence, -1)
            self._free.append(sequence)
            raise
        self._known[text] = sequence, tokens
        return self._known[text]

    def _drop(self, context: Context, text: str) -> None:
        sequence, _ = self._known.pop(text)
        self._remove(context, sequence, -1)
        self._free.append(sequence)

    def _borrow(self, context: Context, borrowed: list[int]) -> int:
        if not self._free:
            self._drop(context, next(iter(self._known)))
        borrowed.append(self._free.pop())
        return borrowed[-1]

    def _remove(self, context: Context, sequence: int, at: int) -> None:
        context.weights.lib.llama_memory_seq_rm(context.memory, sequence, at, -1)

    def _decode(
        self,
        context: Context,
        items: Sequence[tuple[int, int, int, bool]],
        wanted: Sequence[int],
        cancel: Cancellation,
    ) -> list[float]:
        """Read `items` (token, position, sequence, whether scored).

        Returns the log probability of each of `wanted` after the scored items.
        """
        found: list[float] = []
        for start in range(0, len(items), _BATCH):
            cancel.raise_if_requested()
            part = items[start : start + _BATCH]
            batch = self._batch
            batch.n_tokens = len(part)
            for i, (token, position, sequence, scored) in enumerate(part):
                batch.token[i] = token
                batch.pos[i] = position
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = sequence
                batch.logits[i] = scored
            code = context.weights.lib.llama_decode(context.pointer, batch)
            self.tokens_read += len(part)
            if code:
                cancel.raise_if_requested()
                raise ModelError(
                    f"llama.cpp failed on {context.weights.path.name} (llama_decode "
                    f"returned {code})."
                )
            scored_here = sum(item[3] for item in part)
            if scored_here:
                here = wanted[len(found) : len(found) + scored_here]
                found += _log_probabilities(context, here)
        return found


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


def _groups(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
