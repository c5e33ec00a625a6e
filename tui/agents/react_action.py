"""Parses a ReAct action, in whatever notation a model writes it.

Small models set the marks in bold, back-ticks or lists, number them, and write the
arguments in brackets after the tool's name, in a code fence, or everything as one
JSON object.

The file is long because it is one grammar: any notation may follow any other.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from tui.agents.arguments import read_arguments
from tui.messages import ToolSchema
from tui.models.gate.patterns import Alt, Atoms, Lit, Opt, Run, part, whole
from tui.nearly_json import read_object

_KINDS = {
    "thought": "thought",
    "action": "action",
    "action input": "input",
    "action_input": "input",
    "actioninput": "input",
    "observation": "observation",
    "final answer": "answer",
    "final_answer": "answer",
}
_INPUTS = ("input", "tool input", "arguments", "argument", "args", "parameters")
"""What else models write before the arguments, below an action."""
_COLON = Run("[:：]", 1, 1)


def _atoms(*words: str) -> Atoms:
    number = (Run("[ \t]", 0, 3), Run(r"\d", 1, 3))
    listed = Alt(((Run("[-*]", 1, 1),), (Run(r"\d", 1, 2), Run("[.)]", 1, 1))))
    return (
        Run(" ", 0, 3),  # more of them are code
        Opt((listed, Run("[ \t]", 1, 4))),
        Opt((Run("[*#`_]", 1, 6), Run(" ", 0, 2), Run("[*`_]", 0, 3))),
        Alt(tuple((Lit(word),) for word in words)),
        Opt(number),
        Run(r"[*`_ \t]", 0, 6),
    )


_MARKS = _atoms(*sorted(_KINDS, key=len, reverse=True))
_BELOW = _atoms(*sorted((*_KINDS, *_INPUTS), key=len, reverse=True))
_HEAD = re.compile(whole((*_MARKS, _COLON)), re.IGNORECASE)
_TITLE = re.compile(whole(_MARKS) + r"\n", re.IGNORECASE)
_CUT = re.compile(part((*_MARKS, _COLON)), re.IGNORECASE)
_HEAD_BELOW = re.compile(whole((*_BELOW, _COLON)), re.IGNORECASE)
_CUT_BELOW = re.compile(part((*_BELOW, _COLON)), re.IGNORECASE)
_WORD = re.compile(r"(?:[^\W\d_]|(?<=[^\W\d_])[_ ](?=[^\W\d_]))+")
_CLOSE = re.compile(r"[*`_]{0,3}")
_ANY = re.compile(rf"^{whole((*_MARKS, _COLON))}", re.IGNORECASE | re.MULTILINE)
"""A mark at the start of any line."""


Waits = Literal[True]
"""Returned where more text is needed to decide."""


class Head(NamedTuple):
    """A mark at the start of a line."""

    kind: str
    """thought, action, input, observation or answer."""
    end: int
    """Where what it announces begins."""
    plain: bool
    """It is written as the form has it."""


def read_head(text: str, final: bool, below: bool = False) -> Head | Waits | None:
    """Return the mark that a line begins with; None for none, True to wait for more.

    `below` an action, other words announce the arguments. `final`: nothing follows.
    """
    found = (_HEAD_BELOW if below else _HEAD).match(text)
    if found is None:
        if title := _TITLE.match(text):
            kind = _kind(title[0])
            # Only the answer may have a title of its own.
            titled = kind == "answer" and title[0].strip()[:1] in "#*_"
            return Head(kind, title.end(), False) if titled else None
        cut = (_CUT_BELOW if below else _CUT).match(text)
        return True if cut and cut.end() == len(text) and not final else None
    mark = found[0]
    kind = _kind(mark)
    end = found.end()
    word = _word(mark)
    before, _, behind = mark.partition(word)
    if any(c in "*`_" for c in before) and not any(c in "*`_" for c in behind):
        closed = _CLOSE.match(text, end)
        assert closed is not None
        end = closed.end()
    if end == len(text) and not final:
        return True
    return Head(kind, end, mark in _PLAIN)


_PLAIN = ("Thought:", "Action:", "Action Input:", "Observation:", "Final Answer:")


def _word(mark: str) -> str:
    found = _WORD.search(mark)
    return found[0] if found else ""


def _kind(mark: str) -> str:
    return _KINDS.get(" ".join(_word(mark).lower().split()), "input")


class Action(NamedTuple):
    """What a model wants to be done."""

    name: str
    arguments: dict[str, Any] | str
    end: int
    """Where it ends in the text."""
    answer: str | None = None
    """What it says to the user, where the action is to finish."""


_FINISH = ("final answer", "final_answer", "finish", "answer")
"""What models write for the name of a tool when they mean the answer."""
_NOTHING = ("", "none", "n/a", "null", "no action", "no tool")
_BLANKS = re.compile(r"\s{0,200}")
_BLANK = re.compile(r"[ \t]*")
_FENCE = re.compile(r"```\w*[ \t]*\n?")
_NAME = re.compile(
    r"[ \t*`\"']*(?:(?:use|using|call|run|invoke)[ \t]+)?(?:the[ \t]+)?"
    r"(?:(?:tool|function)[ \t:]+)?[`\"'*]*(?P<name>[\w.\-]{1,64})[`\"'*]*",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"[ \t.*`\"',;]*(?:tool|function)?[ \t.*`]*", re.IGNORECASE)
_BEFORE_INPUT = re.compile(r"[ \t]*[,;]?[ \t]*")
_AFTER_BRACKET = re.compile(r"[ \t.*`\"';,)\]]*")
_NAMES = ("name", "action", "tool", "tool_name", "function", "function_name")
_ARGUMENTS = (
    *("arguments", "action_input", "input", "parameters", "args", "tool_input"),
    *("params", "kwargs"),
)
_MOST_WORDS = 4
"""Of what may be meant as the name of a tool that does not exist."""


class Actions:
    """Reads one action while its text arrives; create one for each."""

    def __init__(self, tools: Mapping[str, ToolSchema], lenient: bool = False) -> None:
        """Set the tools. `lenient`: the model is known to write in the form, so that
        the name of a tool that does not exist is read too."""
        self._tools = tools
        self._lenient = lenient
        self.sure = False
        """Whether it is an action, whatever follows."""
        self._brackets = _Brackets()

    def read(self, text: str, final: bool) -> Action | Waits | None:
        """Return the action that `text` has after its mark.

        None if it is not an action, True while more text decides. The result for a text
        holds for all texts that begin with it.
        """
        begin = _end(_BLANKS, text, 0)
        if begin == len(text):
            return None if final else True
        if text[begin] == "{":
            return self._object(text, begin, final)
        if text.startswith("```", begin):
            inner = _end(_FENCE, text, begin)
            if inner == len(text):
                return None if final else True
            if text[inner] != "{":
                return None
            return _with_fence(text, self._object(text, inner, final), final)
        if _is_cut_fence(text, begin) and not final:
            return True
        return self._line(text, begin, final)

    def _line(self, text: str, begin: int, final: bool) -> Action | Waits | None:
        """Read a tool's name, with arguments behind it or on the lines below."""
        newline = text.find("\n", begin)
        end = len(text) if newline < 0 else newline
        found = _NAME.match(text, begin, end)
        if found is None:
            return None if newline >= 0 or final else True
        name, at = self._name(found["name"]), found.end()
        bracket = _end(_BLANK, text, at)
        if text[bracket : bracket + 1] in ("[", "("):
            read = self._inline(text, bracket, newline, final)
            if read is None or read is True:
                return read
            given, at = read
            if given.strip():
                return self._made(name, given, at, known_only=True)
            newline = text.find("\n", at)
            end = len(text) if newline < 0 else newline
        if newline < 0 and not final:
            return True
        head = read_head(text[_end(_BEFORE_INPUT, text, at) : end], True, below=True)
        if isinstance(head, Head) and head.kind == "input":
            return self._input(
                text, name, _end(_BEFORE_INPUT, text, at) + head.end, final
            )
        if not _AFTER_NAME.fullmatch(text, at, end):
            name = text[begin:end].strip(" \t`'\"*")
            if not self._lenient and name.lower() not in _FINISH:
                return None
        return self._below(text, name, end, final)

    def _below(
        self, text: str, name: str, end: int, final: bool
    ) -> Action | Waits | None:
        """Read what is below the line of a tool's name."""
        begin = _end(_BLANKS, text, end)
        if begin == len(text):
            return self._made(name, "", end, known_only=True) if final else True
        head = read_head(text[begin:], final, below=True)
        if head is True:
            return True
        if isinstance(head, Head):
            if head.kind == "input":
                return self._input(text, name, begin + head.end, final)
            return self._made(name, "", end, known_only=True)
        if _is_cut_fence(text, begin) and not final:
            return True
        if text[begin] == "{" or text.startswith("```", begin):
            return (
                self._input(text, name, begin, final) if name in self._tools else None
            )
        return None

    def _inline(
        self, text: str, bracket: int, newline: int, final: bool
    ) -> tuple[str, int] | Waits | None:
        """Return the arguments in the brackets after a name, and where they end."""
        first = text[bracket + 1 :].lstrip()[:1]
        if not first and not final:
            return True
        if first in ("{", "[", '"'):
            end = self._brackets.end(text, bracket)
            if end < 0:
                return None if final else True
        else:
            if newline < 0 and not final:
                return True
            line = text[: newline if newline >= 0 else len(text)]
            end = max(line.rfind("]"), line.rfind(")")) + 1
            if end <= bracket:
                return None
        rest = text.find("\n", end)
        if rest < 0 and not final:
            return True
        rest = len(text) if rest < 0 else rest
        if not _AFTER_BRACKET.fullmatch(text, end, rest):
            return None
        return text[bracket + 1 : end - 1], end

    def _input(
        self, text: str, name: str, at: int, final: bool
    ) -> Action | Waits | None:
        """Read the arguments behind their mark."""
        self.sure = self.sure or name in self._tools
        begin = _end(_BLANKS, text, at)
        if begin == len(text):
            return self._made(name, "", at) if final else True
        if _is_cut_fence(text, begin) and not final:
            return True
        inner = begin
        if text.startswith("```", begin):
            inner = _end(_FENCE, text, begin)
        elif text.startswith("`{", begin):
            inner = begin + 1
        if inner == len(text) and not final:
            return True
        if text[inner : inner + 1] == "{":
            end = self._brackets.end(text, inner)
            if end >= 0:
                return self._made(name, text[inner:end], end, known_only=False)
            return self._made(name, text[inner:], len(text)) if final else True
        if inner > begin and inner > begin + 1:
            closed = text.find("```", inner)
            if closed < 0 and not final:
                return True
            end = closed if closed >= 0 else len(text)
            return self._made(name, text[inner:end].strip(), end)
        following = _ANY.search(text, begin)
        if following is None and not final:
            return True
        end = following.start() if following else len(text)
        return self._made(name, text[begin:end].strip(), end)

    def _object(self, text: str, begin: int, final: bool) -> Action | Waits | None:
        """Read an action that is all in one JSON object."""
        end = self._brackets.end(text, begin)
        if end < 0:
            return None if final else True
        fields = read_object(text[begin:end]) or {}
        named = next((fields[key] for key in _NAMES if fields.get(key)), None)
        if isinstance(named, dict):
            fields = cast(dict[str, Any], named)
            named = fields.get("name")
        if not isinstance(named, str):
            return None
        held = next((key for key in _ARGUMENTS if key in fields), "")
        given: Any = fields.get(held)
        name = self._name(named)
        if name not in self._tools and name.lower() in _FINISH:
            return Action("", {}, end, _said(given))
        if name not in self._tools and not held:
            return None
        if isinstance(given, dict):
            return Action(name, cast(dict[str, Any], given), end)
        written = given if isinstance(given, str) else json.dumps(given)
        arguments = read_arguments(written, self._tools.get(name)) if given else {}
        return Action(name, arguments, end)

    def _name(self, name: str) -> str:
        name = name.strip()
        for known in (name, name.removeprefix("functions."), name.rstrip(".")):
            if known in self._tools:
                return known
        return name

    def _made(
        self, name: str, given: str, end: int, known_only: bool | None = None
    ) -> Action | None:
        """Return the action, if `name` is that of a tool or may be meant so."""
        tool = self._tools.get(name)
        if tool is None:
            if name.lower() in _NOTHING:
                return None
            if name.lower() in _FINISH:
                return Action("", {}, end, given) if given else None
            if known_only and len(name.split()) > _MOST_WORDS:
                return None
            if not self._lenient and (known_only or read_object(given) is None):
                return None
        elif (
            known_only
            and not (given or self._lenient)
            and tool.parameters.get("required")
        ):
            return None  # a line that only names a tool is not enough for it
        return Action(name, read_arguments(given, tool), end)


