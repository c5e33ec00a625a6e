"""Words the errors about arguments that cannot be used."""

import difflib
from collections.abc import Iterable

from tui.errors import ConfigError


class ArgumentError(ConfigError, TypeError):
    """An argument of LazyLLM's names that cannot be used; the text says what can."""


def unknown(
    of: str, given: Iterable[str], known: Iterable[str], more: str = ""
) -> None:
    """Raise `ArgumentError` if `given` is not empty: `of` has only `known`."""
    names = sorted(given)
    if not names:
        return
    known = sorted(known)
    near = difflib.get_close_matches(names[0], known, 1)
    hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(known)}."
    raise ArgumentError(f"{of} has no argument {names[0]}.{hint}{more}")
