"""Finds the end of reasoning whose beginning was not in the stream.

Templates of models that always think (R1, QwQ, Qwen3-Thinking) write the opening mark
themselves, so what such a model writes begins within its thoughts. A server without a
parser for them sends `thoughts</think>answer`, and until the mark comes nothing tells
the thoughts from an answer.
"""

from typing import NamedTuple

from tui.models.gate.markdown import Markdown

_MARKS = {
    "</think>": "<think>",
    "</thinking>": "<thinking>",
    "</thought>": "<thought>",
    "</seed:think>": "<seed:think>",
    "[/THINK]": "[THINK]",
    "<|END_THINKING|>": "<|START_THINKING|>",
    "◁/think▷": "◁think▷",
}
OPENERS = tuple(_MARKS.values())
CLOSERS = tuple(_MARKS)
_FIRST = frozenset(close[0] for close in _MARKS)
_LONGEST = max(map(len, _MARKS))


class Split(NamedTuple):
    """What a piece of text turned out to be."""

    before: str
    """Goes on as it was."""
    closed: bool
    """Whether it ends with a mark, so that all text so far was reasoning."""
    after: str


class OrphanClose:
    """Watches the text of one message. Text that may become a mark is held back."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._held = ""
        self._watches = True

    def feed(self, text: str) -> Split:
        """Take a piece of text."""
        if not self._watches:
            return Split(text, False, "")
        if self._held:
            text, self._held = self._held + text, ""
        elif _FIRST.isdisjoint(text):
            self._said.append(text)
            return Split(text, False, "")
        for close, opener in _MARKS.items():
            at = text.find(close)
            if at >= 0 and self._is_orphan(text[:at], opener):
                self._watches = False
                return Split(text[:at], True, text[at + len(close) :])
        cut = _begun(text)
        self._held, text = text[cut:], text[:cut]
        self._said.append(text)
        return Split(text, False, "")

    def stop(self) -> str:
        """Watch no longer: reasoning or a call has come. Return what was held back."""
        held, self._held, self._watches = self._held, "", False
        self._said.clear()
        return held

    def _is_orphan(self, before: str, opener: str) -> bool:
        """Whether nothing has opened what a mark closes, and nothing quotes it."""
        said = "".join([*self._said, before])
        if opener in said or said.rpartition("\n")[2].count("`") % 2:
            return False
        markdown = Markdown()
        markdown.feed(said)
        return not markdown.quotes()


def _begun(text: str) -> int:
    """Return where a mark may begin that the end of a text cuts off."""
    for at in range(max(0, len(text) - _LONGEST + 1), len(text)):
        if text[at] in _FIRST and any(c.startswith(text[at:]) for c in _MARKS):
            return at
    return len(text)
