"""Remembers prose that passed, and whether Markdown quotes what follows it.

Asking `Markdown` about every character that may begin a marker would cost more than
everything else. Most lines need no such look: those in a fence, and those of prose.
"""

from tui.models.gate.markdown import RUNS, Markdown, begins_prose


class PassedProse:
    """Prose that was emitted and that nothing has needed to look at yet."""

    __slots__ = (
        "_at_line",
        "_fenced",
        "_known",
        "_new",
        "_prose",
        "_seen",
        "_tick",
        "add",
    )

    def __init__(self) -> None:
        self._seen: list[str] = []
        """What `quoted` has looked at."""
        self._new: list[str] = []
        self.add = self._new.append
        self._known = False
        """Whether anything is known about the end of what was seen."""
        self._fenced = False
        """Whether it is in a fence."""
        self._prose = False
        """Whether only a back-tick can quote the rest of the line in which it ends."""
        self._at_line = False
        """Whether it ends where a line begins."""
        self._tick = False
        """Whether it ends in a back-tick."""

    def last(self) -> str:
        """Return the last character, "" where nothing has passed since `take`."""
        text = self._new or self._seen
        return text[-1][-1] if text else ""

    def quoted(self) -> bool | None:
        """Return whether what comes next is quoted, None where Markdown must say."""
        self._look()
        if not self._known:
            return None
        if self._fenced:
            return True
        return self._tick if self._prose else None

    @property
    def goes_on(self) -> bool:
        """Whether it ends in a line of prose, as of `quoted`."""
        return self._known and self._prose and not (self._fenced or self._at_line)

    def _look(self) -> None:
        if not self._new:
            return
        new = "".join(self._new)
        self._new.clear()
        self._seen.append(new)
        self._tick = new[-1] == "`"
        if not self._known:
            return
        if ("`" in new or "~" in new) and self._may_hold_run(new):
            self._known = False
            return
        begin = new.rfind("\n") + 1
        if begin or self._at_line:
            first = new[begin : begin + 1]
            self._at_line = not first
            self._prose = begins_prose(first)

    def _may_hold_run(self, new: str) -> bool:
        """Whether the new text has what may open or close a fence."""
        return new[0] in "`~" or any(run in new for run in RUNS)

    def take(self) -> str:
        """Return the prose and forget it, but not what is known about its end."""
        self._look()
        text = "".join(self._seen)
        self._seen.clear()
        return text

    def learn(self, markdown: Markdown) -> None:
        """Take over what `markdown` knows, once it has been asked `quotes`."""
        self._known = not markdown.in_doubt
        self._fenced = markdown.in_fence
        self._prose = markdown.in_prose
        self._at_line = not markdown.line
        self._tick = markdown.line[-1:] == "`"

    def doubt(self) -> None:
        """Forget what is known: something other than prose comes."""
        self._known = False
