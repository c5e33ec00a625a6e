"""A running turn, as models, agents and tools see it.

Only `Cancellation` is shared by threads: code that makes a blocking call registers how
to interrupt it, since another thread cannot close a generator that blocks.
"""

import threading
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from tui.errors import Cancelled
from tui.events import ApprovalGiven, ApprovalRequested
from tui.messages import Message, ToolCall


class Cancellation:
    """A request to stop that can be made once, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether `request` has been called."""
        return self._event.is_set()

    def request(self) -> None:
        """Request to stop: runs the callbacks once, in this thread."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def on(self, callback: Callable[[], None]) -> Generator[None]:
        """Run `callback` on `request` while the block is open.

        It runs in the thread that calls `request`, or at once if that was called
        before, and must neither block nor raise.
        """
        with self._lock:
            self._callbacks.append(callback)
            requested = self._event.is_set()
        try:
            if requested:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def wait(self, seconds: float) -> bool:
        """Wait for at most `seconds`; return whether a stop is requested."""
        return self._event.wait(seconds)

    def raise_if_requested(self) -> None:
        """Raise `Cancelled` if a stop is requested."""
        if self._event.is_set():
            raise Cancelled


class Approver(Protocol):
    """Asks the user whether a tool may run. For the threads of tool calls."""

    def recorded(self, call_id: str) -> None:
        """Wait until the `ToolCallStarted` of a call survives a kill.

        Raises `Cancelled`, and `LogError` if it cannot be stored.
        """
        ...

    def granted(self, tool: str, origin: str, subject: str, folder: str) -> str:
        """Return who has allowed such calls: `conversation`, `always` or "".

        `folder` is that of the call's `Preview`. `elsewhere` if the user has always
        allowed them, but without a folder, which does not allow this call.

        Raises `LogError`.
        """
        ...

    def answered(self, request: ApprovalRequested) -> ApprovalGiven | None:
        """Return the answer that came before this very question was asked, or None."""
        ...

    def wait(self, request: ApprovalRequested) -> ApprovalGiven:
        """Wait for the answer, for days if necessary; raises `Cancelled`."""
        ...


class Turn:
    """What a running model or agent may know and request from its host."""

    def __init__(self, id: str = "", cancel: Cancellation | None = None) -> None:
        self.id = id or uuid.uuid4().hex
        self.cancel = cancel or Cancellation()
        self.sources: Sequence[tuple[str, Message]] = ()
        """The messages passed to the agent, with their ids in the log. Messages that
        a library user passes have no ids."""
        self.options: Mapping[str, Any] = {}
        """Options of the model for this turn, before those of its configuration."""
        self.approver: Approver | None = None
        """Asks the user about calls; None if nobody can be asked, as in a program that
        runs an agent itself."""
        self.open_calls: Sequence[ToolCall] = ()
        """Calls at the end of the messages that the agent must run first: the turn
        goes on from them."""
        self.plan = ""
        """The plan that the turn continues with, if it has `open_calls`."""
        self.schema: Mapping[str, Any] | None = None
        """The JSON Schema that the answer should fit; None for text."""
        self._message = 1

    def id_of(self, message: Message) -> str:
        """Return the id in the log of this very object, or ""."""
        return next((id for id, known in self.sources if known is message), "")

    @property
    def message_id(self) -> str:
        """The id of the assistant's message that is being generated."""
        return f"{self.id}.{self._message}"

    def exchanged(self, prompt: str, answer: str | None = None) -> None:
        """Take what a local model reads and writes, as the model itself sees it.

        Called with the prompt alone at the beginning, and with both at the end. Does
        nothing here: hosts that show it override it.
        """

    def next_message(self) -> None:
        """Start another message: changes `message_id`. Called by agents."""
        self._message += 1
