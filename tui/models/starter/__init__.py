"""The model that comes with lazychat: 135M parameters, on any machine, at once.

It is for trying things out. Its model has not learnt to call tools, so rules do that:
they decide (`decide`), and take arguments from the message (`arguments`, `spans`). What
a tool gives is put into words with its figures checked (`report`). All of it works for
any tool from its schema; nothing here knows what a tool is about.
"""

from tui.models.starter.model import StarterModel

__all__ = ["StarterModel"]
