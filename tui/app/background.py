"""Runs work in threads that do not keep the program from ending.

Textual's thread workers are joined when the app ends, so that leaving took as long as
the model took to load. What runs here is left behind instead.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context

from tui.app import faults


def run(name: str, work: Callable[[], None]) -> None:
    """Run `work` in a thread called `name`.

    It may post messages, and must not mind being cut off with the program.
    """
    context = copy_context()  # where Textual keeps which app is meant

    def guarded() -> None:
        try:
            context.run(work)
        except Exception as error:
            # When the loop is closed the app has ended, and nobody wants the news. Else
            # what it was to bring is missing, and the rest of the app goes on.
            if type(error) is not RuntimeError:
                faults.note(error)

    threading.Thread(target=guarded, name=name, daemon=True).start()
