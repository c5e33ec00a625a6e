"""Tells for which services there is a key."""

import msgspec

from tui.models import keys
from tui.models.suppliers import SUPPLIERS


class Service(msgspec.Struct, frozen=True):
    """A known service."""

    supplier: str
    """Its name in `suppliers.SUPPLIERS`."""
    title: str
    base_url: str
    key_env: str
    has_key: bool
    """Whether its key is in its variable, or was stored by `tui.models.keys`."""


def services() -> list[Service]:
    """Return all services that want a key: those with one first.

    Reads one small file.
    """
    found = [
        Service(
            name,
            supplier.title,
            supplier.base_url,
            supplier.key_env,
            bool(keys.find(supplier.key_env)),
        )
        for name, supplier in SUPPLIERS.items()
        if supplier.key_env
    ]
    # A key that is set for other reasons is the weakest sign.
    return sorted(
        found,
        key=lambda it: (
            not it.has_key,
            it.has_key and SUPPLIERS[it.supplier].key_for_more,
        ),
    )
