"""`lazychat doctor`: checks the environment, and says what to do about problems.

Each module here has the checks of one subject. They change nothing, and no check can
prevent the others from finishing: see `findings`.
"""

import importlib
import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from tui.cli import streams, wide
from tui.cli.codes import DONE, FAILED
from tui.cli.doctor import (
    local,
    mcp,
    models,
    servers,
    settings,
    storage,
    terminal,
)
from tui.cli.doctor.findings import Check, Finding, examine
from tui.config import Config
from tui.i18n import N_, _, ngettext

CONFIG_SECONDS = 5.0
_PACKAGES = ("lazychat", "textual", "openai", "msgspec", "platformdirs")
_COLOURS = {"ok": 32, "warning": 33, "error": 31}
_INDENT = 20
_WORDS = (
    N_("versions"),
    N_("terminal"),
    N_("clipboard"),
    N_("locale"),
    N_("colours"),
    N_("files"),
    N_("store"),
    N_("config"),
    N_("theme"),
    N_("tools"),
    N_("model"),
    N_("server"),
    N_("local"),
    N_("ok"),
    N_("warning"),
    N_("error"),
)
"""The names of checks and verdicts, which stay English in JSON."""


def doctor(path: Path | None, as_json: bool) -> int:
    """Check everything and print it; return 1 if there is an error, else 0.

    `path` is the configuration to check, None for the user's.
    """
    out: object = sys.stdout
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # the names of files may be in any script
    try:
        return _report(path, as_json)
    except BrokenPipeError:  # the reader has closed the pipe (`| head`)
        # Python flushes stdout when it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _report(path: Path | None, as_json: bool) -> int:
    found: list[Finding] = []
    for finding in _all(path):
        found.append(finding)
        if not as_json:
            _print(_line(finding))
    errors = sum(finding.verdict == "error" for finding in found)
    warnings = sum(finding.verdict == "warning" for finding in found)
    if as_json:
        verdict = "error" if errors else "warning" if warnings else "ok"
        rows = [msgspec.structs.asdict(finding) for finding in found]
        streams.print_json({"verdict": verdict, "checks": rows})
    else:
        if errors:
            first = ngettext("{count} error", "{count} errors", errors)
        else:
            first = _("no errors")
        if warnings:
            second = ngettext("{count} warning", "{count} warnings", warnings)
        else:
            second = _("no warnings")
        first, second = first.format(count=errors), second.format(count=warnings)
        print("\n" + _("{errors}, {warnings}.").format(errors=first, warnings=second))
    return FAILED if errors else DONE


def _all(path: Path | None) -> Iterator[Finding]:
    loaded = Config()
    problems: list[Finding] = []

    def load() -> Iterable[Finding]:
        nonlocal loaded
        loaded, found = settings.load(path)
        return found

    # First, as other checks depend on it, but it may be on a disk that hangs.
    problems += examine([Check("config", load, CONFIG_SECONDS)])
    tries = models.checks(loaded)
    _import_all(servers=any(each.asks_server for each in tries))
    yield from examine(
        [
            Check("versions", _versions),
            Check("terminal", terminal.check_terminal),
            Check("clipboard", terminal.check_clipboard, 4 * terminal.TMUX_SECONDS + 1),
            Check("locale", terminal.check_locale),
            Check("files", storage.check_folders),
            Check("store", storage.check_store, storage.STORE_SECONDS + 20),
            Check("config", lambda: problems),
            Check("config", lambda: settings.check_keys(loaded), 10.0),
            Check("theme", lambda: settings.check_themes(loaded), 10.0),
            Check(
                "tools",
                lambda: settings.check_tools(loaded),
                settings.TOOL_SECONDS + 5,
            ),
            *(each.check for each in tries),
            Check(
                "server",
                lambda: servers.check_servers(loaded.models.values()),
                servers.SECONDS + 3,
            ),
            *mcp.checks(loaded),
            Check("local", lambda: local.check_local(loaded), local.SECONDS + 5),
        ]
    )


def _import_all(*, servers: bool) -> None:
    """Import what several checks need, in one thread; the client for `servers` too.

    Textual's modules import each other in circles. When two threads import them at the
    same time, Python resolves the deadlock by handing out half-initialised modules.
    """
    from tui.models.openai.model import preload

    # What is missing or broken is reported by the checks.
    with suppress(Exception):
        importlib.import_module("tui.app.themes")
        importlib.import_module("tui.app.keys.settling")
        importlib.import_module("tui.app.terminal.capabilities")
        if servers:
            preload()


def _versions() -> Iterator[Finding]:
    import platform
    import sqlite3

    found = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            if package != "lazychat":  # it may be run from its source
                yield Finding(
                    "versions",
                    "error",
                    _("the package {package} is missing").format(package=package),
                    f"pip install {package}",
                )
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Finding("versions", "ok", f"{', '.join(found)}; {system}")


def _line(finding: Finding) -> str:
    """Return a finding as one line; on a terminal it is wrapped and coloured."""
    arrow = "→" if _shows_arrows() else "->"
    remedy = f" {arrow} {finding.remedy}" if finding.remedy else ""
    verdict, check = _(finding.verdict), _(finding.check)
    text = f"{wide.padded(verdict, 9)}{wide.padded(check, 10)} {finding.text}{remedy}"
    if not sys.stdout.isatty():
        return text
    width = max(40, shutil.get_terminal_size().columns)
    wrapped = "\n".join(wide.wrapped(text, width, " " * _INDENT))
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return wrapped
    colour = f"\x1b[{_COLOURS[finding.verdict]}m{verdict}\x1b[0m"
    return wrapped.replace(verdict, colour, 1)


def _print(line: str) -> None:
    """Print a line whose parts from outside are safe; it may hold colours."""
    if isinstance(sys.stdout, streams.Clean):
        sys.stdout.write_styled(f"{line}\n")
    else:
        print(line)
    sys.stdout.flush()


def _shows_arrows() -> bool:
    return terminal.is_utf8() and "utf" in (sys.stdout.encoding or "").lower()
