"""Edits a text with vi keys; knows no widget, except for `composer_keys`.

Places in a text are offsets in characters. A *sign* is what the user sees as one
character: a letter with its combining marks, or a whole emoji.
"""
