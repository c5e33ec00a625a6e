"""Defines what the user has allowed in advance: tools, or calls that match a pattern.

A pattern is matched against text that a model has written, so matching is strict: a `*`
stands for plain text only. A call that would need more is not an error; it asks.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from tui import paths, state_file
from tui.i18n import N_, _

LONGEST_PATTERN = 500
"""Most characters of a pattern."""
LONGEST_SUGGESTION = 120
"""Most characters of a pattern that a dialog offers."""
LONGEST_SUBJECT = 4_000
"""Most characters of a subject that a pattern with a `*` matches."""

ASKS_AGAIN = N_("You allowed this before without a folder; it now asks for each folder")
"""Why a call asks again whose grant has no folder."""

_UNSAFE = frozenset(";&|<>`$(){}[]*?!#~^%'\"\\")
"""What a shell, a path or an address may take for more than plain text. Quotes could
hide the rest of it, and `%2e` is another way to write a dot."""


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls that the user has allowed."""

    tool: str
    origin: str = ""
    """Where the tool is from: another server's tool of that name is not allowed."""
    pattern: str = ""
    """Only calls whose subject matches it; "" for all calls."""
    folder: str = ""
    """Only calls that have their effect in it, or below; "" for calls without one."""

    def covers(self, tool: str, origin: str, subject: str, folder: str = "") -> bool:
        """Return whether a call is allowed, which has its effect in `folder`.

        A grant without a folder covers no call that has one: it may be from a version
        that did not store folders, and would allow the call anywhere.
        """
        return _is_within(folder, self.folder) and self.covers_elsewhere(
            tool, origin, subject
        )

    def covers_elsewhere(self, tool: str, origin: str, subject: str) -> bool:
        """Return whether a call would be allowed, if it were in the right folder."""
        if (self.tool, self.origin) != (tool, origin):
            return False
        return not self.pattern or matches(self.pattern, subject)

    @property
    def title(self) -> str:
        """What is allowed: `NAME`, or `NAME=PATTERN`."""
        return f"{self.tool}={self.pattern}" if self.pattern else self.tool

    @property
    def spelled(self) -> str:
        """What is allowed, and where."""
        return (
            _("{title} in {folder}").format(title=self.title, folder=self.folder)
            if self.folder
            else self.title
        )


def _is_within(folder: str, top: str) -> bool:
    if not folder or not top:
        return folder == top
    return Path(folder).is_relative_to(top) and ".." not in folder


def matches(pattern: str, subject: str) -> bool:
    """Return whether `subject` is `pattern`, in which each `*` is any plain text.

    Plain text has no character that separates commands, quotes, expands or escapes, no
    control or invisible character, no line end and no `..`, and of some programs no
    option that runs a program or writes a file. A final ` *` may also be
    left out. In an address, a `*` before the path stands only for whole labels at the
    start of the host. In the path of a file it stands for no hidden name, such as
    `.git`, as in a shell. Takes time linear in `subject`.
    """
    if not pattern or len(pattern) > LONGEST_PATTERN:
        return False
    first, *others = pattern.split("*")
    if not others:
        return pattern == subject
    if others == [""] and first.endswith(" ") and subject == first[:-1]:
        return True
    if len(subject) > LONGEST_SUBJECT or ".." in subject:
        return False
    if "://" in pattern or "://" in subject:
        return _matches_address(pattern, subject)
    return _matches_text(pattern, subject)


def resembles(pattern: str, subject: str) -> bool:
    """Return whether `subject` is `pattern`, in which each `*` is any text at all.

    This is for denying: what `matches` does not take for plain is denied too.
    """
    first, *others = pattern.split("*")
    if not others:
        return subject == first
    *middle, last = others
    if last == "" and not middle and first.endswith(" ") and subject == first[:-1]:
        return True
    at, end = len(first), len(subject) - len(last)
    if end < at or not (subject.startswith(first) and subject.endswith(last)):
        return False
    for part in middle:
        found = subject.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _matches_address(pattern: str, subject: str) -> bool:
    scheme, _, rest = subject.partition("://")
    wanted_scheme, _, wanted = pattern.partition("://")
    host, slash, path = rest.partition("/")
    wanted_host, wanted_slash, wanted_path = wanted.partition("/")
    if scheme != wanted_scheme or slash != wanted_slash or "@" in host:
        return False
    if wanted_host.startswith("*."):
        end = wanted_host[1:]
        labels = host[: len(host) - len(end)]
        plain = labels.isascii() and labels.replace("-", "").replace(".", "").isalnum()
        if "*" in end or not host.endswith(end) or not plain:
            return False
    elif host != wanted_host or "*" in wanted_host:
        return False
    return _matches_text(wanted_path, path)


