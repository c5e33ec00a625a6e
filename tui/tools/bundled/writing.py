"""Writes and edits files; the user sees each change before it is made, and can undo it.

The preview of a call is the difference that it will make, and is remembered: the call
writes only if the file still is what the difference was made from. A file is replaced
at once, by renaming a complete new one, so a kill leaves the old or the new.
"""

import errno
import os
import secrets
import stat
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from hashlib import sha256

from tui.errors import ToolError
from tui.tools.bundled import undo
from tui.tools.bundled.confined import Folders, Missing, Place, failed
from tui.tools.bundled.regular_files import check_regular, read, text_of
from tui.tools.policy import Preview

_LARGEST = 5_000_000
"""Most bytes of a file that is written or edited."""
_MOST_SHOWN = 64
"""Previews that are remembered."""
_LONGEST_DIFF = 20_000
"""Lines of two files together for which the difference is sought line by line; more
would take minutes."""
_MODE = 0o666
"""Of a new file, less the umask."""

Digest = str
"""Of a file's bytes, "" for no file."""


Change = Callable[[bytes | None, str], str]
"""Makes the new text of a file from its bytes and its name for messages."""


class Writing:
    """The tools that write, for some folders."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._shown: OrderedDict[tuple[str, Digest], Digest] = OrderedDict()
        """The path and the new content of each preview: what the file was."""

    def write_file(self, path: str, content: str) -> str:
        """Write a text file; replaces one that exists. Use edit_file to change a part.

        Args:
            path: The file, relative to the current folder. Missing folders are created.
            content: The whole new text.
        """
        with self._folders.place(path, create=True) as place:
            before, found = _current(place)
            return self._write(place, before, content, found)

    def write_preview(self, path: str, content: str) -> Preview:
        """Return the difference that `write_file` makes."""
        return self._preview(path, lambda before, shown: content)

    def edit_file(self, path: str, old: str, new: str) -> str:
        """Replace a piece of a text file with another.

        Args:
            path: The file, relative to the current folder.
            old: The text to replace, exactly as in the file. It must occur once:
                include surrounding lines if necessary.
            new: The text to put in its place.
        """
        with self._folders.place(path) as place:
            before, found = _current(place)
            after = _edited(_text(before, place.shown), old, new, place.shown)
            return self._write(place, before, after, found)

    def edit_preview(self, path: str, old: str, new: str) -> Preview:
        """Return the difference that `edit_file` makes."""
        return self._preview(
            path, lambda before, shown: _edited(_text(before, shown), old, new, shown)
        )

    def _preview(self, path: str, change: Change) -> Preview:
        try:
            with self._folders.place(path) as place:
                before, _ = _current(place)
                shown, subject = place.shown, str(place.path)
        except Missing as missing:
            before, shown, subject = None, missing.shown, str(missing.path)
        after = _encoded(change(before, shown), before)
        self._remember(subject, after, before)
        return Preview("diff", _diff(before, after, shown), subject)

    def _remember(self, path: str, after: bytes, before: bytes | None) -> None:
        self._shown[path, _digest(after)] = _digest(before)
        while len(self._shown) > _MOST_SHOWN:
            self._shown.popitem(last=False)

    def _write(
        self,
        place: Place,
        before: bytes | None,
        content: str,
        found: os.stat_result | None,
    ) -> str:
        after = _encoded(content, before)
        seen = self._shown.pop((str(place.path), _digest(after)), None)
        if seen is not None and seen != _digest(before):
            raise ToolError(
                f"{place.shown} has changed since the difference was shown, so nothing "
                f"was written; read it again"
            )
        if after == before:
            return f"{place.shown} already has this text"
        number = undo.keep(place.path, before, after)
        try:
            replace(place, before, after, found)
        except BaseException:
            undo.forget(number)
            raise
        what = "Changed" if before is not None else "Made"
        return f"{what} {place.shown}, {len(after)} bytes"


def replace(
    place: Place, before: bytes | None, after: bytes, found: os.stat_result | None
) -> None:
    """Put `after` at `place`, in one step, if what is there still is `before`.

    `found` gives the mode of the old file. Raises `ToolError`; then nothing changed.
    """
    with _new_file(place, after, found) as temporary:
        try:
            if before is None and _link(place, temporary):
                return
            if _current(place)[0] != before:
                raise ToolError(f"{place.shown} has just changed; nothing was written")
            os.rename(
                temporary,
                place.name,
                src_dir_fd=place.folder,
                dst_dir_fd=place.folder,
            )
        except FileExistsError as error:
            raise ToolError(
                f"{place.shown} has just been made by another program; nothing was "
                f"written"
            ) from error
        except OSError as error:
            raise failed(place.shown, error) from error


def _link(place: Place, temporary: str) -> bool:
    """Give a new file its name, which fails where one has appeared, unlike a rename.

    Returns False if the file system has no links.
    """
    folder = place.folder
    try:
        os.link(temporary, place.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            return False
        raise
    return True


@contextmanager
def _new_file(
    place: Place, data: bytes, found: os.stat_result | None
) -> Generator[str]:
    """Write a hidden file beside `place`; removed at the end, unless renamed."""
    name = f".lazychat-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, _MODE, dir_fd=place.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if found is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode) & 0o777)
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(name, dir_fd=place.folder)
            raise
    except OSError as error:
        raise failed(place.shown, error) from error
    try:
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place.folder)


def _current(place: Place) -> tuple[bytes | None, os.stat_result | None]:
    found = place.stat()
    if found is None:
        return None, None
    check_regular(place, found)
    data, found = read(place, _LARGEST)
    return data, found


def _text(data: bytes | None, shown: str) -> str:
    if data is None:
        raise ToolError(f"{shown}: no such file; write_file makes one")
    return text_of(data, shown)


def _edited(text: str, old: str, new: str, shown: str) -> str:
    if not old:
        raise ToolError("old is empty; give the text to replace")
    if "\r\n" in text and "\r\n" not in old:
        # Models write \n, whatever the file has.
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
    count = text.count(old)
    if count == 0:
        raise ToolError(f"{shown} does not contain this text; read the file again")
    if count > 1:
        raise ToolError(
            f"{shown} contains this text {count} times; give more of what is around it"
        )
    return text.replace(old, new)


def _encoded(text: str, before: bytes | None) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise ToolError("the text has characters that no file can hold") from error
    if before is not None and before.startswith(b"\xef\xbb\xbf"):
        data = b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > _LARGEST:
        raise ToolError(f"the text is larger than {_LARGEST // 1_000_000} MB")
    return data


def _digest(data: bytes | None) -> Digest:
    return "" if data is None else sha256(data).hexdigest()


def _diff(before: bytes | None, after: bytes, shown: str) -> str:
    import difflib  # slow to import, and seldom needed

    if before is not None and b"\0" in before:
        raise ToolError(f"{shown} is a binary file")
    old = _lines((before or b"").decode("utf-8", "replace"))
    new = _lines(after.decode())
    names = ("/dev/null" if before is None else shown), shown
    if len(old) + len(new) > _LONGEST_DIFF:
        removed, added = [f"-{line}" for line in old], [f"+{line}" for line in new]
        head = (
            f"--- {names[0]}",
            f"+++ {names[1]}",
            f"@@ -1,{len(old)} +1,{len(new)} @@",
        )
        return "\n".join([*head, *removed, *added])
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


def _lines(text: str) -> list[str]:
    """Split at \\n alone, and mark a last line that has no end, as `diff` does."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\n\\ No newline at end of file"
    return lines
