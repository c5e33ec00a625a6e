"""What the user does with versions: edits a question, asks again, walks between them.

Nothing is changed by it in the log: a new version is a new message or a new turn that
names what it follows. Which version is looked at is this screen's own business.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.app import commands
from tui.safe import safe

if TYPE_CHECKING:
    from tui.app.chat.screen import ChatScreen


class Branching:
    """The acts of one chat screen."""

    def __init__(self, screen: "ChatScreen", retitle: Callable[[], None]) -> None:
        """Take the screen, and what to call when `title` has changed."""
        self.editing: str | None = None
        """The message of which the composer holds a new version."""
        self._screen = screen
        self._retitle = retitle
        self._draft = ""
        """What the composer held before."""

    @property
    def title(self) -> str:
        """What the composer says of itself while it edits; else ""."""
        if self.editing is None:
            return ""
        view = self._screen.presenter.timeline.by_id.get(self.editing)
        first = " ".join(safe(view.text if view else "").split())[:30]
        escape = commands.named("cancel")
        key = commands.spelled(escape, self._screen.host.config.keys)
        return f"editing: {first} ({key} leaves it)"

    def edit(self) -> None:
        """Put the question at the cursor into the composer, or else the last one."""
        screen = self._screen
        views = screen.presenter.timeline
        question = views.branches.question(self._target())
        view = views.by_id.get(question) if question else None
        if view is None:
            screen.hint("There is no message to edit")
            return
        if self.editing is None:
            self._draft = screen.composer.text
        self.editing = question
        screen.composer.load_text(view.text)
        screen.composer.focus()
        self._retitle()

    def leave(self) -> bool:
        """Give up the new version; False when none is written."""
        if self.editing is None:
            return False
        self._screen.composer.load_text("")
        self._end()
        return True

    def sent(self) -> str | None:
        """Return the `parent` of what the composer sends, which then is done."""
        branches = self._screen.presenter.timeline.branches
        if self.editing is None:
            return branches.parent_of_next()
        parent = branches.parent_of_version(self.editing)
        self._end()
        return parent

    def resume(self, editing: str | None) -> None:
        """Edit again what could not be sent."""
        self.editing = editing
        self._retitle()

    def regenerate(self) -> None:
        """Have the question at the cursor answered once more, or else the last one.

        What was answered stays beside it, also when it was broken off.
        """
        screen = self._screen
        question = screen.presenter.timeline.branches.question(self._target())
        if question is None:
            screen.hint("There is no question to answer again")
        else:
            screen.asking.ask_again(question)

    def walk(self, step: int, message_id: str | None = None) -> None:
        """Show the version before or after a message.

        None means the one at the cursor or the answer below it, or else the last
        that has versions.
        """
        screen = self._screen
        views = screen.presenter.timeline
        id = message_id or self._target()
        shown = [view.message_id for view in screen.transcript.views if view.versions]
        if id is None or id not in shown:
            ids = [i for i in shown if id in (None, views.branches.question(i))]
            id = ids[-1] if ids else id
        ids, place = views.branches.versions(id) if id else ([], 0)
        if len(ids) < 2:
            screen.hint("This message has one version")
        elif 0 <= place + step < len(ids):
            screen.presenter.choose(ids[place + step])
            if not views.shows(screen.presenter.running):
                screen.hint("The answer that is written is in another version")
        else:
            screen.hint(f"This is the {'last' if step > 0 else 'first'} version")

    def show(self, message_id: str) -> bool:
        """Show the version that a message is in; False when there is no such message.

        One that waits to be asked is in none yet.
        """
        views = self._screen.presenter.timeline
        if not self._screen.transcript.shows(message_id) and message_id in views.by_id:
            self._screen.presenter.choose(message_id)
        return self._screen.transcript.shows(message_id)

    def _target(self) -> str | None:
        transcript = self._screen.transcript
        id = transcript.message_at_cursor() if transcript.has_focus else None
        return id if id in self._screen.presenter.timeline.by_id else None

    def _end(self) -> None:
        self.editing = None
        if not self._screen.composer.text:
            self._screen.composer.load_text(self._draft)
        self._draft = ""
        self._retitle()
