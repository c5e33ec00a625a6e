"""The model that comes with lazychat: 135M parameters, on any machine, at once.

It is for trying things out. Its model has not learnt to call tools, so that is decided
by likelihood (`decide`), arguments are pieces of the message (`arguments`, `spans`),
and what a tool gives is said with its figures checked (`report`). All of it works for
any tool from its schema; nothing here knows what a tool is about.
"""

from tui.models.starter.model import StarterModel

__all__ = ["StarterModel"]
