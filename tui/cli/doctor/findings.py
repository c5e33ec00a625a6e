"""Runs checks in parallel, each with a time limit, and contains their failures.

A check may hang (a dead network disk, a silent server) or raise. Neither delays the
other checks or the exit of the program: each check runs in a daemon thread of its own,
which is abandoned at its limit.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from tui.i18n import _
from tui.masking import mask
from tui.safe import decoded, safe

Verdict = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """What a check has found: one line of the report."""

    check: str
    """One word: what was looked at."""
    verdict: Verdict
    """`error`: something that is used by default does not work. `warning`: lazychat
    works, but not all of it, or not as well as it could."""
    text: str
    """What was found, as a clause or sentences without a final full stop."""
    remedy: str = ""
    """What to do about it; "" if there is nothing to do."""

    def __post_init__(self) -> None:
        """Clean what comes from outside: no control characters, no secret."""
        for name in ("text", "remedy"):
            clean = safe(decoded(mask(getattr(self, name))), newlines=False)
            msgspec.structs.force_setattr(self, name, clean.strip())


class Check(NamedTuple):
    """A check, to be run in a thread of its own."""

    name: str
    run: Callable[[], Iterable[Finding]]
    seconds: float = 5.0
    """After so many seconds without its last finding it is given up."""


def examine(checks: Sequence[Check]) -> Iterator[Finding]:
    """Run all checks at once; yield their findings, in the order of `checks`."""
    began = time.monotonic()
    for running in [_Running(check) for check in checks]:
        yield from running.findings(began + running.check.seconds)


class _Running:
    """A check in its thread."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self._found: list[Finding] = []
        self._done = threading.Event()
        name = f"lazychat-doctor-{check.name}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def findings(self, until: float) -> list[Finding]:
        """Wait for the end of the check, at most to the monotonic time `until`."""
        if self._done.wait(max(0.0, until - time.monotonic())):
            return self._found
        seconds = self.check.seconds
        late = Finding(
            self.check.name,
            "error",
            _("this check did not finish within {seconds:g} seconds").format(
                seconds=seconds
            ),
            _("Something it checks is stuck, such as a network disk"),
        )
        return [*self._found, late]

    def _run(self) -> None:
        try:
            for finding in self.check.run():
                self._found.append(finding)
        except BaseException as error:
            # Whatever it is must not end the other checks, nor the report.
            what = f"{type(error).__name__}: {error}"
            self._found.append(
                Finding(
                    self.check.name,
                    "error",
                    _("this check itself failed ({what})").format(what=what[:300]),
                    _("Please report it as a bug in lazychat"),
                )
            )
        finally:
            self._done.set()


class Ended(NamedTuple):
    """The end of a child process."""

    status: int | None
    """As in `subprocess`: negative for a signal. None: killed after its limit."""
    out: str
    err: str


_ROOT = Path(__file__).resolve().parents[3]


def run_python(code: str, *arguments: str, seconds: float) -> Ended:
    """Run Python code with this lazychat in a process group of its own."""
    begin = f"import sys; sys.path.insert(0, {str(_ROOT)!r})\n"
    # -P: import from this installation, never from the working directory.
    command = [sys.executable, "-P", "-c", begin + code, *arguments]
    return run([*command], seconds, {"GGML_NO_BACKTRACE": "1"})


def run(command: list[str], seconds: float, environment: dict[str, str]) -> Ended:
    """Run a command without input; kill it, and what it started, after `seconds`.

    Raises `OSError` if it cannot be started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    status: int | None
    try:
        out, err = process.communicate(timeout=seconds)
        status = process.returncode
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
    return Ended(status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
