"""Checks the terminal: its name, size and colours, the clipboard, and the locale."""

import locale
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tui.cli.doctor.findings import Finding, run
from tui.i18n import N_, _
from tui.runtime import tty

SMALLEST = (20, 6)
"""Columns and rows of the smallest usable screen."""
_SLOW_ESCAPE = 100
"""Milliseconds that tmux may hold back an Esc before that can be felt."""
TMUX_SECONDS = 2.0
_SET = N_("tmux set {} (and the same line without tmux in ~/.tmux.conf)")
_RGB = "-as terminal-features ',*:RGB'"
_FEATURES_SINCE = (3, 2)
"""The version of tmux that brought terminal-features."""
_OVERRIDES = "terminal-overrides"
_TC = f"-ag {_OVERRIDES} ',*:Tc'"
"""The same before that."""
_TRY_COPYING = r"printf '\033]52;c;%s\a' $(printf hello | base64)"


def check_terminal() -> Iterator[Finding]:
    """Check that there is a terminal that can show a screen."""
    descriptor = tty.screen()
    if descriptor is None:
        yield Finding(
            "terminal",
            "warning",
            _("there is no terminal here, so its size and colours cannot be checked"),
            _(
                "Run this in the terminal that you chat in (over ssh: ssh -t). "
                "`lazychat ask` needs no terminal"
            ),
        )
        return
    term = os.environ.get("TERM", "")
    if term in ("dumb", "unknown", ""):
        yield Finding(
            "terminal",
            "warning",
            _('TERM is "{term}", so lazychat answers line by line (plain mode)').format(
                term=term
            ),
            _("If this terminal can show a screen: export TERM=xterm-256color"),
        )
        return
    columns, rows = tty.size(descriptor) or (0, 0)
    text = (
        f"{term}, {columns}x{rows}"
        if columns
        else _("{term}, size unknown").format(term=term)
    )
    if columns and (columns < SMALLEST[0] or rows < SMALLEST[1]):
        least = f"{SMALLEST[0]}x{SMALLEST[1]}"
        yield Finding(
            "terminal",
            "warning",
            text,
            _("Enlarge it to {least} or more").format(least=least),
        )
    elif not _is_described(term, descriptor):
        yield Finding(
            "terminal",
            "warning",
            _("{text}, which this machine's terminfo does not know").format(text=text),
            _(
                "Copy the entry from your own machine: infocmp -x {term} | ssh HOST "
                "tic -x -"
            ).format(term=term),
        )
    else:
        yield Finding("terminal", "ok", text)
    yield _colours(descriptor)


def _is_described(term: str, descriptor: int) -> bool:
    try:
        import curses
    except ImportError:  # a Python built without it: nothing to be said of terminfo
        return True
    try:
        curses.setupterm(term, descriptor)
    except curses.error:
        return False
    return True


def _colours(descriptor: int) -> Finding:
    from tui.app.terminal import capabilities  # loads Rich

    if os.environ.get("NO_COLOR"):
        return Finding("colours", "ok", _("none, because NO_COLOR is set"))
    number = capabilities.colours(descriptor)
    if number > 256:
        return Finding("colours", "ok", _("16 million (24 bits)"))
    if number == 256:
        return Finding(
            "colours",
            "ok",
            _("256, as COLORTERM (which ssh does not pass on) is not truecolor"),
            _("If your terminal has more: export COLORTERM=truecolor"),
        )
    return Finding(
        "colours",
        "warning",
        _("{number}, so themes look coarse").format(number=number)
        if number
        else _("none"),
        _(
            "If your terminal has more, set a TERM that says so: export "
            "TERM=xterm-256color"
        ),
    )


# -- the clipboard and tmux


def check_clipboard() -> Iterator[Finding]:
    """Check what stands between lazychat and the clipboard of the terminal."""
    if os.environ.get("TMUX"):
        yield from _tmux()
    elif os.environ.get("TERM", "").startswith("screen"):
        yield Finding(
            "clipboard",
            "warning",
            _("GNU screen does not pass on what is copied (OSC 52)"),
            _("Use tmux, or select with the mouse while you hold Shift"),
        )
    else:
        yield Finding(
            "clipboard",
            "ok",
            _("copies go to the terminal (OSC 52), which does not confirm them"),
            _("To test it, run this, then paste: {command}").format(
                command=_TRY_COPYING
            ),
        )


def _tmux() -> Iterator[Finding]:
    try:
        shown = _tmux_says("show-options", "-s")
        window = _tmux_says("show-options", "-gw")
        version = _tmux_says("display-message", "-p", "#{version}")
        features = _tmux_says("display-message", "-p", "#{client_termfeatures}")
    except OSError as error:
        yield Finding(
            "tmux",
            "warning",
            _("TMUX is set, but tmux does not answer ({strerror})").format(
                strerror=error.strerror or error
            ),
            _("If you are no longer in tmux: unset TMUX TMUX_PANE"),
        )
        return
    options = dict(re.findall(r"^(\S+) (.*)$", f"{shown}\n{window}", re.M))
    number = re.search(r"(\d+)\.(\d+)", version)
    is_old = not number or (int(number[1]), int(number[2])) < _FEATURES_SINCE
    yield _tmux_clipboard(options)
    passes = options.get("allow-passthrough", "off")
    yield Finding(
        "tmux",
        "ok",
        _("{version}; allow-passthrough {passes} (not needed)").format(
            version=version.strip() or _("an old version"), passes=passes
        ),
    )
    yield _tmux_keys(options)
    yield _tmux_colours(features.strip().split(","), options, is_old=is_old)


