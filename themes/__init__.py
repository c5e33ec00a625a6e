"""The built-in themes, installed as `tui.themes`."""
