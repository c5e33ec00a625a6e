"""Widgets: each is given data and posts messages; none opens a file."""
