"""Tells in a sentence which models were found on this machine."""

from collections.abc import Callable

from tui.app import background
from tui.app.backend import Setup
from tui.models.discovery import Found
from tui.models.discovery.servers import is_off

_NAMED = 3
"""Most models that are named."""


def look(setup: Setup, tell: Callable[[str], object]) -> None:
    """Look in a thread, which calls `tell` if something was found.

    Does nothing if the user wants nothing to be probed.
    """

    def work() -> None:
        if text := described(setup.look()):
            tell(text)

    if not is_off():
        background.run("offer", work)


def described(found: Found) -> str:
    """Return what was found in a line, or "" if nothing was."""
    names = [f"{it.title}: " + _some([m.id for m in it.models]) for it in found.servers]
    names = [name for name in names if not name.endswith(": ")]
    keys = [service.title for service in found.services if service.has_key]
    if found.files:
        names.append(f"{len(found.files)} GGUF file{'s' * (len(found.files) > 1)}")
    if keys:
        names.append(f"a key for {_some(keys)}")
    return "; ".join(names)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
