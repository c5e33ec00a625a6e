"""`/compact`: asks for a summary that takes the place of older messages in requests."""

import uuid
from concurrent.futures import Future

from tui.events import TurnRequested
from tui.runtime.host import Host


def request_summary(
    host: Host, conversation: str, model: str, keep: str, parent: str | None = None
) -> "Future[int]":
    """Ask `model` to sum up a conversation; it is a turn like any other.

    It waits for the turns before it, may be cancelled, and says what went wrong. `keep`
    is what must not get lost, "" for nothing in particular. `parent` is the last
    message of the version that is summed up, as of `TurnRequested.parent`. Returns a
    future as of `EventLog.append`.
    """
    options = {"keep": keep} if keep else {}
    turn = TurnRequested(model, "summary", (), options, parent, runner=host.runner.id)
    return host.log.append(conversation, turn, turn=uuid.uuid4().hex)
