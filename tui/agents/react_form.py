"""Splits what a model writes in the form of ReAct into thoughts, calls and the answer.

A mark counts at the start of a line, outside code. Text is let out as it comes; only
a line that may begin with a mark is held back, and an action until it is read. What
turns out to be no action is text.
"""

import re
from collections.abc import Mapping

from tui.agents.react_action import Action, Actions, Head, read_head
from tui.messages import ToolSchema
from tui.models.gate import Call, CallOpened, Piece, Reasoning, Text
from tui.models.gate.markdown import Markdown

_FENCE = re.compile(r"```\w*[ \t]*\n")
_CUT_FENCE = re.compile(r"`{0,2}\Z|```\w*[ \t]*\Z")
_DECIDES = re.compile(r"[\n:：`{}\[\]()]")
"""What of a text may decide about an action that is held back."""


class Form:
    """Splits one message; `feed` and `finish` are as those of `Gate`."""

    def __init__(
        self, tools: Mapping[str, ToolSchema], thinks_first: bool = True
    ) -> None:
        """Set the tools. With `thinks_first` a text without a mark is a thought."""
        self._tools = tools
        self._thinks_first = thinks_first
        self._thinks = thinks_first
        self.ended = False
        """Whether what follows is not part of the message: a call has been written, or
        a result made up."""
        self.formal = False
        """Whether the model writes in the form."""
        self.taken: list[str] = []
        """What was written, up to that end."""
        self._held = ""
        self._more: list[str] = []
        """Text after `_held` that decides nothing."""
        self._in_line = False
        self._blank = True
        """Whether only white space has arrived."""
        self._trims = False
        self._doubt: list[tuple[str, str]] | None = None
        """Thoughts in an odd notation, as text and as thoughts; an answer may begin so,
        unless a call or a marked answer follows."""
        self._markdown = Markdown()
        self._actions: Actions | None = None
        self._opened = False
        self._out: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of the stream, of any length."""
        return self._take(text, final=False)

    def finish(self) -> list[Piece]:
        """End the stream and return what was held back."""
        out = self._take("", final=True)
        if self._doubt:
            out += [Text(raw) for raw, _ in self._doubt]
            self._doubt = None
        return out

    def call_came(self) -> list[Piece]:
        """Note a call that the model's server reports as structured.

        The text before it is a thought, and its mark in the text no longer announces a
        call.
        """
        self._out = []
        self._confirm()
        head = read_head(self._held, True)
        if isinstance(head, Head) and head.kind == "action":
            rest = self._held[head.end :] + "".join(self._more)
            if not rest.strip(" \t\n`*json"):
                self._held = ""
                self._more.clear()
        return self._out

    def _take(self, text: str, final: bool) -> list[Piece]:
        self._out = []
        if self.ended:
            return self._out
        waits = self._actions is not None and len(self._held) > 1
        if waits and not final and not _DECIDES.search(text):
            self._more.append(text)
            return self._out
        self._held += "".join([*self._more, text])
        self._more.clear()
        while self._held and not self.ended and self._step(final):
            pass
        return self._out

    def _step(self, final: bool) -> bool:
        """Take a part of what is held back; return False to wait for more."""
        if self._in_line:
            self._pass_line()
            return True
        if self._markdown_is_code():
            self._in_line = True
            return True
        fenced = self._fenced(final)
        if fenced is not None:
            return fenced
        head = read_head(self._held, final)
        if head is True:
            return False
        if not isinstance(head, Head) or not self._counts(head):
            self._in_line = True
            return True
        match head.kind:
            case "action":
                return self._act(head, final)
            case "thought":
                self._think(head)
            case "answer":
                self._consume(head.end)
                self._answers()
            case _:
                self._confirm()
                self.ended = True
        return True

    def _counts(self, head: Head) -> bool:
        """Whether a mark means what it says; an odd one may stand in an answer."""
        begins = self._blank or self.formal or self._doubt is not None
        match head.kind:
            case "action":
                return True
            case "thought":
                return head.plain or begins
            case "answer":
                return head.plain or begins or self._thinks
            case "observation":
                return (
                    self.formal
                    or self._doubt is not None
                    or (self._blank and self._thinks_first)
                )
            case _:
                return False

    # -- parts

    def _think(self, head: Head) -> None:
        raw = self._consume(head.end)
        odd = not head.plain and not self._thinks_first and not self.formal
        if odd:
            self._doubt = self._doubt or []
            self._doubt.append((raw, ""))
        else:
            self.formal = True
            self._thinks = True
        self._begin()

    def _answers(self) -> None:
        self._confirm()
        self.formal = True
        self._thinks = False
        self._begin()

    def _begin(self) -> None:
        """Begin a part after a mark."""
        self._markdown = Markdown()
        self._trims = True
        self._in_line = True

    def _act(self, head: Head, final: bool) -> bool:
        """Read an action; return False to wait for more of it."""
        self._actions = self._actions or Actions(self._tools)
        read = self._actions.read(self._held[head.end :], final)
        if read is True:
            if self._actions.sure and not self._opened:
                self._confirm()
                self._opened = True
                self._out.append(CallOpened())
            return False
        self._actions = None
        if not isinstance(read, Action):
            if self._blank or self._doubt is not None:
                self.formal = self.formal or head.plain
            self._in_line = True
            return True
        self._consume(head.end + read.end)
        self._do(read)
        return True

    def _do(self, action: Action) -> None:
        if action.answer is not None:
            self._answers()
            self._emit(action.answer)
            self._in_line = True
            return
        self._confirm()
        if not self._opened:
            self._out.append(CallOpened())
        arguments = action.arguments
        self._out.append(Call(action.name, arguments))  # pyright: ignore
        self.ended = True

    def _fenced(self, final: bool) -> bool | None:
        """Take an action in a code fence that is all of the message, or of its rest.

        None if there is none here; otherwise as `_step`.
        """
        if not (self._blank or (self.formal and self._thinks)):
            return None
        fence = _FENCE.match(self._held)
        if fence is None:
            cut = _CUT_FENCE.match(self._held)
            return False if cut and not final else None
        within = self._held[fence.end() :]
        head = read_head(within, final)
        if head is True:
            return False
        if not isinstance(head, Head) or head.kind not in ("thought", "action"):
            return None
        if not final:
            return False
        at = fence.end()
        while isinstance(head, Head) or head is None:
            if isinstance(head, Head) and head.kind == "action":
                break
            at = self._held.find("\n", at) + 1
            if not at:
                return None
            head = read_head(self._held[at:], True)
        assert isinstance(head, Head)
        begin = at + head.end
        read = Actions(self._tools).read(self._held[begin:].rstrip("`\n "), True)
        if not isinstance(read, Action):
            return None
        if self._held[begin + read.end :].strip() not in ("", "```"):
            return None
        self._consume(len(self._held))
        self._do(read)
        return True

    # -- what comes out

    def _consume(self, length: int) -> str:
        raw, self._held = self._held[:length], self._held[length:]
        self.taken.append(raw)
        return raw

    def _pass_line(self) -> None:
        """Let the rest of a line out, as far as it has arrived."""
        end = self._held.find("\n") + 1 or len(self._held)
        raw = self._consume(end)
        self._in_line = not raw.endswith("\n")
        self._markdown.feed(raw)
        self._emit(raw)

    def _emit(self, raw: str) -> None:
        text = raw.lstrip() if self._trims else raw
        if text:
            self._trims = False
        if not text.isspace() and text:
            self._blank = False
        if self._doubt is not None:
            self._doubt.append((raw, text))
        elif text:
            self._out.append(Reasoning(text) if self._thinks else Text(text))

    def _confirm(self) -> None:
        """Take it that the model writes in the form."""
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            self.formal = True
            if thought := "".join(text for _, text in doubt):
                self._out.append(Reasoning(thought))

    def _markdown_is_code(self) -> bool:
        self._markdown.quotes()
        return self._markdown.in_fence
