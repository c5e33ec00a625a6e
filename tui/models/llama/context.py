"""Wraps a llama.cpp context and tracks the tokens that it has read.

Reading a prompt is by far the slowest part of a turn. So a context keeps the tokens
that it has read, and reads only the part of a new prompt that differs.
"""

import ctypes
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from tui.errors import ModelError
from tui.i18n import _
from tui.models.llama.native import AbortFlag
from tui.models.llama.weights import Weights
from tui.turn import Cancellation

_BATCH = 512
"""The most tokens to read in one call."""
_ABORTED = 2
"""The result of llama_decode after the abort callback stopped it."""


class Context:
    """A window of `size` tokens, for one thread at a time: see `LlamaEngine.hold`.

    `pointer` and `memory` are for llama.cpp's own functions. Code that passes them to
    such functions must call `forget` before `read`.
    """

    def __init__(self, weights: Weights, size: int, threads: int) -> None:
        self.weights = weights
        self._lib = lib = weights.lib
        self._abort = AbortFlag(lib)
        params = lib.llama_context_default_params()
        params.n_ctx = size
        params.n_batch = params.n_ubatch = _BATCH
        params.n_threads = params.n_threads_batch = threads
        params.abort_callback = self._abort.callback
        params.abort_callback_data = self._abort.data
        self.pointer: Any = lib.llama_init_from_model(weights.model, params)
        if not self.pointer:
            raise ModelError(
                _(
                    "Cannot create a context of {size} tokens for {name}: set a "
                    "smaller `context`."
                ).format(size=size, name=weights.path.name),
            )
        self.memory: Any = lib.llama_get_memory(self.pointer)
        self.size: int = lib.llama_n_ctx(self.pointer)
        """In tokens; llama.cpp may have rounded it up."""
        self.tokens: list[int] = []
        """The tokens that have been read, in order."""
        # In a small window the real limit is smaller; llama.cpp aborts on more tokens.
        self._batch: int = lib.llama_n_batch(self.pointer)
        self._buffer = (ctypes.c_int32 * self._batch)()
        self._one = lib.llama_batch_get_one(self._buffer, 1)

    def close(self) -> None:
        """Free the memory."""
        if self.pointer:
            self._lib.llama_free(self.pointer)
            self.pointer = self.memory = None

    def abort(self) -> None:
        """Interrupt the running computation; any thread."""
        self._abort.set()

    @contextmanager
    def running(self, cancel: Cancellation) -> Generator[None, None, None]:
        """Let `cancel` interrupt computations while the block is open."""
        self._abort.clear()
        with cancel.on(self._abort.set):
            yield

    def forget(self) -> None:
        """Drop all tokens that have been read."""
        self._lib.llama_memory_clear(self.memory, False)
        self.tokens.clear()

    def state(self) -> bytes:
        """Return the computed state of the tokens, b"" if that is impossible."""
        size: int = self._lib.llama_state_seq_get_size(self.pointer, 0)
        data = (ctypes.c_uint8 * size)()
        got: int = self._lib.llama_state_seq_get_data(self.pointer, data, size, 0)
        return bytes(data) if got == size else b""

    def restore(self, state: bytes, tokens: Sequence[int]) -> bool:
        """Restore the `state` computed from `tokens`; return whether it worked.

        The state must come from the same file, window and library: llama.cpp may abort
        on any other. After a failure the context is empty.
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
        """Make the context hold exactly `tokens`; return how many it knew already.

        Afterwards a sampler can compute the next token. `tokens` has at least one and
        at most `size` elements. Within `running`, a cancel raises `Cancelled` almost at
        once. The context then keeps the complete pieces of `step` tokens that it has
        read, but nothing of the interrupted piece.
        """
        step = min(step, self._batch)
        known = self._common(tokens)
        if known < len(self.tokens):
            # A recurrent memory cannot go back to an earlier state.
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
        """Read one more token. Raises `Cancelled` like `read`."""
        self._buffer[0] = token
        code = self._lib.llama_decode(self.pointer, self._one)
        if code:
            self._check(code, cancel)
        self.tokens.append(token)

    def _common(self, tokens: Sequence[int]) -> int:
        # Always read the last token again, because sampling needs its result.
        limit = min(len(self.tokens), len(tokens) - 1)
        known = 0
        while known < limit and self.tokens[known] == tokens[known]:
            known += 1
        return known

    def _check(self, code: int, cancel: Cancellation) -> None:
        if code == 0:
            return
        # Drop the failed batch as a whole: it is computed in one step (n_ubatch).
        known = len(self.tokens)
        if not self._lib.llama_memory_seq_rm(self.memory, 0, known, -1):
            self.forget()
        if code == _ABORTED:
            cancel.raise_if_requested()
            raise ModelError(
                _("{name} was closed during an answer.").format(
                    name=self.weights.path.name
                )
            )
        raise ModelError(
            _("llama.cpp failed on {name} (llama_decode returned {code}).").format(
                name=self.weights.path.name, code=code
            )
        )
