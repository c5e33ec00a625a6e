"""Explains in one line why a model's process died and what to do."""

import re
import signal
import time
from typing import NamedTuple

from tui.i18n import N_, _

SHORT_OF_MEMORY = re.compile(
    r"bad_alloc|MemoryError|annot allocate memory|[Mm]emory allocation"
    r"|failed to map segment|can't start new thread|Resource temporarily unavailable"
)
"""Messages of llama.cpp, Python, the linker and numpy's library about a lack of memory.

A thread that cannot be started lacks memory for its stack, or the user has too many;
closing other programs helps against both."""
_TELLING = re.compile(r"GGML_ASSERT|GGML_ABORT|what\(\)|terminate")
_PLACE = re.compile(r"^\S*/\S*?:\d+: ")
"""The place in llama.cpp's source at the beginning of an error message."""
_CRASHES = (
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGFPE,
)
_LONGEST = 80
_ASK_AGAIN = N_("The next question starts a new one.")
_SPARE = N_("Set a smaller `context`, use a smaller file or close other programs.")
_BUILD = N_("`make run` rebuilds it; with pip see docs/local-models.md.")
_FETCH = N_("Download the file again, or upgrade llama-cpp-python.")


def out_of_memory(name: str) -> str:
    """Return the line for a model that got no memory, but whose process is alive."""
    return _("{name} is out of memory. {spare}").format(name=name, spare=_(_SPARE))


class Death(NamedTuple):
    """How a process ended."""

    status: int
    """As in `subprocess`: an exit status, or the negative number of a signal."""
    said: str = ""
    """The end of its stderr output."""
    spoke: bool = False
    """Whether it had loaded its model and sent a part of an answer."""
    stuck: float = 0.0
    """The seconds without progress after which its owner killed it; 0 if it did not."""
    loading: bool = False
    """Whether it was loading its model, or about to load it."""

    @property
    def crashed(self) -> bool:
        """Whether it would die again of the same: the file, the build, its memory."""
        if self.spoke or self.stuck:
            return False
        number = -self.status
        return number in _CRASHES or (number == signal.SIGKILL and self.loading)

    @property
    def passes(self) -> bool:
        """Whether a later try may work, for example after other programs are closed."""
        return -self.status == signal.SIGKILL or bool(SHORT_OF_MEMORY.search(self.said))

    def describe(
        self, name: str, file: str, crashes: int = 0, again: float = 0.0
    ) -> str:
        """Return the line for the user, with the names of the model and of its file.

        With `crashes` it says that after so many crashes there was no further try, and
        none before `again`, in seconds since the epoch; 0 for no such time.
        """
        what, remedy = self._explained(file)
        if crashes and again:
            # Round up to the next minute, so that a try at the named time works.
            clock = time.strftime("%H:%M", time.localtime(again + 60))
            remedy = _(
                "After {crashes} crashes it is not tried again before {clock}."
            ).format(crashes=crashes, clock=clock)
            remedy = f"{remedy} {_(_SPARE)}"
        elif crashes:
            remedy = _(
                "After {crashes} crashes it is not tried again until the file, "
                "its settings or llama-cpp-python change."
            ).format(crashes=crashes)
        return _("The process of {name} {what}. {remedy}").format(
            name=name, what=what, remedy=remedy
        )

    def _explained(self, file: str) -> tuple[str, str]:
        """Return what happened and why, and what the user can do."""
        if self.stuck:
            what = _("did nothing for {stuck:.0f} seconds and was killed").format(
                stuck=self.stuck
            )
            return what, _(_ASK_AGAIN)
        if SHORT_OF_MEMORY.search(self.said):
            return _("died: out of memory"), _(_SPARE)
        line, number = _telling(self.said), -self.status
        if number == signal.SIGBUS:
            why = _(
                "{file} was changed or truncated while in use, or its disk failed"
            ).format(file=file)
            return _("died (SIGBUS): {why}").format(why=why), _(
                "The next question loads it again."
            )
        if number == signal.SIGKILL:
            return _("was killed (SIGKILL), perhaps because it ran out of memory"), _(
                _SPARE
            )
        if number == signal.SIGABRT and line:
            return _("died (SIGABRT) on {file}: {line}").format(
                file=file, line=line
            ), _(_FETCH)
        if number == signal.SIGILL:
            why = _("llama-cpp-python is built for another processor")
            return _("died (SIGILL): {why}").format(why=why), _(_BUILD)
        if number == signal.SIGSEGV and not self.spoke:
            why = _(
                "llama-cpp-python does not fit this processor, or {file} is damaged"
            ).format(file=file)
            return _("died (SIGSEGV): {why}").format(why=why), _(_BUILD)
        if number in _CRASHES:
            why = _("a bug in llama.cpp, or {file} was changed while in use").format(
                file=file
            )
            return _("died ({number}): {why}").format(
                number=_signal(number), why=why
            ), _(_ASK_AGAIN)
        how = _("was ended by {number}").format(number=_signal(number))
        if number <= 0:
            how = _("ended with status {status}").format(status=self.status)
        return f"{how}: {line}" if line else how, _(_ASK_AGAIN)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return _("signal {number}").format(number=number)


def _telling(said: str) -> str:
    """Return the most informative line of the stderr output, or ""."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    line = _PLACE.sub("", (telling or lines or [""])[-1])
    return line[:_LONGEST].rstrip(" .")
