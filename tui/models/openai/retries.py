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
from contextlib import suppress
from datetime import UTC, datetime

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
    rf"(?=\d)(?:(?P<hours>{_FIGURE})\s?h(?:ours?)?)?\s?(?:and )?"
    rf"(?:(?P<minutes>{_FIGURE})\s?m(?:in(?:ute)?s?)?(?![a-z]))?\s?(?:and )?"
    rf"(?:(?P<seconds>{_FIGURE})\s?s(?:ec(?:ond)?s?)?(?![a-z]))?\s?"
    rf"(?:(?P<milliseconds>{_FIGURE})\s?m(?:illi)?s(?:ec(?:ond)?s?)?)?"
)
_DURATION = re.compile(_UNITS, re.I | re.ASCII)
_TOLD = re.compile(
    rf"retry[_-]?(?:delay|after)(?:[_-]?s(?:ec(?:ond)?s?)?)?[\"']?\s?[:=]\s?[\"']?"
    rf"(?P<field>{_FIGURE})s?\b"
    rf"|retry[_-]?(?:delay|after)[_-]?m(?:illi)?s(?:ec(?:ond)?s)?[\"']?\s?[:=]\s?[\"']?"
    rf"(?P<field_ms>{_FIGURE})\b"
    rf"|(?P<chinese>{_FIGURE})\s?秒(?:钟)?(?:之?后|以后)"
    rf"|(?:retry|again|wait|resets?|cooldown)[^.\d]{{0,20}}(?=\d){_UNITS}",
    re.I | re.ASCII,
)
"""How a pause is told in a body."""

_RETRY_AFTER = (
    ("retry-after-ms", 0.001),
    ("x-ms-retry-after-ms", 0.001),
    ("retry-after", 1.0),
    ("x-retry-after", 1.0),
)
"""Headers that ask for a pause, and the seconds of a bare number in each."""

_RESET = re.compile(
    r"(?P<before>(x-)?ratelimit-|anthropic-ratelimit-[a-z-]{1,40}-)"
    r"reset(?P<kind>-requests|-tokens|-after)?"
)
_DRAFT = re.compile(r"[;,]\s*t=(\d{1,9})\b", re.ASCII)
"""The seconds in `ratelimit: "default";r=0;t=17`, a draft of the IETF."""

_WHY_CHARACTERS = 48
"""Of a reason, which stands in the status line."""


class NoConnection(Exception):
    """No connection within the limit: host lookup, TCP and TLS together."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            _("no connection within {seconds:g} seconds").format(seconds=seconds)
        )
        self.seconds = seconds


class KeptWaiting(Exception):
    """A server that sends a byte now and then, but not all of its headers."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
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
    if wanted is None and status == 429:
        wanted = limit_reset(headers)
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
    RFC 9110, section 10.2.3; `retry-after-ms` is OpenAI's, `x-ms-...` Azure's.
    """
    since = _now(headers, now)
    for name, unit in _RETRY_AFTER:
        # A header that is there twice is joined by a comma, which a date has too.
        whole = headers.get(name, "").strip().strip("\"'")
        first = whole.partition(",")[0].strip()
        if first and (found := _wait(first, since, unit)) is not None:
            return found or None
        if whole != first and (found := _wait(whole, since, unit)) is not None:
            return found or None
    return None


def limit_reset(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return after how many seconds, above 0, a limit that is used up begins anew.

    Only meant for a refusal because of a limit: some servers send these headers with
    each response. What is not used up is no reason to wait. The names are those of
    OpenAI, OpenRouter, Anthropic, GitHub, and of the draft of a standard.
    """
    since = _now(headers, now)
    waits: list[float] = []
    for name, text in headers.items():
        if found := _RESET.fullmatch(name):
            kind = found["kind"] or ""
            left = f"{found['before']}remaining{'' if kind == '-after' else kind}"
            if headers.get(left, "0").strip() in ("0", "0.0"):
                waits.append(_wait(text.strip(), since, 1.0) or 0.0)
        elif name == "ratelimit" and (found := _DRAFT.search(text)):
            waits.append(float(found[1]))
    return max(waits, default=0.0) or None


def _now(headers: Mapping[str, str], now: float | None) -> float:
    written = _moment(headers.get("date", "").strip())
    return written if written is not None else time.time() if now is None else now


def _wait(text: str, since: float, unit: float) -> float | None:
    """Return the seconds that a header means, 0 for none, None if it is not readable.

    `unit` are the seconds of a bare number.
    """
    if re.fullmatch(r"\d+(\.\d*)?([eE]\+?\d+)?", text, re.ASCII):
        seconds = float(text) * unit
        if math.isinf(seconds):
            return LONGEST_WAIT + 1
        for each in (seconds, seconds / 1000):
            if abs(each - since) < _NEAR:  # a moment instead of a number of seconds
                return max(each - since, 0.0)
        return seconds
    if found := _DURATION.fullmatch(text):
        return _seconds(found) or 0.0
    until = _moment(text)
    return None if until is None else max(until - since, 0.0)


def told_in(body: str) -> float | None:
    """Return how many seconds the body of a refusal asks to wait, above 0; else None.

    Many services say so only there: Gemini in `retryDelay`, others in prose.
    """
    found = _TOLD.search(body[:_BODY_CHARACTERS])
    if found is None:
        return None
    if figure := found["field"] or found["chinese"]:
        return float(figure) or None
    if figure := found["field_ms"]:
        return float(figure) / 1000 or None
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
        ours = {**plain, "retry-after-ms": "", "x-ms-retry-after-ms": ""}
        wanted = retry_after(ours) or told_in(body) or limit_reset(plain)
        plain["retry-after"] = str(math.ceil(wanted)) if wanted else ""
    return plain


def _moment(date: str) -> float | None:
    """Return what an HTTP date means, in seconds since the epoch; None for none."""
    with suppress(ValueError, OverflowError):
        if re.match(r"\d{4}-\d\d-\d\dT", date, re.ASCII):  # RFC 3339: Anthropic
            found = datetime.fromisoformat(date)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
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
