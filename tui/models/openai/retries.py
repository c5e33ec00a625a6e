"""Decides whether a failed request is sent again, and after which pause.

Only what may pass by itself is tried again: a limit of requests, a fault of the
server, a connection that did not come about or broke before the answer. Not a server
that has taken the request and is silent: it may well be working, and each try would
cost it a whole answer.
"""

import email.utils
import math
import random
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec

from tui.models.openai import errors
from tui.models.openai.errors import Where
from tui.models.openai.refusals import is_about_what_was_written

LONGEST_WAIT = 120.0
"""Seconds. A server that wants a longer pause is not asked again: the user is told how
long, and decides."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries where the server names none: twice as long each time."""

_WHY = {
    408: "timed out there",
    409: "busy",
    425: "too early",
    429: "rate-limited",
    503: "unavailable",
    529: "overloaded",
}
"""Statuses after which it is asked again, beside all others from 500; 529 is
Anthropic's."""

_FINAL = (501, 505)
"""What no server does that did not do it at first: not implemented, no such HTTP."""

_WHY_CHARACTERS = 48
"""Of a reason, which stands in the status line."""


class NoConnection(Exception):
    """There was no connection within its limit: no host, no answer, no TLS."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no connection within {seconds:g} seconds")
        self.seconds = seconds


class Pause(msgspec.Struct, frozen=True):
    """What is waited for before a request is sent again."""

    why: str
    seconds: float
    text: str = ""


def pause_before_retry(error: Exception, attempt: int, where: Where) -> Pause | None:
    """Return the pause before try `attempt` (from 1) after the first one.

    None for what is not tried again. `error` is one of the library's, or
    `NoConnection`.
    """
    import openai  # loaded by now

    pause = _FIRST_PAUSE * 2.0 ** min(attempt - 1, 10)
    # Many who were refused at once should not come back at once.
    seconds = min(pause, _LONGEST_PAUSE) * (1 - 0.25 * random.random())
    match error:
        case openai.APIStatusError():
            message = errors.provider_message(error.response.text, where)
            return _after_status(error.status_code, error.response, message, seconds)
        case NoConnection():
            return Pause(f"no connection within {error.seconds:g} s", seconds)
        case openai.APITimeoutError():
            return None
        case openai.APIConnectionError():
            if _is_about_tls(error):
                return None
            why = errors.one_line(errors.reason(error), where)
            return Pause(_short(why), seconds)
        case _:
            return None


def _after_status(
    status: int, response: Any, message: str, seconds: float
) -> Pause | None:
    headers: Mapping[str, str] = response.headers
    wanted = retry_after(headers)
    if wanted is not None and wanted > LONGEST_WAIT:
        return None
    again = status in _WHY or (status >= 500 and status not in _FINAL)
    unread = is_about_what_was_written(status, response.text)
    again = again or unread
    if status == 429 and errors.is_about_credit(message):
        again = False
    # OpenAI's own header, which its library obeys.
    again = {"true": True, "false": False}.get(
        headers.get("x-should-retry", "").strip().lower(), again
    )
    if not again:
        return None
    known = _WHY.get(status, "failed" if status >= 500 else "refused")
    if unread:
        known = "a tool call that the server cannot read"
    why = known if status == 429 else f"{known} ({status})"
    return Pause(why, seconds if wanted is None else wanted, message)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return how many seconds a server wants to be left alone, above 0.

    None when it does not say so in a way that makes sense. A date counts from the
    server's own `Date`, so that its clock and ours need not agree; without one from
    `now`, seconds since the epoch. `headers` are by names in lower case.
    RFC 9110, section 10.2.3; `retry-after-ms` is OpenAI's.
    """
    wanted = headers.get("retry-after", "").strip()
    for text, unit in ((headers.get("retry-after-ms", "").strip(), 0.001), (wanted, 1)):
        if re.fullmatch(r"\d+(\.\d*)?([eE]\+?\d+)?", text, re.ASCII):
            seconds = float(text) * unit
            if math.isinf(seconds):
                return LONGEST_WAIT + 1
            return seconds if seconds > 0 else None
    until = _moment(wanted)
    if until is None:
        return None
    written = _moment(headers.get("date", "").strip())
    since = written if written is not None else time.time() if now is None else now
    return until - since if until > since else None


def seconds_to_wait(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers in which `retry-after` is in whole seconds if it was a date."""
    plain = dict(headers)
    if not plain.get("retry-after", "").strip().isdecimal():
        wanted = retry_after({**plain, "retry-after-ms": ""})
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