def _is_cut_fence(text: str, at: int) -> bool:
    """Whether a text ends where a fence may begin."""
    return len(text) - at < 3 and "```".startswith(text[at:])


def _with_fence(
    text: str, read: Action | Waits | None, final: bool
) -> Action | Waits | None:
    """Return an action with the end of the fence around it, if an answer follows."""
    if not isinstance(read, Action) or read.answer is None:
        return read
    end = _end(_BLANKS, text, read.end)
    if _is_cut_fence(text, end) and not final:
        return True
    return read._replace(end=end + 3) if text.startswith("```", end) else read


class _Brackets:
    """Finds the bracket that closes another, going on where it has stopped."""

    def __init__(self) -> None:
        self._start = -1
        self._at = 0
        self._depth = 0
        self._quote = ""
        self._last = ""

    def end(self, text: str, start: int) -> int:
        """Return where the brackets that begin at `start` end, -1 if they do not."""
        if start != self._start:
            self._start = self._at = start
            self._depth, self._quote, self._last = 0, "", ""
        for found in _SIGN.finditer(text, self._at):
            sign = found[0]
            if self._quote:
                if sign == self._quote:
                    self._quote = ""
            elif sign == '"' or (sign == "'" and _opens_string(text, found.start())):
                self._quote = sign
            elif sign in "{[(":
                self._depth += 1
            elif sign in "}])":
                self._depth -= 1
                if self._depth <= 0:
                    return found.end()
            self._at = found.end()
        return -1


_LOOK_BACK = 100
_SIGN = re.compile(r"\\.|[\"'{}\[\]()]", re.DOTALL)


def _opens_string(text: str, at: int) -> bool:
    return text[max(0, at - _LOOK_BACK) : at].rstrip()[-1:] in (
        "{",
        "[",
        "(",
        ",",
        ":",
        "=",
    )


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _said(given: Any) -> str:
    """Return the answer in the arguments of an action that finishes."""
    if isinstance(given, dict):
        fields = cast(dict[str, Any], given)
        given = next(iter(fields.values())) if len(fields) == 1 else fields
    if isinstance(given, str):
        return given
    return "" if given is None else json.dumps(given, ensure_ascii=False)
