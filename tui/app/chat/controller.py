"""What is asked, what waits to be asked, and what is taken back.

A question and the request for its answer are one append to the log; nothing is drawn
here. What could not be written is given back to the composer.
"""

# Textual does not say of what its Screen is generic.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from textual.content import Content

from tui import messages
from tui.app import commands
from tui.app.chat import compact
from tui.events import CancelRequested, TurnRequested, TurnWithdrawn
from tui.runtime import runner, worker_registry
from tui.safe import safe

if TYPE_CHECKING:
    from tui.app.chat.screen import ChatScreen


class Asking:
    """The acts of one chat screen."""

    def __init__(self, screen: "ChatScreen") -> None:
        self._screen = screen
        self._title = ""
        self._cancelled: str | None = None
        """The turn that was cancelled last."""
        self._waited: set[str] = set()
        """The turns that waited then."""
        self._taken: set[str] = set()
        """The turns whose questions were given back."""

    def send(self, text: str, taken: Callable[[], None]) -> None:
        """Send what was written in the composer; `taken` once it is stored, or not."""
        branching = self._screen.branching
        edited, parent = branching.editing, branching.sent()
        said = messages.Message("user", text)
        self._request(said, None, parent, edited, taken)

    def ask(self, text: str, purpose: str) -> None:
        """Send `text` as the user's next message, to go on from what is shown."""
        parent = self._screen.presenter.timeline.branches.parent_of_next()
        said = messages.Message("user", text)
        self._request(said, None, parent, purpose=purpose)

    def ask_again(self, question: str) -> None:
        """Have a question, of which this is the message's id, answered once more."""
        self._request(None, question)

    def compact(self, keep: str) -> None:
        """Have what was said first summed up, and the summary sent in its place."""
        screen = self._screen
        if not screen.presenter.fold.questions:
            screen.complain("There is nothing to sum up yet.")
            return
        parent = screen.presenter.timeline.branches.parent_of_next()
        written = compact.request_summary(
            screen.host, screen.conversation, screen.model, keep, parent
        )
        typed = f"/compact {keep}".strip()
        written.add_done_callback(lambda done: self._tell(done, typed))
        screen.transcript.action_follow()

    def _requested(self, question: str | None) -> TurnRequested:
        """Return the request for an answer, as the screen is set now."""
        screen, host = self._screen, self._screen.host
        enabled = screen.enabled_tools()
        tools = tuple(t.name for t in host.tools if t.name in enabled)
        return TurnRequested(
            screen.model,
            host.config.agent,
            tools,
            {"stream": screen.stream},
            question,
            worker_registry.runner_for(host, screen.model, tools),
        )

    def _request(
        self,
        said: messages.Message | None,
        question: str | None = None,
        parent: str | None = None,
        edited: str | None = None,
        taken: Callable[[], None] = lambda: None,
        purpose: str = "",
    ) -> None:
        screen = self._screen
        self._waited.clear()
        drafts = screen.drafts.sent() if said else ()
        asked = self._requested(question)
        _, written = runner.request(
            screen.host.log, screen.conversation, said, asked, parent, drafts, purpose
        )
        text = said.text if said else ""
        written.add_done_callback(lambda _: screen.call_later(taken))
        written.add_done_callback(lambda done: self._tell(done, text, edited))
        screen.transcript.action_follow()

    def _tell(self, done: Future[int], text: str, edited: str | None = None) -> None:
        """Say it if `text` could not be sent; runs in the log's thread."""
        if error := done.exception():
            self._screen.call_later(self._not_written, text, str(error), edited)
        else:
            self._screen.call_later(self._screen.has_sent, done.result())

    def _not_written(self, text: str, why: str, edited: str | None) -> None:
        """Say why a question was not sent, and give it back."""
        screen = self._screen
        screen.transcript.add_note(why, "error")
        if text and not screen.composer.text:
            screen.branching.resume(edited)
            screen.composer.load_text(text)

    # -- taking back

    def cancel(self) -> bool:
        """Stop the turn that runs, else take back the newest message that waits.

        False when there is neither.
        """
        screen, presenter = self._screen, self._screen.presenter
        turn = presenter.running
        if presenter.waiting and turn in (None, self._cancelled):
            self.unsend()
        elif turn:
            # It waited when Esc was pressed before: so its question was meant.
            if turn in self._waited and not screen.composer.text:
                screen.composer.load_text(presenter.fold.questions[-1])
            self._cancelled = turn
            self._waited = set(presenter.waiting)
            screen.hurry()
            screen.host.log.append(screen.conversation, CancelRequested(), turn=turn)
        else:
            return False
        return True

    def unsend(self) -> None:
        """Take back the newest message that waits, whoever sent it, to be edited.

        It is put before what is being written.
        """
        screen, presenter = self._screen, self._screen.presenter
        if not presenter.waiting:
            screen.hint("No message waits")
            return
        if screen.branching.editing is not None:
            screen.hint("First send the new version, or leave it")
            return
        # One that was taken is there until the log says so.
        left = [turn for turn in presenter.waiting if turn not in self._taken]
        turn = (left or presenter.waiting)[-1]
        if left:
            self._taken.add(turn)
            texts = presenter.fold.question(turn), screen.composer.text
            screen.composer.load_text("\n\n".join(filter(None, texts)))
        self._cancelled = turn
        # Nobody may be there to hear the cancel of what nobody runs.
        forlorn = presenter.is_forlorn(turn)
        event = TurnWithdrawn() if forlorn else CancelRequested()
        screen.host.log.append(screen.conversation, event, turn=turn)

    def show_queue(self) -> None:
        """Say above the composer what is edited there, or what waits to be asked."""
        presenter = self._screen.presenter
        queued = [" ".join(safe(q).split()) for q in presenter.queued]
        more = f" and {len(queued) - 1} more" if queued[1:] else ""
        forlorn = any(map(presenter.is_forlorn, presenter.waiting))
        state = "not asked" if forlorn else "waits"
        title = ""
        if queued:
            keys = self._screen.host.config.keys
            key = commands.spelled(commands.named("unsend"), keys)
            back = f" ({key} takes back)" if key else ""
            title = f"{state}: {queued[0][:40]}{more}{back}"
        title = self._screen.branching.title or title
        if title != self._title:
            self._title = title
            composer = self._screen.composer
            composer.border_title = Content(title) if title else None
