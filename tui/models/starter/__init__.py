"""The model that comes with lazychat: 135M parameters, on any machine, at once.

It is for trying things out. Its model has not learnt to call tools, so rules decide
(`decide`). All of it works for any tool from its schema.
"""

from tui.models.starter.model import StarterModel

__all__ = ["StarterModel"]
