"""`lazychat cost` in a process of its own."""

import json

import pytest
from support.fakes.lazychat import Home

from tui.eventlog import EventLog
from tui.events import UsageReported


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


def test_tokens_and_cost_are_printed_by_model(home):
    home.config('[models.m]\nprovider = "openai"\nprice = { input = 1, output = 10 }\n')
    with EventLog(home.store) as log:
        log.append("c", UsageReported(100_000, 2_000, purpose="title", model="m"))
        log.append("d", UsageReported(5, 5, purpose="title", model="x")).result(30)

    done = home.run("cost")

    assert [line.split() for line in done.out.splitlines()] == [
        ["model", "in", "cached", "out", "reasoning", "cost"],
        ["m", "100.0k", "0", "2,000", "0", "$0.1200"],
        ["x", "5", "0", "5", "0", "unknown"],
        ["total", "100.0k", "0", "2,005", "0", "$0.1200", "+", "unknown"],
    ]
    (row,) = [
        r for r in json.loads(home.run("cost", "--json").out) if r["model"] == "m"
    ]
    assert row["costs"] == {"USD": 0.12}


def test_an_empty_store_has_spent_nothing(home):
    EventLog(home.store).close()

    done = home.run("cost")

    assert (done.code, done.out) == (0, "")
    assert "no tokens counted yet" in done.err
