"""Decides whether a failed request is retried, and after how long.

Only transient failures are retried: rate limits, server errors, connections that
failed or broke before the answer. A server that accepted the request and stays silent
is not asked again: it may be working, and each try would cost it a whole answer.
"""

import email.utils
import math
import random
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC

import msgspec

from tui.i18n import N_, _
from tui.models.openai import errors
from tui.models.openai.errors import Where
from tui.models.openai.refusals import Refusal, is_about_what_was_written

LONGEST_WAIT = 120.0
"""Seconds. A server that wants a longer pause is not asked again: the user is told how
long, and decides."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries where the server names none: twice as long each time."""

_WHY = {
    408: N_("timed out there"),
    409: N_("busy"),
    425: N_("too early"),
    429: N_("rate-limited"),
    503: N_("unavailable"),
    529: N_("overloaded"),
}
"""Statuses after which it is asked again, beside all others from 500; 529 is
Anthropic's."""

_PASSING = {
    "rate-limited": re.compile(
        r"rate.?limit|too.many.(concurrent.)?requests|too frequent|throttl|"
        r"requests? per (second|minute)|限流|频率|频繁|并发",
        re.I,
    ),
    "overloaded": re.compile(
        r"overload|(at|over|out of|no|insufficient) capacity|temporarily unavailable|"
        r"try again (later|in a)|(server|engine|system|service|model) (is )?busy|"
        r"resource.?exhausted|繁忙|过载|稍后",
        re.I,
    ),
}
"""What is said, in an answer whose error names no status, of something that passes."""

_FINAL = (501, 505)
"""What no server does that did not do it at first: not implemented, no such HTTP."""

_NEAR = 7 * 86_400.0
"""Seconds. A pause of half a century that ends so near now is a time since 1970."""

_HEADER_CHARACTERS = 100
"""Of a `Retry-After` that is looked at for the user's sake."""

_BODY_CHARACTERS = 10_000
"""Of a refusal, in which a pause is looked for."""

_FIGURE = r"\d{1,9}(?:\.\d{0,9})?"
_UNITS = (
    rf"(?=\d)(?:(?P<hours>{_FIGURE})\s?h(?:ours?)?)?\s?"
    rf"(?:(?P<minutes>{_FIGURE})\s?m(?:in(?:ute)?s?)?(?![a-z]))?\s?"
    rf"(?:(?P<seconds>{_FIGURE})\s?s(?:ec(?:ond)?s?)?(?![a-z]))?\s?"
    rf"(?:(?P<milliseconds>{_FIGURE})\s?m(?:illi)?s(?:ec(?:ond)?s?)?)?"
)
_DURATION = re.compile(_UNITS, re.I | re.ASCII)
_TOLD = re.compile(
    rf"retry[_-]?(?:delay|after)(?:[_-]?s(?:ec(?:ond)?s?)?)?[\"']?\s?[:=]\s?[\"']?"
    rf"(?P<field>{_FIGURE})s?\b"
    rf"|(?:retry|again|wait)[^.\d]{{0,20}}(?=\d){_UNITS}",
    re.I | re.ASCII,
)
"""How a pause is told in a body."""

_WHY_CHARACTERS = 48
"""Of a reason, which stands in the status line."""


class NoConnection(Exception):
    """No connection within the limit: host lookup, TCP and TLS together."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            _("no connection within {seconds:g} seconds").format(seconds=seconds)
        )
        self.seconds = seconds


class Pause(msgspec.Struct, frozen=True):
    """The wait before a retry: the reason, seconds, and the server's own words."""

    why: str
    seconds: float
    text: str = ""


def pause_before_retry(error: Exception, attempt: int, where: Where) -> Pause | None:
    """Return the pause before retry number `attempt` (from 1); None for no retry.

    `error` is an exception of the OpenAI library, or `NoConnection`.
    """
    import openai  # loaded by now

    seconds = _own_pause(attempt)
    match error:
        case openai.APIStatusError():
            response = error.response
            message = errors.provider_message(response.text, where)
            return _after_status(
                error.status_code, response.headers, response.text, message, seconds
            )
        case NoConnection():
            return Pause(
                _("no connection within {seconds:g} s").format(seconds=error.seconds),
                seconds,
            )
        case openai.APITimeoutError():
            return None
        case openai.APIConnectionError():
            if _is_about_tls(error):
                return None
            why = errors.one_line(errors.reason(error), where)
            return Pause(_short(why), seconds)
        case _:
            return None


