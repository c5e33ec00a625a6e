"""Estimates how long a text takes to lay out, without importing a parser at startup."""

_COSTLY = "[]*_~`!<&\\$"
_COST = 8  # characters of prose per mark: the parser may try it with all that follow


def effort(text: str) -> int:
    """Return the cost of laying out a text, in characters of prose."""
    # What follows an image's mark is parsed twice: as its label and as its content.
    marks = sum(map(text.count, _COSTLY)) + 6 * text.count("![")
    return len(text) + _COST * marks
