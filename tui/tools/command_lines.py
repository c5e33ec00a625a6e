"""Finds out whether a command line runs a program that a pattern denies.

A line is parsed as a shell does: its commands and what they run in turn (`env`,
`sh -c`, `xargs`), whatever the quotes and spaces. A word that only the shell can
expand, such as `$x`, may stand for anything. This stops a model that rephrases a denied
command; it cannot stop a program, which can run anything.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tui.grants import resembles

Answer = Literal["yes", "no", "unclear"]

LONGEST_LINE = 20_000
"""Characters of a line above which nobody can say what it runs."""
_DEEPEST = 6
"""Lines within lines that are read."""
_MOST_OPTIONS = 6
"""Options before the first word, each of which may take a value or not."""

_SHELLS = frozenset(("ash", "bash", "csh", "dash", "eval", "fish", "ksh", "sh", "zsh"))
_RUNS_ITS_WORDS = _SHELLS | frozenset(
    (
        *("builtin", "busybox", "chroot", "command", "coproc", "doas", "env"),
        *("exec", "find", "flock", "fd", "ionice"),
        *("nice", "nohup", "nsenter", "parallel", "prlimit", "runuser", "script"),
        *("setarch", "setpriv", "setsid", "ssh", "stdbuf", "strace", "su", "sudo"),
        *("systemd-run", "taskset", "time", "timeout", "toybox", "trap"),
        *("unbuffer", "unshare", "uv", "uvx", "watch", "xargs"),
        *("bwrap", "firejail", "ltrace", "gdb", "npx", "poetry", "make", "tmux"),
    )
)
"""Programs behind which another command may stand."""
_RESERVED = frozenset(("!", "do", "elif", "else", "if", "then", "until", "while"))
"""Words of the shell that are followed by a command."""
_MOST_WORDS = 300
"""Words of a command that may run another."""
_INTERPRETERS = re.compile(
    r"(?:python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|g?awk|mawk|tclsh|expect)"
    r"[\d.]*"
)
_GIT_RUNS = frozenset(("-x", "--exec", "foreach", "run", "--upload-pack"))
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_WORDS_OF_CODE = re.compile(r"[\w./-]+")


class Word(NamedTuple):
    """A word of a command, without its quotes."""

    text: str
    expands: bool = False
    """Whether the shell puts something else in its place."""


class Unreadable(Exception):
    """A line is not one that can be understood."""


def denied(pattern: str, line: str) -> Answer:
    """Return whether `line` runs a command that `pattern` denies.

    In `pattern` each `*` is any text; the name of a program stands for it in any
    folder. `unclear` if only running the line could tell.
    """
    if resembles(pattern, line):
        return "yes"
    try:
        return _any(_of_words(pattern, words) for words in _commands(line))
    except Unreadable:
        return "unclear"


def _any(answers: Iterator[Answer]) -> Answer:
    found: Answer = "no"
    for answer in answers:
        if answer == "yes":
            return "yes"
        found = answer if answer == "unclear" else found
    return found


def _of_words(pattern: str, words: Sequence[Word]) -> Answer:
    return _any(_matches(pattern, form) for form in _forms(words))


def _matches(pattern: str, form: Sequence[Word]) -> Answer:
    if resembles(pattern, " ".join(word.text for word in form)):
        return "yes"
    before, star, after = pattern.partition("*")
    wanted = before.split()
    if not wanted:
        return "unclear" if any(word.expands for word in form) else "no"
    open_end = star and not before.endswith(" ")
    for number, want in enumerate(wanted):
        if number == len(form):
            return "no"
        word = form[number]
        if word.expands:
            return "unclear"
        last = number == len(wanted) - 1
        same = word.text.startswith(want) if last and open_end else word.text == want
        if not same:
            return "no"
    rest = form[len(wanted) :]
    return "unclear" if after and any(word.expands for word in rest) else "no"


def _forms(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield a command as it could also be written: without options before its words."""
    program = words[0]
    plain = Word(program.text.rpartition("/")[2] or program.text, program.expands)
    for named in (program, plain):
        yield [named, *words[1:]]
    places = [0]
    # Each option may take the next word as its value; who knows which do?
    while places[-1] < len(words) - 1 and len(places) <= _MOST_OPTIONS + 1:
        if not words[places[-1] + 1].text.startswith("-"):
            break
        places.append(places[-1] + 1)
        if (at := places[-1] + 1) < len(words) and not words[at].text.startswith("-"):
            yield [plain, *words[at:]]
            places[-1] = at
    yield [plain, *words[places[-1] + 1 :]]


def _commands(line: str, depth: int = 0) -> Iterator[Sequence[Word]]:
    """Yield each command that a shell may run for `line`, in all of its parts."""
    if depth > _DEEPEST or len(line) > LONGEST_LINE:
        raise Unreadable
    reader = _Reader(line)
    for words in reader.commands():
        yield from _run_by(words, depth)
    for inner in reader.inner:
        yield from _commands(inner, depth + 1)


