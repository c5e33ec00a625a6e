"""The questions that wait for their turn, between the answer and the composer.

In the transcript they would stand in the middle of the answer that is being written.
"""

from typing import ClassVar

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.widgets.rows import cut
from tui.safe import safe

MAX_ROWS = 3
_LABEL = "waits  "


class Queue(Widget):
    """One row a question, the next one first; no row at all when none waits."""

    DEFAULT_CSS = """
    Queue {
        height: auto;
        padding: 0 2;
        background: $background;
        color: $text-muted;
    }
    Queue > .queue--label { color: $text-warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"queue--label"}

    questions: reactive[tuple[str, ...]] = reactive((), layout=True)
    """What was asked; only the first line of each is shown."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return min(len(self.questions), MAX_ROWS)

    def render(self) -> RenderResult:
        """Return the rows."""
        room = self.content_size.width - len(_LABEL)
        label = self.get_visual_style("queue--label", partial=True)
        texts = [safe(text.strip()).partition("\n")[0] for text in self.questions]
        if len(texts) > MAX_ROWS:
            more = len(texts) - MAX_ROWS + 1
            texts = [*texts[: MAX_ROWS - 1], f"and {more} more questions"]
        rows = ("".join(span for span, _ in cut(((text, ""),), room)) for text in texts)
        return Content("\n").join(
            Content.assemble((_LABEL, label), Content(row)) for row in rows
        )
