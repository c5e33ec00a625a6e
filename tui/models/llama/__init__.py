"""Runs GGUF models with llama.cpp, in this process."""

from tui.models.llama.context import Context
from tui.models.llama.engine import LlamaEngine
from tui.models.llama.model import LlamaModel, TokenSource
from tui.models.llama.sampling import Sampler, Sampling
from tui.models.llama.saved import SavedPrompts
from tui.models.llama.starter_file import starter_path
from tui.models.llama.weights import Weights

__all__ = [
    "Context",
    "LlamaEngine",
    "LlamaModel",
    "Sampler",
    "Sampling",
    "SavedPrompts",
    "TokenSource",
    "Weights",
    "starter_path",
]
