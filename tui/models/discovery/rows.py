"""Reads the lists of models that servers send.

All have the form of OpenAI's `/v1/models`, and each adds fields of its own. What is
missing or makes no sense is unknown, never an error.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from tui import bounds
from tui.models.openai.window import own_size, told
from tui.safe import safe

MOST = 2000
"""Most models of one server that are listed; OpenRouter has some 400."""
_NAME = 200
"""Most characters of a model's name; a longer one is no name."""
_NO_CHAT = re.compile(
    r"embed|rerank|whisper|\btts\b|-tts|speech|transcri|dall-e|moderation|imagen|"
    r"gpt-image|sora|veo-|stable-diffusion|flux|realtime|-audio|davinci|babbage|"
    r"(^|/)bge-|(^|/)gte-|lyria|aqa$",
    re.I,
)
"""Models whose names say that they do something else than chat."""


class ListedModel(msgspec.Struct, frozen=True):
    """A model in a server's list."""

    id: str
    """The server's name for it: printable, not empty."""
    context: int = 0
    """Tokens of its window; 0 if the server does not say."""
    price_in: float | None = None
    """US dollars for a million tokens of the prompt; None if not said."""
    price_out: float | None = None
    """US dollars for a million tokens of the answer."""
    size: int = 0
    """Bytes of its weights; 0 if unknown or not on this machine."""
    loaded: bool = False
    """Whether the server has it in memory."""


def listed(body: Any) -> list[ListedModel]:
    """Return the chat models in the answer to `GET /v1/models`, in the server's order.

    Together sends a bare list, and Ollama null for no models.
    """
    rows: Any = fields(body).get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        return []
    found: dict[str, ListedModel] = {}
    for row in cast(list[Any], rows)[:MOST]:
        if isinstance(row, dict) and (model := _model(cast(dict[str, Any], row))):
            found.setdefault(model.id, model)
    return list(found.values())


def is_list(body: Any) -> bool:
    """Return whether `body` has the form of a list of models."""
    if isinstance(body, dict):
        return isinstance(fields(body).get("data", ""), list | type(None))
    return isinstance(body, list)


def fields(value: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def owner(body: Any) -> str:
    """Return `owned_by` of the first model, which tells servers apart, or ""."""
    try:
        return str(body["data"][0]["owned_by"])
    except (TypeError, KeyError, IndexError):
        return ""


def _model(row: Mapping[str, Any]) -> ListedModel | None:
    id = row.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= _NAME or safe(id) != id:
        return None
    if _NO_CHAT.search(id) or str(row.get("type", "")) in _OTHER_TYPES:
        return None
    trained = bounds.count(fields(row.get("meta")).get("n_ctx_train"))
    context = told({"data": [row]}, id)[0] or own_size(id) or trained
    price_in, price_out = _prices(row.get("pricing"))
    return ListedModel(id, context, price_in, price_out)


_OTHER_TYPES = {"embedding", "embeddings", "image", "audio", "moderation", "rerank"}


def _prices(pricing: Any) -> tuple[float | None, float | None]:
    prices = fields(pricing)
    if "prompt" in prices:  # OpenRouter: for one token, as text
        return _price(prices["prompt"], 1e6), _price(prices.get("completion"), 1e6)
    # Together: for a million tokens
    return _price(prices.get("input"), 1), _price(prices.get("output"), 1)


def _price(value: Any, factor: float) -> float | None:
    try:
        price = round(float(value) * factor, 6)
    except (TypeError, ValueError, OverflowError):
        return None
    # OpenRouter has -1 where the price depends on what is asked.
    return price if math.isfinite(price) and 0 <= price < 1e6 else None
