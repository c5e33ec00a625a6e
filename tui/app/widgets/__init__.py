"""Widgets: each gets data and posts messages; none opens a file."""
