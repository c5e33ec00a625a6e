"""Implements `tui.app.backend.Files` for the files of this machine.

What reads files is imported when the first one is attached.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui.errors import AttachmentError
from tui.messages import Attachment

if TYPE_CHECKING:
    from tui.attachments.listing import FileList


class LocalFiles:
    """The files that a user of this machine names, relative to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list: FileList | None = None

    def load(self, spec: str) -> Attachment:
        """Read a file, or a range of its lines, as a user types them."""
        from tui.attachments import loading, mentions

        try:
            return loading.load(spec, self._folder)
        except AttachmentError:
            if (other := mentions.argument(spec)) == spec:
                raise
        return loading.load(other, self._folder)

    def mentioned(self, text: str) -> Sequence[str]:
        """Return the files that a message mentions."""
        from tui.attachments import mentions

        return mentions.files_in(text, self._folder)

    def leads_out(self, spec: str) -> bool:
        """Return whether a file is, by a link, outside of the folder."""
        from tui.attachments import loading

        return loading.leads_out(spec, self._folder)

    def pasted(self, text: str) -> Sequence[str]:
        """Return the files of which a pasted text is the paths."""
        from tui.attachments import mentions

        return mentions.pasted(text, self._folder)

    def matching(self, word: str) -> Sequence[str]:
        """Return the files that a word may mean."""
        from tui.attachments.listing import FileList

        if self._list is None:
            self._list = FileList(self._folder)
        return self._list.matching(word)


class NoFiles:
    """No files: a browser must not reach those of the machine that serves it."""

    def __init__(self, why: str) -> None:
        self._why = why

    def load(self, spec: str) -> Attachment:
        """Refuse it."""
        raise AttachmentError(self._why)

    def mentioned(self, text: str) -> Sequence[str]:
        """Return nothing."""
        return ()

    def leads_out(self, spec: str) -> bool:
        """Return False: there are no files."""
        return False

    def pasted(self, text: str) -> Sequence[str]:
        """Return nothing."""
        return ()

    def matching(self, word: str) -> Sequence[str]:
        """Return nothing."""
        return ()


class DraftFiles:
    """Remembers which files of a draft are stored, so that a key does not store them.

    Use it in one thread.
    """

    def __init__(self) -> None:
        self._stored: dict[int, tuple[bytes, Attachment]] = {}

    def taken(self, files: Sequence[Attachment]) -> list[Attachment]:
        """Return the files of the next draft: references to those of the last one."""
        from tui.eventlog.separation import reference

        before, self._stored = self._stored, {}
        taken: list[Attachment] = []
        for file in files:
            data, bare = before.get(id(file.data), (b"", file))
            if not file.data or data is not file.data:
                bare, _ = reference(file)
                taken.append(file)
            else:
                bare = msgspec.structs.replace(
                    file, data=b"", digest=bare.digest, size=bare.size
                )
                taken.append(bare)
            # The bytes are held, so that no others get their id.
            self._stored[id(file.data)] = file.data, bare
        return taken
