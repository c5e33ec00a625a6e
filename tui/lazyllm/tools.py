"""The names of LazyLLM's `lazyllm.tools`."""

from tui.lazyllm.modules import FunctionCallAgent, fc_register

__all__ = ["FunctionCallAgent", "fc_register"]
