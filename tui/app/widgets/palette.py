"""Resolves the names of styles to the colours of the theme.

Lines carry names (`h1`, `code`, `keyword`); each has a look in the theme's colours. The
looks of the conversation are here, others are with their widgets. `Palette` resolves a
stack of names once and caches it until the theme changes. Component classes of Textual
are not used: it resolves all of them whenever it styles the widget, a tenth of the
startup time.
"""

# Textual leaves the type parameter of App unknown.
# pyright: reportUnknownMemberType=false

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rich.style import Style as RichStyle
from textual.content import Content
from textual.style import Style as Look
from textual.widget import Widget

from tui.app.markdown import Span, Style

Looks = Mapping[str, str]
"""Maps names to styles in Textual's notation: attributes, colour, `on` background."""

CHOSEN = "bold $block-cursor-foreground on $block-cursor-background"
"""The look of the chosen row, the same in every list."""

CONVERSATION: Looks = {
    "user": "on $surface",
    "bar": "$border-blurred",
    "user-bar": "$primary",
    "system": "$text-muted",
    "label": "$text-muted",
    "chip": "$text-accent",
    "versions": "$text-muted",
    "fold": "italic $text-muted",
    "thought": "italic $text-muted",
    "cursor": "$accent",
    "hint": "$block-cursor-foreground on $block-cursor-background",
    "time": "$text-muted",
    "footer": "$text-muted",
    "away": "$text-accent",
    "welcome-name": "bold $text-primary",
    "welcome-what": "$text-muted",
    "welcome-label": "$text-muted",
    "welcome-key": "$text-accent",
    "unkept": "$text-muted",
    "selection": "on $screen-selection-background",
    "match": "underline on $screen-selection-background",
    "match-current": "bold reverse $text-primary",
    "note-info": "$text-muted",
    "note-warning": "$text-warning",
    "note-error": "$text-error",
    "note-cancelled": "$text-warning",
    "h1": "bold underline $text-primary",
    "h2": "bold $text-primary",
    "h3": "bold $text-secondary",
    "h4": "bold",
    "h5": "bold italic",
    "h6": "italic $text-muted",
    "strong": "bold",
    "em": "italic",
    "strike": "strike",
    "code": "$text-accent on $panel",
    "link": "underline $text-primary",
    "url": "not underline $text-muted",
    "marker": "$text-primary",
    "done": "$text-success",
    "quote": "$text-muted",
    "rule": "$border-blurred",
    "th": "bold",
    "fence": "$foreground on $surface",
    "fence-label": "$text-muted",
    "comment": "italic $text-muted",
    "keyword": "$text-accent",
    "constant": "$text-error",
    "type": "$text-warning",
    "number": "$text-warning",
    "string": "$text-success",
    "interpolation": "$text-secondary",
    "attribute": "$text-warning",
    "builtin": "$text-secondary",
    "decorator": "$text-warning",
    "function": "$text-primary",
    "variable": "$text-secondary",
    "deleted": "$text-error",
    "inserted": "$text-success",
}

_variable = re.compile(r"\$([\w-]+)")


@lru_cache(256)
def _parse(written: str) -> Look:
    return Look.parse(written, {})


class Palette:
    """Resolves the names in `looks` to the colours of the current theme."""

    def __init__(self, widget: Widget, looks: Looks = CONVERSATION) -> None:
        self._looks = looks
        self._variables = widget.app.theme_variables
        self._styles: dict[Style, RichStyle] = {}
        _, self._background = widget.background_colors
        self._colour = widget.styles.color

    def style(self, names: Style) -> RichStyle:
        """Return the style of a stack of names; names without a look are ignored."""
        style = self._styles.get(names)
        if style is None:
            style = self._styles[names] = self._resolve(names)
        return style

    def look(self, name: str) -> Look:
        """Return the look of a name, which must have one."""
        # Textual would parse all variables for each look, and drop the percentage of
        # `auto`.
        return _parse(
            _variable.sub(lambda found: self._variables[found[1]], self._looks[name])
        )

    def content(self, spans: Sequence[Span]) -> Content:
        """Return the spans as Textual content, each in the look of its last name."""
        looks = {style: self.look(style[-1]) for _, style in spans if style}
        return Content.assemble(
            *((text, looks[style]) if style else text for text, style in spans)
        )

    def _resolve(self, names: Style) -> RichStyle:
        background, colour = self._background, self._colour
        attributes = RichStyle()
        # "bar" after "user" becomes "user-bar" if that look exists.
        outer = ""
        for name in names:
            joint = f"{outer}-{name}"
            outer = name
            known = joint if joint in self._looks else name
            if known not in self._looks:
                continue
            look = self.look(known)
            if look.background is not None:
                background += look.background
            colour = look.foreground or colour
            attributes += RichStyle(
                bold=look.bold,
                italic=look.italic,
                underline=look.underline,
                reverse=look.reverse,
                strike=look.strike,
            )
        shown = (background + colour).rich_color
        return RichStyle.from_color(shown, background.rich_color) + attributes
