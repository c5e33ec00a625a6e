"""Choosing and adding models: the picker, keys, the models of a server, downloads.

`flow.py` leads from one screen to the next; `rows.py` decides what the picker lists.
"""
