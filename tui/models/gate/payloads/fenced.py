"""Parses calls that models write as code, or after a name and a sign.

The formats are those of the models' prompts: Gemma 3 in tool_code fences, SmolLM3 in
<code>, MiniCPM 3 and 4 in a Python fence, Command R+ in a JSON fence; and
GLM-5.3-Flash, Step-Audio 2 and TeleChat4 in <tool_call>.
"""

import re
from collections.abc import Callable

from tui.models.gate.grammar import Reader, Reading, Tools
from tui.models.gate.payloads.json import Fault, arguments_of, read_calls
from tui.models.gate.payloads.python import read_python_lines
from tui.models.gate.pieces import Call

_PRINTED = re.compile(r"^\s*print\((?P<call>.*)\)\s*$", re.DOTALL)
_API = re.compile(r"(?<![\w.])default_api\.(?=[A-Za-z_])")
_FENCE = re.compile(r"\s*```(?:python|py)?[ \t]*\n|\s*```\s*\Z")
_DIRECT = ("directly-answer", "directly_answer")
_GLM = re.compile(r"\s*(?P<name>[^<>{\n]+?)\s*[>\n]\s*")
_STEP = re.compile(r"\s*function\s*\n\s*(?P<name>[^\s{]+)\s*")


def read_code(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse Python calls, each perhaps printed."""
    printed = _PRINTED.match(body)
    code = printed["call"] if printed else body
    return read_python_lines(_API.sub("", code), tools, closed)


def read_fenced_code(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse Python calls, in a fence or not."""
    return read_python_lines(_FENCE.sub("", body), tools, closed)


def read_command_r(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a list of calls; a call to answer directly is none."""
    reading = read_calls(body, tools, closed)
    return reading._replace(
        calls=[call for call in reading.calls if call.name not in _DIRECT]
    )


def _named(header: re.Pattern[str], name_of: Callable[[str, Tools], str]) -> Reader:
    def read(body: str, tools: Tools, closed: bool) -> Reading:
        found = header.match(body)
        written = body[found.end() :] if found else ""
        if found is None or not (closed or written.strip()):
            return Reading(whole=False)
        try:
            name = name_of(found["name"], tools)
            return Reading([Call(name, arguments_of(written))])
        except Fault:
            return Reading(whole=False)

    return read


def _offered(written: str, tools: Tools) -> str:
    """Return the tool that is meant by "Display/name"."""
    parts = [part.strip() for part in written.split("/") if part.strip()]
    return next((part for part in parts if part in tools), (parts or [written])[-1])


read_glm53 = _named(_GLM, _offered)
read_named = _named(
    re.compile(r"\s*(?P<name>[^\s{<>]+)\s*"), lambda written, tools: written
)
read_step_audio = _named(_STEP, lambda written, tools: written)
