"""Imports what a package offers when it is first used (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of `package`.

    `homes` has the full name of the module that defines each name. No module may have
    the name of one of its values below `package`: once imported, it would hide that.
    """

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(homes[name]), name)
        vars(sys.modules[package])[name] = value  # later lookups skip this function
        return value

    return find
