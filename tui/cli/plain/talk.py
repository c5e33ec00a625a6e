"""One conversation in plain mode: asks, follows, stops.

It works like the screen: it appends to the log and follows it, so the answer is stored,
and continues without this terminal.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tui.app.chat.conversation_settings import ConversationSettings
from tui.app.chat.view import Settings
from tui.cli.plain.console import Console, HungUp
from tui.cli.plain.narrator import NOTE, Narrator
from tui.conversation import Transcript
from tui.conversation.approvals import Question
from tui.conversation.entry import CONTINUE, GO_ON
from tui.conversation.read_state import is_unseen
from tui.errors import ConflictError, LogError
from tui.events import (
    ApprovalGiven,
    ConversationDeleted,
    Record,
    TurnFinished,
    TurnRequested,
)
from tui.i18n import _
from tui.messages import Attachment, Message
from tui.runtime import turn_driver, worker_registry
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend

POLL_SECONDS = 0.2
"""Seconds between two looks at what the user types while an answer comes."""
LOOK_SECONDS = 2.0
"""Seconds between two checks that another process still answers."""


class Talk:
    """The conversation `id`. Only the main thread may use it."""

    def __init__(
        self,
        host: Host,
        backend: LocalBackend,
        console: Console,
        id: str,
        *,
        is_new: bool,
    ) -> None:
        """Open it. Raises `LogError`."""
        self.id = id
        self.deleted = False
        self._host = host
        self._backend = backend
        self._console = console
        self.unseen = not is_new and is_unseen(host.log, id)
        """Whether it had something new for the user when it was opened."""
        turn_driver.end_if_gone(host.log, id)
        self.conversation = backend.conversation(id, is_new=is_new)
        self._seen = self.conversation.opened(adopt=False).seen
        self.settings: ConversationSettings | None = None
        """Its own settings, once the user has asked for them."""
        self.fold = Transcript()
        self.narrator = Narrator(console, self.fold)
        self._follow = host.log.follow(id)
        self._looked = 0.0
        self._failed: set[str] = set()

    def close(self) -> None:
        """End to follow it; its turns continue."""
        self._follow.close()

    # -- what there is

    def begin(self) -> None:
        """Print where it stands: the last exchange, or what has arrived meanwhile."""
        records = self._follow.poll(0)
        live = self._live(records)
        for record in records:
            self.fold.apply(record)
        turns = [e.turn for e in self.fold.entries.values() if e.turn]
        last = {turn for turn in turns[-1:] if turn not in live}
        if last:
            self.narrator.replay([*last])
            ended = [r for r in records if isinstance(r.event, TurnFinished)]
            if self.unseen and ended and 0 < self._seen < ended[-1].seq:
                self.narrator.was_away(ended[-1].time)
        # A running answer is told from its first word.
        for record in records:
            if record.turn in live:
                self.narrator.tell(record)

    def _live(self, records: Sequence[Record]) -> set[str]:
        begun = {r.turn for r in records if isinstance(r.event, TurnRequested)}
        ended = {r.turn for r in records if isinstance(r.event, TurnFinished)}
        return {turn for turn in begun - ended if turn}

    @property
    def last_model(self) -> str:
        """The model that was asked last, "" for none."""
        asked = [r.model for r in self.fold.requests.values()]
        return asked[-1] if asked else ""

    @property
    def question(self) -> Question | None:
        """The oldest question whether a tool may run."""
        questions = self.fold.approvals.questions
        return questions[0] if questions else None

    def is_answering(self) -> bool:
        """Return whether an answer comes, or will come, without the user."""
        fold = self.fold
        if any(turn not in self._failed for turn in fold.running):
            return True
        return any(map(self._has_runner, fold.requested))

    def _has_runner(self, turn: str) -> bool:
        runner = self.fold.requests[turn].runner
        own = runner in ("", self._host.runner.id)
        return own or worker_registry.is_alive(runner)

    # -- following

    def step(self) -> bool:
        """Print what is new; return whether there may be more without the user.

        Blocks for `POLL_SECONDS` at most. Raises `LogError` and `HungUp`.
        """
        records = self._follow.poll(POLL_SECONDS if self.is_answering() else 0)
        for record in records:
            self.deleted = self.deleted or isinstance(record.event, ConversationDeleted)
            self.fold.apply(record)
            self.narrator.tell(record)
        if self._console.gone:
            raise HungUp
        if self._follow.closed:
            raise LogError(_("The conversation store was closed."))
        if not records:
            self.narrator.wait()
            self._look()
        return bool(records) or (self.question is None and self.is_answering())

    def _look(self) -> None:
        """End the turns of a process that is gone; tell of one that failed."""
        turn = self.fold.current
        if turn and (why := self._backend.failure(turn)) and turn not in self._failed:
            self._failed.add(turn)
            self._console.say(_("Error"), why)
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            turn_driver.end_if_gone(self._host.log, self.id)

    def mark_seen(self) -> None:
        """Store that the user has seen what was printed."""
        if self._follow.cursor and self.fold.requests:
            self.conversation.mark_seen(self._follow.cursor)

    # -- asking

    def ask(
        self, text: str, settings: Settings, files: Sequence[Attachment] = ()
    ) -> None:
        """Ask `text`. Raises `LogError` if the log does not take it."""
        message = Message("user", text, attachments=tuple(files))
        self.narrator.asked(text)
        parent = self.fold.branches.parent_of_next()
        self._request(message, settings, parent=parent)

    def retry(self, settings: Settings) -> bool:
        """Ask the last question again; return False without one."""
        entries = self.fold.entries.values()
        users = [e for e in entries if e.message.role == "user"]
        asked = [e.message_id for e in users if e.purpose != CONTINUE]
        if asked:
            self._request(None, settings, again=asked[-1])
        return bool(asked)

    def go_on(self, settings: Settings) -> bool:
        """Continue an incomplete answer; return False if there is none."""
        entries = list(self.fold.entries.values())
        if not entries or entries[-1].finish_reason == "stop":
            return False
        if entries[-1].message.role == "user":
            return self.retry(settings)
        parent = self.fold.branches.parent_of_next()
        message = Message("user", GO_ON)
        self._request(message, settings, parent=parent, purpose=CONTINUE)
        return True

    def _request(
        self, message: Message | None, settings: Settings, **more: Any
    ) -> None:
        """Request an answer, and wait until the request can be followed."""
        self.conversation.ask(
            message,
            model=settings.model,
            agent=settings.agent,
            tools=settings.tools,
            stream=settings.stream,
            **more,
        ).result()

    def sum_up(self, model: str, keep: str) -> bool:
        """Request a summary; return False if there is nothing to summarise."""
        parent = self.fold.branches.parent_of_next()
        if self.fold.questions:
            self.conversation.sum_up(model, keep, parent).result()
        return bool(self.fold.questions)

    def answer(self, question: Question, given: ApprovalGiven) -> None:
        """Answer whether a tool may run."""
        resumed = None
        if self.fold.approvals.outlives(question.turn):
            request = self.fold.requests.get(question.turn)
            last = self.fold.branches.path(question.turn)[-1:]
            resumed = msgspec.structs.replace(
                request or TurnRequested(self._backend.model),
                parent=last[0] if last else None,
            )
        try:
            self.conversation.answer(question, given, resumed).result()
        except ConflictError:
            self._console.say(NOTE, _("Already answered"))
        self._host.log.flush()

    def stop(self) -> None:
        """Stop the running answer, else drop the newest queued message."""
        waiting = self.fold.requested
        turn = self.fold.current or (waiting[-1] if waiting else "")
        if question := self.question:
            turn = turn or question.turn
        if turn:
            self.conversation.cancel(turn)
