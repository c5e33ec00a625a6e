"""Edits a question, regenerates an answer, and walks between versions.

Nothing in the log is changed: a new version is a new message or turn that names its
parent. The version on display is known to this screen only.
"""

from collections.abc import Callable

from tui.app.chat.timeline import Timeline
from tui.app.chat.view import Editor
from tui.conversation import Transcript
from tui.i18n import _
from tui.messages import Attachment
from tui.safe import safe


class MessageVersions:
    """Handles the versions of messages in one chat."""

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
        """Set the callbacks and `leave_key`, the key that calls `leave`.

        `hint` reports what cannot be done, `choose` shows another version, and
        `retitle` redraws `title` after a change.
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
        self._draft: tuple[str, tuple[Attachment, ...]] = "", ()
        """The text and files that the composer held before the edit."""

    @property
    def title(self) -> tuple[str, str] | None:
        """The composer's title while it edits a message, and its key."""
        if self.editing is None:
            return None
        view = self._timeline.by_id.get(self.editing)
        first = " ".join(safe(view.text if view else "")[:200].split())
        first = first if len(first) <= 30 else first[:29].rstrip() + "…"
        return (
            _("Editing “{first}”").format(first=first),
            _(" · {leave_key} cancels").format(leave_key=self._leave_key),
        )

    def edit(self) -> None:
        """Load the question at the cursor, or else the last one, into the composer."""
        question = self._fold.branches.question(self._timeline.at_cursor())
        view = self._timeline.by_id.get(question) if question else None
        if view is None:
            self._hint(_("No message to edit"))
            return
        if self.editing is None:
            self._draft = self._composer.text, self._composer.files
        self.editing = question
        self._composer.load_text(view.text, self._fold.files_of(question or ""))
        self._composer.focus()
        self._retitle()

    def leave(self) -> bool:
        """Cancel the edit; return False when there is none."""
        if self.editing is None:
            return False
        self._composer.load_text("", ())
        self._end()
        return True

    def sent(self) -> str | None:
        """Return the `parent` for the message that is being sent, and end the edit."""
        branches = self._fold.branches
        if self.editing is None:
            return branches.parent_of_next()
        parent = branches.parent_of_version(self.editing)
        self._end()
        return parent

    def resume(self, editing: str | None) -> None:
        """Edit the message again after sending it has failed."""
        self.editing = editing
        self._retitle()

    def question(self) -> str | None:
        """Return the question at the cursor, or else the last one, if any."""
        return self._fold.branches.question(self._timeline.at_cursor())

    def walk(self, step: int, message_id: str | None = None) -> None:
        """Show the version before or after a message.

        None means the message at the cursor or the answer below it, or else the last
        message that has versions.
        """
        branches = self._fold.branches
        id = message_id or self._timeline.at_cursor()
        shown = self._timeline.with_versions()
        if id is None or id not in shown:
            ids = [i for i in shown if id in (None, branches.question(i))]
            id = ids[-1] if ids else id
        ids, place = branches.versions(id) if id else ([], 0)
        if len(ids) < 2:
            self._hint(_("This message has only one version"))
        elif 0 <= place + step < len(ids):
            self._choose(ids[place + step])
            if not self._timeline.shows(self._fold.current):
                self._hint(_("The running answer belongs to another version"))
        else:
            self._hint(
                _("This is the last version")
                if step > 0
                else _("This is the first version")
            )

    def show(self, message_id: str) -> bool:
        """Show the version that contains a message; False if there is no such message.

        A queued message belongs to no version yet.
        """
        timeline = self._timeline
        if not timeline.has_on_screen(message_id) and message_id in timeline.by_id:
            self._choose(message_id)
        return timeline.has_on_screen(message_id)

    def _end(self) -> None:
        self.editing = None
        if not self._composer.text:
            self._composer.load_text(*self._draft)
        self._draft = "", ()
        self._retitle()