def _matches_text(pattern: str, subject: str) -> bool:
    first, *others = pattern.split("*")
    if not others:
        return pattern == subject
    *middle, last = others
    at, end = len(first), len(subject) - len(last)
    if end < at or not (subject.startswith(first) and subject.endswith(last)):
        return False
    for part in middle:
        found = subject.find(part, at, end)
        if found < 0 or not _is_free(subject, at, found):
            return False
        at = found + len(part)
    return _is_free(subject, at, end)


def _is_free(subject: str, start: int, end: int) -> bool:
    text = subject[start:end]
    if subject.startswith("/") and "/." in subject[start - 1 : end]:
        return False
    return _is_plain(text) and _is_harmless(subject, text)


def _is_plain(text: str) -> bool:
    return all(map(_is_plain_character, text))


def _is_plain_character(character: str) -> bool:
    # isprintable is False for controls, invisible characters and all spaces but " ".
    if character in _UNSAFE or not character.isprintable():
        return False
    # A full-width form may be taken for the character that it is compatible with.
    return character.isascii() or not (
        set(unicodedata.normalize("NFKC", character)) & (_UNSAFE | set("./ "))
    )


_SUBCOMMANDS: Mapping[str, frozenset[str]] = {
    program: frozenset(words.split())
    for program, words in {
        "cargo": "build check clippy doc fmt metadata tree",
        "git": "add blame branch cherry commit describe diff log ls-files ls-tree "
        "merge-base mv reflog restore rev-list rev-parse rm shortlog show stash status "
        "switch tag",
        "go": "build doc fmt list version vet",
        "hg": "annotate branches diff files heads log status summary tags",
        "npm": "ls list outdated view why",
        "pip": "check freeze list show",
        "pnpm": "ls list outdated view why",
        "poetry": "check show",
        "svn": "blame diff info list log status",
        "yarn": "info list outdated why",
    }.items()
}
"""Programs whose second word says what they do, and those that a `*` may follow: the
others can run any program that the words behind them name."""
_RUNS_OR_WRITES: Mapping[str, tuple[str, ...]] = {
    "cargo": ("--config", "--manifest-path", "-Z"),
    "git": (
        *("--exec", "--ext-diff", "--output", "--receive-pack", "--upload-pack"),
        *("--open-files-in-pager", "--template", "--textconv"),
    ),
    "go": (
        *("-C", "-exec", "-gccgoflags", "-ldflags", "-modfile", "-o", "-overlay"),
        *("-pkgdir", "-toolexec", "-vettool"),
    ),
    "hg": ("--config", "--cwd", "--debugger", "--pager", "--repository", "-R"),
    "npm": (
        *("--browser", "--cache", "--editor", "--git", "--globalconfig", "--logs-dir"),
        *("--node-options", "--prefix", "--script-shell", "--shell", "--userconfig"),
        *("--viewer", "-C"),
    ),
    "pip": ("--cache-dir", "--keyring-provider", "--log", "--python"),
    "pnpm": ("--config", "--dir", "--global-dir", "--pnpmfile", "--prefix", "-C"),
    "poetry": ("--directory", "--project", "-C", "-P"),
    "svn": ("--config-dir", "--config-option", "--diff-cmd", "--editor-cmd"),
    "yarn": ("--cwd", "--modules-folder", "--use-yarnrc"),
}
"""Options that run a program or write a file, whatever the subcommand, also by reading
the configuration of another folder, which may name a program."""


