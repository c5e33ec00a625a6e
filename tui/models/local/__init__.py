"""Runs local models in child processes, so that a crash does not end the app.

llama.cpp can crash, abort or hang, or the system can kill it when memory runs out. Here
that only ends a child process, and is the error of a turn. The boundary is
`Model.generate`: weights, template, gate and sampler are in the child.
"""

from tui.models.local.model import LocalModel
from tui.models.local.wire import Spec

__all__ = ["LocalModel", "Spec"]
