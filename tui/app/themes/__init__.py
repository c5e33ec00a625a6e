"""The colours of the app: themes from TOML files, and the choice of one."""

from tui.app.themes.controller import ThemeController
from tui.app.themes.loading import DARK, DEFAULT, LIGHT, load_themes, parse

__all__ = ["DARK", "DEFAULT", "LIGHT", "ThemeController", "load_themes", "parse"]
