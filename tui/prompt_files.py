"""Reads the user's prompt files: Markdown that is sent by a slash command.

`prompts/review.md` is `/review`. A file may begin with lines between two `---`, of
which `description:` is shown in the menu.
"""

import re
from pathlib import Path

from tui import files
from tui.i18n import _
from tui.messages import Value
from tui.safe import safe

MOST = 200
"""Files that are read."""
LONGEST = 100_000
"""Characters of a file."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_HEAD = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HOLE = re.compile(r"\$(ARGUMENTS|[1-9])\b")


class PromptFile(Value, frozen=True):
    """A prompt."""

    name: str
    """What is typed after the slash."""
    text: str
    """The prompt, with holes such as `$1` and `$ARGUMENTS`."""
    description: str = ""
    """One line for the menu."""

    def filled(self, typed: str) -> str:
        """Return the prompt for what was `typed` after its name.

        `$ARGUMENTS` is all of it, `$1` to `$9` its words, which are quoted as in a
        shell. A prompt without holes is followed by what was typed.
        """
        typed = typed.strip()
        if not _HOLE.search(self.text):
            return f"{self.text}\n\n{typed}" if typed else self.text
        words = _words(typed)

        def fill(hole: "re.Match[str]") -> str:
            if hole[1] == "ARGUMENTS":
                return typed
            number = int(hole[1])
            return words[number - 1] if number <= len(words) else ""

        return _HOLE.sub(fill, self.text)


def load(folder: Path) -> tuple[list[PromptFile], list[str]]:
    """Return the prompts in a folder by name, and a line for each bad file. Blocks."""
    found: list[PromptFile] = []
    problems: list[str] = []
    try:
        names = sorted(file.name for file in folder.iterdir())
    except OSError:
        return [], []
    names = [name for name in names if name.endswith(".md")]
    if len(names) > MOST:
        problems.append(
            _("{folder}: only the first {most} prompts are used.").format(
                folder=folder, most=MOST
            )
        )
    for name in names[:MOST]:
        file = folder / name
        try:
            found.append(_read(file))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            problems.append(
                safe(
                    _("{file}: not used as a prompt: {why}.").format(
                        file=file, why=why
                    ),
                    newlines=False,
                )
            )
    return found, problems


def _read(file: Path) -> PromptFile:
    name = file.name.removesuffix(".md")
    if not _NAME.fullmatch(name):
        raise ValueError(
            _("its name may have up to 40 lower-case English letters, digits, - and _")
        )
    if not file.is_file():
        raise ValueError(_("it is not a regular file"))
    if file.stat().st_size > 4 * LONGEST:
        raise ValueError(
            _("it has more than {longest:,} characters").format(longest=LONGEST)
        )
    try:
        text = files.read_text(file)
    except UnicodeDecodeError:
        raise ValueError(_("it is not UTF-8 text")) from None
    if len(text) > LONGEST:
        raise ValueError(
            _("it has more than {longest:,} characters").format(longest=LONGEST)
        )
    description = ""
    if head := _HEAD.match(text):
        text = text[head.end() :]
        for line in head[1].splitlines():
            key, __, value = line.partition(":")
            if key.strip() == "description":
                description = value.strip().strip("\"'")
    text = text.strip()
    if not text:
        raise ValueError(_("it is empty"))
    first = text.splitlines()[0].strip("# ")
    shown = safe(description or first, newlines=False)
    return PromptFile(name, text, shown[:200])


def _words(typed: str) -> list[str]:
    import shlex  # few prompts have arguments

    try:
        return shlex.split(typed)
    except ValueError:  # an open quote, as in "don't"
        return typed.split()
