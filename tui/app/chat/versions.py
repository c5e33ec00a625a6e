"""Edits a question, asks again, and walks between versions.

Nothing is changed by it in the log: a new version is a new message or a new turn that
names what it follows. Which version is looked at is this screen's own business.
"""

from collections.abc import Callable

from tui.app.chat.timeline import Timeline
from tui.app.chat.view import Editor
from tui.conversation import Transcript
from tui.safe import safe


class MessageVersions:
    """The acts upon versions in one chat."""

    def __init__(
        self,
        fold: Transcript,
        timeline: Timeline,
        composer: Editor,
        *,
        hint: Callable[[str], None],
        choose: Callable[[str], None],
        retitle: Callable[[], None],
        leave_key: str = "",
    ) -> None:
        """Take what is shown, where a version is written, and how to

        `hint` at what cannot be done, `choose` the message that is shown, and show
        `title` when it has changed. `leave_key` is the key that calls `leave`.
        """
        self.editing: str | None = None
        """The message of which the composer holds a new version."""
        self._fold = fold
        self._timeline = timeline
        self._composer = composer
        self._hint = hint
        self._choose = choose
        self._retitle = retitle
        self._leave_key = leave_key
        self._draft = ""
        """What the composer held before."""

    @property
    def title(self) -> str:
        """What the composer says of itself while it edits; else ""."""
        if self.editing is None:
            return ""
        view = self._timeline.by_id.get(self.editing)
        first = " ".join(safe(view.text if view else "").split())[:30]
        return f"editing: {first} ({self._leave_key} leaves it)"

    def edit(self) -> None:
        """Put the question at the cursor into the composer, or else the last one."""
        question = self._fold.branches.question(self._timeline.at_cursor())
        view = self._timeline.by_id.get(question) if question else None
        if view is None:
            self._hint("There is no message to edit")
            return
        if self.editing is None:
            self._draft = self._composer.text
        self.editing = question
        self._composer.load_text(view.text)
        self._composer.focus()
        self._retitle()

    def leave(self) -> bool:
        """Give up the new version; False when none is written."""
        if self.editing is None:
            return False
        self._composer.load_text("")
        self._end()
        return True

    def sent(self) -> str | None:
        """Return the `parent` of what the composer sends, which then is done."""
        branches = self._fold.branches
        if self.editing is None:
            return branches.parent_of_next()
        parent = branches.parent_of_version(self.editing)
        self._end()
        return parent

    def resume(self, editing: str | None) -> None:
        """Edit again what could not be sent."""
        self.editing = editing
        self._retitle()

    def question(self) -> str | None:
        """Return the question at the cursor, or else the last one; None without any."""
        return self._fold.branches.question(self._timeline.at_cursor())

    def walk(self, step: int, message_id: str | None = None) -> None:
        """Show the version before or after a message.

        None means the one at the cursor or the answer below it, or else the last
        that has versions.
        """
        branches = self._fold.branches
        id = message_id or self._timeline.at_cursor()
        shown = self._timeline.with_versions()
        if id is None or id not in shown:
            ids = [i for i in shown if id in (None, branches.question(i))]
            id = ids[-1] if ids else id
        ids, place = branches.versions(id) if id else ([], 0)
        if len(ids) < 2:
            self._hint("This message has one version")
        elif 0 <= place + step < len(ids):
            self._choose(ids[place + step])
            if not self._timeline.shows(self._fold.current):
                self._hint("The answer that is written is in another version")
        else:
            self._hint(f"This is the {'last' if step > 0 else 'first'} version")

    def show(self, message_id: str) -> bool:
        """Show the version that a message is in; False when there is no such message.

        One that waits to be asked is in none yet.
        """
        timeline = self._timeline
        if not timeline.has_on_screen(message_id) and message_id in timeline.by_id:
            self._choose(message_id)
        return timeline.has_on_screen(message_id)

    def _end(self) -> None:
        self.editing = None
        if not self._composer.text:
            self._composer.load_text(self._draft)
        self._draft = ""
        self._retitle()
