"""Why a model's process has died, in one line: what, why if known, what to do."""

import re
import signal
from typing import NamedTuple

REBUILD = (
    'CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF" python -m pip install '
    "--force-reinstall --no-deps --no-cache-dir --no-binary llama-cpp-python "
    "llama-cpp-python"
)
"""Builds llama.cpp for the processor of this machine and its plainest kind."""
_TELLING = re.compile(
    r"GGML_ASSERT|GGML_ABORT|what\(\)|bad_alloc|terminate|MemoryError"
)
_CRASHES = (
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGFPE,
)
_LONGEST = 200


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

    @property
    def crashed(self) -> bool:
        """Whether the same would kill it again: a fault of the file or the build."""
        return not self.spoke and not self.stuck and -self.status in _CRASHES

    def told(self, name: str, file: str) -> str:
        """Return the line for the user; `name` is the model's, `file` its weights'."""
        what = f"The process of {name} "
        if self.stuck:
            return what + (
                f"did nothing for {self.stuck:.0f} seconds and was ended: it is "
                "started anew at the next question."
            )
        line = _telling(self.said)
        memory = (
            "memory ran out: set a smaller `context`, take a smaller file, or close "
            "other programs."
        )
        if "bad_alloc" in line or "MemoryError" in line:
            return what + "died: " + memory
        number = -self.status
        if number == signal.SIGBUS:
            return what + (
                f"died (SIGBUS): {file} was changed or cut short while it was in use, "
                "or its disk failed. The next question loads it anew."
            )
        if number == signal.SIGKILL:
            return what + f"was killed (SIGKILL), by somebody or because {memory}"
        if number == signal.SIGABRT and line:
            return what + (
                f"died (SIGABRT): {line}. The file {file} may be damaged, or newer "
                "than the installed llama-cpp-python."
            )
        if number == signal.SIGILL or (number == signal.SIGSEGV and not self.spoke):
            return what + (
                f"died ({_signal(number)}): llama-cpp-python may be built for another "
                f"processor, or {file} is damaged. To build it for this one: {REBUILD}"
            )
        if number in _CRASHES:
            return what + (
                f"died ({_signal(number)}): a fault in llama.cpp, or {file} was "
                "changed while it was in use. The next question starts a new one."
            )
        how = f"was ended by {_signal(number)}" if number > 0 else "ended"
        if number <= 0:
            how += f" with status {self.status}"
        why = f": {line}" if line else ""
        return what + f"{how}{why}. The next question starts a new one."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _telling(said: str) -> str:
    """Return the line that tells most of the end of stderr, or ""."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    line = (telling or lines or [""])[-1]
    return line[:_LONGEST].rstrip(" .")
