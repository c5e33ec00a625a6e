"""Base of dialogs that survive a fault in their drawing."""

from textual.widgets import OptionList, Static

from tui.app.widgets.contained import Contained


class Words(Contained, Static):
    """Text that is only read."""


class Choices(Contained, OptionList):
    """A list to choose from."""
