"""Finds out what the tokens of a server's model cost.

A configured price overrides the cost in an answer, and that overrides the prices in the
server's list of models.
"""

from collections.abc import Generator
from typing import Any, cast

import msgspec

from tui.config import Price
from tui.conversation.costs import cost_of
from tui.events import Event, UsageReported
from tui.messages import Reply
from tui.models.openai.window import entry_of


class Pricing:
    """The price of one model. For any thread."""

    def __init__(self, price: Price | None) -> None:
        """Set the price of the configuration, None for none."""
        self._price = price
        self._told: Price | None = None

    def learn(self, models: Any, model: str) -> None:
        """Take the price in a server's list of models, if there is one."""
        self._told = told_price(models, model)

    def priced(
        self, answer: Generator[Event, None, Reply]
    ) -> Generator[Event, None, Reply]:
        """Yield the events of an answer, with the cost in its count of tokens."""
        while True:
            try:
                event = next(answer)
            except StopIteration as stop:
                return stop.value
            yield self._with_cost(event) if isinstance(event, UsageReported) else event

    def _with_cost(self, usage: UsageReported) -> UsageReported:
        price = self._price or (self._told if usage.cost is None else None)
        if price is None:
            return usage
        cost = cost_of(price, usage)
        return msgspec.structs.replace(usage, cost=cost, currency=price.currency)


def told_price(models: Any, model: str) -> Price | None:
    """Return the price in a server's list of models, None if it says none.

    OpenRouter has US dollars a token, as texts; -1 if the price depends on the request.
    """
    pricing: Any = entry_of(models, "data", model).get("pricing")
    if not isinstance(pricing, dict):
        return None
    said = cast(dict[str, Any], pricing)
    amounts = [
        _amount(said.get(name)) for name in ("prompt", "completion", "input_cache_read")
    ]
    if amounts[0] is None or amounts[1] is None:
        return None
    return Price(amounts[0], amounts[1], amounts[2])


def _amount(value: Any) -> float | None:
    """Return a price of a million tokens from that of one, None if it is none."""
    if not isinstance(value, str | int | float) or len(str(value)) > 40:
        return None
    try:
        amount = float(value) * 1e6
    except ValueError:
        return None
    return amount if 0 <= amount <= 1e6 else None
