"""LazyLLM's names over our own parts, and nothing else.

The programs of LazyLLM's tutorial on streaming bots run here with their import lines
changed to `from tui import lazyllm` or `from tui.lazyllm import ...`. A call of a
module is a turn in the log of the current session, so what it says can be drained
from a `FileSystemQueue` while it runs, by this process or another.
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
