"""Tells the time: here, elsewhere, and of one place in another."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from tui.errors import ToolError
from tui.tools.tool import tool

if TYPE_CHECKING:
    from collections.abc import Callable

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*([ap]\.?m\.?)?", re.I
)


@tool(
    keywords=(
        *("time", "clock", "date", "zone", "timezone", "o'clock"),
        *("what day", "which day", "day is it"),
        *("时间", "几点", "日期", "星期几", "几号", "今天"),
    )
)
def current_time(
    place: str = "", time: str = "", from_place: str = ""
) -> dict[str, str]:
    """Get the current date and time in a place, or what a time elsewhere is there.

    Args:
        place: The city or the IANA time zone, e.g. Tokyo; empty is the user's own.
        time: A time to convert instead of now, e.g. 18:30.
        from_place: The city or zone of that time; empty is the user's own.
    """
    return _tell(place, time, from_place, lambda zone: datetime.now(zone))


def _tell(
    place: str, time: str, from_place: str, now: "Callable[[tzinfo | None], datetime]"
) -> dict[str, str]:
    zone = _zone(place)
    moment = now(UTC)
    if time.strip():
        moment = _at(time, now(_zone(from_place)), _zone(from_place))
    there, here = moment.astimezone(zone), moment.astimezone()
    told = {
        "time": f"{there:%H:%M}",
        "date": f"{_DAYS[there.weekday()]}, {there:%Y-%m-%d}",
        "note": _name(there),
    }
    if zone is not None:
        told = {"place": place.strip(), **told}
        apart = (there.utcoffset() or timedelta()) - (here.utcoffset() or timedelta())
        told["note"] += f", {_apart(apart)} here"
    return told


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _zone(place: str) -> tzinfo | None:
    """Return the zone of a place, None for the user's own."""
    if place.strip().lower() in ("", "here", "local", "my time", "now"):
        return None
    if offset := _OFFSET.fullmatch(place.strip()):
        sign, hours, minutes = offset.groups()
        apart = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if apart >= timedelta(hours=15):
            raise ToolError(f"{place.strip()} is not the offset of a time zone")
        return timezone(-apart if sign == "-" else apart)
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    from tui.tools.bundled.places import zone_of

    if not available_timezones():
        raise ToolError(
            "this machine has no time zones; install its tzdata package, or tzdata by pip"
        )
    name = zone_of(place)
    if not name:
        raise ToolError(
            f'no time zone is known for "{place.strip()[:60]}"; try a large city of its '
            f"zone, or a name such as Europe/Berlin"
        )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ToolError(f"the time zone {name} cannot be read") from error


def _at(time: str, now: datetime, zone: tzinfo | None) -> datetime:
    found = _CLOCK.fullmatch(time.strip())
    if found is None:
        raise ToolError(f'"{time.strip()[:40]}" is not a time; write 18:30 or 6:30 pm')
    day, hour, minute, half = found.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ToolError(f'"{time.strip()[:40]}" is not a time')
        hours = hours % 12 + (12 if half[0].lower() == "p" else 0)
    try:
        date = datetime.fromisoformat(day) if day else now
        moment = datetime(date.year, date.month, date.day, hours, int(minute or 0))
    except ValueError as error:
        raise ToolError(f'"{time.strip()[:40]}" is not a time: {error}') from error
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def _name(moment: datetime) -> str:
    offset = moment.strftime("%z")
    key = getattr(moment.tzinfo, "key", "") or moment.tzname() or ""
    shown = f"UTC{offset[:3]}:{offset[3:5]}"
    return shown if key.startswith("UTC") else f"{key} ({shown})"


def _apart(apart: timedelta) -> str:
    minutes = round(apart.total_seconds() / 60)
    if minutes == 0:
        return "the same time as"
    hours, rest = divmod(abs(minutes), 60)
    said = f"{hours} h" + (f" {rest} min" if rest else "")
    return f"{said} {'ahead of' if minutes > 0 else 'behind'}"
