"""Runs the commands of vi on a text.

The editor is a state machine: `press` takes a key, and changes the text through its
`Page`. While text is inserted, keys belong to the page.

The file is long because the commands share the text, the cursor and the register.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from tui.app.vi import motions, objects, parsing
from tui.app.vi.motions import Find, Target
from tui.app.vi.parsing import Command, Wrong, is_object, parse
from tui.app.vi.signs import (
    after,
    before,
    column,
    first_word,
    last_in_line,
    line_end,
    line_start,
    sign_at,
)
from tui.i18n import N_

LONGEST = 500_000
"""Most characters that a command may make the text."""
_FAR = 1 << 30  # the column that `$` asks for


class Mode(Enum):
    """What keys mean; the values are shown, translated."""

    INSERT = N_("insert")
    NORMAL = N_("normal")
    VISUAL = N_("visual")
    LINES = N_("visual line")


class Page(Protocol):
    """The text that an editor changes."""

    @property
    def text(self) -> str:
        """All of the text."""
        ...

    def replace(self, start: int, end: int, insert: str) -> None:
        """Replace a piece of the text."""
        ...

    def undo(self) -> int | None:
        """Undo a change; return the place of the cursor, None if there is none."""
        ...

    def redo(self) -> int | None:
        """Redo a change; return the place of the cursor, None if there is none."""
        ...

    def begin_change(self) -> None:
        """Begin a change that is undone as one."""
        ...

    def end_change(self) -> None:
        """End the change that has been begun."""
        ...

    def recall(self, step: int) -> int | None:
        """Show an older (-1) or newer (1) text; return the place of the cursor."""
        ...


class Register(NamedTuple):
    """What was deleted or copied last."""

    text: str = ""
    lines: bool = False


class Editor:
    """Edits a `page`; starts by inserting."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.mode = Mode.INSERT
        self.cursor = 0
        """Where the cursor is, or was when text began to be inserted."""
        self.anchor = 0
        """Where the visual selection begins."""
        self.register = Register()
        self._keys: list[str] = []
        self._wanted: int | None = None
        """The column for `j` and `k`."""
        self._find: Find | None = None
        self._change: tuple[Command, int] | None = None
        """What `.` repeats; the number is the length of a visual selection."""
        self._inserted = ""
        """The text inserted by that change."""
        self._begun: tuple[str, str] | None = None
        """The text before and after what is being inserted."""
        self._repeating = False
        self._first = 0
        """Where the cursor is after the piece of text last found is copied."""

    # -- state

    @property
    def inserting(self) -> bool:
        """Whether letters are typed."""
        return self.mode is Mode.INSERT

    @property
    def whole_lines(self) -> bool:
        """Whether the visual selection is of whole lines."""
        return self.mode is Mode.LINES

    @property
    def pending(self) -> bool:
        """Whether a command has been begun."""
        return bool(self._keys)

    @property
    def takes_sign(self) -> bool:
        """Whether the next key is any sign: what `r`, `f` or `t` is given."""
        return (
            bool(self._keys)
            and self._keys[-1] in ("r", *parsing.FINDS)
            and (not is_object(self._keys))
        )

    @property
    def visual(self) -> bool:
        """Whether there is a visual selection."""
        return self.mode in (Mode.VISUAL, Mode.LINES)

    @property
    def selected(self) -> tuple[int, int]:
        """Start and end of the visual selection."""
        text = self._page.text
        start, end = sorted((self.anchor, self.cursor))
        if self.mode is Mode.LINES:
            return line_start(text, start), line_end(text, end)
        return start, after(text, end) if end < len(text) else end

    def insert(self, at: int) -> None:
        """Insert from now on, without a change that could be repeated."""
        self._keys.clear()
        self.mode = Mode.INSERT
        self.cursor = at
        self._begun = None

    def leave_insert(self, at: int) -> None:
        """Go to normal mode; the cursor of the page is at `at`."""
        text = self._page.text
        if self._begun is not None:
            head, tail = self._begun
            whole = len(text) - len(head) - len(tail)
            kept = whole >= 0 and text.startswith(head) and text.endswith(tail)
            self._inserted = text[len(head) : len(head) + whole] if kept else ""
            times = self._change[0].times if self._change else 1
            repeats = self._change and self._change[0].name in "iaIAoO"
            adds = self._inserted or (self._change and self._change[0].name in "oO")
            if repeats and times > 1 and adds:
                at = self._insert_again(at, times - 1)
            self._begun = None
            self._page.end_change()
        self.mode = Mode.NORMAL
        text = self._page.text
        if at > line_start(text, at):
            at = before(text, at)
        self._go(at)

    def _insert_again(self, at: int, times: int) -> int:
        assert self._change is not None
        more = self._inserted
        if self._change[0].name in "oO":
            more = "\n" + more
        more *= min(times, max(0, (LONGEST - len(self._page.text)) // len(more)))
        self._page.replace(at, at, more)
        return at + len(more)

    def stop(self) -> None:
        """Forget a command that has been begun, and the visual selection."""
        self._keys.clear()
        if self.visual:
            self.mode = Mode.NORMAL
            self._go(self.cursor)

    def sync(self, at: int) -> None:
        """Note that the page has moved the cursor itself."""
        if self.visual:
            self.mode = Mode.NORMAL
        if at != self.cursor:
            self._wanted = None
        self._go(at, keep=True)

    # -- keys

    def press(self, key: str) -> bool:
        """Take a key of normal or visual mode; return whether it means anything.

        A key that has no meaning also ends the command that was begun.
        """
        self._keys.append(key)
        try:
            command = parse(self._keys, visual=self.visual)
        except Wrong:
            self._keys.clear()
            return False
        if command is not None:
            self._keys.clear()
            if self.visual:
                self._run_visual(command)
            else:
                self._run(command)
        return True

    def _run(self, command: Command) -> None:
        if command.name == "." or (target := self._target(command)) is None:
            self._run_other(command)
        else:
            self._move(command, target)

    def _move(self, command: Command, target: Target) -> None:
        text = self._page.text
        if command.name not in ("j", "k"):
            self._wanted = _FAR if command.name == "$" else None
        self._go(min(target.place, len(text)), keep=True)
        if self.mode is Mode.VISUAL and command.name == "$":
            self.cursor = line_end(text, self.cursor)  # with the line break

    def _go(self, at: int, *, keep: bool = False) -> None:
        """Put the cursor on a sign; `keep` the column for `j` and `k`."""
        text = self._page.text
        at = max(0, min(at, len(text)))
        if self.mode is not Mode.INSERT and at > line_start(text, at):
            at = min(at, last_in_line(text, at)) if at == line_end(text, at) else at
            at = sign_at(text, at)
        self.cursor = at
        if not keep:
            self._wanted = None

    # -- motions

    def _target(self, command: Command) -> Target | None:
        """Return where a motion leads, None if it is none or leads nowhere."""
        text, at, count = self._page.text, self.cursor, command.times
        match command.name:
            case "h":
                return motions.left(text, at, count)
            case "l":
                return motions.right(text, at, count)
            case "j" | "k":
                if self._wanted is None:
                    self._wanted = column(text, at)
                steps = count if command.name == "j" else -count
                return motions.vertical(text, at, steps, self._wanted)
            case "w" | "W":
                return motions.word_forward(text, at, count, big=command.name == "W")
            case "b" | "B":
                return motions.word_back(text, at, count, big=command.name == "B")
            case "e" | "E":
                return motions.word_end(text, at, count, big=command.name == "E")
            case "0":
                return Target(line_start(text, at))
            case "^":
                return Target(first_word(text, at))
            case "$":
                return motions.end_of_line(text, at, count)
            case "gg":
                return motions.line_number(text, command.count or 1)
            case "G":
                return motions.line_number(text, command.count)
            case "f" | "F" | "t" | "T":
                self._find = Find(command.name, command.sign)
                return motions.find(text, at, self._find, count, again=False)
            case ";" | ",":
                if self._find is None:
                    return None
                what = self._find
                if command.name == ",":
                    what = what._replace(kind=what.kind.swapcase())
                return motions.find(text, at, what, count, again=True)
            case _:
                return None

    # -- commands

    def _run_other(self, command: Command) -> None:
        name = command.name
        match name:
            case "j" | "k" if command.times == 1:
                place = self._page.recall(1 if name == "j" else -1)
                if place is not None:
                    self._go(place)
            case "u" | "ctrl+r":
                self._undo(command)
            case ".":
                self._repeat(command)
            case "v" | "V":
                self.mode = Mode.VISUAL if name == "v" else Mode.LINES
                self.anchor = self.cursor
            case "y" | "Y":
                motion = command.motion or "y"
                span = self._span(Command("y", command.count, motion, command.sign))
                if span:
                    self._yank(*span)
                    self._go(self._first)
            case "p" | "P":
                self._change_with(command, lambda: self._put(command))
            case "d" | "c" | "x" | "X" | "D" | "C" | "s" | "S":
                self._delete(command)
            case "r" | "~" | "J":
                self._change_with(command, lambda: self._alter(command))
            case "i" | "a" | "I" | "A" | "o" | "O":
                self._begin_insert(command)
            case _:
                pass

    def _undo(self, command: Command) -> None:
        for _ in range(command.times):
            place = self._page.undo() if command.name == "u" else self._page.redo()
            if place is None:
                break
            self._go(place)

    def _change_with(self, command: Command, run: Callable[[], object]) -> None:
        """Run a command that changes the text; `.` repeats it."""
        self._page.begin_change()
        run()
        self._page.end_change()
        if not self._repeating:
            self._change = command, 0
            self._inserted = ""

    def _repeat(self, command: Command) -> None:
        if self._change is None:
            return
        last, length = self._change
        inserted = self._inserted
        if command.count is not None:
            last = msgspec.structs.replace(last, count=command.count)
        self._repeating = True
        self._page.begin_change()
        if length:
            self._again_on(last, length)
        else:
            self._run_other(last)
        if self.mode is Mode.INSERT:
            times = last.times if last.name in "iaIA" else 1
            times = min(times, max(1, LONGEST // max(1, len(inserted))))
            more = inserted * times
            self._page.replace(self.cursor, self.cursor, more)
            at = self.cursor + len(more)
            self._begun = None
            self._page.end_change()  # which inserting has left open
            self.mode = Mode.NORMAL
            text = self._page.text
            self._go(before(text, at) if at > line_start(text, at) else at)
        self._page.end_change()
        self._repeating = False
        self._change = last, length
        self._inserted = inserted

    def _again_on(self, command: Command, length: int) -> None:
        """Repeat a command of visual mode on as many signs or lines."""
        text = self._page.text
        self.anchor = self.cursor
        if length < 0:
            self.mode = Mode.LINES
            for _ in range(-length - 1):
                end = line_end(text, self.cursor)
                self.cursor = min(end + 1, len(text))
        else:
            self.mode = Mode.VISUAL
            end = line_end(text, self.cursor)
            for _ in range(length - 1):
                following = after(text, self.cursor)
                self.cursor = following if following < end else self.cursor
        self._run_visual(command)

    # -- inserting

    def _begin_insert(self, command: Command) -> None:
        text, at = self._page.text, self.cursor
        self._page.begin_change()
        match command.name:
            case "a":
                at = min(after(text, at), line_end(text, at))
            case "I":
                at = line_start(text, at)
                while text[at : at + 1] in (" ", "\t"):
                    at += 1
            case "A":
                at = line_end(text, at)
            case "o":
                at = line_end(text, at)
                self._page.replace(at, at, "\n")
                at += 1
            case "O":
                at = line_start(text, at)
                self._page.replace(at, at, "\n")
            case _:
                pass
        self._insert_at(command, at)

    def _insert_at(self, command: Command, at: int, length: int = 0) -> None:
        self.mode = Mode.INSERT
        self.cursor = at
        text = self._page.text
        self._begun = text[:at], text[at:]
        if not self._repeating:
            self._change = command, length

    # -- deleting and copying

    def _span(self, command: Command) -> tuple[int, int, bool] | None:
        """Return start, end and whether lines, of what an operator takes."""
        text, at = self._page.text, self.cursor
        motion = command.motion
        self._first = at
        if motion == command.name:
            below = motions.vertical(text, at, command.times - 1, 0)
            if below is None and command.times > 1:
                return None
            last = below.place if below else at
            return line_start(text, at), line_end(text, last), True
        if motion[:1] in ("i", "a"):
            around = motion[0] == "a"
            found = objects.find(text, at, motion[1], command.times, around=around)
            self._first = found[0] if found else at
            return (*found, False) if found else None
        as_motion = Command(motion, command.count, sign=command.sign)
        if (
            command.name == "c"
            and motion in ("w", "W")
            and (motions.is_empty_line(text, at))
        ):
            return None
        if command.name == "c" and motion in ("w", "W") and text[at : at + 1].strip():
            target = motions.word_end(
                text, at, command.times, big=motion == "W", stay=True
            )
        elif motion in ("w", "W"):
            target = self._word_end_of_line(as_motion)
        else:
            kept = self._wanted
            target = self._target(as_motion)
            self._wanted = kept
        if target is None:
            return None
        self._first = min(at, target.place)
        return self._between(target)

    def _word_end_of_line(self, command: Command) -> Target | None:
        """Return where `w` leads an operator: not over the end of the last word's line.

        As in vi, `dw` on the last word of a line leaves the line break.
        """
        text, at = self._page.text, self.cursor
        target = self._target(command)
        assert target is not None
        if line_start(text, target.place) > at:
            place = target.place
            # Only blanks between the last word and the target are on other lines.
            while place > at and text[place - 1] in " \t\n":
                place -= 1
                if text[place] == "\n":
                    target = Target(place)
                    if place == at or text[place - 1] == "\n":
                        break
        return target

    def _between(self, target: Target) -> tuple[int, int, bool] | None:
        text = self._page.text
        start, end = sorted((self.cursor, target.place))
        if target.lines:
            return line_start(text, start), line_end(text, end), True
        if target.inclusive:
            end = after(text, end) if end < line_end(text, end) else end
        elif end > start and end == line_start(text, end):
            # An exclusive motion to the start of a line takes the line before only.
            end -= 1
            first = line_start(text, start)
            if not text[first:start].strip(" \t") and line_start(text, end) != first:
                return first, end, True
            if not text[first:start].strip(" \t") and end >= line_end(text, start):
                return first, end, True
        return (start, end, False) if end > start else None

    def _yank(self, start: int, end: int, lines: bool) -> None:
        self.register = Register(self._page.text[start:end], lines)

    def _delete(
        self, command: Command, span: tuple[int, int, bool] | None = None
    ) -> None:
        """Run `d`, `c` and their short forms."""
        short = {
            "x": ("d", "l"),
            "X": ("d", "h"),
            "D": ("d", "$"),
            "C": ("c", "$"),
            "s": ("c", "l"),
            "S": ("c", "c"),
        }
        name, motion = short.get(command.name, (command.name, command.motion))
        full = Command(name, command.count, motion, command.sign)
        span = span or self._span(full)
        text, at = self._page.text, self.cursor
        if span is None:
            inner = motion[:1] == "i" and objects.find(
                text, at, motion[1:], 1, around=False
            )
            empty = motion in ("h", "l", "0", "^") or (
                motion == "$" and full.times == 1
            )
            if motions.is_empty_line(text, at):
                empty = empty or motion in ("w", "W", "iw", "iW")
            empty = empty or (motion in ("e", "E") and at == len(text))
            if name != "c" or not (empty or inner):
                return
            span = (*(inner or (at, at)), False)
        start, end, lines = span
        if name == "d" and motion != "v" and "\n" in text[start:end]:
            # vi takes the lines if nothing but blanks would be left of them.
            blank = not text[line_start(text, start) : start].strip(" \t")
            if blank and not text[end : line_end(text, end)].strip(" \t"):
                start, end, lines = line_start(text, start), line_end(text, end), True
        self._page.begin_change()
        if end > start or lines:
            self._yank(start, end, lines)
        if name == "c":
            self._page.replace(start, end, "")
            self._insert_at(command, start)
            return
        if lines:
            start = self._delete_lines(start, end)
        else:
            self._page.replace(start, end, "")
        self._page.end_change()
        if not self._repeating:
            self._change = command, 0
            self._inserted = ""
        self._go(first_word(self._page.text, start) if lines else start)

    def _delete_lines(self, start: int, end: int) -> int:
        """Delete whole lines with one line break; return where the next line starts."""
        text = self._page.text
        if end < len(text):
            self._page.replace(start, end + 1, "")
        elif start:
            self._page.replace(start - 1, end, "")
            start = line_start(self._page.text, start - 1)
        else:
            self._page.replace(start, end, "")
        return start

    # -- other changes

    def _put(self, command: Command) -> None:
        register, text, at = self.register, self._page.text, self.cursor
        if not register.text and not register.lines:
            return
        size = len(register.text) + 1
        times = min(command.times, max(1, (LONGEST - len(text)) // size))
        if register.lines:
            lines = "\n".join([register.text] * times)
            if command.name == "p":
                at = line_end(text, at)
                self._page.replace(at, at, f"\n{lines}")
                at += 1
            else:
                at = line_start(text, at)
                self._page.replace(at, at, f"{lines}\n")
            self._go(first_word(self._page.text, at))
            return
        if command.name == "p":
            at = min(after(text, at), line_end(text, at))
        put = register.text * times
        self._page.replace(at, at, put)
        if "\n" in put:
            self._go(at)
        else:
            self._go(before(self._page.text, at + len(put)))

    def _alter(self, command: Command) -> None:
        text, at = self._page.text, self.cursor
        end = line_end(text, at)
        match command.name:
            case "r":
                last = motions.right(text, at, command.times).place
                signs = self._signs(at, last)
                if signs < command.times:
                    return
                new = command.sign * signs
                if command.sign == "\n":
                    new = "\n"
                self._page.replace(at, last, new)
                self._go(at + len(new) - (len(command.sign) if new != "\n" else 0))
            case "~":
                last = motions.right(text, at, command.times).place
                self._page.replace(at, last, text[at:last].swapcase())
                self._go(min(at + len(text[at:last].swapcase()), end))
            case _:
                self._join(max(1, command.times - 1))

    def _join(self, times: int) -> None:
        for _ in range(times):
            text = self._page.text
            end = line_end(text, self.cursor)
            if end == len(text):
                return
            start = end + 1
            while text[start : start + 1] in (" ", "\t") and start < len(text):
                start += 1
            blank = text[end - 1 : end] in (" ", "\t") or text[start : start + 1] in (
                ")",
                "\n",
                "",
            )
            empty = end == line_start(text, end)
            self._page.replace(end, start, "" if blank or empty else " ")
            self._go(end)

    def _signs(self, start: int, end: int) -> int:
        text, count = self._page.text, 0
        while start < end:
            start = after(text, start)
            count += 1
        return count

    # -- visual mode

    def _run_visual(self, command: Command) -> None:
        name, text = command.name, self._page.text
        if name[0] in "ia" and len(name) == 2:
            around = name[0] == "a"
            found = objects.find(
                text, self.cursor, name[1], command.times, around=around
            )
            if found and found[1] > found[0]:
                self.mode = Mode.VISUAL
                self.anchor, self.cursor = found[0], before(text, found[1])
            return
        if (target := self._target(command)) is not None:
            self._move(command, target)
            return
        start, end = self.selected
        lines = self.mode is Mode.LINES
        match name:
            case "v" | "V":
                new = Mode.VISUAL if name == "v" else Mode.LINES
                self.mode = Mode.NORMAL if self.mode is new else new
            case "o":
                self.anchor, self.cursor = self.cursor, self.anchor
                self._wanted = None
            case "y" | "Y":
                start, end, lines = self._whole(name, start, end)
                self.mode = Mode.NORMAL
                self._yank(start, end, lines)
                self._go(start)
            case "d" | "x" | "X" | "c" | "s" | "S":
                length = self._length(start, end, lines)
                start, end, lines = self._whole(name, start, end)
                self.mode = Mode.NORMAL
                kind = "c" if name in "csS" else "d"
                self._delete(Command(kind, None, "v"), (start, end, lines))
                if not self._repeating:
                    self._change = command, length
            case "p" | "P" | "r" | "~" | "J" | "u" | "U":
                length = self._length(start, end, lines)
                self.mode = Mode.NORMAL
                self._change_with(
                    command, lambda: self._alter_span(command, start, end, lines)
                )
                if not self._repeating:
                    self._change = command, length
            case _:
                pass

    def _whole(self, name: str, start: int, end: int) -> tuple[int, int, bool]:
        lines = self.mode is Mode.LINES or name in "YXS"
        text = self._page.text
        if lines:
            last = end if self.mode is Mode.LINES else before(text, end)
            return line_start(text, start), line_end(text, last), True
        return start, end, False

    def _length(self, start: int, end: int, lines: bool) -> int:
        if lines:
            return -(self._page.text.count("\n", start, end) + 1)
        return self._signs(start, end)

    def _alter_span(self, command: Command, start: int, end: int, lines: bool) -> None:
        text = self._page.text
        piece = text[start:end]
        match command.name:
            case "p" | "P":
                new = self.register
                if command.name == "p":
                    self._yank(start, end, lines)
                put = f"\n{new.text}\n" if new.lines and not lines else new.text
                self._page.replace(start, end, put)
                at = start + (new.lines and not lines)
                if new.lines or lines:
                    self._go(first_word(self._page.text, at))
                elif put:
                    self._go(before(self._page.text, start + len(put)))
                else:
                    self._go(start)
            case "r":
                signs: list[str] = []
                at = start
                while at < end:
                    following = after(text, at)
                    signs.append("\n" if text[at] == "\n" else command.sign)
                    at = following
                self._page.replace(start, end, "".join(signs))
                self._go(start)
            case "J":
                self._go(start)
                self._join(max(1, piece.rstrip("\n").count("\n")))
            case _:
                change = {"~": str.swapcase, "u": str.lower, "U": str.upper}
                self._page.replace(start, end, change[command.name](piece))
                self._go(start)
