"""Sends questions, cancels answers and takes back queued messages.

One append to the log holds a question and the request for its answer; nothing is drawn
here. Text that could not be written to the log goes back to the composer.
"""

from collections.abc import Callable
from concurrent.futures import Future

from tui import messages
from tui.app.backend import Conversation
from tui.app.chat.versions import MessageVersions
from tui.app.chat.view import Editor, Turns, View
from tui.conversation.comparison import AskedModel
from tui.conversation.entry import CONTINUE, GO_ON
from tui.i18n import _
from tui.safe import safe

_SHOWN = 400
"""Characters of a queued question that may be shown, as far as there is room."""
"""Characters of a queued message that are shown."""


class Controller:
    """Handles the user's actions in one chat. Call it in the UI thread."""

    def __init__(
        self,
        conversation: Conversation,
        turns: Turns,
        versions: MessageVersions,
        composer: Editor,
        view: View,
        unsend_key: str = "",
    ) -> None:
        """Mention `unsend_key`, the key that calls `unsend`, in the queue's title."""
        self._conversation = conversation
        self._turns = turns
        self._fold = turns.fold
        self._versions = versions
        self._composer = composer
        self._view = view
        self._unsend_key = unsend_key
        self._title = "", ""
        self._cancelled: str | None = None
        """The turn that was cancelled last."""
        self._waited: set[str] = set()
        """The turns that were queued at that time."""
        self._taken: set[str] = set()
        """The turns whose questions went back to the composer."""

    def send(
        self,
        text: str,
        taken: Callable[[], None],
        files: tuple[messages.Attachment, ...] = (),
    ) -> Future[int]:
        """Send `text`; call `taken` when the log has stored or refused it.

        See `EventLog.append` for the future.
        """
        edited, parent = self._versions.editing, self._versions.sent()
        message = messages.Message("user", text, attachments=files)
        return self._request(message, None, parent, edited, taken)

    def regenerate(self) -> None:
        """Request another answer to the question at the cursor, or to the last one.

        The existing answer stays as another version, even if it is incomplete.
        """
        question = self._versions.question()
        if question is None:
            self._view.hint(_("Nothing to regenerate"))
        else:
            self._request(None, question)

    def compare(
        self,
        model: AskedModel,
        text: str = "",
        files: tuple[messages.Attachment, ...] = (),
        taken: Callable[[], None] = lambda: None,
        typed: str = "",
    ) -> Future[int] | None:
        """Have the current model and then `model` answer the question `text`.

        Without a text, only `model` answers the question at the cursor, or the last
        one. `taken` is called as by `send`; `typed` goes back to the composer if the
        log refuses the text. Returns None if there is no question.
        """
        settings = self._view.settings()
        edited = self._versions.editing
        if text:
            asked = messages.Message("user", text, attachments=files)
            parent = self._versions.sent()
            models = (AskedModel(settings.model, settings.tools), model)
        else:
            asked, parent, models = self._versions.question(), None, (model,)
        if asked is None:
            return None
        self._waited.clear()
        written = self._conversation.compare(
            asked,
            models,
            agent=settings.agent,
            stream=settings.stream,
            parent=parent,
            forget_draft=self._view.take_draft() if text else False,
        )
        typed = typed if text else ""
        self._follow(written, taken, typed, edited if text else None, files)
        return written

    def compact(self, keep: str) -> None:
        """Request a summary of the older messages, to be sent in their place.

        The request is a turn like any other: it is queued, can be cancelled, and
        reports errors. `keep` names what the summary must keep, "" for nothing special.
        """
        if not self._fold.questions:
            self._view.complain(_("Nothing to summarise yet"))
            return
        parent = self._fold.branches.parent_of_next()
        model = self._view.settings().model
        written = self._conversation.sum_up(model, keep, parent)
        typed = f"/compact {keep}".strip()
        written.add_done_callback(lambda done: self._report(done, typed))
        self._view.follow_end()

    # -- after an incomplete answer

    def go_on(self) -> None:
        """Ask the model to continue an incomplete answer; retry if it has no text."""
        if self._is_busy():
            return
        entries = list(self._fold.entries.values())
        if not entries:
            self._view.hint(_("Nothing to continue"))
        elif entries[-1].message.role == "user":
            self.retry()
        elif entries[-1].finish_reason == "stop":
            self._view.hint(_("The answer is already complete"))
        else:
            message = messages.Message("user", GO_ON)
            parent = self._fold.branches.parent_of_next()
            self._request(message, None, parent, purpose=CONTINUE)

    def retry(self) -> None:
        """Ask the last question again; the existing answer stays as another version."""
        if self._is_busy():
            return
        entries = self._fold.entries.values()
        questions = [e for e in entries if e.message.role == "user"]
        asked = [e.message_id for e in questions if e.purpose != CONTINUE]
        if asked:
            self._request(None, asked[-1])
        else:
            self._view.hint(_("Nothing to retry"))

    def _is_busy(self) -> bool:
        busy = bool(self._fold.running or self._fold.requested)
        if busy:
            self._view.hint(_("Wait for the answer to finish, or stop it"))
        return busy

    # -- sending

    def _request(
        self,
        message: messages.Message | None,
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
            message,
            model=settings.model,
            agent=settings.agent,
            tools=settings.tools,
            stream=settings.stream,
            again=question,
            parent=parent,
            purpose=purpose,
            forget_draft=view.take_draft() if message else False,
        )
        said = message or messages.Message("user")
        self._follow(written, taken, said.text, edited, said.attachments)
        return written

    def _follow(
        self,
        written: Future[int],
        taken: Callable[[], None],
        text: str,
        edited: str | None,
        files: tuple[messages.Attachment, ...],
    ) -> None:
        """Report when a request is stored, and show the end of the conversation."""
        view = self._view
        written.add_done_callback(lambda _: view.call_later(taken))
        written.add_done_callback(lambda done: self._report(done, text, edited, files))
        view.follow_end()

    def _report(
        self,
        done: Future[int],
        text: str,
        edited: str | None = None,
        files: tuple[messages.Attachment, ...] = (),
    ) -> None:
        """Report the outcome of sending `text`. Runs in the log thread."""
        if error := done.exception():
            self._view.call_later(self._send_failed, text, str(error), edited, files)
        else:
            self._view.call_later(self._view.has_sent, done.result())

    def _send_failed(
        self,
        text: str,
        why: str,
        edited: str | None,
        files: tuple[messages.Attachment, ...] = (),
    ) -> None:
        """Report why a question was not sent, and put it back into the composer."""
        self._view.note(why, "error")
        if (text or files) and not self._composer.text:
            self._versions.resume(edited)
            self._composer.load_text(text, files or None)

    # -- taking back

    def cancel(self) -> bool:
        """Stop the running turn, or else take back the newest queued message.

        Returns False when there is neither.
        """
        fold = self._fold
        turn = fold.current
        if fold.requested and turn in (None, self._cancelled):
            self.unsend()
        elif turn:
            # The turn was still queued at the previous Esc, so Esc meant its question.
            asked = fold.question(turn)  # "" for another answer to an old question
            if turn in self._waited and asked and not self._composer.text:
                self._composer.load_text(asked, fold.files(turn) or None)
            self._cancelled = turn
            self._waited = set(fold.requested)
            self._view.hurry()
            self._conversation.cancel(turn)
        else:
            return False
        return True

    def unsend(self) -> None:
        """Move the newest queued message, whoever sent it, back to the composer.

        It goes in front of the text that is already there.
        """
        waiting = self._fold.requested
        if not waiting:
            self._view.hint(_("No message is queued"))
            return
        if self._versions.editing is not None:
            self._view.hint(_("First send the edited message, or cancel the edit"))
            return
        # A turn that was taken back stays in the list until the log confirms it.
        left = [turn for turn in waiting if turn not in self._taken]
        turn = (left or waiting)[-1]
        if left:
            self._taken.add(turn)
            texts = self._fold.question(turn), self._composer.text
            files = (*self._fold.files(turn), *self._composer.files)
            self._composer.load_text("\n\n".join(filter(None, texts)), files or None)
        self._cancelled = turn
        # If no process will run this turn, none would see a cancel; withdraw it.
        if self._turns.is_orphaned(turn):
            self._conversation.withdraw(turn)
        else:
            self._conversation.cancel(turn)

    def show_queue(self) -> None:
        """Show the edited message or the queued messages above the composer."""
        turns = self._turns
        queued = [" ".join(safe(q).split()) for q in turns.queued]
        more = (
            _(" and {count} more").format(count=len(queued) - 1) if queued[1:] else ""
        )
        orphaned = any(map(turns.is_orphaned, self._fold.requested))
        state = _("Not asked") if orphaned else _("Queued")
        title = "", ""
        if queued:
            key = self._unsend_key
            back = _(" · {key} takes it back").format(key=key) if key else ""
            words = _("{state}: {question}").format(
                state=state, question=queued[0][:_SHOWN]
            )
            title = words, more + back
        title = self._versions.title or title
        if title != self._title:
            self._title = title
            self._view.entitle(*title)