def _is_harmless(command: str, words: str) -> bool:
    """Return whether no word in place of a `*` is such an option of a program."""
    options = _RUNS_OR_WRITES.get(command.partition(" ")[0].rpartition("/")[2], ())
    for word in words.split(" ") if options else ():
        bare = word.partition("=")[0]
        # A program takes the start of a long option for all of it; Go takes one dash
        # or two.
        starts = (bare, bare.removeprefix("-"))
        if len(bare) > 1 and bare[0] == "-" and bare != "--":
            for option in options:
                if option in starts or (len(bare) > 3 and option.startswith(bare)):
                    return False
                if _is_letter_in(option, word) and "-exec" not in options:
                    return False
    return True


def _is_letter_in(option: str, word: str) -> bool:
    """Return whether `-x` is in a word such as `-x`, `-xVALUE` or `-vx`.

    Not of Go, whose long options have one dash.
    """
    return len(option) == 2 and word[1] != "-" and option[1] in word


def suggest(kind: str, subject: str) -> str:
    """Return the pattern to suggest for calls like one, "" if there is none.

    `kind` is that of the call's `Preview`. It always matches `subject`.
    """
    if not subject or not _is_plain(subject) or ".." in subject:
        return ""
    if kind == "command":
        pattern = _command_pattern(subject)
    elif "://" in subject:
        scheme, _, rest = subject.partition("://")
        pattern = f"{scheme}://{rest.partition('/')[0]}/*"
    elif kind in ("diff", "arguments") and subject.count("/") > 2:
        pattern = f"{subject.rpartition('/')[0]}/*"
        if not matches(pattern, subject):  # a hidden file
            pattern = subject
    else:
        pattern = subject
    readable = len(pattern) <= LONGEST_SUGGESTION
    return pattern if readable and matches(pattern, subject) else ""


def _command_pattern(command: str) -> str:
    """Return the program and its subcommand, where that says what is done."""
    program, *words = command.split(" ")
    subcommand = words[0] if words else ""
    if subcommand not in _SUBCOMMANDS.get(program, ()):
        return command
    pattern = f"{program} {subcommand} *"
    return pattern if matches(pattern, command) else command


# -- what is stored


def stored(path: Path | None = None) -> list[Grant]:
    """Return what the user has always allowed. Reads a small file (None: state.toml).

    Entries that are not valid are left out, as is all of a damaged file.
    """
    table = state_file.read(path or paths.state_file())
    return _read(table)


def keep(grant: Grant, path: Path | None = None) -> None:
    """Store a grant. Raises `OSError`.

    One with a folder replaces those without, which no longer cover such calls.
    """

    def update(table: dict[str, Any]) -> None:
        grants = [each for each in _read(table) if not _replaces(grant, each)]
        _write(table, grants if grant in grants else [*grants, grant])

    state_file.change(path or paths.state_file(), update)


def _replaces(new: Grant, old: Grant) -> bool:
    if (new.tool, new.origin) != (old.tool, old.origin) or not new.folder:
        return False
    return not old.folder and (not new.pattern or old.pattern in ("", new.pattern))


def revoke(grant: Grant, path: Path | None = None) -> bool:
    """Remove a stored grant; return whether there was one. Raises `OSError`."""
    found: list[bool] = []

    def update(table: dict[str, Any]) -> None:
        grants = _read(table)
        found.append(grant in grants)
        _write(table, [each for each in grants if each != grant])

    state_file.change(path or paths.state_file(), update)
    return any(found)


def _read(table: dict[str, Any]) -> list[Grant]:
    entries = table.get("allowed")
    grants: list[Grant] = []
    for entry in cast(list[Any], entries) if isinstance(entries, list) else ():
        with suppress(msgspec.ValidationError):
            grants.append(msgspec.convert(entry, Grant))
    return grants


def _write(table: dict[str, Any], grants: Sequence[Grant]) -> None:
    table["allowed"] = [
        {name: value for name, value in msgspec.structs.asdict(each).items() if value}
        for each in grants
    ]
    if not grants:
        del table["allowed"]
