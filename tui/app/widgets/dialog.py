"""What dialogs are made of: Textual's own, which live on when they cannot be drawn."""

from textual.widgets import OptionList, Static

from tui.app.widgets.contained import Contained


class Words(Contained, Static):
    """Text that is only read."""


class Choices(Contained, OptionList):
    """A list to choose from."""
