"""Suggests the known word that an unknown one was meant to be."""

from collections.abc import Iterable

from tui.i18n import _

VERY_NEAR = 0.8
"""How near, from 0 to 1, a word has to be that may well be what it seems to be."""


def nearest(word: str, words: Iterable[str], least: float = 0.6) -> str:
    """Return ' Did you mean "x"?' for the entry of `words` nearest to `word`, or "".

    `least`, from 0 to 1, is how near it has to be.
    """
    import difflib

    close = difflib.get_close_matches(word, list(words), 1, least)
    return _(' Did you mean "{close}"?').format(close=close[0]) if close else ""
