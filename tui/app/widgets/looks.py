"""What the names of styles look like in a theme.

Lines carry names (`h1`, `code`, `keyword`); each is a component class of the
transcript, so its colours come from the theme and can be set by CSS. `Palette`
resolves a stack of names once and remembers it until the theme changes.
"""

from rich.style import Style as RichStyle
from textual.color import Color
from textual.widget import Widget

from tui.app.markdown import Style

_RULES = {
    "user": "background: $surface;",
    "bar": "color: $border-blurred;",
    "user-bar": "color: $primary;",
    "system": "color: $text-muted;",
    "label": "color: $text-muted;",
    "fold": "color: $text-muted; text-style: italic;",
    "thought": "color: $text-muted; text-style: italic;",
    "cursor": "color: $accent; text-style: none;",
    "hint": "background: $primary; color: $block-cursor-foreground;",
    "selection": "background: $screen-selection-background;",
    "note": "text-style: none;",
    "note-info": "color: $text-muted;",
    "note-warning": "color: $text-warning;",
    "note-error": "color: $text-error;",
    "note-cancelled": "color: $text-warning;",
    "h1": "color: $text-primary; text-style: bold underline;",
    "h2": "color: $text-primary; text-style: bold;",
    "h3": "color: $text-secondary; text-style: bold;",
    "h4": "text-style: bold;",
    "h5": "text-style: bold italic;",
    "h6": "color: $text-muted; text-style: italic;",
    "strong": "text-style: bold;",
    "em": "text-style: italic;",
    "strike": "text-style: strike;",
    "code": "color: $text-accent; background: $panel;",
    "link": "color: $text-primary; text-style: underline;",
    "url": "color: $text-muted; text-style: not underline;",
    "marker": "color: $text-primary;",
    "done": "color: $text-success;",
    "quote": "color: $text-muted;",
    "rule": "color: $border-blurred;",
    "th": "text-style: bold;",
    "fence": "background: $surface; color: $foreground;",
    "fence-label": "color: $text-muted;",
    "comment": "color: $text-muted; text-style: italic;",
    "keyword": "color: $text-accent;",
    "constant": "color: $text-error;",
    "type": "color: $text-warning;",
    "number": "color: $text-warning;",
    "string": "color: $text-success;",
    "interpolation": "color: $text-secondary;",
    "attribute": "color: $text-warning;",
    "builtin": "color: $text-secondary;",
    "decorator": "color: $text-warning;",
    "function": "color: $text-primary;",
    "variable": "color: $text-secondary;",
    "deleted": "color: $text-error;",
    "inserted": "color: $text-success;",
}
LOOKS = frozenset(_RULES)
"""Names of styles that have a look of their own."""

LOOKS_CSS = "".join(
    f"Transcript > .transcript--{look} {{ {rules} }}\n"
    for look, rules in _RULES.items()
)
"""The default look of each."""


class Palette:
    """Resolves names to the colours of the present theme."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[Style, RichStyle] = {}
        _, self._background = widget.background_colors
        self._colour = widget.styles.color

    def style(self, names: Style) -> RichStyle:
        """Return what a stack of names looks like; a name without a look is nothing."""
        style = self._styles.get(names)
        if style is None:
            style = self._styles[names] = self._resolve(names)
        return style

    def _resolve(self, names: Style) -> RichStyle:
        background, colour = self._background, self._colour
        attributes = RichStyle()
        # "bar" after "user" is "user-bar" where there is one.
        outer = ""
        for name in names:
            joint = f"{outer}-{name}"
            outer = name
            look = joint if joint in LOOKS else name
            if look not in LOOKS:
                continue
            rules = self._widget.get_component_styles(f"transcript--{look}")
            if rules.has_rule("background"):
                background = background + rules.background
            if rules.has_rule("auto_color") and rules.auto_color:
                colour = background.get_contrast_text(rules.color.a)
            elif rules.has_rule("color"):
                colour = rules.color
            if rules.has_rule("text_style"):
                attributes += rules.text_style
        shown: Color = background + colour
        return (
            RichStyle.from_color(shown.rich_color, background.rich_color) + attributes
        )
