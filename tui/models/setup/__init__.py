"""Sets a model up: where it is, its key, a first try, an entry in config.toml.

    place = place_of_service("groq")
    place = with_key(place, "gsk_...")      # held for this process
    model = models_at(place)[0]
    chosen = model_at(place, model.id)
    try_model(chosen.settings)
    kept = keep(chosen, place, file, default=True)

The app's dialog and `lazychat setup` take the same steps. All functions but the pure
ones (`place_of_*`, `model_at`, `model_in`) block; all raise `LazychatError`.
"""

from tui.models.setup.files import can_run_files, require_model
from tui.models.setup.keeping import Kept, keep, same
from tui.models.setup.places import (
    Chosen,
    Place,
    model_at,
    model_in,
    place_of_address,
    place_of_server,
    place_of_service,
    with_key,
)
from tui.models.setup.trying import NoList, check_key, models_at, try_model

__all__ = [
    "Chosen",
    "Kept",
    "NoList",
    "Place",
    "can_run_files",
    "check_key",
    "keep",
    "model_at",
    "model_in",
    "models_at",
    "place_of_address",
    "place_of_server",
    "place_of_service",
    "require_model",
    "same",
    "try_model",
    "with_key",
]
