"""The session: the conversation that the running code belongs to.

A session id *is* a conversation id. A ContextVar carries it, so that two conversations
in one process stay separate; `SessionPool` passes it to worker threads, which Python's
own pool does not do.
"""

import contextvars
import threading
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_session: contextvars.ContextVar[str] = contextvars.ContextVar("session")
_lock = threading.Lock()
_default: list[str] = []


def new_id() -> str:
    """Return a fresh conversation id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def current() -> str:
    """Return the session id of this context.

    Code without a session shares one id for the whole process, created at the first
    call: a program with one conversation need not know about sessions.
    """
    with _lock:
        if not _default:
            _default.append(new_id())
    return _session.get("") or _default[0]


def begin(session: str) -> None:
    """Make `session` the current one in this context, until another is; "" for none."""
    _session.set(session)


@contextmanager
def use(session: str) -> Generator[None]:
    """Make `session` the current one within the block and the pools used in it."""
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)


class SessionPool(ThreadPoolExecutor):
    """A thread pool whose tasks run in the caller's session (and context)."""

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `fn` in a worker thread, in a copy of the caller's context."""
        context = contextvars.copy_context()
        return super().submit(context.run, fn, *args, **kwargs)
