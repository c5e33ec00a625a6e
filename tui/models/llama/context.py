"""A llama.cpp context, and the tokens that it has read.

Reading is the slow part of a turn (340 tokens/s against 0.2 s for everything else on
two cores), so a context keeps what it has read and reads only what differs.
"""

import ctypes
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from tui.errors import ModelError
from tui.models.llama.native import AbortFlag
from tui.models.llama.weights import Weights
from tui.turn import Cancellation

_BATCH = 512
"""Tokens that are read in one call, at most."""
_ABORTED = 2
"""What llama_decode returns when the abort callback says so."""


class Context:
    """A window of `size` tokens. One thread at a time: see `LlamaEngine.hold`.

    `pointer` and `memory` are for llama.cpp's own functions. Whoever uses those must
    call `forget` before `read`.
    """

    def __init__(
        self, weights: Weights, size: int, threads: int, sequences: int = 1
    ) -> None:
        self.weights = weights
        self._lib = lib = weights.lib
        self._abort = AbortFlag(lib)
        params = lib.llama_context_default_params()
        params.n_ctx = size
        params.n_batch = params.n_ubatch = _BATCH
        params.n_seq_max = sequences
        # One pool of cells for all sequences, so that they share a prefix's cells.
        params.kv_unified = sequences > 1
        params.n_threads = params.n_threads_batch = threads
        params.abort_callback = self._abort.callback
        params.abort_callback_data = self._abort.data
        self.pointer: Any = lib.llama_init_from_model(weights.model, params)
        if not self.pointer:
            raise ModelError(
                f"A context of {size} tokens for {weights.path.name} cannot be had: "
                "set a smaller `context`.",
            )
        self.memory: Any = lib.llama_get_memory(self.pointer)
        self.size: int = lib.llama_n_ctx(self.pointer)
        """In tokens; llama.cpp may have rounded it up."""
        self.tokens: list[int] = []
        """What has been read, in order."""
        # Smaller than asked for in a small window; llama.cpp aborts on a larger one.
        self._batch: int = lib.llama_n_batch(self.pointer)
        self._buffer = (ctypes.c_int32 * self._batch)()
        self._one = lib.llama_batch_get_one(self._buffer, 1)

    def close(self) -> None:
        """Free the memory."""
        if self.pointer:
            self._lib.llama_free(self.pointer)
            self.pointer = self.memory = None

    def abort(self) -> None:
        """Break off what runs here, from any thread."""
        self._abort.set()

    @contextmanager
    def running(self, cancel: Cancellation) -> Generator[None, None, None]:
        """While the block is open, `cancel` breaks off a computation within it."""
        self._abort.clear()
        with cancel.on(self._abort.set):
            yield

    def forget(self) -> None:
        """Drop all that has been read."""
        self._lib.llama_memory_clear(self.memory, False)
        self.tokens.clear()

    def state(self) -> bytes:
        """Return what has been read, as computed; empty where that cannot be had."""
        size: int = self._lib.llama_state_seq_get_size(self.pointer, 0)
        data = (ctypes.c_uint8 * size)()
        got: int = self._lib.llama_state_seq_get_data(self.pointer, data, size, 0)
        return bytes(data) if got == size else b""

    def restore(self, state: bytes, tokens: Sequence[int]) -> bool:
        """Hold `tokens` again, of which `state` came; return whether it worked.

        Only for a state of the same file, window and library: llama.cpp may abort on
        another. Nothing is held afterwards when it did not work.
        """
        self.forget()
        data = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if not self._lib.llama_state_seq_set_data(self.pointer, data, len(state), 0):
            self.forget()
            return False
        self.tokens = list(tokens)
        return True

    def read(
        self, tokens: Sequence[int], cancel: Cancellation, step: int = _BATCH
    ) -> int:
        """Have the context hold exactly `tokens`; return how many it knew already.

        Afterwards a sampler can be asked for the next token. There must be one token
        at least and at most `size`. Raises `Cancelled` within some 20 ms when used
        within `running`; what was read until then is kept, in pieces of `step` tokens:
        of a piece that is broken off nothing is.
        """
        step = min(step, self._batch)
        known = self._common(tokens)
        if known < len(self.tokens):
            # A recurrent memory has one state and cannot go back to an earlier one.
            if not self._lib.llama_memory_seq_rm(self.memory, 0, known, -1):
                self.forget()
                known = 0
            del self.tokens[known:]
        for start in range(known, len(tokens), step):
            part = tokens[start : start + step]
            self._buffer[: len(part)] = part
            batch = self._lib.llama_batch_get_one(self._buffer, len(part))
            self._check(self._lib.llama_decode(self.pointer, batch), cancel)
            self.tokens.extend(part)
        return known

    def read_one(self, token: int, cancel: Cancellation) -> None:
        """Add one token."""
        self._buffer[0] = token
        code = self._lib.llama_decode(self.pointer, self._one)
        if code:
            self._check(code, cancel)
        self.tokens.append(token)

    def _common(self, tokens: Sequence[int]) -> int:
        # The last token is always read again: its result is what is sampled from.
        limit = min(len(self.tokens), len(tokens) - 1)
        known = 0
        while known < limit and self.tokens[known] == tokens[known]:
            known += 1
        return known

    def _check(self, code: int, cancel: Cancellation) -> None:
        if code == 0:
            return
        # A failed batch is gone as a whole, since it is computed at once (n_ubatch).
        known = len(self.tokens)
        if not self._lib.llama_memory_seq_rm(self.memory, 0, known, -1):
            self.forget()
        if code == _ABORTED:
            cancel.raise_if_requested()
            raise ModelError(f"{self.weights.path.name} was closed while it spoke.")
        raise ModelError(
            f"llama.cpp failed on {self.weights.path.name} (llama_decode returned "
            f"{code})."
        )
