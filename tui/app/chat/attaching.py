"""Attaches files to the message in the composer.

Files are read in threads. A file that the text names with `@` is attached as long as it
is named there; others until they are removed. What is attached is what the model gets,
even if the file changes before the message is sent.
"""

from collections.abc import Callable, Sequence

from tui.app import background
from tui.app.backend import Files
from tui.app.widgets.composer import Composer
from tui.attachments import mentions
from tui.errors import AttachmentError
from tui.i18n import _
from tui.messages import Attachment
from tui.safe import decoded, safe

BUSY_SECONDS = 0.3
"""Seconds after which the file that is being read is named."""

MOST = 20
"""Most files of one message."""


class Attaching:
    """The attached files of one chat. Call it in the UI thread."""

    def __init__(
        self,
        files: Files,
        composer: Composer,
        *,
        complain: Callable[[str], None],
        call_later: Callable[..., object],
        sees: Callable[[], tuple[str, bool | None]],
    ) -> None:
        """Use `call_later` to pass a call from any thread to the UI thread.

        `sees` returns the next model's name, and whether it takes pictures.
        """
        self._files = files
        self._composer = composer
        self._tell = complain
        self._call_later = call_later
        self._sees = sees
        self._named: dict[str, Attachment] = {}
        """The attached files that the text names, by how it does."""
        self._removed: set[str] = set()
        """Files that the text names, and that were removed by hand."""
        self._wanted: str | None = None
        self._finding = False
        self._warned: tuple[str, tuple[str, ...]] | None = None
        composer.takes_paste = files.pasted

    def _complain(self, text: str) -> None:
        """Say what is wrong, as a short hint, which has no full stop."""
        self._tell(text.removesuffix("."))

    # -- attaching

    def attach(self, spec: str) -> None:
        """Attach a file: `FILE`, or `FILE:10-40` for a range of its lines."""
        if not spec:
            self._complain(_("/attach takes a file: /attach FILE, or FILE:10-40"))
            return
        self.attach_all([spec], typed=f"/attach {spec}")

    def attach_all(
        self, specs: Sequence[str], *, named: bool = False, typed: str = ""
    ) -> None:
        """Attach files; with `named`, as long as the text names them.

        If that fails, `typed` is put back into the composer.
        """
        self._removed.difference_update(specs)

        def attached(found: list[Attachment]) -> None:
            for spec, file in zip(specs, found, strict=True):
                if named:
                    self._named[spec] = file
                self._add(file)
            if any(file.is_image for file in found):
                self._warn_of_blindness()

        def failed(why: str) -> None:
            self._complain(why)
            if typed and not self._composer.text:
                self._composer.load_text(typed)

        self._load(specs, attached, failed)

    def _add(self, file: Attachment) -> None:
        files = self._composer.files
        if file in files:
            return
        if len(files) >= MOST:
            self._complain(
                _("At most {most} files can be sent with one message").format(most=MOST)
            )
            return
        self._composer.files = (*files, file)

    def _warn_of_blindness(self) -> None:
        model, sees = self._sees()
        if sees is False:
            self._complain(
                _("{model} cannot see pictures: it only gets their names").format(
                    model=model
                )
            )

    def _load(
        self,
        specs: Sequence[str],
        then: Callable[[list[Attachment]], None],
        failed: Callable[[str], None],
    ) -> None:
        """Read files in a thread; call one of the two in the UI thread."""
        bar = self._composer.bar
        names = safe(decoded(", ".join(specs)), newlines=False)

        def show() -> None:
            bar.busy = _("Reading {names} …").format(names=names)

        # Most files are read at once: a row that comes and goes would only flicker.
        timer = self._composer.set_timer(BUSY_SECONDS, show)

        def done(call: Callable[..., None], result: object) -> None:
            timer.stop()
            bar.busy = ""
            call(result)

        def work() -> None:
            try:
                found = [self._files.load(spec) for spec in specs]
            except AttachmentError as error:
                self._call_later(done, failed, str(error))
            except Exception as error:
                self._call_later(
                    done,
                    failed,
                    _("Cannot attach: {error}").format(error=error),
                )
                raise
            else:
                self._call_later(done, then, found)

        background.run("attach", work)

    # -- following the text

    def text_changed(self) -> None:
        """Remove the files that the text has ceased to name."""
        if not (self._named or self._removed):
            return
        text = self._composer.text
        for spec in [it for it in self._named if not mentions.is_in(it, text)]:
            gone = self._named.pop(spec)
            files = self._composer.files
            self._composer.files = tuple(it for it in files if it is not gone)
        self._removed = {it for it in self._removed if mentions.is_in(it, text)}

    def files_changed(self) -> None:
        """Have the files of a draft or an edited message follow its text again."""
        text = self._composer.text
        for file in self._composer.files:
            if not file.data and mentions.spelled(file.title) in text:
                self._named.setdefault(file.title, file)

    def remove_last(self) -> None:
        """Remove the last file."""
        self.remove(self._composer.files[-1])

    def remove(self, gone: Attachment) -> None:
        """Remove a file."""
        for spec, file in list(self._named.items()):
            if file is gone:
                del self._named[spec]
                self._removed.add(spec)
        files = self._composer.files
        self._composer.files = tuple(it for it in files if it is not gone)

    def find(self, word: str) -> None:
        """List the files for the word after an `@`, in a thread; the last one wins."""
        self._wanted = word
        if self._finding:
            return
        self._finding = True

        def work() -> None:
            try:
                found = tuple(self._files.matching(word))
            except Exception:
                self._call_later(self._found, word, ())
                raise
            self._call_later(self._found, word, found)

        background.run("files", work)

    def _found(self, word: str, found: tuple[str, ...]) -> None:
        self._finding = False
        self._composer.file_menu.show(word, found)
        if self._wanted is not None and self._wanted != word:
            self.find(self._wanted)

    # -- sending

    def before_sending(
        self,
        text: str,
        files: tuple[Attachment, ...],
        send: Callable[[tuple[Attachment, ...]], None],
        keep: Callable[[], None],
    ) -> None:
        """Call `send` with all files of a message, or `keep` if it is not sent.

        The files that the text names by hand are read first. One of another folder, or
        a hidden one, is shown before it is sent: a pasted text may name it, and nobody
        has chosen it. If the model is known not to see pictures, the user is told.
        Sending again then sends.
        """
        specs: list[str] = []
        leads_out: set[str] = set()

        def ready(named: Sequence[Attachment]) -> None:
            new = [it for it in named if not any(_is_same(it, old) for old in files)]
            whole = (*files, *new)[:MOST]
            far = [it for it in specs if it in leads_out or mentions.is_far(it)]
            if far or self._is_refused(whole):
                keep()
                self._named.update(zip(specs, named, strict=True))
                self._composer.files = whole
                if far:
                    names = safe(decoded(", ".join(far)), newlines=False)
                    self._complain(
                        _("Attached {names}: Enter sends it, too").format(names=names)
                    )
                return
            self._named.clear()
            self._removed.clear()
            send(whole)

        def failed(why: str) -> None:
            keep()
            self._complain(why)

        if not mentions.may_mention(text):
            ready(())
            return
        known = {*self._named, *self._removed}
        # Those of a draft or an edited message stand for what its text names.
        stored = {file.title for file in files if not file.data}

        def work() -> None:
            try:
                specs.extend(
                    it
                    for it in self._files.mentioned(text)
                    if it not in known and _title(it) not in stored
                )
                leads_out.update(filter(self._files.leads_out, specs))
            except Exception:
                self._call_later(ready, ())
                raise
            if specs:
                self._call_later(self._load, specs, ready, failed)
            else:
                self._call_later(ready, ())

        background.run("attach", work)

    def _is_refused(self, files: Sequence[Attachment]) -> bool:
        """Say that the model cannot see; True at the first time for these pictures."""
        model, sees = self._sees()
        pictures = tuple(file.name for file in files if file.is_image)
        if sees is not False or not pictures or self._warned == (model, pictures):
            self._warned = None
            return False
        self._warned = model, pictures
        names = safe(", ".join(pictures), newlines=False)
        self._complain(
            _("{model} cannot see {names}. Enter again sends only its name").format(
                model=model, names=names
            )
        )
        return True


def _title(spec: str) -> str:
    """Return what a mentioned file is called once it is attached."""
    if spec.startswith(("/", "~", "../")):
        return spec.rpartition("/")[2]
    return spec.removeprefix("./")


def _is_same(one: Attachment, other: Attachment) -> bool:
    """Whether two files are the same, one of which may be a reference."""
    if one.title != other.title or one.bytes != other.bytes:
        return False
    return not (one.data and other.data) or one.data == other.data
