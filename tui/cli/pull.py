"""`lazychat pull`: downloads a GGUF file from Hugging Face, and adds it as a model."""

import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

from tui import config, files
from tui.cli import streams, wide
from tui.cli.codes import CANCELLED, DONE
from tui.cli.doctor.terminal import is_utf8
from tui.errors import Cancelled, ConfigError
from tui.i18n import _
from tui.models.hub import Checking, Downloading, Pull, Pulled, Wanted, wanted
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
    pulled = fetch(wanted(spec), files.expanded(folder) if folder else None)
    if pulled is None:
        streams.talk(
            _("Stopped. `lazychat pull {spec}` continues where it stopped.").format(
                spec=spec
            )
        )
        return CANCELLED
    print(pulled.path)
    first = _is_first(config_file)
    try:
        kept = keep(model_in(pulled.path), config_file, default=first)
    except ConfigError as error:
        streams.talk(
            _("The model is downloaded: lazychat -m {path}").format(path=pulled.path)
        )
        raise ConfigError(
            _("It was not added to the configuration. {error}").format(error=error)
        ) from error
    added = (
        _("added to {file}").format(file=kept.file)
        if kept.added
        else _("already in {file}").format(file=kept.file)
    )
    ready = (
        _("{name} is now the model of new conversations ({how}). Run: lazychat")
        if first
        else _("The model {name} is ready ({added}): lazychat -m {name}")
    )
    streams.talk(ready.format(name=kept.name, how=added, added=added))
    return DONE


def _is_first(file: Path | None) -> bool:
    """Return whether only the starter answers new conversations so far."""
    with suppress(ConfigError):  # which `keep` tells
        settings = config.load(file)
        return not settings.model and config.default_model(settings) == "starter"
    return False


def fetch(what: Wanted, folder: Path | None = None) -> Pulled | None:
    """Download a model with a bar on stderr; return None after Ctrl+C.

    `folder` is where to, by default `paths.models_folder()`. Raises `LazychatError`.
    """
    download = Pull(what, folder)
    bar = _Bar()
    bar.begin()
    try:
        for step in download:
            match step:
                case Downloading():
                    bar.show(step)
                case Checking():
                    bar.end()
                    streams.talk(_("Verifying the checksum ..."))
                case Pulled():
                    return step
    except (KeyboardInterrupt, Cancelled):
        download.stop()
    finally:
        bar.end()
    return None


class _Bar:
    """A progress bar on stderr; a line now and then if that is not a terminal."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._began = self._last = 0.0
        self._done = 0
        self._drawn = False
        self._asking = False

    def begin(self) -> None:
        """Say what is waited for, on a terminal."""
        if self._tty:
            _draw(_("Contacting the hub…") if is_utf8() else "...")
            self._asking = True

    def show(self, step: Downloading) -> None:
        self._answered()
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
        marks = "■□" if is_utf8() else "#-"
        shown = parts(step, now - self._began, marks)
        if self._tty:
            _draw(f"\r{_fitted(shown)}\x1b[K")
            self._drawn = True
        elif not first:
            streams.talk("  ".join(shown))

    def end(self) -> None:
        """Go to the next line."""
        self._answered()
        if self._drawn:
            self._drawn = False
            print(file=sys.stderr)

    def _answered(self) -> None:
        if self._asking:
            self._asking = False
            _draw("\r\x1b[K")


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