def _tmux_says(*arguments: str) -> str:
    done = run(["tmux", *arguments], TMUX_SECONDS, {})
    if done.status:
        raise OSError(
            0, done.err.strip() or _("status {status}").format(status=done.status)
        )
    if done.status is None:
        raise OSError(
            0,
            _("it has not answered for {tmux_seconds:g} seconds").format(
                tmux_seconds=TMUX_SECONDS
            ),
        )
    return done.out


def _tmux_clipboard(options: dict[str, str]) -> Finding:
    # With `external`, the default, tmux drops what programs inside send (tmux(1)).
    setting = options.get("set-clipboard", "external")
    if setting == "on":
        return Finding("clipboard", "ok", _("tmux passes copies on (set-clipboard on)"))
    return Finding(
        "clipboard",
        "warning",
        _("tmux drops what lazychat copies (set-clipboard {setting})").format(
            setting=setting
        ),
        _(_SET).format("-s set-clipboard on"),
    )


def _tmux_keys(options: dict[str, str]) -> Finding:
    delay = options.get("escape-time", "500")
    if delay.isdecimal() and int(delay) > _SLOW_ESCAPE:
        return Finding(
            "tmux",
            "warning",
            _("it holds back each Esc for {delay} ms (escape-time)").format(
                delay=delay
            ),
            _(_SET).format("-s escape-time 10"),
        )
    extended = options.get("extended-keys", "off")
    text = _("it passes Esc on after {delay} ms; extended-keys {extended}").format(
        delay=delay, extended=extended
    )
    if extended != "always":
        text += _(", so Shift+Enter is Enter (Ctrl+J and Alt+Enter begin a new line)")
    return Finding("tmux", "ok", text)


def _tmux_colours(
    features: list[str], options: dict[str, str], *, is_old: bool
) -> Finding:
    overrides = [
        value for name, value in options.items() if name.startswith(_OVERRIDES)
    ]
    is_overridden = bool(re.search(r":(Tc|RGB)\b", " ".join(overrides)))
    if "RGB" in features or (is_old and is_overridden):
        return Finding("tmux", "ok", _("it passes 24-bit colours on"))
    return Finding(
        "tmux",
        "ok",
        _("it turns 24-bit colours into 256"),
        _("If your terminal has more: {command}; then attach again").format(
            command=_(_SET).format(_TC if is_old else _RGB)
        ),
    )


# -- the locale


def check_locale() -> Iterator[Finding]:
    """Check that the locale says UTF-8, and is installed."""
    if sys.platform == "darwin":
        yield Finding("locale", "ok", _("UTF-8, as always on macOS"))
        return
    name, value = declared_locale()
    shown = f"{name}={value}" if name else _("none set")
    if not is_utf8():
        yield Finding(
            "locale",
            "warning",
            _(
                "{shown}, which is not UTF-8: tmux and other programs then show _ "
                "or ? for letters beyond ASCII"
            ).format(shown=shown),
            _("Set one in ~/.profile, as in: export LANG=C.UTF-8 (and unset LC_ALL)"),
        )
        return
    # Python has called setlocale at its start; the locale that it got is the evidence.
    got = locale.setlocale(locale.LC_CTYPE)
    if got in ("C", "POSIX") or (
        got in ("C.UTF-8", "C.utf8") and not value.startswith(("C.", "POSIX"))
    ):
        yield Finding(
            "locale",
            "warning",
            _("{shown} is not installed on this machine").format(shown=shown),
            _("Use one that `locale -a` lists, as in: export LANG=C.UTF-8"),
        )
        return
    yield Finding("locale", "ok", shown)


def is_utf8() -> bool:
    """Whether the locale that the user has set says UTF-8; macOS always has it."""
    if sys.platform == "darwin":
        return True
    return bool(re.search(r"utf-?8", declared_locale()[1], re.I))


def declared_locale() -> tuple[str, str]:
    """Return the variable that sets the locale, and its value; ("", "") if none does.

    As the process got them: Python may set LC_CTYPE in place of the C locale (PEP 538).
    """
    given = dict(os.environ)
    try:
        data = Path("/proc/self/environ").read_bytes()
    except OSError:  # not Linux
        pass
    else:
        pairs = (each.partition(b"=") for each in data.split(b"\0"))
        given = {os.fsdecode(name): os.fsdecode(value) for name, __, value in pairs}
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := given.get(name):
            return name, value
    return "", ""
