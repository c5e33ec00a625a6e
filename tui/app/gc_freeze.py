"""Keeps the garbage collector off until the app has started.

Startup creates some 300,000 objects that stay. Scanning them takes a sixth of the
startup time, and delays the first answers again. So the command line switches the
collector off, and `settle` switches it on again; from then on it skips those objects.
"""

import gc


def settle() -> None:
    """Switch the collector on again, if it is off. May be called in any thread.

    If it is on, nothing happens: a user of the library keeps their own setting.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
