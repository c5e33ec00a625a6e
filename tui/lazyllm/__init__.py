"""LazyLLM's names, implemented with lazychat's own parts.

The programs of LazyLLM's tutorial on streaming bots run here with their import lines
changed to `from tui import lazyllm` or `from tui.lazyllm import ...`. Calling a module
is a turn in the log of the current session, so this process or another can read its
text from a `FileSystemQueue` while it runs.
"""

from tui.lazyllm import tools
from tui.lazyllm.file_queue import FileSystemQueue
from tui.lazyllm.modules import (
    FunctionCallAgent,
    OnlineChatModule,
    TrainableModule,
    fc_register,
)
from tui.lazyllm.pool import ThreadPoolExecutor

__all__ = [
    "FileSystemQueue",
    "FunctionCallAgent",
    "OnlineChatModule",
    "ThreadPoolExecutor",
    "TrainableModule",
    "fc_register",
    "tools",
]
