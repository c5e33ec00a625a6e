"""Loads themes from TOML files as Textual themes.

Built-in themes are the files in `themes/`; a theme in the user's folder may replace a
built-in one of the same name. An invalid file is reported with its reason, and the
others still load. A file has the keys of `textual.theme.Theme`, and a table `variables`
with any variables of Textual's CSS.
"""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui import bounds, files
from tui.app import faults
from tui.errors import ConfigError
from tui.i18n import _
from tui.spelling import nearest

DARK = "lazychat-dark"
LIGHT = "lazychat-light"
DEFAULT = DARK

_KEYS = [field.name for field in fields(Theme)]
_COLOURS = frozenset(
    [
        "primary",
        "secondary",
        "warning",
        "error",
        "success",
        "accent",
        "foreground",
        "background",
        "surface",
        "panel",
        "boost",
    ]
)
_ANSI = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
"""Variables that Textual's widgets need in a theme with `ansi`, and does not set."""
_NUMBERS = ("luminosity_spread", "text_alpha")
_TEXT_STYLES = frozenset(
    [
        "bold",
        "italic",
        "underline",
        "underline2",
        "reverse",
        "strike",
        "dim",
        "none",
        "not",
        "b",
        "i",
        "u",
        "r",
        "s",
    ]
)
_faded = re.compile(r"(.+?)\s+\d+(\.\d+)?%")


def load_theme(file: Path) -> Theme:
    """Return the theme in a user's `file`; raises `ConfigError` with the reason."""
    name = file.name.removesuffix(".toml")
    try:
        return parse(_read(file), name, str(file))
    except ConfigError:
        raise
    except Exception as error:  # Textual rejects it
        raise ConfigError(
            _("{file} cannot be used: {note}").format(
                file=file, note=faults.note(error)
            )
        ) from error


def user_files(folder: Path | None) -> list[Path]:
    """Return the files of themes in the user's `folder`, in the order of loading."""
    return _files(folder)


def load_built_in(name: str) -> Theme | None:
    """Return the built-in theme `name`, None if there is none.

    Raises `ConfigError` as `load_themes` reports it.
    """
    file = _built_in() / f"{name}.toml"
    return _load_tested(file) if file in _files(_built_in()) else None


def load_themes(user_folder: Path | None = None) -> tuple[list[Theme], list[str]]:
    """Return the themes, built-in ones first, and problems with others.

    Each problem is one line with the file's name. A missing folder has no themes. If
    two files define the same name, the later one wins: files are read in the order of
    their names, the user's after the built-in ones.
    """
    themes: dict[str, Theme] = {}
    errors: list[str] = []
    built_in = _files(_built_in())
    for file in [*built_in, *_files(user_folder)]:
        try:
            theme = _load_tested(file) if file in built_in else load_theme(file)
        except ConfigError as error:
            errors.append(str(error))
        else:
            themes[theme.name] = theme
    return list(themes.values()), errors


def parse(text: str, name: str, where: str, *, tested: bool = False) -> Theme:
    """Return the theme in the TOML `text`; `name` is its default name.

    Raises `ConfigError` with `where` and the key. If `tested`, the variables are not
    checked, as that is the slowest part.
    """
    try:
        table = bounds.decode_toml(text)
    except ValueError as error:
        raise ConfigError(
            _("{where}: this is not TOML: {error}").format(where=where, error=error)
        ) from error
    for key, value in table.items():
        if key not in _KEYS:
            hint = nearest(key, _KEYS) or _(" Known: {keys}.").format(
                keys=", ".join(_KEYS)
            )
            raise ConfigError(
                _('{where}: unknown key "{key}".{hint}').format(
                    where=where, key=key, hint=hint
                )
            )
        if problem := _problem(key, value):
            raise ConfigError(f"{where}: {key} {problem}")
    if "primary" not in table:
        raise ConfigError(
            _('{where}: a theme needs at least "primary", a colour').format(where=where)
        )
    values: dict[str, Any] = {"name": name, **table}
    if values.get("ansi") and isinstance(values.get("variables", {}), dict):
        values["variables"] = _ANSI | values.get("variables", {})
    theme = Theme(**values)
    if tested:
        return theme
    # The set of variables depends only on Textual's version.
    known = theme.to_color_system().generate() | (_ANSI if theme.ansi else {})
    for key, value in theme.variables.items():
        if key not in known:
            hint = nearest(key, list(known))
            raise ConfigError(
                _('{where}: unknown variable "{key}".{hint}').format(
                    where=where, key=key, hint=hint
                )
            )
        style = key.endswith("-style") or "-style-" in key
        if problem := _style_problem(value) if style else _colour_problem(value):
            raise ConfigError(
                _("{where}: variables.{key} {problem}").format(
                    where=where, key=key, problem=problem
                )
            )
    return theme


def _built_in() -> Path:
    """Return the folder of the built-in themes.

    It is found next to this code and not imported: a checkout would otherwise load the
    themes of an installed version.
    """
    here = Path(__file__)
    installed = here.parents[2] / "themes"
    return installed if installed.is_dir() else here.parents[3] / "themes"


def _files(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return sorted(files, key=lambda file: file.name)


def _load_tested(file: Path) -> Theme:
    name = file.name.removesuffix(".toml")
    return parse(_read(file), name, str(file), tested=True)


def _read(file: Path) -> str:
    try:
        return files.read_text(file)
    except UnicodeDecodeError as error:
        raise ConfigError(
            _("{file}: this is not UTF-8 text").format(file=file)
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            _("{file} cannot be read: {reason}").format(file=file, reason=reason)
        ) from error


def _problem(key: str, value: object) -> str:
    """Return what is wrong with the value of a theme's key, or ""."""
    if key in _COLOURS:
        return _colour_problem(value, fading=False)
    if key in _NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and 0 <= cast(float, value) <= 1
        return (
            ""
            if fits
            else _("must be a number from 0 to 1, not {value!r}.").format(value=value)
        )
    if key == "variables":
        return "" if isinstance(value, dict) else _("must be a table: [variables].")
    if key == "name":
        good = isinstance(value, str) and value.strip()
        return "" if good else _("must be a word, not {value!r}.").format(value=value)
    return (
        ""
        if isinstance(value, bool)
        else _("must be true or false, not {value!r}.").format(value=value)
    )


def _colour_problem(value: Any, *, fading: bool = True) -> str:
    advice = _('Use "#rrggbb" or a CSS colour name.')
    if not isinstance(value, str):
        return _("must be a colour, not {value!r}. {advice}").format(
            value=value, advice=advice
        )
    colour = value.strip()
    if fading and (faded := _faded.fullmatch(colour)):
        colour = faded[1]
    if fading and colour in ("auto", "initial", "transparent"):
        return ""
    try:
        Color.parse(colour)
    except ColorParseError:
        return _("cannot be {value!r}, which is not a colour. {advice}").format(
            value=value, advice=advice
        )
    return ""


def _style_problem(value: Any) -> str:
    words = value.split() if isinstance(value, str) else []
    if words and set(words) <= _TEXT_STYLES:
        return ""
    known = ", ".join(sorted(word for word in _TEXT_STYLES if len(word) > 1))
    return _("cannot be {value!r}. Known: {known}.").format(value=value, known=known)
