"""Formats a date for the narrow column of a list."""

import time
from datetime import datetime

from tui.bounds import moment
from tui.i18n import N_, _


def group(then: float, now: float | None = None) -> str:
    """Return the part of the list for `then`, from "Today" to the month and the year.

    Times are seconds since the epoch. An unknown time is "Earlier".
    """
    if not moment(then):
        return _("Earlier")
    day = datetime.fromtimestamp(then)
    today = datetime.fromtimestamp(time.time() if now is None else now)
    days = (today.date() - day.date()).days
    if days < 1:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days < 7:
        return _("This week")
    name = _(day.strftime("%B"))
    if day.year == today.year:
        return name
    return _("{month} {year}").format(month=name, year=day.year)


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
        return _("now")
    if seconds < 3600:
        return _("{seconds:.0f} min").format(seconds=seconds / 60)
    day, today = datetime.fromtimestamp(then), datetime.fromtimestamp(now)
    days = (today.date() - day.date()).days
    if days < 1:
        return _("{hours:.0f} h").format(hours=seconds / 3600)
    if days == 1:
        return _("yesterday")
    if days < 7:
        return _(day.strftime("%A"))
    if day.year != today.year:
        return day.strftime("%Y-%m-%d")
    return _("{day} {month}").format(day=day.day, month=month(then))


_NAMES = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
    *(N_("January"), N_("February"), N_("March"), N_("April"), N_("June")),
    *(N_("July"), N_("August"), N_("September"), N_("October")),
    *(N_("November"), N_("December")),
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)
"""What `strftime` returns, as this program never sets a locale."""


def month(then: float) -> str:
    """Return the short name of the month of `then`, in local time."""
    return _(time.strftime("%b", time.localtime(then)))
