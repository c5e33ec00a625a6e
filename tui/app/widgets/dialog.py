"""Widgets for dialogs that survive drawing errors."""

from textual.widgets import OptionList, Static

from tui.app.widgets.contained import Contained


class Words(Contained, Static):
    """Static text."""


class Choices(Contained, OptionList):
    """A list to choose from."""
