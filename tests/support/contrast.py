"""How well a colour can be read on another one."""

from functools import cache

from rich.color import ColorSystem
from textual.color import Color


def luminance(colour: Color) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    parts: list[float] = []
    for part in (colour.r, colour.g, colour.b):
        share = part / 255
        parts.append(
            share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        )
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.1, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@cache
def in_256_colours(colour: Color) -> Color:
    """The colour that a terminal without 24-bit colours shows in its place."""
    shown = colour.rich_color.downgrade(ColorSystem.EIGHT_BIT)
    return Color.from_rich_color(shown)
