"""What conversations spend: the sums, and how they are spelled."""

import math

import msgspec
import pytest

from tui import conversation, events
from tui.config import Price
from tui.conversation import costs
from tui.conversation.costs import (
    Spent,
    Tally,
    spell_cost,
    spell_money,
    spell_tokens,
    table,
)
from tui.events import MessageAdded, Record, TurnRequested, TurnStarted, UsageReported
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")

PRICE = Price(2.0, 10.0, 0.5)


def talk(log, id: str, *used: tuple[str, UsageReported], at: float = 100.0) -> None:
    records: list[Record] = []
    for n, (model, usage) in enumerate(used):
        turn = f"{id}{n}"
        for event in (
            MessageAdded(f"{turn}.q", Message("user", "Hi")),
            TurnRequested(model),
            TurnStarted("h", "b", 1, 1),
            usage,
            events.TurnFinished("stop"),
        ):
            records.append(Record(0, id, turn, at, event))
    log.add(records).result(30)


def known(name: str) -> Price | None:
    return PRICE if name == "dear" else None


def test_a_price_is_for_a_million_tokens_and_cached_ones_are_cheaper():
    usage = UsageReported(1_000_000, 100_000, cached_tokens=400_000)

    assert costs.cost_of(PRICE, usage) == pytest.approx(1.2 + 0.2 + 1.0)
    assert costs.cost_of(Price(2.0, 10.0), usage) == pytest.approx(3.0)


def test_what_a_server_counts_wrongly_makes_no_negative_cost():
    usage = UsageReported(10, 0, cached_tokens=1_000_000)

    assert costs.cost_of(PRICE, usage) == pytest.approx(10 * 0.5 / 1e6)


def test_each_model_has_its_sum_and_the_stored_cost_goes_first(log):
    talk(
        log,
        "c",
        ("dear", UsageReported(1000, 100, cached_tokens=500, reasoning_tokens=40)),
        ("dear", UsageReported(1000, 100, cost=0.5)),
        ("other", UsageReported(7, 3)),
    )

    tally = costs.spent(log, known, "c")

    assert tally.models["dear"] == Spent(2, 2000, 500, 200, 40, {"USD": 0.50225})
    assert tally.models["other"] == Spent(1, 7, 0, 3, 0, {}, 1)
    assert tally.total.input == 2007
    assert spell_cost(tally.total) == "$0.5022 + unknown"


def test_a_title_counts_for_the_model_that_wrote_it(log):
    talk(log, "c", ("dear", UsageReported(1, 1)))
    log.append("c", UsageReported(5, 5, purpose="title", model="small")).result(30)

    assert set(costs.spent(log, known, "c").models) == {"dear", "small"}


def test_a_fork_has_not_spent_what_it_has_copied(log):
    talk(log, "c", ("dear", UsageReported(1000, 100)))
    copy = conversation.fork(log, "c")
    talk(log, copy, ("dear", UsageReported(5, 5)), at=4e9)

    assert costs.spent(log, known, copy).total.input == 5
    assert costs.spent(log, known).total.input == 1005


def test_only_what_was_spent_since_a_time_counts(log):
    talk(log, "c", ("dear", UsageReported(1, 1)), at=100.0)
    talk(log, "d", ("dear", UsageReported(2, 2)), at=200.0)

    assert costs.spent(log, known, since=150.0).total.input == 2


def test_many_models_are_one_row_at_last():
    tally = Tally()
    for n in range(500):
        tally.add(f"m{n}", UsageReported(1, 1), None)

    assert len(tally.models) == costs.MOST_MODELS + 1
    assert tally.total.requests == 500


@pytest.mark.parametrize("cost", ["NaN", "1e999", "-1", "1e30", '"x"', "true", "[]"])
def test_a_senseless_cost_is_unknown(cost):
    data = f'{{"input_tokens": 1, "output_tokens": 1, "cost": {cost}}}'

    event = events.read("usage_reported", data.encode())

    if isinstance(event, UsageReported):
        assert event.cost is None
    else:
        assert isinstance(event, events.Unreadable)


def test_sums_stay_finite():
    tally = Tally()
    most = UsageReported(2**53, 2**53, cost=1e9)
    for _ in range(100):
        tally.add("m", most, None)
        tally.add("m", UsageReported(2**53, 2**53), Price(1e6, 1e6))

    total = tally.total
    assert math.isfinite(total.costs["USD"])
    assert msgspec.json.encode(total)
    assert max(map(len, table(tally, 60))) <= 60


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (12_345, "12.3k"),
        (999_960, "1.0M"),
        (4_500_000, "4.5M"),
        (10**20, ">999T"),
    ],
)
def test_tokens_are_short(count, text):
    assert spell_tokens(count) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0.00001, "USD", "<$0.0001"),
        (0.0123, "USD", "$0.0123"),
        (1234.5, "EUR", "€1,234.50"),
        (0.5, "CHF", "0.5000 CHF"),
        (0.0, "USD", "$0.0000"),
    ],
)
def test_money_has_the_places_that_it_needs(amount, currency, text):
    assert spell_money(amount, currency) == text


@pytest.mark.parametrize(
    ("spent", "text"),
    [
        (Spent(), "-"),
        (Spent(1, costs={"USD": 0.0}), "free"),
        (Spent(1, unknown=1), "unknown"),
        (Spent(2, costs={"USD": 1.5, "EUR": 0.25}), "$1.50 + €0.2500"),
    ],
)
def test_a_cost_that_is_not_known_is_not_nothing(spent, text):
    assert spell_cost(spent) == text


def test_the_table_fits_and_leaves_columns_out_where_it_is_narrow():
    tally = Tally()
    tally.add(
        "a-model-with-a-very-long-name/and-more", UsageReported(12_345, 10), PRICE
    )
    tally.add("small", UsageReported(5, 5), None)

    wide, narrow = table(tally, 70), table(tally, 40)

    assert wide[0].split() == ["model", "in", "cached", "out", "reasoning", "cost"]
    assert narrow[0].split() == ["model", "in", "out", "cost"]
    assert max(map(len, wide)) <= 70
    assert max(map(len, narrow)) <= 40
    assert wide[1].split()[1:] == ["12.3k", "0", "10", "0", "$0.0248"]
    assert wide[-1].split()[0] == "total"
