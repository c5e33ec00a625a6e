"""Defines where lazychat keeps its files.

`LAZYCHAT_HOME`, if set, is one folder for all of them.
"""

import os
from pathlib import Path

from platformdirs import PlatformDirs

from tui import files

if os.path.expanduser("~") == "~":  # noqa: PTH111 - pathlib raises an error here
    # A user whom this machine does not know, and no HOME: a container with `--user`.
    # As with an empty HOME, the home is a folder in which one cannot write.
    os.environ["HOME"] = "/"

_dirs = PlatformDirs("lazychat", appauthor=False)


def _folder(standard: str) -> Path:
    home = os.environ.get("LAZYCHAT_HOME")
    return files.expanded(home) if home else Path(standard)


def config_file() -> Path:
    """Return the path of the user's config.toml, which may not exist."""
    return _folder(_dirs.user_config_dir) / "config.toml"


def keys_file() -> Path:
    """Return the path of the API keys that lazychat stores, which may not exist."""
    return _folder(_dirs.user_config_dir) / "keys.toml"


def themes_folder() -> Path:
    """Return the folder of the user's own themes, which may not exist."""
    return _folder(_dirs.user_config_dir) / "themes"


def prompt_files_folder() -> Path:
    """Return the folder of the user's own prompts, which may not exist."""
    return _folder(_dirs.user_config_dir) / "prompts"


def tools_folder() -> Path:
    """Return the folder of the user's own tools, which may not exist."""
    return _folder(_dirs.user_config_dir) / "tools"


def state_file() -> Path:
    """Return the path of the screen's remembered state: theme, sidebar, stream."""
    return _folder(_dirs.user_state_dir) / "state.toml"


def copied_file() -> Path:
    """Return the path of the last copy that was too long for a clipboard."""
    return _folder(_dirs.user_state_dir) / "copied.txt"


def crashes_file() -> Path:
    """Return the path of the record of local models' crashes."""
    return _folder(_dirs.user_state_dir) / "local-crashes.json"


def log_file() -> Path:
    """Return the path of the event log."""
    return _folder(_dirs.user_data_dir) / "lazychat.db"


def models_folder() -> Path:
    """Return the folder of downloaded GGUF files, which may not exist."""
    return _folder(_dirs.user_data_dir) / "models"


def prompts_folder() -> Path:
    """Return the folder of prompts that local models have read; it may be removed."""
    return _folder(_dirs.user_cache_dir) / "prompts"


def written_folder() -> Path:
    """Return the folder of what was in files before tools wrote them."""
    return _folder(_dirs.user_state_dir) / "written"
