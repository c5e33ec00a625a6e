"""Stores the API keys that the user has given to lazychat itself.

They are in `keys.toml` beside config.toml, by the name of the variable that would hold
them, in a file that only the user can read. A set variable comes first. So config.toml
names a key and never contains one, and it can be shown and shared.
"""

import os
import re
import threading
from pathlib import Path

import tomli_w

from tui import bounds, files, masking, paths
from tui.errors import ConfigError

_lock = threading.Lock()


def find(variable: str) -> str:
    """Return the key from the environment, else the stored one, else "".

    A stored key is masked in all reports from now on.
    """
    if key := os.environ.get(variable):
        return key
    key = _stored().get(variable, "")
    masking.remember_key(key)
    return key


def checked(text: str) -> str:
    """Return the key in pasted text; raises ConfigError if there cannot be one."""
    key = text.strip().strip("\"'").strip()
    # `export NAME=key`, as the pages of services have it
    key = re.sub(r"^(export\s+)?[A-Z_][A-Z0-9_]*=[\"']?", "", key)
    if not key:
        raise ConfigError("Paste the key first.")
    if len(key) > 4096 or not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigError(
            "This is no API key: a key is one word of letters, digits and signs. "
            "Copy it again from the service's page."
        )
    masking.remember_key(key)
    return key


def store(variable: str, key: str) -> Path:
    """Store a key under the name of its variable; return the file.

    Other keys in the file stay. Raises `ConfigError` if it cannot be read or written.
    """
    file = paths.keys_file()
    masking.remember_key(key)
    with _lock:
        try:
            table = _read(file)
        except ValueError as error:
            raise ConfigError(
                f"{file} is not valid, so no key was added: {error}. Repair it or "
                "delete it."
            ) from error
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
        text = _HEADER + tomli_w.dumps(table | {variable: key})
        try:
            files.replace_private(Path(os.path.realpath(file)), text.encode())
        except OSError as error:
            raise ConfigError(
                f"The key cannot be stored in {file}: {error.strerror}."
            ) from error
    return file


_HEADER = """\
# API keys that lazychat has stored, by the name of the variable that each stands for.
# A variable of that name that is set comes first. Keep this file to yourself.

"""


def _stored() -> dict[str, str]:
    try:
        return _read(paths.keys_file())
    except (OSError, ValueError):
        return {}


def _read(file: Path) -> dict[str, str]:
    try:
        table = bounds.decode_toml(files.read_text(file))
    except FileNotFoundError:
        return {}
    return {name: key for name, key in table.items() if isinstance(key, str)}
