"""Tells in a sentence which models were found on this machine."""

from tui.app.backend import Models, Setup
from tui.app.setup import rows
from tui.i18n import _, ngettext
from tui.models.discovery import Found
from tui.models.discovery.servers import is_off

_NAMED = 3
"""Most models that are named."""


def find(setup: Setup, models: Models) -> str:
    """Look for models; return a line on those found, or ""; blocks.

    Configured models are left out. Does nothing if the user has turned probing off.
    """
    return "" if is_off() else described(rows.unknown(models, setup.look()))


def described(found: Found) -> str:
    """Return a line on what was found, or "" if nothing was."""
    names = [
        f"{it.title}: " + _some([rows.called(m.id) for m in it.models])
        for it in found.servers
    ]
    names = [name for name in names if not name.endswith(": ")]
    names += [
        _("{title} (needs a key)").format(title=server.title)
        for server in found.servers
        if server.wants_key
    ]
    keys = [service.title for service in found.services if service.has_key]
    if found.files:
        names.append(
            ngettext(
                "{count} GGUF file", "{count} GGUF files", len(found.files)
            ).format(count=len(found.files))
        )
    if keys:
        names.append(_("a key for {keys}").format(keys=_some(keys)))
    return "; ".join(names)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return (
        _("{names} and {more} more").format(names=shown, more=more)
        if more > 0
        else shown
    )
