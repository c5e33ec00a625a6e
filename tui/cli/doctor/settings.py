"""Checks config.toml, the keys, the themes and the tools."""

import json
from collections.abc import Iterator
from pathlib import Path

from tui import config, files, paths
from tui.cli.doctor.findings import Finding, run_python
from tui.config import Config
from tui.errors import ConfigError, LazychatError
from tui.i18n import N_, _, labelled, ngettext
from tui.spelling import nearest

TOOL_SECONDS = 15.0
"""Seconds that loading the user's tools may take; it runs their code."""


def load(path: Path | None) -> tuple[Config, list[Finding]]:
    """Return the configuration and what was found; the defaults if it is broken."""
    shown = path or paths.config_file()
    try:
        if path and not path.exists():
            raise ConfigError(_("{path}: no such file.").format(path=path))
        settings = config.load(path)
    except ConfigError as error:
        found = Finding(
            "config",
            "error",
            str(error).rstrip("."),
            _(
                "Until it is fixed, the chat screen uses the defaults, and ask refuses "
                "to run"
            ),
        )
        return Config(), [found]
    if not shown.exists():
        return settings, [
            Finding(
                "config",
                "ok",
                _("no {shown}, so the defaults are used").format(shown=shown),
            )
        ]
    problems = list(_secrets(shown))
    return settings, problems or [Finding("config", "ok", str(shown))]


def _secrets(path: Path) -> Iterator[Finding]:
    """Find keys in the file: it is often readable for others, or in a repository."""
    try:
        text = files.read_text(path)
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(text.splitlines(), 1):
        name, __, value = line.partition("=")
        if name.strip() == "api_key_cmd" and value.strip(" \"'").startswith("echo "):
            yield Finding(
                "config",
                "warning",
                _("{path}, line {number}: api_key_cmd contains the key itself").format(
                    path=path, number=number
                ),
                _("Put the key into a variable, and name the variable in api_key_env"),
            )


def check_keys(settings: Config) -> Iterator[Finding]:
    """Check the commands and the keys of `[keys]`, and what the multiplexer takes."""
    from tui.app.commands import COMMANDS, spelled_key  # imports Textual
    from tui.app.keys import multiplexers
    from tui.app.keys.sendable import normal
    from tui.app.keys.settling import settle_keys

    settled = settle_keys(settings.keys, vi=settings.vi_keys)
    for problem in settled.problems:
        yield Finding("config", "warning", problem)
    taken = multiplexers.taken()
    everywhere = {key: why for key, why in _TAKEN.items() if key not in taken}
    for problem in multiplexers.problems(settings.keys, taken | everywhere):
        yield Finding("config", "warning", problem)
    for command in COMMANDS:
        if command.name in settings.keys:
            continue
        for key in map(normal, filter(None, command.key.split(","))):
            if why := taken.get(key):
                text = _("{key} is the key of {name}, but {why}").format(
                    key=spelled_key(key), name=command.name, why=why
                )
                remedy = _('Set another key, as in: [keys] {name} = "f7"').format(
                    name=command.name
                )
                yield Finding("config", "warning", text, remedy)


_TAKEN = {
    "ctrl+b": N_("tmux takes that key, unless you changed its prefix"),
    "ctrl+a": N_("GNU screen takes that key, unless you changed its escape key"),
    "ctrl+g": N_("Zellij takes that key, unless its configuration says otherwise"),
    "ctrl+circumflex_accent": N_("mosh takes that key, unless MOSH_ESCAPE_KEY is set"),
    "f10": N_("many terminals open their menu with that key"),
    "f11": N_("many terminals fill the screen with that key"),
}
"""Keys that may not reach the program, wherever it runs."""


def check_themes(settings: Config) -> Iterator[Finding]:
    """Check the themes of the user, and that the chosen one is there."""
    from tui.app.themes import load_themes  # imports Textual

    themes, errors = load_themes(paths.themes_folder())
    for error in errors:
        yield Finding("theme", "warning", error.rstrip("."))
    names = [theme.name for theme in themes]
    if settings.theme and settings.theme not in names:
        hint = nearest(settings.theme, names).strip()
        yield Finding(
            "theme",
            "warning",
            _('there is no theme "{theme}"').format(theme=settings.theme),
            hint or _("Known: {names}").format(names=", ".join(names)),
        )


# Tools may print, hang, or end their process, so they are loaded in a child. Its own
# output is the last line of what was stdout.
_LOAD_TOOLS = """
import json, os, sys
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from tui.tools import builtin, installed_tools, load_tools
loads = [load_tools(json.loads(sys.argv[1])), installed_tools()]
names = [*builtin(), *(tool.name for load in loads for tool in load.tools)]
errors = [str(error) for load in loads for error in load.errors]
print(json.dumps([names, errors]), file=out, flush=True)
os._exit(0)
"""


def check_tools(settings: Config) -> Iterator[Finding]:
    """Check that all tools load, in a child process."""
    folder = paths.tools_folder()
    own = sorted(map(str, folder.glob("*.py"))) if folder.is_dir() else []
    sources = json.dumps([*own, *settings.tools.files])
    done = run_python(_LOAD_TOOLS, sources, seconds=TOOL_SECONDS)
    if done.status is None:
        yield Finding(
            "tools",
            "error",
            _("they did not load within {tool_seconds:g} seconds").format(
                tool_seconds=TOOL_SECONDS
            ),
            _("Look for top-level code that waits, in: {own}").format(
                own=", ".join(own) or sources
            ),
        )
        return
    try:
        names, errors = json.loads(done.out)
    except ValueError:
        last = (
            done.err.strip().splitlines()
            or [_("status {status}").format(status=done.status)]
        )[-1]
        yield Finding(
            "tools",
            "error",
            _("loading them ended the process: {last}").format(last=last),
        )
        return
    for error in errors:
        yield Finding(
            "tools", "warning", error.rstrip("."), _("The other tools work without it")
        )
    for name in settings.tools.disabled:
        if name not in names:
            hint = nearest(name, names).strip()
            text = _('[tools] disabled: there is no tool "{name}"').format(name=name)
            yield Finding("tools", "warning", text, hint)
    if not errors:
        count = ngettext("{count} tool", "{count} tools", len(names)).format(
            count=len(names)
        )
        yield Finding("tools", "ok", labelled(count, ", ".join(names)))


def default_model(settings: Config) -> tuple[str, str]:
    """Return the name of the default model, and what is wrong with it or ""."""
    from tui.models.catalog import ModelCatalog

    name = config.default_model(settings)
    try:
        ModelCatalog(settings).find(name)
    except LazychatError as error:
        return name, str(error).rstrip(".")
    return name, ""
