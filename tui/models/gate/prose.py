"""Remembers prose that passed, and whether its last line is plainly not quoted.

To ask `Markdown` about every character that may begin a marker would cost more than
all else, and nearly all prose has neither fences nor back-ticks.
"""

from tui.models.gate.markdown import Markdown


class PassedProse:
    """Prose that was emitted and that nothing has needed to look at yet."""

    __slots__ = ("_at_line", "_new", "_plain_line", "_seen", "_unfenced", "add")

    def __init__(self) -> None:
        self._seen: list[str] = []
        """What `is_unquoted` has looked at."""
        self._new: list[str] = []
        self.add = self._new.append
        self._unfenced = False
        """Whether no fence is open at the end of what was seen."""
        self._plain_line = False
        """Whether nothing quotes the line in which that ends."""
        self._at_line = False
        """Whether it ends where a line begins."""

    def last(self) -> str:
        """Return the last character, "" where nothing has passed since `take`."""
        text = self._new or self._seen
        return text[-1][-1] if text else ""

    def is_unquoted(self) -> bool:
        """Whether Markdown plainly quotes nothing here; False also means unknown."""
        if not self._unfenced:
            return False
        if not self._new:
            return self._plain_line
        new = "".join(self._new)
        self._new.clear()
        self._seen.append(new)
        if "`" in new or "~" in new:
            self._unfenced = False
            return False
        begin = new.rfind("\n") + 1
        if begin or self._at_line:
            first = new[begin : begin + 1]
            self._at_line = not first
            self._plain_line = not first or first.isalpha()
        return self._plain_line

    def take(self) -> str:
        """Return the prose and forget it, but not what is known about its end."""
        self.is_unquoted()
        text = "".join(self._seen) + "".join(self._new)
        self._seen.clear()
        self._new.clear()
        return text

    def learn(self, markdown: Markdown) -> None:
        """Take over what `markdown` knows, once it has been asked `quotes`."""
        self._unfenced = not markdown.in_fence
        self._plain_line = markdown.in_prose
        self._at_line = False

    def doubt(self) -> None:
        """Forget what is known: something other than prose comes."""
        self._unfenced = False
