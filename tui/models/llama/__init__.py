"""Models that run in this process: GGUF files through llama.cpp."""

from tui.models.llama.context import Context
from tui.models.llama.engine import LlamaEngine
from tui.models.llama.starter_file import starter_path
from tui.models.llama.weights import Weights

__all__ = ["Context", "LlamaEngine", "Weights", "starter_path"]
