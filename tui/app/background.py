"""Work that the exit does not wait for.

Textual's thread workers are joined when the app ends, so that leaving took as long as
the model took to load. What runs here is left behind instead.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context


def run(name: str, work: Callable[[], None]) -> None:
    """Run `work` in a thread called `name`.

    It may post messages, and must not mind being cut off with the program.
    """
    context = copy_context()  # where Textual keeps which app is meant

    def guarded() -> None:
        # The event loop is closed: the app ended meanwhile, nobody wants the news.
        with suppress(RuntimeError):
            context.run(work)

    threading.Thread(target=guarded, name=name, daemon=True).start()
