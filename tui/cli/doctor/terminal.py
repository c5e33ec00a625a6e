"""Checks the terminal: its name, size and colours, the clipboard, and the locale."""

import locale
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tui.cli.doctor.findings import Finding, run
from tui.runtime import tty

SMALLEST = (20, 6)
"""Columns and rows of the smallest usable screen."""
_SLOW_ESCAPE = 100
"""Milliseconds that tmux may hold back an Esc before that can be felt."""
TMUX_SECONDS = 2.0
_SET = "tmux set {} (and the same line without tmux in ~/.tmux.conf)"
_RGB = "-as terminal-features ',*:RGB'"
_TRY_COPYING = r"printf '\033]52;c;%s\a' $(printf hello | base64)"


def check_terminal() -> Iterator[Finding]:
    """Check that there is a terminal that can show a screen."""
    descriptor = tty.screen()
    if descriptor is None:
        yield Finding(
            "terminal",
            "warning",
            "there is none here, so its size and colours cannot be checked",
            "Run this in the terminal that you chat in (with ssh: ssh -t). `lazychat "
            "ask` needs none",
        )
        return
    term = os.environ.get("TERM", "")
    if term in ("dumb", "unknown", ""):
        yield Finding(
            "terminal",
            "error",
            f'TERM is "{term}", so no screen can be shown',
            "Set it, as in: export TERM=xterm-256color",
        )
        return
    columns, rows = tty.size(descriptor) or (0, 0)
    text = f"{term}, {columns}x{rows}" if columns else f"{term}, size unknown"
    if columns and (columns < SMALLEST[0] or rows < SMALLEST[1]):
        least = f"{SMALLEST[0]}x{SMALLEST[1]}"
        yield Finding("terminal", "warning", text, f"Make it {least} or larger")
    elif not _is_described(term, descriptor):
        yield Finding(
            "terminal",
            "warning",
            f"{text}, which this machine's terminfo does not know",
            f"Copy its entry from your own machine: infocmp -x {term} | ssh HOST "
            "tic -x -",
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
        return Finding("colours", "ok", "none, because NO_COLOR is set")
    number = capabilities.colours(descriptor)
    if number > 256:
        return Finding("colours", "ok", "16 million (24 bits)")
    if number == 256:
        return Finding(
            "colours",
            "ok",
            "256, as COLORTERM (which ssh does not pass on) is not truecolor",
            "If your terminal has more: export COLORTERM=truecolor",
        )
    return Finding(
        "colours",
        "warning",
        f"{number}, so themes look coarse" if number else "none",
        "If your terminal has more, set a TERM that says so: export "
        "TERM=xterm-256color",
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
            "GNU screen does not pass on what is copied (OSC 52)",
            "Use tmux, or select with the mouse while you hold Shift",
        )
    else:
        yield Finding(
            "clipboard",
            "ok",
            "copies go to the terminal (OSC 52), which does not say whether it "
            "takes them",
            f"To try it, run this and paste: {_TRY_COPYING}",
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
            f"TMUX is set, but tmux does not answer ({error.strerror or error})",
            "Unset TMUX if this is no tmux any more: unset TMUX TMUX_PANE",
        )
        return
    options = dict(re.findall(r"^(\S+) (.*)$", f"{shown}\n{window}", re.M))
    yield _tmux_clipboard(options)
    passes = options.get("allow-passthrough", "off")
    yield Finding(
        "tmux", "ok", f"{version.strip()}; allow-passthrough {passes} (not needed)"
    )
    yield _tmux_keys(options)
    yield _tmux_colours(features.strip().split(","))


def _tmux_says(*arguments: str) -> str:
    done = run(["tmux", *arguments], TMUX_SECONDS, {})
    if done.status:
        raise OSError(0, done.err.strip() or f"status {done.status}")
    if done.status is None:
        raise OSError(0, f"it says nothing for {TMUX_SECONDS:g} seconds")
    return done.out


def _tmux_clipboard(options: dict[str, str]) -> Finding:
    # With `external`, the default, tmux drops what programs inside send (tmux(1)).
    setting = options.get("set-clipboard", "external")
    if setting == "on":
        return Finding("clipboard", "ok", "tmux passes copies on (set-clipboard on)")
    return Finding(
        "clipboard",
        "warning",
        f"tmux drops what lazychat copies (set-clipboard {setting})",
        _SET.format("-s set-clipboard on"),
    )


def _tmux_keys(options: dict[str, str]) -> Finding:
    delay = options.get("escape-time", "500")
    if delay.isdecimal() and int(delay) > _SLOW_ESCAPE:
        return Finding(
            "tmux",
            "warning",
            f"it holds back each Esc for {delay} ms (escape-time)",
            _SET.format("-s escape-time 10"),
        )
    extended = options.get("extended-keys", "off")
    text = f"it passes Esc on after {delay} ms; extended-keys {extended}"
    if extended != "always":
        text += ", so Shift+Enter is Enter (Ctrl+J and Alt+Enter begin a new line)"
    return Finding("tmux", "ok", text)


def _tmux_colours(features: list[str]) -> Finding:
    if "RGB" in features:
        return Finding("tmux", "ok", "it passes 24-bit colours on")
    return Finding(
        "tmux",
        "ok",
        "it turns 24-bit colours into 256",
        f"If your terminal has more: {_SET.format(_RGB)}; then attach again",
    )


# -- the locale


def check_locale() -> Iterator[Finding]:
    """Check that the locale says UTF-8, and is installed."""
    if sys.platform == "darwin":
        yield Finding("locale", "ok", "UTF-8, as always on macOS")
        return
    name, value = declared_locale()
    shown = f"{name}={value}" if name else "none set"
    if not is_utf8():
        yield Finding(
            "locale",
            "warning",
            f"{shown}, which is not UTF-8: tmux and other programs then show _ or ? "
            "for letters beyond ASCII",
            "Set one in ~/.profile, as in: export LANG=C.UTF-8 (and unset LC_ALL)",
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
            f"{shown} is not installed on this machine",
            "Use one that `locale -a` lists, as in: export LANG=C.UTF-8",
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
        given = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := given.get(name):
            return name, value
    return "", ""
