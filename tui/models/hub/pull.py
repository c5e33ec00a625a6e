"""Our side of a download: starts the process, reads its progress, can stop it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui import i18n, paths
from tui.errors import Cancelled, ModelError
from tui.i18n import _
from tui.models.hub.choose import Wanted

_LONGEST_LINE = 1 << 16


class Downloading(msgspec.Struct, frozen=True, tag="downloading"):
    """How far the download is. The first one comes before any data."""

    name: str
    """The file's name, without its folder."""
    done: int
    """Bytes of the whole model that are on the disk."""
    total: int
    resumed: int = 0
    """Bytes that were there before this download began."""


class Checking(msgspec.Struct, frozen=True, tag="checking"):
    """The file is complete, and its checksum is being compared."""

    name: str


class Pulled(msgspec.Struct, frozen=True, tag="pulled"):
    """The model is there."""

    path: str
    """The file, or the first of several."""
    checked: bool
    """Whether the hub gave a checksum for each file, which was compared."""
    fetched: int
    """Bytes that came over the network now."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why the download failed; `Pull` raises it."""

    message: str
    kind: str = "model"


Step = Downloading | Checking | Pulled
Line = Step | Failed


class Pull:
    """A download of `what`. One thread iterates, any thread may stop it.

    The iteration yields `Downloading` (at most five times a second) and `Checking`, and
    `Pulled` at last. It raises `ModelError`, and `Cancelled` after `stop`. The part
    received by then is kept, and the next download of the same file continues there.
    """

    def __init__(self, what: Wanted, folder: Path | None = None) -> None:
        """Download into `folder`, by default `paths.models_folder()`."""
        self._what = what
        self._folder = folder or paths.models_folder()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def __iter__(self) -> Iterator[Step]:
        """Run the download; see the class."""
        # -P: nothing is imported from the folder in which lazychat runs.
        command = [sys.executable, "-P", "-m", "tui.models.hub.download"]
        command += [self._what.repo, self._what.quant, str(self._folder)]
        with self._lock:
            if self._stopped:
                raise Cancelled
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Its errors are shown as they are.
                env={**os.environ, i18n.VARIABLE: i18n.language()},
                # Ctrl+C is ours to handle.
                start_new_session=True,
            )
        pulled = False
        try:
            assert process.stdout
            while line := process.stdout.readline(_LONGEST_LINE):
                step: Line = msgspec.json.decode(line, type=Line)
                if isinstance(step, Failed):
                    raise ModelError(step.message, step.kind)
                pulled = isinstance(step, Pulled)
                yield step
        except msgspec.MsgspecError as error:
            raise ModelError(
                _("The download failed: {error}.").format(error=error), "died"
            ) from error
        finally:
            self._end()
        if self._stopped:
            raise Cancelled
        if not pulled:
            raise ModelError(
                _(
                    "The download's process ended without an error message (status "
                    "{returncode}). Try again: it continues where it stopped."
                ).format(returncode=process.returncode),
                "died",
            )

    def stop(self) -> None:
        """Stop the download; returns at once."""
        with self._lock:
            self._stopped = True
            if self._process and self._process.poll() is None:
                self._process.kill()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            if self._process.stdout:
                self._process.stdout.close()
            self._process.wait()
