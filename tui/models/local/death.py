"""Explains in one line why a model's process died and what to do."""

import re
import signal
import time
from typing import NamedTuple

SHORT_OF_MEMORY = re.compile(
    r"bad_alloc|MemoryError|annot allocate memory|[Mm]emory allocation"
    r"|failed to map segment"
)
"""What llama.cpp, the linker and numpy's library say when they get no memory."""
_TELLING = re.compile(r"GGML_ASSERT|GGML_ABORT|what\(\)|terminate")
_PLACE = re.compile(r"^\S*/\S*?:\d+: ")
"""Where in its source llama.cpp found a fault, as it stands before what it says."""
_CRASHES = (
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGFPE,
)
_LONGEST = 80
_ASK_AGAIN = "The next question starts a new one."
_SPARE = "Set a smaller `context`, take a smaller file or close other programs."
_BUILD = "`make run` builds it anew; with pip see docs/local-models.md."
_FETCH = "Fetch the file again, or upgrade llama-cpp-python."


def out_of_memory(name: str) -> str:
    """Return the line for a model that got no memory and whose process lives."""
    return f"{name} is out of memory. {_SPARE}"


class Death(NamedTuple):
    """How a process ended."""

    status: int
    """As of `subprocess`: an exit status, or a signal's number below 0."""
    said: str = ""
    """The end of what it wrote to stderr."""
    spoke: bool = False
    """Whether it had loaded its model and said something."""
    stuck: float = 0.0
    """The seconds without a sign after which its owner ended it; 0 for no such end."""
    loading: bool = False
    """Whether it was loading its model, or about to."""

    @property
    def crashed(self) -> bool:
        """Whether the same would kill it again: the file, the build, its memory."""
        if self.spoke or self.stuck:
            return False
        number = -self.status
        return number in _CRASHES or (number == signal.SIGKILL and self.loading)

    @property
    def passes(self) -> bool:
        """Whether the same may live later, as when other programs are closed."""
        return -self.status == signal.SIGKILL or bool(SHORT_OF_MEMORY.search(self.said))

    def told(self, name: str, file: str, crashes: int = 0, again: float = 0.0) -> str:
        """Return the line for the user; `name` is the model's, `file` its weights'.

        With `crashes` it says that after so many nothing was tried, and will not be
        before `again`, in seconds since the epoch; 0 for no such time.
        """
        what, remedy = self._told(file)
        if crashes and again:
            # The minute after: at the minute that is named it must work.
            clock = time.strftime("%H:%M", time.localtime(again + 60))
            remedy = f"After {crashes} crashes it is not tried again before {clock}."
            remedy = f"{remedy} {_SPARE}"
        elif crashes:
            remedy = (
                f"After {crashes} crashes it is not tried again until the file, its "
                "settings or llama-cpp-python change."
            )
        return f"The process of {name} {what}. {remedy}"

    def _told(self, file: str) -> tuple[str, str]:
        """Return what happened and why, and what to do."""
        if self.stuck:
            what = f"did nothing for {self.stuck:.0f} seconds and was ended"
            return what, _ASK_AGAIN
        if SHORT_OF_MEMORY.search(self.said):
            return "died: out of memory", _SPARE
        line, number = _telling(self.said), -self.status
        if number == signal.SIGBUS:
            why = f"{file} was changed or cut short while in use, or its disk failed"
            return f"died (SIGBUS): {why}", "The next question loads it anew."
        if number == signal.SIGKILL:
            return "was killed (SIGKILL), perhaps as it was out of memory", _SPARE
        if number == signal.SIGABRT and line:
            return f"died (SIGABRT) on {file}: {line}", _FETCH
        if number == signal.SIGILL:
            why = "llama-cpp-python is built for another processor"
            return f"died (SIGILL): {why}", _BUILD
        if number == signal.SIGSEGV and not self.spoke:
            why = f"llama-cpp-python does not fit this processor, or {file} is damaged"
            return f"died (SIGSEGV): {why}", _BUILD
        if number in _CRASHES:
            why = f"a fault in llama.cpp, or {file} was changed in use"
            return f"died ({_signal(number)}): {why}", _ASK_AGAIN
        how = f"was ended by {_signal(number)}"
        if number <= 0:
            how = f"ended with status {self.status}"
        return f"{how}: {line}" if line else how, _ASK_AGAIN


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _telling(said: str) -> str:
    """Return the line that tells most of the end of stderr, or ""."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    line = _PLACE.sub("", (telling or lines or [""])[-1])
    return line[:_LONGEST].rstrip(" .")
