"""Markdown laid out as styled lines, complete or still streaming.

`Stream` is what the transcript uses; it is imported from its own file, where it is
needed, since the parser takes a tenth of the time to start. Nothing here knows
Textual: styles are names.
"""

from importlib import import_module

from tui.app.markdown.code import CODE_STYLES
from tui.app.markdown.lines import BLANK, Line, Span, Style, indent, to_lines, wrap
from tui.app.markdown.plain import PlainStream

__all__ = [
    "BLANK",
    "CODE_STYLES",
    "Line",
    "PlainStream",
    "Span",
    "Style",
    "indent",
    "preload",
    "to_lines",
    "wrap",
]


def preload() -> None:
    """Import the parser and the rules of Python, 50 ms of CPU. For any thread."""
    import_module("tui.app.markdown.stream")
    from tui.app.markdown import code

    code.preload()