def _run_by(words: Sequence[Word], depth: int) -> Iterator[Sequence[Word]]:
    """Yield a command, and those that it runs."""
    while words and (_ASSIGNMENT.match(words[0].text) or words[0].text in _RESERVED):
        words = words[1:]
    if not words:
        return
    yield words
    name = words[0].text.rpartition("/")[2]
    code = _INTERPRETERS.fullmatch(name) is not None
    runs = name in _RUNS_ITS_WORDS or " " in name
    if name == "git":
        runs = any(word.text in _GIT_RUNS for word in words)
        # An alias may have any name: git -c alias.p=push p
        for word in words[1:]:
            if word.text.startswith("alias."):
                yield [words[0], *map(Word, word.text.partition("=")[2].split())]
    if (runs or code) and len(words) > _MOST_WORDS:
        raise Unreadable
    if runs:
        for at in range(1, len(words)):
            if not words[at].text.startswith("-"):
                yield words[at:]
    for word in words if runs or code else ():
        if re.search(r"[\s;&|(]", word.text):
            if code:
                found = list(map(Word, _WORDS_OF_CODE.findall(word.text)))
                if len(found) > _MOST_WORDS:
                    raise Unreadable
                yield from (found[at:] for at in range(len(found)))
            else:
                yield from _commands(word.text, depth + 1)


class _Reader:
    """Splits a line into commands and words, as a shell does."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self.inner: list[str] = []
        """The lines within it that the shell runs: `$(...)`, backquotes, `<(...)`."""

    def commands(self) -> Iterator[Sequence[Word]]:
        words: list[Word] = []
        while self._at < len(self._line):
            character = self._line[self._at]
            if character in " \t\r":
                self._at += 1
            elif character == "#":
                self._skip_comment()
            elif character in ";&|\n(){}" and not self._is_brace_word():
                self._at += 1
                if words:
                    yield words
                words = []
            elif character in "<>":
                self._redirect()
            else:
                words.append(self._word())
        if words:
            yield words

    def _is_brace_word(self) -> bool:
        """Whether a brace is part of a word, as in `{git,push}`."""
        at = self._at
        follows = self._line[at + 1 : at + 2]
        return self._line[at] == "{" and follows not in ("", " ", "\t", "\n")

    def _skip_comment(self) -> None:
        end = self._line.find("\n", self._at)
        self._at = len(self._line) if end < 0 else end

    def _redirect(self) -> None:
        if self._line.startswith("<<", self._at):
            raise Unreadable  # a document follows
        if self._line[self._at + 1 : self._at + 2] == "(":
            self.inner.append(self._within(self._at + 1))
            return
        while self._at < len(self._line) and self._line[self._at] in "<>&|":
            self._at += 1
        while self._at < len(self._line) and self._line[self._at] in " \t":
            self._at += 1
        if self._at < len(self._line) and self._line[self._at] not in ";&|\n()":
            self._word()  # a file

    def _word(self) -> Word:
        text: list[str] = []
        expands = False
        while self._at < len(self._line):
            character = self._line[self._at]
            if character in " \t\r\n;&|<>()":
                break
            self._at += 1
            match character:
                case "\\":
                    if self._line[self._at : self._at + 1] != "\n":
                        text.append(self._line[self._at : self._at + 1])
                    self._at += 1
                case "'":
                    end = self._find("'")
                    text.append(self._line[self._at : end])
                    self._at = end + 1
                case '"':
                    expands |= self._quoted(text)
                case "$" | "`":
                    expands |= self._expansion(character)
                case "*" | "?" | "[" | "{" | "~":
                    expands = True
                    text.append(character)
                case _:
                    text.append(character)
        return Word("".join(text), expands)

    def _quoted(self, text: list[str]) -> bool:
        expands = False
        while True:
            if self._at >= len(self._line):
                raise Unreadable
            character = self._line[self._at]
            self._at += 1
            match character:
                case '"':
                    return expands
                case "\\":
                    text.append(self._line[self._at : self._at + 1])
                    self._at += 1
                case "$" | "`":
                    expands |= self._expansion(character)
                case _:
                    text.append(character)

    def _expansion(self, sign: str) -> bool:
        """Pass over what the shell replaces; a command in it is kept."""
        if sign == "`":
            end = self._find("`")
            self.inner.append(self._line[self._at : end])
            self._at = end + 1
        elif self._line.startswith("(", self._at):
            self.inner.append(self._within(self._at))
        elif self._line.startswith(("{", "'", '"'), self._at):
            closer = {"{": "}"}.get(self._line[self._at], self._line[self._at])
            self._at += 1
            self._at = self._find(closer) + 1
        else:
            while self._line[self._at : self._at + 1].isalnum() or (
                self._line[self._at : self._at + 1] == "_"
            ):
                self._at += 1
        return True

    def _within(self, start: int) -> str:
        """Pass over a pair of brackets from `start`; return what is in it."""
        depth = 0
        for at in range(start, len(self._line)):
            depth += {"(": 1, ")": -1}.get(self._line[at], 0)
            if not depth:
                self._at = at + 1
                return self._line[start + 1 : at]
        raise Unreadable

    def _find(self, closer: str) -> int:
        end = self._line.find(closer, self._at)
        if end < 0:
            raise Unreadable
        return end
