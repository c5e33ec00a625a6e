"""Tells a page in a browser which conversation it shows.

The page puts it into its address, so that a reload finds it. Nothing that a model or a
tool writes can do the same: control sequences in text are never passed on.
"""

# Textual leaves the type parameter of App unknown.
# pyright: reportUnknownMemberType=false

from textual.app import App

_NUMBER = 5113
"""Of the operating system command; page.js knows it, and no terminal does."""


def tell(app: App[None], conversation: str) -> None:
    """Report that the conversation with that id is on the screen."""
    if app._driver:  # pyright: ignore[reportPrivateUsage]: there is no other way
        app._driver.write(f"\x1b]{_NUMBER};{conversation}\x1b\\")  # pyright: ignore[reportPrivateUsage]: the same
