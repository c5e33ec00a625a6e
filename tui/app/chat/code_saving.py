"""Saves a code block of the conversation to a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from tui.app import background
from tui.app.chat import file_writing
from tui.app.chat.file_writing import Exists, Saved
from tui.app.transcript.pane import Transcript
from tui.i18n import N_, _, ngettext
from tui.safe import safe

_ENDINGS = {
    "bash": "sh", "c++": "cpp", "c#": "cs", "clojure": "clj", "console": "sh",
    "csharp": "cs", "docker": "Dockerfile", "dockerfile": "Dockerfile",
    "elixir": "ex", "erlang": "erl", "f#": "fs", "golang": "go", "haskell": "hs",
    "javascript": "js", "json5": "json", "julia": "jl", "jsonc": "json",
    "kotlin": "kt", "latex": "tex", "make": "Makefile", "makefile": "Makefile",
    "markdown": "md", "objective-c": "m", "ocaml": "ml", "perl": "pl",
    "plaintext": "txt", "powershell": "ps1", "protobuf": "proto", "python": "py",
    "python3": "py", "ruby": "rb", "rust": "rs", "shell": "sh", "terraform": "tf",
    "text": "txt", "typescript": "ts", "yaml": "yml", "zsh": "sh",
}  # fmt: skip
"""Ends of file names by language, where it is not the language itself, or the name."""
_LONGEST = 12  # characters of a language that may end a file name


class Block(msgspec.Struct, frozen=True):
    """A block of code."""

    language: str
    text: str


class _Bar(Protocol):
    @property
    def is_open(self) -> bool: ...
    @property
    def word(self) -> str: ...
    @word.setter
    def word(self, text: str) -> None: ...
    def ask(self, asker: "CodeSaving", label: str, text: str) -> object: ...
    def label(self, text: str) -> object: ...
    def rename(self, text: str) -> object: ...
    def close(self) -> object: ...


class CodeSaving:
    """Saves the code of one chat. Call it in the UI thread."""

    def __init__(
        self,
        transcript: Transcript,
        bar: _Bar,
        *,
        tell: Callable[[str], object],
        show_bar: Callable[[bool], object],
        leave: Callable[[], object],
        call_later: Callable[..., object],
    ) -> None:
        """`show_bar` exchanges status line and field; `leave` focuses the composer."""
        self._transcript = transcript
        self._bar = bar
        self._tell = tell
        self._show_bar = show_bar
        self._leave = leave
        self._call_later = call_later
        self._blocks: list[Block] = []  # the last one first
        self._at = 0
        self._confirmed: Exists | None = None
        """What Enter overwrites."""
        self._from_pane = False

    def save(self, argument: str = "") -> None:
        """Save a block to a file named in `argument`, or else ask for a name.

        `2 FILE` means the last block but one; without a number it is the last one of
        the selected message, or of the conversation.
        """
        self._blocks = list(self._found())
        first, __, rest = argument.partition(" ")
        name = rest.strip() if first.isdecimal() else argument
        number = int(first[:9]) if first.isdecimal() else 0
        if not self._blocks:
            self._tell(_("No code block here"))
        elif first.isdecimal() and not 1 <= number <= len(self._blocks):
            self._tell(
                _("No such code block (code blocks here: {count})").format(
                    count=len(self._blocks)
                )
            )
        else:
            self._at = number - 1 if number else self._selected()
            self._from_pane = self._transcript.screen.focused is self._transcript
            if name:
                self._write(name, None)
            else:
                self._ask(self._suggested())

    # -- what the field asks

    def changed(self, text: str) -> None:
        """Forget a question about another name."""
        if self._confirmed:
            self._confirmed = None
            self._bar.word = _(_KEYS)

    def entered(self, text: str) -> None:
        """Save to the file; Enter again overwrites one that is there."""
        if text.strip():
            self._write(text.strip(), self._confirmed)

    def stepped(self, step: int) -> None:
        """Choose the block above (-1) or below (1)."""
        at = self._at - step
        if 0 <= at < len(self._blocks):
            self._at, self._confirmed = at, None
            self._bar.label(self._what())
            self._bar.rename(self._suggested())
            self._bar.word = _(_KEYS)

    def left(self) -> None:
        """Save nothing."""
        self.blurred()
        if self._from_pane:
            self._transcript.focus(scroll_visible=False)
        else:
            self._leave()

    def blurred(self) -> None:
        """Save nothing: the focus has moved away from the field."""
        self._confirmed = None
        if self._bar.is_open:
            self._bar.close()
            self._show_bar(False)

    # -- blocks

    def _found(self) -> Iterator[Block]:
        for view in reversed(self._transcript.views):
            if view.role == "assistant":
                yield from reversed(blocks(view.text))

    def _selected(self) -> int:
        """Return the number of the selected message's last block, from 0."""
        pane = self._transcript
        chosen = pane.message_at_cursor() if pane.screen.focused is pane else None
        before = 0
        for view in reversed(pane.views):
            count = len(blocks(view.text)) if view.role == "assistant" else 0
            if view.message_id == chosen and count:
                return before
            before += count
        return 0

    def _what(self) -> str:
        block = self._blocks[self._at]
        lines = block.text.count("\n") or 1
        of = (
            _(" {at} of {count}").format(at=self._at + 1, count=len(self._blocks))
            if len(self._blocks) > 1
            else ""
        )
        return ngettext(
            "Save code{of}, {lines:,} line, to",
            "Save code{of}, {lines:,} lines, to",
            lines,
        ).format(of=of, lines=lines)

    def _suggested(self) -> str:
        return suggested(self._blocks[self._at].language)

    def _ask(self, name: str) -> None:
        self._bar.ask(self, self._what(), name)
        self._bar.word = _(_KEYS)
        self._show_bar(True)

    # -- writing

    def _write(self, name: str, over: Exists | None) -> None:
        block = self._blocks[self._at]
        data = block.text.encode("utf-8", "replace")
        suggestion = self._suggested()

        def work() -> None:  # in a thread of its own
            result = file_writing.save(name, data, over, suggestion)
            self._call_later(self._written, name, result)

        background.run(_("save code"), work)

    def _written(self, name: str, result: Exists | Saved | str) -> None:
        if isinstance(result, Exists):
            if not self._bar.is_open:
                self._ask(name)
            self._confirmed = result
            self._bar.word = _("{why} · Enter overwrites").format(
                why=safe(result.why, newlines=False)
            )
        elif isinstance(result, Saved):
            if self._bar.is_open:
                self.left()
            size = ngettext("{size:,} byte", "{size:,} bytes", result.size).format(
                size=result.size
            )
            self._tell(
                _("Saved {path} ({size})").format(
                    path=safe(str(result.path), newlines=False), size=size
                )
            )
        elif self._bar.is_open:
            self._bar.word = result
        else:
            self._tell(result)


_KEYS = N_("Enter saves · Up, Down other code · Esc")


def blocks(text: str) -> list[Block]:
    """Return the blocks of code in Markdown, from the top, also within lists."""
    # Most answers have none, and the parser takes long to import.
    if "```" not in text and "~~~" not in text and "    " not in text:
        return []
    from tui.app.markdown.blocks import parse

    return [
        Block(token.info.split()[0] if token.info.split() else "", token.content)
        for token in parse(text)
        if token.type in ("fence", "code_block")
    ]


def suggested(language: str) -> str:
    """Return a file name for code in a language that is not taken here."""
    language = language.strip("{}.").lower()
    ending = _ENDINGS.get(language, language)
    if ending in ("Dockerfile", "Makefile"):
        return ending
    plain = ending.isascii() and ending.isalnum() and len(ending) <= _LONGEST
    ending = ending if plain else "txt"
    for number in range(1, 100):
        name = f"code{'' if number == 1 else f'-{number}'}.{ending}"
        if not Path(name).exists():
            return name
    return f"code.{ending}"
