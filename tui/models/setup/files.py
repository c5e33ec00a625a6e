"""Checks a GGUF file before it is added as a model."""

from importlib.util import find_spec
from pathlib import Path

from tui.errors import ConfigError
from tui.i18n import _


def can_run_files() -> bool:
    """Return whether GGUF files can be run here."""
    return find_spec("llama_cpp") is not None


def require_model(file: str) -> str:
    """Return the absolute path of a GGUF file, which may begin with ~.

    Reads its first bytes. Raises `ConfigError` if it is none, or cannot be run here.
    """
    try:
        path = Path(file).expanduser().absolute()
    except RuntimeError:  # no such user
        path = Path(file)
    try:
        if path.is_dir():
            raise ConfigError(
                _("{file} is a folder: name a GGUF file in it.").format(file=file)
            )
        with path.open("rb") as opened:
            is_model = opened.read(4) == b"GGUF"
    except (FileNotFoundError, ValueError) as error:  # ValueError: a NUL in it
        raise ConfigError(_("No such file: {path}").format(path=file)) from error
    except OSError as error:
        raise ConfigError(
            _("{path} cannot be read: {strerror}.").format(
                path=file, strerror=error.strerror
            )
        ) from error
    if not is_model:
        raise ConfigError(_("{path} is not a GGUF file").format(path=file))
    if not can_run_files():
        raise ConfigError(
            _(
                "Local models need llama-cpp-python, which is not installed: pip "
                "install 'lazychat[local]'"
            )
        )
    return str(path)
