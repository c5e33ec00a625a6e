"""The smallest Textual app: what a start costs at least."""

from textual.app import App, ComposeResult
from textual.widgets import Input


class Hello(App[None]):
    def compose(self) -> ComposeResult:
        yield Input(placeholder="READY")


if __name__ == "__main__":
    Hello().run()
