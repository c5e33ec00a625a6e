"""Runs work in threads that do not keep the program from ending.

Textual joins its thread workers when the app ends, so quitting would take as long as
loading a model. Work started here is abandoned instead.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context

from tui.app import faults


def run(name: str, work: Callable[[], None]) -> None:
    """Run `work` in a thread called `name`.

    It may post messages, and must tolerate being cut off when the program ends.
    """
    context = copy_context()  # Textual keeps the active app in it

    def guarded() -> None:
        try:
            context.run(work)
        except Exception as error:
            # RuntimeError: the loop is closed, as the app has ended. After any other
            # error only the result of `work` is missing, and the app continues.
            if type(error) is not RuntimeError:
                faults.note(error)

    threading.Thread(target=guarded, name=name, daemon=True).start()
