"""Stores the API keys that the user has given to lazychat itself.

They are in `keys.toml` beside config.toml, by the name of the variable that would hold
them, in a file that only the user can read. A set variable comes first. So config.toml
names a key and never contains one, and it can be shown and shared.
"""

import os
import re
import subprocess
import threading
from pathlib import Path

from tui import bounds, files, masking, paths
from tui.errors import ConfigError, ModelError
from tui.i18n import _

_lock = threading.Lock()


_held: dict[str, str] = {}


def hold(variable: str, key: str) -> None:
    """Keep a key in this process only, until it has been tried."""
    masking.remember_key(key)
    _held[variable] = key


def held(variable: str) -> str:
    """Return the key that `hold` was given, or ""."""
    return _held.get(variable, "")


def find(variable: str) -> str:
    """Return the key from the environment, else the held or stored one, else "".

    A stored key is masked in all reports from now on. Quotes around a variable's value
    are none of the key: Docker's `--env-file` keeps those of a file for the shell.
    """
    value = os.environ.get(variable, "").strip()
    quoted = re.fullmatch(r"([\"'])(.*)\1", value)
    if key := (quoted[2].strip() if quoted else value) or _held.get(variable):
        return key
    key = _stored().get(variable, "")
    masking.remember_key(key)
    return key


def checked(text: str) -> str:
    """Return the key in pasted text; raises ConfigError if there cannot be one."""
    key = text.strip().strip("\"'").strip()
    # `export NAME=key`, as the pages of services have it
    key = re.sub(r"^(export\s+)?[A-Z_][A-Z0-9_]*=[\"']?", "", key)
    # the header in which a service's examples send it
    key = re.sub(r"^(Authorization:\s*)?Bearer\s+", "", key, flags=re.I)
    if not key:
        raise ConfigError(_("Paste the key first."))
    if len(key) > 4096 or not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigError(
            _(
                "This is not an API key: a key is one word of letters, digits and "
                "signs. Copy it again from the service's page."
            )
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
                _(
                    "{file} is not valid, so no key was added: {error}. Repair it "
                    "or delete it."
                ).format(file=file, error=error)
            ) from error
        except OSError as error:
            raise ConfigError(
                _("{file} cannot be read: {strerror}.").format(
                    file=file, strerror=error.strerror
                )
            ) from error
        import tomli_w

        text = _HEADER + tomli_w.dumps(table | {variable: key})
        try:
            files.replace_private(Path(os.path.realpath(file)), text.encode())
        except OSError as error:
            raise ConfigError(
                _("The key cannot be stored in {file}: {strerror}.").format(
                    file=file, strerror=error.strerror
                )
            ) from error
    _held.pop(variable, None)
    return file


def fault() -> str:
    """Return why no stored key can be read, "" if nothing keeps them from it."""
    try:
        _read(paths.keys_file())
    except ValueError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return ""


COMMAND_SECONDS = 60
"""How long `api_key_cmd` may take: it may ask for a passphrase in a window."""


def printed_by(command: str, name: str) -> str:
    """Return the first line that `api_key_cmd` prints, as `pass show` has it.

    Blocks for `COMMAND_SECONDS` at most. Raises `ModelError`, which names the model
    `name`.
    """
    try:
        return first_line(command)
    except ValueError as error:
        problem = _("[models.{name}]: api_key_cmd gave no key: {error}.").format(
            name=name, error=error
        )
        raise ModelError(problem, "missing_key") from None


def first_line(command: str) -> str:
    """Return the first line that a command prints.

    Blocks for `COMMAND_SECONDS` at most. Raises `ValueError` with the reason if there
    is none.
    """
    import shlex  # seldom needed

    # Neither the command nor its output, stderr too, is quoted: a key may stand in
    # them.
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        why = _("it took more than {command_seconds} seconds").format(
            command_seconds=COMMAND_SECONDS
        )
    except OSError as error:
        why = error.strerror or str(error)
    except UnicodeDecodeError:
        why = _("its output is not UTF-8 text")
    except ValueError as error:  # of shlex, or a NUL in it
        why = str(error)
    else:
        if done.returncode:
            why = _(
                "it ended with status {returncode} (its output is not shown, as it "
                "may contain a key)"
            ).format(returncode=done.returncode)
        elif key := done.stdout.strip():
            return key.splitlines()[0].rstrip()
        else:
            why = _("it printed nothing")
    raise ValueError(why)


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
