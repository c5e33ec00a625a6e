"""The clock and the dice."""

from datetime import UTC, datetime, timedelta

import pytest

from tui.errors import ToolError
from tui.events import ToolCallFinished
from tui.messages import ToolCall
from tui.tools import ToolBox
from tui.tools.bundled import bundled, dice
from tui.tools.bundled.clock import convert_time, current_time
from tui.tools.bundled.dice import roll_dice
from tui.tools.bundled.places import zone_of


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("tokyo, Japan", "Asia/Tokyo"),
        ("東京", "Asia/Tokyo"),
        ("北京市", "Asia/Shanghai"),
        ("San Francisco, CA", "America/Los_Angeles"),
        ("New York City", "America/New_York"),
        ("New York", "America/New_York"),
        ("new_york", "America/New_York"),
        ("Mexico City", "America/Mexico_City"),
        ("Mumbai", "Asia/Kolkata"),
        ("Germany", "Europe/Berlin"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("London time", "Europe/London"),
        ("PST", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("Nowhere", ""),
        ("../../etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_place_has_a_zone(place: str, zone: str):
    assert zone_of(place) == zone


def test_the_time_elsewhere_is_told_with_its_zone():
    before = datetime.now(UTC)
    told = current_time("UTC+5:30")
    after = datetime.now(UTC)

    possible = {(t + timedelta(hours=5.5)).strftime("%H:%M") for t in (before, after)}
    assert told["time"] in possible
    assert told["place"] == "UTC+5:30"
    assert told["note"].startswith("UTC+05:30, ")
    assert told["sentence"].startswith(f"It is {told['time']} in UTC+5:30 on ")


def test_the_time_here_needs_no_place():
    told = current_time()

    assert told.keys() == {"time", "date", "note", "sentence"}
    assert datetime.strptime(told["date"], "%A, %Y-%m-%d")


def test_a_time_is_converted():
    assert convert_time("2026-01-15 18:30", "New York", "Berlin") == {
        "place": "Berlin",
        "time": "00:30",
        "date": "Friday, 2026-01-16",
        "note": "Europe/Berlin (UTC+01:00), 6 h ahead of New York",
        "sentence": "18:30 in New York is 00:30 in Berlin on Friday, 16 January 2026, "
        "6 h ahead of New York.",
    }
    # Two weeks in March, America has summer time and Europe has not.
    assert convert_time("2026-03-15 6:30 pm", "New York", "Berlin")["time"] == "23:30"
    assert convert_time("2026-01-15 9:00", "London", "Kolkata")["time"] == "14:30"
    assert convert_time("12 am", "UTC", "UTC")["time"] == "00:00"


@pytest.mark.parametrize(
    ("time", "place", "why"),
    [
        ("25:00", "UTC", '"25:00" is not a time: hour must be in 0..23'),
        ("soon", "UTC", '"soon" is not a time; write 18:30 or 6:30 pm'),
        ("13 pm", "UTC", '"13 pm" is not a time'),
        ("2026-02-30 9:00", "UTC", '"2026-02-30 9:00" is not a time: '),
        ("9:00", "Atlantis", 'no time zone is known for "Atlantis"; '),
        ("9:00", "UTC+99", "UTC+99 is not the offset of a time zone"),
    ],
)
def test_what_is_no_time_or_place_is_said(time: str, place: str, why: str):
    with pytest.raises(ToolError) as error:
        convert_time(time, place, "UTC")

    assert str(error.value).startswith(why)


def test_without_time_zone_data_it_says_what_to_install(monkeypatch):
    import zoneinfo

    monkeypatch.setattr(zoneinfo, "available_timezones", set)

    with pytest.raises(ToolError, match="install its package tzdata"):
        current_time("Tokyo")
    assert current_time()["time"]


def test_dice_are_rolled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dice, "randbelow", lambda sides: sides - 1)

    assert roll_dice() == {"rolls": [6], "total": 6}
    assert roll_dice(2, 6, 3) == {"rolls": [6, 6], "total": 15}
    assert roll_dice(1, 20, -5) == {"rolls": [20], "total": 15}


def test_each_side_comes_up():
    seen = {roll for _ in range(20) for roll in roll_dice(100, 6)["rolls"]}

    assert seen == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("wish", [(0, 6), (101, 6), (1, 1), (1, 10**9), (1, 6, 10**9)])
def test_dice_that_do_not_exist_are_refused(wish):
    with pytest.raises(ToolError, match="must be"):
        roll_dice(*wish)


def test_every_bundled_tool_has_a_schema_and_a_short_summary():
    box = ToolBox(bundled())

    assert len(box.schemas()) == len(bundled()) > 0
    for tool in bundled():
        assert len(tool.summary) < 90
        assert (tool.policy == "ask") == (tool.preview is not None)
        for parameter in tool.schema.parameters["properties"].values():
            assert parameter["description"]


def test_a_refusal_reaches_the_model_as_one_line():
    run = ToolBox(bundled()).run(ToolCall("c", "calculate", {"expression": "1/0"}))

    finished = [event for event in run if isinstance(event, ToolCallFinished)]

    assert finished[0].error == "calculate failed: division by zero"
