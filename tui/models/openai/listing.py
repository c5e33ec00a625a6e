"""Reads a server's list of models, and describes it to the user."""

import difflib
from collections.abc import Callable
from typing import Any, cast

import msgspec

from tui.i18n import _

_NAME = 100
"""Characters of an id."""
_CHARACTERS = 128 << 10
"""Of all ids together. Comparing them takes up to 0.8 s; gateways list some thousand,
with about 30 characters each."""
_NAMED = 8
"""Models that a message names."""


class Models(msgspec.Struct, frozen=True):
    """The ids of a server's models, in its own order."""

    ids: tuple[str, ...] = ()
    """The first of them, cut to a bounded length."""
    count: int = 0
    """How many the server lists."""
    has: frozenset[str] = frozenset()
    """All of them, uncut."""
    too_long: bool = False
    """Whether the list had more bytes than are read, so that nothing is known of it."""


def is_list(body: Any) -> bool:
    """Return whether `body`, an answer to `GET /models`, is a list of models."""
    fields = cast(dict[str, Any], body) if isinstance(body, dict) else {}
    return isinstance(fields.get("data"), list)


def listed(body: Any) -> Models:
    """Return the models in the answer to `GET /models`; none if it is not a list."""
    if not is_list(body):
        return Models()
    all = [
        str(cast(dict[str, Any], row)["id"])
        for row in cast(list[Any], body["data"])
        if isinstance(row, dict) and "id" in row
    ]
    ids: list[str] = []
    room = _CHARACTERS
    for name in all:
        cut = name[:_NAME]
        room -= len(cut)
        if room < 0:
            break
        ids.append(cut)
    return Models(tuple(ids), len(all), frozenset(all))


def told(models: Models, model: str, clean: Callable[[str], str]) -> str:
    """Return which models there are, those first whose names are like `model`.

    One or two sentences; "" if the list is empty. `clean` makes an id fit to be quoted.
    """
    if not models.ids:
        return ""
    near = difflib.get_close_matches(model, models.ids, n=_NAMED, cutoff=0.5)
    names = (near + [name for name in models.ids[:_NAMED] if name not in near])[:_NAMED]
    rest = models.count - len(names)
    more = _(" and {rest:,} more").format(rest=rest) if rest else ""
    said = _("It has: {clean}{more}.").format(
        clean=", ".join(map(clean, names)), more=more
    )
    if len(models.ids) < models.count:
        said += _(" Only the first {count:,} names were checked.").format(
            count=len(models.ids)
        )
    return said
