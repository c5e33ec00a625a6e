"""Tells a paste without markers from typed messages by its speed.

Some terminals (and some multiplexers between) send a paste as if it were typed, each
line end as Enter. What tells it is that it comes at once:

- Enter with text right before and right after it, all in one burst, is a line end;
  then the whole burst is a paste, its last Enter too, and nothing is sent.
- A slash command in the first line, or behind a single line, was typed: `/quit` after
  a question is.
- Enter at the end of a burst of one line is Enter, and so is Enter at its beginning,
  if nothing goes on before or after it within `SPLIT`: a link may cut a paste anywhere,
  at a line end too. Enter after keys that came one by one does not wait.
- Other keys (Esc, arrows, Backspace, Ctrl with a letter) end what may be a paste.

One who types over a link that stalls may be taken for one who pastes: then the lines
stand in the composer, and Enter sends them. The other way round they would be sent.

Times are seconds of a monotonic clock, and are given, so that this needs no clock.
A pause is one only as far as `tick` has told of it: what a busy program reads late may
have come early.
"""

import re
from collections.abc import Iterator
from math import inf

from tui.app.terminal.paste import Pasted

GAP = 0.01
"""Seconds between two characters of one burst, at most; keys repeat after 0.03."""
SPLIT = 0.055
"""Seconds between two reads of one burst of which one has several characters."""
AFTER = 0.3
"""Seconds after a paste within which a further burst is more of it."""

_LINE = 256  # characters of a line that are remembered to know a command by

# Text with its line ends, and colours, which no key sends.
_RUN = r"(?:[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\x1b\[[\d;:]*m)+"
_KEY = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?|."
_PART = re.compile(f"(?P<run>{_RUN})|(?:{_KEY})", re.DOTALL)
_LINES = re.compile(r"[^\r\n]\r+\n?\r*[^\r]")
_SLASH = r"/[a-z]+(?: [^\r\n]*)?\r+"
_COMMAND = re.compile(_SLASH)
_LINE_AND_COMMAND = re.compile(rf"[^\r\n]+\r{_SLASH}")
_ENTERS = re.compile(r"\r*")
# But `CSI 1 ; 2 R` and the like, which are keys.
_REPORT = re.compile(r"\x1b\[(?!1;(?:[2-9]|1[0-6])R)\d+;\d+R")


class Bursts:
    """Finds pastes in what is typed."""

    def __init__(self) -> None:
        self._held = ""
        """A line with its Enter, for as long as more of the burst may come."""
        self._before = ""
        """The text of the line that came last, or came before what is held."""
        self._text_came = -inf
        """When that came, if there was nothing behind it."""
        self._pasted = -inf
        """When what came last was part of a paste."""
        self._quiet = -inf
        """Until when it is known that nothing more had come."""
        self.due = inf
        """When `tick` has something to do."""

    def feed(self, text: str, now: float) -> Iterator[str | Pasted]:
        """Divide what has come at `now`; Enter that may be a line end waits."""
        if "\x1b" in text and ("\r" in text or self.due < inf):
            # The answers of the terminal may stand anywhere in between.
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
        """Hand on the Enter after which nothing has come by `now`."""
        self._quiet = now
        if self._held and now >= self.due:
            yield from self.end()
        elif now >= self.due:
            self._wait(inf)

    def end(self) -> Iterator[str]:
        """Hand on what waits: what comes next is something else."""
        held, self._held = self._held, ""
        self._text_came, self._before = -inf, ""
        self._wait(inf)
        if held:
            yield held

    def _wait(self, due: float) -> None:
        """Have `tick` called when something held is due, or when a pause is one."""
        ends = (self._text_came + GAP, self._text_came + SPLIT)
        ends = (*ends, self._pasted + SPLIT, self._pasted + AFTER)
        # A little later, as a pause that has just ended is none yet.
        self.due = min((end + 1e-4 for end in ends if end >= self._quiet), default=due)
        if self._held:
            self.due = due

    def _run(
        self, run: str, now: float, before: str, last: bool
    ) -> Iterator[str | Pasted]:
        """Divide text with its line ends; `before` is the text right before it.

        `last` tells that nothing has come behind it.
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
