"""Walks between the versions of messages.

The version on display is known to this screen only; nothing in the log is changed.
"""

from collections.abc import Callable

from tui.app.chat.timeline import Timeline
from tui.conversation import Transcript
from tui.i18n import _


class MessageVersions:
    """Handles the versions of messages in one chat."""

    def __init__(
        self,
        fold: Transcript,
        timeline: Timeline,
        *,
        hint: Callable[[str], None],
        choose: Callable[[str], None],
    ) -> None:
        """Set the callbacks.

        `hint` reports what cannot be done, `choose` shows another version.
        """
        self._fold = fold
        self._timeline = timeline
        self._hint = hint
        self._choose = choose

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
