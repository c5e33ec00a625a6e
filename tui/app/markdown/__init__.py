"""Markdown as lines of styled text, also while it is still being written.

`Stream` is what the transcript uses. Nothing here knows Textual: styles are names.
"""

from tui.app.markdown.code import CODE_STYLES
from tui.app.markdown.lines import BLANK, Line, Span, Style, indent, to_lines, wrap
from tui.app.markdown.plain import PlainStream
from tui.app.markdown.stream import Stream

__all__ = [
    "BLANK",
    "CODE_STYLES",
    "Line",
    "PlainStream",
    "Span",
    "Stream",
    "Style",
    "indent",
    "to_lines",
    "wrap",
]
