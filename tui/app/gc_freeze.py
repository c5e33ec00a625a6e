"""Holds the garbage collector off until the app has started.

Starting makes 300,000 objects that stay. To look through them takes a sixth of the
time to start, and 100 to 150 ms once more in the middle of the first answers. So the
command line switches the collector off, and here it is switched on again: from then
on it passes over what was there.
"""

import gc


def settle() -> None:
    """Switch the collector on again, if it is off. May be called in any thread.

    Where it is on nothing happens: a library's user has it as it is.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
