"""Sends questions, cancels answers and takes back messages that wait.

A question and the request for its answer are one append to the log; nothing is drawn
here. What could not be written is given back to the composer.
"""

from collections.abc import Callable
from concurrent.futures import Future

from tui import messages
from tui.app.backend import Conversation
from tui.app.chat.versions import MessageVersions
from tui.app.chat.view import Editor, Turns, View
from tui.conversation.entry import CONTINUE, GO_ON
from tui.safe import safe


class Controller:
    """The acts in one chat. Runs in the UI's thread."""

    def __init__(
        self,
        conversation: Conversation,
        turns: Turns,
        versions: MessageVersions,
        composer: Editor,
        view: View,
        unsend_key: str = "",
    ) -> None:
        """Take what is shown and where, and the key that calls `unsend`."""
        self._conversation = conversation
        self._turns = turns
        self._fold = turns.fold
        self._versions = versions
        self._composer = composer
        self._view = view
        self._unsend_key = unsend_key
        self._title = ""
        self._cancelled: str | None = None
        """The turn that was cancelled last."""
        self._waited: set[str] = set()
        """The turns that waited then."""
        self._taken: set[str] = set()
        """The turns whose questions were given back."""

    def send(self, text: str, taken: Callable[[], None]) -> Future[int]:
        """Send what was written in the composer; `taken` once it is stored, or not.

        The future is as of `EventLog.append`.
        """
        edited, parent = self._versions.editing, self._versions.sent()
        said = messages.Message("user", text)
        return self._request(said, None, parent, edited, taken)

    def regenerate(self) -> None:
        """Have the question at the cursor answered once more, or else the last one.

        What was answered stays beside it, also when it was broken off.
        """
        question = self._versions.question()
        if question is None:
            self._view.hint("There is no question to answer again")
        else:
            self._request(None, question)

    def compact(self, keep: str) -> None:
        """Have what was said first summed up, and the summary sent in its place.

        It is a turn like any other: it waits for those before it, may be cancelled, and
        says what went wrong. `keep` is what must not get lost, "" for nothing special.
        """
        if not self._fold.questions:
            self._view.complain("There is nothing to sum up yet.")
            return
        parent = self._fold.branches.parent_of_next()
        model = self._view.settings().model
        written = self._conversation.sum_up(model, keep, parent)
        typed = f"/compact {keep}".strip()
        written.add_done_callback(lambda done: self._tell(done, typed))
        self._view.follow_end()

    # -- after an answer that was broken off

    def go_on(self) -> None:
        """Ask the model to go on where its text stopped; without text, ask again."""
        if self._is_busy():
            return
        entries = list(self._fold.entries.values())
        if not entries:
            self._view.hint("There is no answer to go on with")
        elif entries[-1].message.role == "user":
            self.retry()
        elif entries[-1].finish_reason == "stop":
            self._view.hint("The answer is whole; ask on")
        else:
            said = messages.Message("user", GO_ON)
            parent = self._fold.branches.parent_of_next()
            self._request(said, None, parent, purpose=CONTINUE)

    def retry(self) -> None:
        """Ask the last question again; what was answered stays as another version."""
        if self._is_busy():
            return
        entries = self._fold.entries.values()
        questions = [e for e in entries if e.message.role == "user"]
        asked = [e.message_id for e in questions if e.purpose != CONTINUE]
        if asked:
            self._request(None, asked[-1])
        else:
            self._view.hint("There is no question to ask again")

    def _is_busy(self) -> bool:
        busy = bool(self._fold.running or self._fold.requested)
        if busy:
            self._view.hint("First let the answer end, or stop it")
        return busy

    # -- what is sent

    def _request(
        self,
        said: messages.Message | None,
        question: str | None = None,
        parent: str | None = None,
        edited: str | None = None,
        taken: Callable[[], None] = lambda: None,
        purpose: str = "",
    ) -> Future[int]:
        view = self._view
        self._waited.clear()
        settings = view.settings()
        written = self._conversation.ask(
            said,
            model=settings.model,
            tools=settings.tools,
            stream=settings.stream,
            again=question,
            parent=parent,
            purpose=purpose,
            forget_draft=view.take_draft() if said else False,
        )
        text = said.text if said else ""
        written.add_done_callback(lambda _: view.call_later(taken))
        written.add_done_callback(lambda done: self._tell(done, text, edited))
        view.follow_end()
        return written

    def _tell(self, done: Future[int], text: str, edited: str | None = None) -> None:
        """Say it if `text` could not be sent; runs in the log's thread."""
        if error := done.exception():
            self._view.call_later(self._not_written, text, str(error), edited)
        else:
            self._view.call_later(self._view.has_sent, done.result())

    def _not_written(self, text: str, why: str, edited: str | None) -> None:
        """Say why a question was not sent, and give it back."""
        self._view.note(why, "error")
        if text and not self._composer.text:
            self._versions.resume(edited)
            self._composer.load_text(text)

    # -- taking back

    def cancel(self) -> bool:
        """Stop the turn that runs, else take back the newest message that waits.

        False when there is neither.
        """
        fold = self._fold
        turn = fold.current
        if fold.requested and turn in (None, self._cancelled):
            self.unsend()
        elif turn:
            # It waited when Esc was pressed before: so its question was meant.
            if turn in self._waited and not self._composer.text:
                self._composer.load_text(fold.questions[-1])
            self._cancelled = turn
            self._waited = set(fold.requested)
            self._view.hurry()
            self._conversation.cancel(turn)
        else:
            return False
        return True

    def unsend(self) -> None:
        """Take back the newest message that waits, whoever sent it, to be edited.

        It is put before what is being written.
        """
        waiting = self._fold.requested
        if not waiting:
            self._view.hint("No message waits")
            return
        if self._versions.editing is not None:
            self._view.hint("First send the new version, or leave it")
            return
        # One that was taken is there until the log says so.
        left = [turn for turn in waiting if turn not in self._taken]
        turn = (left or waiting)[-1]
        if left:
            self._taken.add(turn)
            texts = self._fold.question(turn), self._composer.text
            self._composer.load_text("\n\n".join(filter(None, texts)))
        self._cancelled = turn
        # Nobody may be there to hear the cancel of what nobody runs.
        if self._turns.is_orphaned(turn):
            self._conversation.withdraw(turn)
        else:
            self._conversation.cancel(turn)

    def show_queue(self) -> None:
        """Say above the composer what is edited there, or what waits to be asked."""
        turns = self._turns
        queued = [" ".join(safe(q).split()) for q in turns.queued]
        more = f" and {len(queued) - 1} more" if queued[1:] else ""
        orphaned = any(map(turns.is_orphaned, self._fold.requested))
        state = "not asked" if orphaned else "waits"
        title = ""
        if queued:
            key = self._unsend_key
            back = f" ({key} takes back)" if key else ""
            title = f"{state}: {queued[0][:40]}{more}{back}"
        title = self._versions.title or title
        if title != self._title:
            self._title = title
            self._view.entitle(title)
