"""Says where the names of LazyLLM's modules are, when one of these is imported.

`tui.lazyllm` has all names itself; LazyLLM has them in many modules too, of which
Python alone would say only that there is no such module.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def explain_missing(package: str) -> None:
    """Have the import of a module that `package` lacks say what to import instead."""
    sys.meta_path.append(_Explaining(package))


class _Explaining(MetaPathFinder):
    """Comes last, and raises for modules of the package that no other finder found."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return None for what is not of the package; else raises."""
        if not fullname.startswith(f"{self._package}."):
            return None
        below = fullname.removeprefix(f"{self._package}.")
        raise ModuleNotFoundError(
            f"lazychat has no module lazyllm.{below}: what it offers of LazyLLM is in "
            f"{self._package} itself (docs/lazyllm.md).",
            name=fullname,
        )
