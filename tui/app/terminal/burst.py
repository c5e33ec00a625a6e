"""Distinguishes a paste without markers from typed messages by its speed.

Some terminals and multiplexers send a paste as if it were typed, with each line end as
Enter. Such a paste arrives in bursts:

- Enter with text directly before and after it in one burst is a line end. Then the
  whole burst is a paste, including its last Enter, and no message is sent.
- A slash command in the first line, or after a single line, was typed: for example
  `/quit` after a question.
- Enter at the end of a one-line burst is the key, and so is Enter at the beginning, if
  no text precedes or follows it within `SPLIT`: a link may cut a paste anywhere, even
  at a line end. Enter after keys that came one by one is not delayed.
- Other keys (Esc, arrows, Backspace, Ctrl with a letter) end a possible paste.

Typing over a link that stalls may look like a paste. The lines are then in the
composer, and Enter sends them. The opposite mistake would send a paste as messages.

Times are seconds of a monotonic clock. Callers pass them in, so this module reads no
clock. A pause counts only once `tick` has reported it: input that a busy program reads
late may have arrived early.
"""

import re
from collections.abc import Iterator
from math import inf

from tui.app.terminal.paste import Pasted

GAP = 0.01
"""The most seconds between two characters of one burst; keys repeat after 0.03."""
SPLIT = 0.055
"""The most seconds between two reads of a burst if one read has several characters."""
AFTER = 0.3
"""Seconds after a paste within which another burst continues the paste."""

_LINE = 256  # characters of a line to remember, to recognise a command

# Text with line ends and colour sequences; no key sends a colour sequence.
_RUN = r"(?:[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\x1b\[[\d;:]*m)+"
_KEY = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?|."
_PART = re.compile(f"(?P<run>{_RUN})|(?:{_KEY})", re.DOTALL)
_LINES = re.compile(r"[^\r\n]\r+\n?\r*[^\r]")
_SLASH = r"/[a-z][\w:.-]*(?: [^\r\n]*)?\r+"
_COMMAND = re.compile(_SLASH)
_LINE_AND_COMMAND = re.compile(rf"[^\r\n]+\r{_SLASH}")
_ENTERS = re.compile(r"\r*")
# A cursor position report, except `CSI 1 ; 2 R` and the like, which are keys.
_REPORT = re.compile(r"\x1b\[(?!1;(?:[2-9]|1[0-6])R)\d+;\d+R")


class Bursts:
    """Finds pastes in typed text."""

    def __init__(self) -> None:
        self._held = ""
        """A line with its Enter, held back while more of the burst may come."""
        self._before = ""
        """The text of the last line, or of the line before the held one."""
        self._text_came = -inf
        """When that text came, if nothing followed it in the same read."""
        self._pasted = -inf
        """When the last input came, if it was part of a paste."""
        self._quiet = -inf
        """The time until which no further input is known to have arrived."""
        self.due = inf
        """When to call `tick`."""

    @property
    def held(self) -> str:
        """The line that is held back."""
        return self._held

    def feed(self, text: str, now: float) -> Iterator[str | Pasted]:
        """Split `text`, read at `now`; hold back an Enter that may be a line end."""
        if "\x1b" in text and ("\r" in text or self.due < inf):
            # Answers of the terminal may come anywhere within a paste.
            yield from _REPORT.findall(text)
            text = _REPORT.sub("", text)
        if not text:
            return
        burst = len(text) > 1 or len(self._before) > 1
        near = self._quiet - self._text_came <= (SPLIT if burst else GAP)
        before = self._before if self._held or near else ""
        text, self._held = self._held + text, ""
        self._text_came, self._before = -inf, ""
        for found in _PART.finditer(text):
            start, end = found.span()
            if found["run"]:
                before = "" if start else before
                yield from self._run(found[0], now, before, end == len(text))
            else:
                yield found[0]
        self._quiet = now
        self._wait(now + SPLIT if self._held else inf)

    def tick(self, now: float) -> Iterator[str]:
        """Yield the held line if no more input has arrived by `now`."""
        self._quiet = now
        if self._held and now >= self.due:
            yield from self.end()
        elif now >= self.due:
            self._wait(inf)

    def end(self) -> Iterator[str]:
        """Yield the held line, because the next input does not belong to it."""
        held, self._held = self._held, ""
        self._text_came, self._before = -inf, ""
        self._wait(inf)
        if held:
            yield held

    def _wait(self, due: float) -> None:
        """Set `due` to the end of the hold, or to the end of the next pause."""
        ends = (self._text_came + GAP, self._text_came + SPLIT)
        ends = (*ends, self._pasted + SPLIT, self._pasted + AFTER)
        # A little later: exactly at its end, a pause does not count yet.
        self.due = min((end + 1e-4 for end in ends if end >= self._quiet), default=due)
        if self._held:
            self.due = due

    def _run(
        self, run: str, now: float, before: str, last: bool
    ) -> Iterator[str | Pasted]:
        """Split text with line ends; `before` is the text directly before it.

        `last` means that nothing followed the text in the same read.
        """
        pause = self._quiet - self._pasted
        pasting = pause <= (SPLIT if len(run) == 1 else AFTER)
        whole = before + run
        command = None if pasting else _COMMAND.match(whole)
        if command and len(before) < command.end() < len(whole):
            yield run[: command.end() - len(before)]
            before, run = "", whole[command.end() :]
            whole = run
        lines = _LINES.search(whole) and not _LINE_AND_COMMAND.fullmatch(whole)
        if pasting or lines:
            found = None if pasting or before else _ENTERS.match(run)
            enters = found.end() if found else 0
            if enters:
                yield run[:enters]
            yield Pasted(run[enters:])
            self._pasted = now if last else -inf
        elif last and run[-1] == "\r" and len(whole) > 1:
            self._held, self._before = run, before
        else:
            yield run
            if last and run[-1] != "\r":
                self._text_came = now
                self._before = whole[whole.rfind("\r") + 1 :][-_LINE:]
