"""Samples tokens with llama.cpp's own samplers."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from tui.models.llama.context import Context
from tui.models.llama.weights import Weights

_PENALTY_WINDOW = 64
"""How many tokens a repeat penalty looks back; this is llama.cpp's default."""


class Sampling(msgspec.Struct, frozen=True):
    """The settings of a sampler; the defaults are llama.cpp's, except the penalty."""

    temperature: float = 0.8
    """0 always takes the likeliest token; then only `repeat_penalty` of the settings
    below has an effect."""
    top_p: float = 0.95
    """Keeps the likeliest tokens that together have this probability; 1 keeps all."""
    min_p: float = 0.05
    """Keeps tokens with at least this share of the likeliest one's probability; 0 keeps
    all."""
    top_k: int = 40
    """Keeps this many of the likeliest tokens; 0 keeps all."""
    repeat_penalty: float = 1.0
    """Above 1 makes the last 64 tokens of the answer less likely to be repeated."""
    seed: int | None = None
    """0 to 4294967294; the same seed gives the same answer. None uses a new seed each
    time."""


class Sampler:
    """A chain of llama.cpp samplers, created once and used for all answers."""

    def __init__(self, weights: Weights, settings: Sampling, grammar: str = "") -> None:
        """Create it; `grammar`, in GBNF, is what the text must follow.

        Raises ValueError for a grammar that llama.cpp cannot read.
        """
        self._lib = lib = weights.lib
        first = _grammar_link(weights, grammar) if grammar else None
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        self._chain: Any = chain
        if first is not None:
            lib.llama_sampler_chain_add(chain, first)  # the others choose of its tokens
        for link in self._links(weights, settings):
            lib.llama_sampler_chain_add(chain, link)
        self._sample = lib.llama_sampler_sample

    def reset(self) -> None:
        """Start another answer: forget the tokens and restart from the seed."""
        self._lib.llama_sampler_reset(self._chain)

    def sample(self, context: Context) -> int:
        """Sample and return the token after those that `context` has read."""
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


def _grammar_link(weights: Weights, grammar: str) -> Any:
    link = weights.lib.llama_sampler_init_grammar(
        weights.vocab, grammar.encode(), b"root"
    )
    if not link:
        raise ValueError("llama.cpp cannot read the grammar")
    return link


def grammar_of(schema: Mapping[str, Any]) -> str:
    """Return the grammar of the JSON that fits a schema; "" if there is none.

    The grammar may allow more than the schema, such as a number beyond its limits.
    """
    # Slow to import, and seldom needed; llama_cpp itself is loaded by now.
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return json_schema_to_gbnf(json.dumps(schema))
    except Exception:  # whatever it meets in a schema that it does not know
        return ""
