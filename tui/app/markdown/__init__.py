"""Lays out Markdown as styled lines, complete or still streaming.

The transcript uses `Stream`; import it from its own file where it is needed, as the
parser takes a tenth of the startup time. Nothing here depends on Textual: styles are
names.
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
    """Import the parser and the Python lexer. May be called in any thread."""
    import_module("tui.app.markdown.stream")
    from tui.app.markdown import code

    code.preload()
