"""What an answer costs: by the server, by its list, by the configuration."""

from typing import Any

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text, usage

from tui import config
from tui.config import Price
from tui.errors import ConfigError
from tui.events import UsageReported
from tui.messages import Message, Reply
from tui.models.openai.model import OpenAIModel
from tui.models.openai.pricing import Pricing, told_price
from tui.turn import Turn

ASK = [Message("user", "Hi")]


def used(server: SSEServer, price: Price | None = None, **fields: Any) -> UsageReported:
    server.answer(text("x"), finish(), usage(1000, 100, **fields), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=0, price=price)
    try:
        events, _ = collect(model.generate(ASK, (), Turn("t")))
    finally:
        model.close()
    assert isinstance(events[-1], UsageReported)
    return events[-1]


def test_a_server_says_what_an_answer_costs(server):
    found = used(server, cost=0.25)

    assert (found.cost, found.currency) == (0.25, "USD")


def test_reasoning_is_counted(server):
    found = used(server, completion_tokens_details={"reasoning_tokens": 64})

    assert found.reasoning_tokens == 64


def test_the_price_of_the_configuration_goes_first(server):
    found = used(server, Price(1.0, 10.0, currency="EUR"), cost=0.25)

    assert found.cost == pytest.approx(0.002)
    assert found.currency == "EUR"


def test_a_server_that_says_nothing_leaves_the_cost_unknown(server):
    assert used(server).cost is None


@pytest.mark.parametrize("cost", [-1, "0.5", True, 1e300, {"total": 1}])
def test_a_senseless_cost_is_unknown(server, cost):
    assert used(server, cost=cost).cost is None


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "0.000002", "completion": "0.00001"}, Price(2.0, 10.0)),
        (
            {"prompt": "0.000002", "completion": "1e-5", "input_cache_read": "1e-6"},
            Price(2.0, 10.0, 1.0),
        ),
        ({"prompt": "0", "completion": "0"}, Price()),
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "nan", "completion": "inf"}, None),
        ({"prompt": "1" * 5_000, "completion": "0"}, None),
        ({"prompt": [], "completion": None}, None),
        ("free", None),
    ],
)
def test_the_list_of_models_tells_the_price(pricing, price):
    found = told_price({"data": [{"id": "m", "pricing": pricing}]}, "m")

    assert (found and [round(n or 0, 9) for n in (found.input, found.output)]) == (
        price and [price.input, price.output]
    )
    assert (found and found.cached) == pytest.approx(price and price.cached)


def test_the_price_of_the_list_counts_where_the_answer_says_no_cost():
    pricing = Pricing(None)
    pricing.learn(
        {"data": [{"id": "m", "pricing": {"prompt": "1e-6", "completion": "0"}}]}, "m"
    )

    def answer():
        yield UsageReported(1000, 5)
        yield UsageReported(1000, 5, cost=7.0)
        return Reply(Message("assistant"), "stop")

    first, second = pricing.priced(answer())
    assert isinstance(first, UsageReported)
    assert isinstance(second, UsageReported)
    assert first.cost == pytest.approx(0.001)
    assert second.cost == 7.0


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ("{ input = -1 }", "price.input: expected float >= 0"),
        ("{ input = inf }", "price.input: expected float <= 1000000"),
        ("{ input = nan }", "price.input"),
        ("{ inptu = 1 }", 'unknown key "inptu"'),
        ('{ currency = "" }', "price.currency"),
    ],
)
def test_a_senseless_price_is_refused(price, problem):
    with pytest.raises(ConfigError, match=problem.replace(".", r"\.")):
        config.parse(f'[models.m]\nprovider = "openai"\nprice = {price}\n')
