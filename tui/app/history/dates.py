"""Formats a date for the narrow column of a list."""

import time
from datetime import datetime

from tui.bounds import moment


def group(then: float, now: float | None = None) -> str:
    """Return the part of the list for `then`, from "Today" to the month and the year.

    Times are seconds since the epoch. An unknown time is "Earlier".
    """
    if not moment(then):
        return "Earlier"
    day = datetime.fromtimestamp(then)
    today = datetime.fromtimestamp(time.time() if now is None else now)
    days = (today.date() - day.date()).days
    if days < 1:
        return "Today"
    if days == 1:
        return "Yesterday"
    if days < 7:
        return "This week"
    return day.strftime("%B" if day.year == today.year else "%B %Y")


def ago(then: float, now: float | None = None) -> str:
    """Return the age of `then` (seconds since the epoch) in at most 10 columns.

    Minutes or hours within a day, the weekday within a week, otherwise the date, in
    local time. An unknown time is "?".
    """
    if not moment(then):
        return "?"
    now = time.time() if now is None else now
    seconds = max(0.0, now - then)
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    day, today = datetime.fromtimestamp(then), datetime.fromtimestamp(now)
    days = (today.date() - day.date()).days
    if days < 1:
        return f"{seconds / 3600:.0f} h"
    if days == 1:
        return "yesterday"
    if days < 7:
        return day.strftime("%A")
    return day.strftime("%d %b" if day.year == today.year else "%Y-%m-%d").lstrip("0")
