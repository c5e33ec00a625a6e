"""Whether the mouse is for the app or for the terminal, which selects with it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from tui import paths
from tui.app import state
from tui.i18n import _

WORDS = {"on": True, "off": False}


@runtime_checkable
class _Driver(Protocol):
    mouse: bool


def wanted(configured: bool) -> bool:
    """Return whether the app begins with the mouse; both files must want it."""
    return configured and state.load(paths.state_file()).mouse is not False


def wrong(argument: str) -> str:
    """Return what is wrong with the argument of /mouse, or ""."""
    return "" if argument in ("", *WORDS) else _("/mouse takes on or off")


def switch(
    driver: object, argument: str, configured: bool, hint: Callable[[str], object]
) -> None:
    """Give the mouse to the app or to the terminal, "" for the other way round.

    `configured` is what config.toml says, which is not changed.
    """
    if not isinstance(driver, _Driver):
        return
    on = WORDS.get(argument, not driver.mouse)
    driver.mouse = on
    state.save(paths.state_file(), mouse=on)
    if not on:
        hint(_("Mouse off: select with the terminal · /mouse on"))
    elif configured:
        hint(_("Mouse on"))
    else:
        hint(_("Mouse on until you quit: config.toml has mouse = false"))
