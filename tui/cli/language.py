"""Chooses the language before the configuration is parsed.

`--help` and the mistakes in config.toml are in the user's language too, so `language`
is looked up without the parser, which `--help` does not import.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tui import files, i18n

_LARGEST = 1 << 16
"""Bytes of config.toml in which `language` is looked for: it is before all tables."""
_TABLE = re.compile(rb"^[ \t]*\[", re.M)
_LANGUAGE = re.compile(rb"""^[ \t]*language[ \t]*=[ \t]*["']([\w.@-]+)["']""", re.M)
_SECONDS = 1.0
"""How long a disk may take for `doctor`, which must report one that never answers."""


def choose(arguments: Sequence[str]) -> None:
    """Choose the language by LAZYCHAT_LANGUAGE, config.toml or the locale.

    That of config.toml is put into the environment for the processes that this one
    starts.
    """
    if not os.environ.get(i18n.VARIABLE):
        if arguments[:1] == ["doctor"]:
            import threading

            reading = threading.Thread(target=_adopt, args=[arguments], daemon=True)
            reading.start()
            reading.join(_SECONDS)
        else:
            _adopt(arguments)
    i18n.choose()


def _adopt(arguments: Sequence[str]) -> None:
    try:
        file = _file(arguments)
    except RuntimeError:  # there is no home folder
        return
    if language := i18n.known(_configured(file)):
        os.environ[i18n.VARIABLE] = language


def _file(arguments: Sequence[str]) -> Path:
    for at, argument in enumerate(arguments):
        if argument.startswith("--config="):
            return Path(argument.removeprefix("--config="))
        if argument == "--config" and at + 1 < len(arguments):
            return Path(arguments[at + 1])
    return config_file()


def config_file() -> Path:
    """Return what `paths.config_file` does, without the import of platformdirs."""
    if home := os.environ.get("LAZYCHAT_HOME"):
        return files.expanded(home) / "config.toml"
    if sys.platform == "darwin":
        base = files.expanded("~/Library/Application Support")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config")
    return base.expanduser() / "lazychat" / "config.toml"


def _configured(path: Path) -> str:
    """Return the language that the file names, or ""; only a regular file is read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except (OSError, ValueError):  # reported where the file is parsed
        return ""
    table = _TABLE.search(text)
    found = _LANGUAGE.search(text, 0, table.start() if table else len(text))
    return found[1].decode() if found else ""
