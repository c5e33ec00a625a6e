"""Says what went wrong with a server, in the user's words."""

from collections.abc import Iterator
from typing import Any, cast

from tui.errors import LazychatError
from tui.i18n import _
from tui.masking import mask
from tui.mcp.text import line

_CLOSED = -32000
"""The SDK's code for a request that a broken connection left without an answer."""
_FORGOTTEN = "Session terminated"
"""What the SDK says when a restarted server does not know the session."""


class NeedsLogin(LazychatError):
    """The server wants the user to log in."""


def explain(error: BaseException) -> str:
    """Return an exception of the SDK, of HTTP or of us in one line, without secrets."""
    return mask(_explain(error))


def _explain(error: BaseException) -> str:
    while inner := _inner(error):
        error = inner[0]
    if isinstance(error, LazychatError):
        return line(error).rstrip(".")
    module, kind = type(error).__module__, type(error).__name__
    if kind == "ValidationError":
        return _("it sent an invalid answer") + _where(error)
    if kind == "InputRequiredRoundsExceededError":
        return _("it asked too many questions")
    if module.startswith("httpx2"):
        return line(
            _("it cannot be reached ({kind}: {error})").format(kind=kind, error=error)
        ).replace(": )", ")")
    if isinstance(error, RuntimeError) or kind == "MCPError":
        return line(error).rstrip(".") or kind
    return line(f"{kind}: {error}").rstrip(": ")


def wants_login(error: BaseException) -> bool:
    """Return whether an error, or one that led to it, is a missing login."""
    return any(isinstance(each, NeedsLogin) for each in _causes(error, set()))


def is_invalid(error: BaseException) -> bool:
    """Return whether an error is an invalid answer."""
    return any(
        type(each).__name__ == "ValidationError" for each in _causes(error, set())
    )


def _where(error: Any) -> str:
    """Return the place of the first mistake in an answer, as ` (tools.7.name)`."""
    try:
        place = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
    except (AttributeError, LookupError, TypeError, ValueError):
        return ""
    return f" ({line(place, 60)})" if place else ""


def is_lost(error: BaseException) -> bool:
    """Return whether an error says that a connection by HTTP has to be made again."""
    return any(
        type(each).__name__ == "MCPError"
        and (getattr(each, "code", 0) == _CLOSED or str(each) == _FORGOTTEN)
        for each in _causes(error, set())
    )


def _causes(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        for each in _inner(error):
            yield from _causes(each, seen)
        error = error.__cause__ or error.__context__


def _inner(error: BaseException) -> tuple[BaseException, ...]:
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[Any]", error).exceptions
    return ()
