"""Local models, each in a child process, so that a crash stays there.

llama.cpp can crash, abort, hang or be ended for want of memory, and a process that
this happens to is gone. Here that is a child: its death is the error of a turn. The
boundary is `Model.generate`; weights, template, gate and sampler are on the other side.
"""

from tui.models.local.model import LocalModel
from tui.models.local.wire import Spec

__all__ = ["LocalModel", "Spec"]
