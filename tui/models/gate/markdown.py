"""Tells where streamed Markdown quotes what stands in it.

A model that explains its own call format writes it in a fence, in inline code, in
indented code or between quotation marks, and means no call. Fences follow CommonMark
0.31 section 4.5, except that any indentation is accepted, since answers inside lists
are indented; indented code follows section 4.4, code spans section 6.1.

Text is only gathered as it comes and looked at when something wants to open, so that
prose costs one call for each chunk.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_CONTAINER = re.compile(r"(?:[ \t]|>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))*")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
_BLOCK = re.compile(r"[ \t]*(?:[-*+] |\d{1,9}[.)] |#|\|)")
"""How a line begins that does not go on with the paragraph before it."""
_INDENT = re.compile(r" {0,3}\t| {4}")
RUNS = ("```", "~~~")
"""What every fence has in it."""
_RUN = re.compile(r"(?<!\\)(`+)")
_TAG = re.compile(r"<(/?)(code|pre|samp|kbd|q|blockquote)\b[^<>]*>?", re.IGNORECASE)
_END_TAG = (
    r"</[^<>\s]{1,40}>|<\w{1,40}\|>|<[|｜]\w*(?i:end|suffix)\w*[|｜]>|\[/[A-Z_]+\]"
)
_END_OF_CALL = re.compile(rf"\s*(?:{_END_TAG}|`{{3}})")
_BEGUN_TAG = re.compile(r"\s*(?:[<\[][^<>\s]{0,40}|`{1,2})?")
_STRAIGHT = re.compile(r'(?<!\\)"')
_PAIRS = ("“”", "„“", "«»", "»«", "‹›", "‘’", "「」", "『』", "《》", "()", "（）")
_ALONE = "'*_~’"

_LONGEST = 2000
"""Characters kept of each end of a line, and of a paragraph."""
_LONGEST_FENCE = 200
"""Characters; longer fences count as this long."""


class Mark(NamedTuple):
    """Quoting that is open, and what would close it."""

    close: str
    adjacent: bool = False
    """It counts only directly after what it quotes."""

    def closes(self, text: str, final: bool) -> bool | None:
        """Return whether `text` closes it, None while more text decides.

        It does on the line where `text` begins, or as the first thing after that.
        """
        if len(text) > _LONGEST:
            text, final = text[:_LONGEST], True
        if self.adjacent:
            return text.startswith(self.close) if text or final else None
        first = self._closes(text, final)
        if first is not False or self.close[0] == "|":
            return first
        at = 0
        while found := _END_OF_CALL.match(text, at):
            at = found.end()
            if closed := self._closes(text[at:], final):
                return closed
        if not final and _BEGUN_TAG.fullmatch(text, at):
            return None
        return bool(at) and self._closes(text[at:], final)

    def _closes(self, text: str, final: bool) -> bool | None:
        line, newline, _ = text.partition("\n")
        at = 0
        while (at := line.find(self.close, at)) >= 0:
            end = at + len(self.close)
            if self.close[0] != "`":
                return True
            # A run of back-ticks is closed by one that is just as long.
            while line[end : end + 1] == "`":
                end += 1
            if end == len(line) and not (newline or final):
                return None
            if end - at == len(self.close):
                return True
            at = end
        if text.lstrip().startswith(self.close) and self.close[0] != "`":
            return True
        whole = final or (newline and text[len(line) :].strip())
        return False if whole else None


class Markdown:
    """Follows visible text; `feed` takes the next chunk of it, of any length."""

    __slots__ = (
        "_begun",
        "_blank",
        "_fence",
        "_fence_quoted",
        "_new",
        "_paragraph",
        "feed",
        "line",
    )

    def __init__(self) -> None:
        self._new: list[str] = []
        self.feed = self._new.append
        self.line = ""
        """The line so far, as of `quotes`."""
        self._paragraph = ""
        self._blank = False
        self._begun = False
        self._fence = ""
        self._fence_quoted = False

    @property
    def in_doubt(self) -> bool:
        """Whether the line may open or close a fence, as of `quotes`."""
        if self._fence and self._fence_quoted:
            return True
        return any(run in self.line for run in RUNS)

    @property
    def in_fence(self) -> bool:
        """Whether a fence is open, as of `quotes`; also one that the line opens."""
        return bool(self._fence or _opens(self.line))

    @property
    def in_prose(self) -> bool:
        """Whether only a back-tick can quote the rest of the line, as of `quotes`."""
        return not self._fence and begins_prose(self.line[:1])

    def quotes(self) -> bool:
        """Return whether what comes next is quoted, whatever follows it."""
        self._catch_up()
        line = self.line
        if self.in_prose:
            return line[-1:] == "`" or bool(_opens(line))
        if self._fence and self._in_fence(line):
            return True
        if _opens(line) or line.endswith("`"):
            return True
        if self._blank and self._begun and _INDENT.match(line):
            return True
        return line.lstrip(" \t").startswith(("> ", ">\t"))

    def marks(self) -> Sequence[Mark]:
        """Return the quoting that is open before what comes next, if it is closed."""
        self._catch_up()
        text = self._paragraph + self.line
        marks = [Mark(run) for run in _open_runs(text)]
        marks += [Mark(close) for close in _open_tags(text)]
        if len(_STRAIGHT.findall(text)) % 2:
            marks.append(Mark('"'))
        marks += [Mark(p[1]) for p in _PAIRS if text.count(p[0]) > text.count(p[1])]
        if (text.count("»") - text.count("«")) % 2:
            marks.append(Mark("»"))  # Swedish and Finnish
        if text.rfind("<!--") > text.rfind("-->"):
            marks.append(Mark("-->"))
        if text.count("[") > text.count("]"):
            # The text of a link.
            marks.append(Mark("]("))
        if text[-1:] and text[-1] in _ALONE:
            marks.append(Mark(text[-1], adjacent=True))
        if self.line.lstrip(" \t").startswith("|"):
            marks.append(Mark("|"))
        return marks

    def interrupt(self) -> None:
        """Take note of a call, which ends the paragraph."""
        self._catch_up()
        self._paragraph = ""
        self.line = ""

    def _catch_up(self) -> None:
        if not self._new:
            return
        text = self.line + "".join(self._new)
        self._new.clear()
        at = 0
        last = text.rfind("\n") + 1
        for line in (*_lines_with_runs(text), last):
            self._pass(text, at, line)
            at = self._end_line(text, line) if line < last else line
        self.line = _short(text[at:])

    def _pass(self, text: str, at: int, end: int) -> None:
        """Take the lines from `at` to `end`, which have no run of a fence."""
        if self._fence and not self._fence_quoted:
            return
        while at < end and (self._fence or not self._begun):
            at = self._end_line(text, at)
        blank = text.rfind("\n\n", at, end)
        if blank >= 0:
            # It ends all that came before it.
            self._paragraph = ""
            self._blank = True
            at = blank + 2
        while at < end:
            at = self._end_line(text, at)

    def _end_line(self, text: str, at: int) -> int:
        """Take the line at `at`; return where the next one begins."""
        end = text.find("\n", at)
        self._end(_short(text[at:end]))
        return end + 1

    def _in_fence(self, line: str) -> bool:
        """Whether the line is in the open fence; a block quote takes its own along."""
        bare = line.lstrip(" \t")
        return not (self._fence_quoted and bare and not bare.startswith(">"))

    def _end(self, line: str) -> None:
        if line[:1].isalpha() and not self._fence:
            # Nearly all lines of prose.
            self._begun = True
            self._blank = False
            self._paragraph = f"{self._paragraph}{line}\n"[-_LONGEST:]
            return
        line = line.rstrip("\r")
        bare = line.strip(" \t>")
        self._begun = self._begun or bool(bare)
        if self._fence:
            if self._in_fence(line):
                fence = self._fence
                if len(bare) >= len(fence) and not bare.strip(fence[0]):
                    self._fence = ""
                return
            self._fence = ""
        self._fence = _opens(line)
        if self._fence:
            self._fence_quoted = line.lstrip(" \t").startswith(">")
            self._paragraph = ""
            self._blank = False
        elif not bare:
            self._paragraph = ""
            self._blank = True
        elif not (self._blank and _INDENT.match(line)):
            self._blank = False
            before = "" if _BLOCK.match(line) else self._paragraph
            self._paragraph = f"{before}{line}\n"[-_LONGEST:]


def begins_prose(first: str) -> bool:
    """Whether only a back-tick can quote the rest of a line with this first character.

    Other lines may be indented code, or quoted.
    """
    return first not in {" ", "\t", ">"}


def _short(line: str) -> str:
    return line if len(line) <= 2 * _LONGEST else line[:_LONGEST] + line[-_LONGEST:]


def _lines_with_runs(text: str) -> list[int]:
    """Return where the lines begin that may open or close a fence."""
    found: set[int] = set()
    for run in RUNS:
        at = text.find(run)
        while at >= 0:
            found.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(run, end) if end >= 0 else -1
    return sorted(found)


def _opens(line: str) -> str:
    """Return the run of characters with which the line opens a fence, or ""."""
    if "```" not in line and "~~~" not in line:
        return ""
    start = _CONTAINER.match(line)
    found = _FENCE.fullmatch(line, start.end() if start else 0)
    if found is None or (found[1][0] == "`" and "`" in found[2]):
        return ""
    return found[1][:_LONGEST_FENCE]


def _open_runs(text: str) -> list[str]:
    """Return the runs of back-ticks that none of the same length has closed yet."""
    runs = _RUN.findall(text)
    open_: list[str] = []
    i = 0
    while i < len(runs):
        if runs[i] in runs[i + 1 :]:
            i = runs.index(runs[i], i + 1)
        elif runs[i] not in open_:
            open_.append(runs[i])
        i += 1
    return open_


def _open_tags(text: str) -> list[str]:
    """Return the end tags of the HTML elements for code and quotations left open."""
    depth: dict[str, int] = {}
    for slash, name in _TAG.findall(text):
        depth[name.lower()] = depth.get(name.lower(), 0) + (-1 if slash else 1)
    return [f"</{name}>" for name, count in depth.items() if count > 0]
