"""`lazychat pull`: downloads a GGUF file from Hugging Face, and adds it as a model."""

import sys
from pathlib import Path
from time import monotonic

from tui.cli import streams, wide
from tui.cli.codes import CANCELLED, DONE
from tui.cli.doctor.terminal import is_utf8
from tui.errors import Cancelled
from tui.i18n import _
from tui.models.hub import Checking, Downloading, Pull, Pulled, wanted
from tui.models.hub.progress import parts
from tui.models.setup import keep, model_in
from tui.runtime import tty

_PAUSE = 0.2
_LINE_SECONDS = 10.0
"""Seconds between two lines where no bar can be drawn."""


def pull(spec: str, folder: str | None, config_file: Path | None) -> int:
    """Download the model `spec`; return the exit code.

    Prints the file's path on stdout, all else on stderr.
    """
    what = wanted(spec)
    download = Pull(what, Path(folder).expanduser() if folder else None)
    bar = _Bar()
    pulled: Pulled | None = None
    try:
        for step in download:
            match step:
                case Downloading():
                    bar.show(step)
                case Checking():
                    bar.end()
                    streams.talk(_("Verifying the checksum ..."))
                case Pulled():
                    pulled = step
    except (KeyboardInterrupt, Cancelled):
        bar.end()
        download.stop()
        streams.talk(
            _("Stopped. `lazychat pull {spec}` continues where it stopped.").format(
                spec=spec
            )
        )
        return CANCELLED
    finally:
        bar.end()
    assert pulled
    kept = keep(model_in(pulled.path), config_file)
    added = (
        _("added to {file}").format(file=kept.file)
        if kept.added
        else _("already in {file}").format(file=kept.file)
    )
    streams.talk(
        _("The model {name} is ready ({added}): lazychat -m {name}").format(
            name=kept.name, added=added
        )
    )
    print(pulled.path)
    return DONE


class _Bar:
    """A progress bar on stderr; a line now and then if that is no terminal."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._began = self._last = 0.0
        self._done = 0
        self._drawn = False

    def show(self, step: Downloading) -> None:
        now = monotonic()
        first = not self._began
        if first:
            self._began = now
            whole = step.done == step.total
            resumed = _(", continued") if step.resumed and not whole else ""
            streams.talk(f"{step.name}{resumed}")
        pause = _PAUSE if self._tty else _LINE_SECONDS
        is_last = 0 < step.total <= step.done != self._done
        if now - self._last < pause and not is_last:
            return
        self._last, self._done = now, step.done
        marks = "▰▱" if is_utf8() else "#-"
        shown = parts(step, now - self._began, marks)
        if self._tty:
            _draw(f"\r{_fitted(shown)}\x1b[K")
            self._drawn = True
        elif not first:
            streams.talk("  ".join(shown))

    def end(self) -> None:
        """Go to the next line."""
        if self._drawn:
            self._drawn = False
            print(file=sys.stderr)


def _fitted(shown: list[str]) -> str:
    """Return the parts that fit into one line of the terminal, as `\\r` needs it."""
    columns = (tty.size(sys.stderr.fileno()) or (80, 24))[0]
    for index in (3, 3, 0, 1):  # speed, time left, bar, sizes
        if wide.cells("  ".join(shown)) >= columns and len(shown) > index:
            shown = [*shown[:index], *shown[index + 1 :]]
    return "  ".join(shown)


def _draw(text: str) -> None:
    """Write to the terminal; `text` holds nothing from outside."""
    if isinstance(sys.stderr, streams.Clean):
        sys.stderr.write_styled(text)
    else:
        sys.stderr.write(text)
    sys.stderr.flush()
