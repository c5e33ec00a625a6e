"""What several widgets ask their screen for."""

from textual.message import Message


class CopyRequested(Message):
    """The user wants `text` on the clipboard."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class HintRequested(Message):
    """The widget has a short-lived hint for the status line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
