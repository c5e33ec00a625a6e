"""Tells the time: here, elsewhere, and of one place in another."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from tui.errors import ToolError
from tui.tools.base import tool

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*([ap]\.?m\.?)?", re.I
)


@tool(
    keywords=(
        *("time", "clock", "date", "zone", "timezone", "o'clock"),
        *("what day", "which day", "day is it"),
        *("时间", "几点", "日期", "星期几", "周几", "几号"),
    )
)
def current_time(place: str = "") -> dict[str, str]:
    """Get the current date and time, here or in another place.

    Args:
        place: The city or the IANA time zone, e.g. Tokyo; empty is the user's own.
    """
    zone = _zone(place)
    here = datetime.now().astimezone()
    found = here.astimezone(zone)
    if zone is None:
        return _told("It is", found)
    return _told("It is", found, place, f"{_compared(found, here)} here")


@tool(keywords=("timezone", "时区"))
def convert_time(time: str, from_place: str, to_place: str) -> dict[str, str]:
    """Convert a time of day from one time zone to another.

    Args:
        time: The time to convert, e.g. 18:30 or 2026-03-01 9:00; now is possible.
        from_place: The city or the IANA time zone of that time.
        to_place: The city or the IANA time zone to convert to; here is the user's own.
    """
    there = _at(time, _zone(from_place))
    found = there.astimezone(_zone(to_place))
    start = from_place.strip() or "here"
    said = f"{there:%H:%M} {_in(start)} is"
    apart = f"{_compared(found, there)} {start}"
    return _told(said, found, to_place.strip() or "here", apart)


def _told(
    said: str, moment: datetime, place: str = "", apart: str = ""
) -> dict[str, str]:
    """Return a moment as values, and as the sentence that begins with `said`."""
    place = place.strip()
    day = _DAYS[moment.weekday()]
    date = f"{day}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    where = f" {_in(place)}" if place else ""
    more = f", {apart}" if apart else ""
    return {
        **({"place": place} if place else {}),
        "time": f"{moment:%H:%M}",
        "date": f"{day}, {moment:%Y-%m-%d}",
        "note": _name(moment) + more,
        "sentence": f"{said} {moment:%H:%M}{where} on {date}{more}.",
    }


def _in(place: str) -> str:
    return place if place.lower() == "here" else f"in {place}"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


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
            "this machine has no time zone data; install its package tzdata, or "
            "the one of pip"
        )
    name = zone_of(place)
    if not name:
        raise ToolError(
            f'no time zone is known for "{place.strip()[:60]}"; try a large city '
            f"nearby, or a name such as Europe/Berlin"
        )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ToolError(f"the time zone {name} cannot be read") from error


def _at(time: str, zone: tzinfo | None) -> datetime:
    if time.strip().lower() in ("now", "right now", "current time"):
        return datetime.now().astimezone(zone)
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
        date = datetime.fromisoformat(day) if day else datetime.now(zone)
        moment = datetime(date.year, date.month, date.day, hours, int(minute or 0))
    except ValueError as error:
        raise ToolError(f'"{time.strip()[:40]}" is not a time: {error}') from error
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def _name(moment: datetime) -> str:
    offset = moment.strftime("%z")
    key = getattr(moment.tzinfo, "key", "") or moment.tzname() or ""
    shown = f"UTC{offset[:3]}:{offset[3:5]}"
    return shown if key.startswith("UTC") else f"{key} ({shown})"


def _compared(moment: datetime, other: datetime) -> str:
    """Return how much later the clocks are at one moment: "9 h ahead of"."""
    apart = (moment.utcoffset() or timedelta()) - (other.utcoffset() or timedelta())
    minutes = round(apart.total_seconds() / 60)
    if minutes == 0:
        return "the same time as"
    hours, rest = divmod(abs(minutes), 60)
    said = f"{hours} h" + (f" {rest} min" if rest else "")
    return f"{said} {'ahead of' if minutes > 0 else 'behind'}"