def pause_after_refusal(refusal: Refusal, attempt: int, where: Where) -> Pause | None:
    """Return the pause before retry number `attempt` (from 1); None for no retry.

    For an answer with status 200 that contains only an error: many servers report
    overload in the stream, often in words and without a code.
    """
    message = errors.provider_message(refusal.body, where)
    seconds = _own_pause(attempt)
    if refusal.status == 400 and not errors.is_about_credit(refusal.body):
        for why, words in _PASSING.items():
            if words.search(refusal.body):
                wanted = told_in(refusal.body) or seconds
                return Pause(why, wanted, message) if wanted <= LONGEST_WAIT else None
    return _after_status(refusal.status, {}, refusal.body, message, seconds)


def _own_pause(attempt: int) -> float:
    """Return the seconds before retry number `attempt` if the server names none."""
    pause = _FIRST_PAUSE * 2.0 ** min(attempt - 1, 10)
    # Many who were refused at once should not come back at once.
    return min(pause, _LONGEST_PAUSE) * (1 - 0.25 * random.random())


def _after_status(
    status: int, headers: Mapping[str, str], body: str, message: str, seconds: float
) -> Pause | None:
    wanted = retry_after(headers) or told_in(body)
    if wanted is not None and wanted > LONGEST_WAIT:
        return None
    again = status in _WHY or (status >= 500 and status not in _FINAL)
    unread = is_about_what_was_written(status, body)
    again = again or unread
    if status == 429 and errors.is_about_credit(message):
        again = False
    # OpenAI's own header, which its library obeys.
    again = {"true": True, "false": False}.get(
        headers.get("x-should-retry", "").strip().lower(), again
    )
    if not again:
        return None
    known = _(_WHY.get(status, N_("failed") if status >= 500 else N_("refused")))
    if unread:
        known = _("a tool call that the server cannot read")
    why = known if status == 429 else f"{known} ({status})"
    return Pause(why, seconds if wanted is None else wanted, message)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return how many seconds a server asks to wait, above 0.

    None if it does not say so in a sensible way. A date counts from the
    server's own `Date`, so that its clock and ours need not agree; without one from
    `now`, seconds since the epoch. A number may have a unit, or stand for a moment.
    `headers` are by names in lower case.
    RFC 9110, section 10.2.3; `retry-after-ms` is OpenAI's.
    """
    wanted = headers.get("retry-after", "").strip().strip("\"'")
    written = _moment(headers.get("date", "").strip())
    since = written if written is not None else time.time() if now is None else now
    # A header that is there twice is joined by a comma.
    first = wanted.partition(",")[0].strip()
    for text, unit in ((headers.get("retry-after-ms", "").strip(), 0.001), (first, 1)):
        if re.fullmatch(r"\d+(\.\d*)?([eE]\+?\d+)?", text, re.ASCII):
            seconds = float(text) * unit
            if math.isinf(seconds):
                return LONGEST_WAIT + 1
            if abs(seconds - since) < _NEAR:
                seconds -= since  # a moment, where a number of seconds should be
            return seconds if seconds > 0 else None
    if found := _DURATION.fullmatch(first):
        return _seconds(found)
    until = _moment(wanted)
    return until - since if until is not None and until > since else None


def told_in(body: str) -> float | None:
    """Return how many seconds the body of a refusal asks to wait, above 0; else None.

    Many services say so only there: Gemini in `retryDelay`, others in prose.
    """
    found = _TOLD.search(body[:_BODY_CHARACTERS])
    if found is None:
        return None
    if figure := found["field"]:
        return float(figure) or None
    return _seconds(found)


def _seconds(found: re.Match[str]) -> float | None:
    """Return the seconds of a `_DURATION`, None for none."""
    units = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
    seconds = sum(float(found[name] or 0) * unit for name, unit in units.items())
    return seconds if seconds > 0 else None


def seconds_to_wait(headers: Mapping[str, str], body: str = "") -> dict[str, str]:
    """Return headers with a `retry-after` in whole seconds, if there is any."""
    plain = dict(headers)
    told = plain.get("retry-after", "").strip()
    if len(told) <= _HEADER_CHARACTERS and not re.fullmatch("[0-9]{1,7}", told):
        wanted = retry_after({**plain, "retry-after-ms": ""}) or told_in(body)
        plain["retry-after"] = str(math.ceil(wanted)) if wanted else ""
    return plain


def _moment(date: str) -> float | None:
    """Return what an HTTP date means, in seconds since the epoch; None for none."""
    try:
        found = email.utils.parsedate_to_datetime(date)
        # A date without a zone is one of Greenwich.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _is_about_tls(error: BaseException) -> bool:
    """Whether a connection failed for what the other side is: that does not pass."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, ssl.SSLError):
            return True
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return False


def _short(why: str) -> str:
    cut = _WHY_CHARACTERS
    return why if len(why) <= cut else f"{why[: cut - 1]}…"
