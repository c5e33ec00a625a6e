"""Sampling by llama.cpp's own samplers."""

from typing import Any

import msgspec

from tui.models.llama.context import Context
from tui.models.llama.weights import Weights

_PENALTY_WINDOW = 64
"""Tokens that a repeat penalty looks back; llama.cpp's own default."""


class Sampling(msgspec.Struct, frozen=True):
    """The settings of a sampler; the defaults are llama.cpp's, but for the penalty."""

    temperature: float = 0.8
    """0 takes the likeliest token always; the settings below have no say then, but
    for `repeat_penalty`."""
    top_p: float = 0.95
    """The likeliest tokens that have this probability together; 1 is all."""
    min_p: float = 0.05
    """Tokens at least this likely in parts of the likeliest one; 0 is all."""
    top_k: int = 40
    """That many likeliest tokens; 0 is all."""
    repeat_penalty: float = 1.0
    """Above 1 makes what the answer has said in its last 64 tokens less likely."""
    seed: int | None = None
    """0 to 4294967294; the same seed gives the same answer. None is another one
    each time."""


class Sampler:
    """A chain of llama.cpp samplers, made once and used for answer after answer."""

    def __init__(self, weights: Weights, settings: Sampling) -> None:
        self._lib = lib = weights.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        self._chain: Any = chain
        for link in self._links(weights, settings):
            lib.llama_sampler_chain_add(chain, link)
        self._sample = lib.llama_sampler_sample

    def reset(self) -> None:
        """Begin another answer: no token said yet, and the seed as it was."""
        self._lib.llama_sampler_reset(self._chain)

    def sample(self, context: Context) -> int:
        """Return the token that follows what `context` has read."""
        return self._sample(self._chain, context.pointer, -1)

    def close(self) -> None:
        """Free the memory."""
        if self._chain:
            self._lib.llama_sampler_free(self._chain)
            self._chain = None

    def _links(self, weights: Weights, settings: Sampling) -> list[Any]:
        lib = self._lib
        links: list[Any] = []
        if settings.repeat_penalty != 1.0:
            links.append(
                lib.llama_sampler_init_penalties(
                    lib.llama_vocab_n_tokens(weights.vocab),
                    _PENALTY_WINDOW,
                    settings.repeat_penalty,
                    0.0,
                    0.0,
                )
            )
        if settings.temperature <= 0:
            return [*links, lib.llama_sampler_init_greedy()]
        if settings.top_k > 0:
            links.append(lib.llama_sampler_init_top_k(settings.top_k))
        if settings.top_p < 1:
            links.append(lib.llama_sampler_init_top_p(settings.top_p, 1))
        if settings.min_p > 0:
            links.append(lib.llama_sampler_init_min_p(settings.min_p, 1))
        links.append(lib.llama_sampler_init_temp(settings.temperature))
        seed = lib.LLAMA_DEFAULT_SEED if settings.seed is None else settings.seed
        return [*links, lib.llama_sampler_init_dist(seed)]
