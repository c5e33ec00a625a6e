"""Finds the end of reasoning whose beginning was not in the stream.

Templates of models that always think (R1, QwQ, Qwen3-Thinking) write the opening mark
themselves, so what such a model writes begins within its thoughts. A server without a
parser for them sends `thoughts</think>answer`, and until the mark comes nothing tells
the thoughts from an answer. An answer that only mentions the mark stays an answer.
"""

import re
from typing import NamedTuple

from tui.models.gate.markdown import Markdown
from tui.models.gate.patterns import cut, spellings

_MARKS = {
    "</think>": "<think>",
    "</thinking>": "<thinking>",
    "</thought>": "<thought>",
    "</reasoning>": "<reasoning>",
    "</mm:think>": "<mm:think>",
    "</seed:think>": "<seed:think>",
    "</longcat_think>": "<longcat_think>",
    "[/THINK]": "[THINK]",
    "<|END_THINKING|>": "<|START_THINKING|>",
    "◁/think▷": "◁think▷",
    "<|end_of_thought|>": "<|begin_of_thought|>",
}
MARKS = tuple((opener, close) for close, opener in _MARKS.items())
"""What opens reasoning and what closes it, in whatever family."""
OPENERS = tuple(each for opener in _MARKS.values() for each in spellings(opener))
_OPENED = {each: spellings(_MARKS[c]) for c in _MARKS for each in spellings(c)}
"""What may have opened the reasoning that a mark closes."""
CLOSERS = tuple(_OPENED)
_FIRST = frozenset(close[0] for close in CLOSERS)
FIRST = _FIRST | {opener[0] for opener in OPENERS}
"""With one of these, every mark begins."""
_MARK = re.compile("|".join(map(re.escape, CLOSERS)))
_CUT = re.compile(cut(CLOSERS))
"""A mark that the end of the text cuts off."""

_TAIL = re.compile(rf"(?:{_MARK.pattern})\s*\Z|{_CUT.pattern}")
"""A mark at the end of the text, or what may become one."""

ENDED = re.compile(r"[.!?…。！？)\]}）」』”\"'*`]\s*\Z")
"""How a thought ends before the mark; after a word, the mark is part of a sentence."""
GOES_ON = re.compile(r"[ \t]*[,.;:!?)\]}…，。；：！？、）」』”’»]|[ \t]+[^\W\d_A-Z]")
"""How a sentence goes on after a mark that it mentions."""
_LISTED = " \t>*-+#"
"""What a line may begin with that says nothing yet."""


class Split(NamedTuple):
    """What a piece of text turned out to be."""

    before: str
    """Goes on as it was."""
    closed: bool
    """Whether it ends with a mark, so that all text so far was reasoning."""
    after: str


class Marks:
    """Drops the marks around reasoning that a server has already separated."""

    def __init__(self) -> None:
        self._begins = True
        self.held = ""
        """What is held back."""

    def feed(self, text: str) -> str:
        """Take a piece of reasoning; return what is shown of it now."""
        text, self.held = self.held + text, ""
        if self._begins:
            start = text.lstrip()
            if any(len(start) < len(o) and o.startswith(start) for o in OPENERS):
                self.held = text
                return ""
            self._begins = False
            opener = next((o for o in OPENERS if start.startswith(o)), "")
            text = start[len(opener) :] if opener else text
        if _FIRST.isdisjoint(text):
            return text
        found = _TAIL.search(text)
        if found:
            text, self.held = text[: found.start()], text[found.start() :]
        return text

    def finish(self) -> str:
        """Take the end of the reasoning; return the held text unless it is a mark."""
        held, self.held, self._begins = self.held, "", True
        return "" if _MARK.match(held) else held


class OrphanClose:
    """Watches the text of one message. Text that may become a mark is held back."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._held = ""
        self._watches = True

    @property
    def holds(self) -> bool:
        """Whether text is held back."""
        return bool(self._held)

    def note(self, text: str) -> None:
        """Take text that has none of `FIRST`, and goes on as it is."""
        if self._watches:
            self._said.append(text)

    def feed(self, text: str) -> Split:
        """Take a piece of text."""
        if not self._watches:
            return Split(text, False, "")
        if not self._held and _FIRST.isdisjoint(text):
            self._said.append(text)
            return Split(text, False, "")
        text, self._held = self._held + text, ""
        return self._split(text)

    def stop(self, end: bool = False) -> Split:
        """Stop watching: reasoning, a call, or the `end` of the message has arrived.

        Returns what was held back.
        """
        if not self._watches:
            return Split("", False, "")
        held, self._held = self._held, ""
        split = self._split(held, final=True, end=end)
        self._watches = False
        self._said.clear()
        return split

    def _split(self, text: str, final: bool = False, end: bool = False) -> Split:
        at = 0
        while found := _MARK.search(text, at):
            before, after = text[: found.start()], text[found.end() :]
            orphan = self._is_orphan(before, found[0], after, final)
            if orphan and end and not after.strip() and self._is_named(before):
                # A message that has nothing but thoughts rather names the mark.
                orphan = False
            if orphan:
                self._said.clear()  # the mark may come twice
                return Split(before, True, after)
            if orphan is None:
                self._held = text[found.start() :]
                self._said.append(before)
                return Split(before, False, "")
            at = found.end()
        cut = None if final else _CUT.search(text, at)
        if cut:
            text, self._held = text[: cut.start()], text[cut.start() :]
        self._said.append(text)
        return Split(text, False, "")

    def _is_named(self, before: str) -> bool:
        """Whether a mark that nothing follows ends a sentence."""
        line = "".join([*self._said, before]).rpartition("\n")[2]
        return bool(line.strip(_LISTED)) and not ENDED.search(line)

    def _is_orphan(
        self, before: str, mark: str, after: str, final: bool
    ) -> bool | None:
        """Whether nothing has opened what the mark closes, and nothing mentions it.

        None while the text behind it decides.
        """
        said = "".join([*self._said, before])
        if any(opener in said for opener in _OPENED[mark]):
            return False
        markdown = Markdown()
        markdown.feed(said)
        if markdown.quotes() and not (said.endswith("`") and not markdown.in_fence):
            return False
        line = said.rpartition("\n")[2]
        begins = not line.strip(_LISTED)
        if not begins:
            closed = [quoting.closes(after, final) for quoting in markdown.marks()]
            if any(closed):
                return False
            if None in closed:
                return None
        rest = after.lstrip(" \t")
        if not rest or rest[0] in "\r\n":
            return True if rest or final else None
        if GOES_ON.match(after):
            return False
        apart = line[-1:] in (" ", "\t") and after[0] in " \t"
        return begins or not apart or bool(ENDED.search(line))
